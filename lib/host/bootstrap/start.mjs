/** `npm start`: installs and builds what is missing, then serves the live course on 127.0.0.1 until Ctrl-C. */
import process from "node:process";
import { ensureBook } from "./book.mjs";
import { ensureBuilt, ensureInstalled, main, runDom0 } from "./environment.mjs";

await main(async () => {
  await ensureInstalled();
  await ensureBuilt();
  await ensureBook();
  return runDom0(["serve", ...process.argv.slice(2)]);
});
