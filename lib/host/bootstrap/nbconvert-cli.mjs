#!/usr/bin/env node
/** `npx nbconvert-cli NOTEBOOK --to FORMAT`: the notebook converter under the name of Jupyter's own. */
import process from "node:process";
import { main, runDom0 } from "./environment.mjs";

await main(() => runDom0(["nbconvert", ...process.argv.slice(2)]));
