#!/usr/bin/env node
/** `npx dom0 …`: the command line, started under a Node that is new enough. */
import process from "node:process";
import { doctor } from "./doctor.mjs";
import { main, runDom0 } from "./environment.mjs";

const args = process.argv.slice(2);
/** The plain doctor works before anything is installed; replaying needs the kit. */
const isPlainDoctor = args[0] === "doctor" && !args.some((argument) => argument.startsWith("--replay"));
await main(() => (isPlainDoctor ? doctor(args.slice(1)) : runDom0(args)));
