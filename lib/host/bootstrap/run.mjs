/** `npm run check`, `npm run bench`: one dom0 command, from a clone on which nothing is installed yet. */
import process from "node:process";
import { main, runDom0 } from "./environment.mjs";

await main(() => runDom0(process.argv.slice(2)));
