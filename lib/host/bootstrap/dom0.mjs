#!/usr/bin/env node
/** `npx dom0 …`: the command line, started under a Node that is new enough. */
import process from "node:process";
import { main, runDom0 } from "./environment.mjs";

await main(() => runDom0(process.argv.slice(2)));
