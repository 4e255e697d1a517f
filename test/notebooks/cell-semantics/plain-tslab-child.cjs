/** Runs cells in tslab's own converter and executor; outputs go to the parent, as tslab's Jupyter server sends them. */
const path = require("node:path");
const process = require("node:process");

const tslab = path.dirname(require.resolve("tslab/package.json"));
const { createConverter } = require(path.join(tslab, "dist/converter.js"));
const { createExecutor } = require(path.join(tslab, "dist/executor.js"));
const jupyter = require(path.join(tslab, "dist/jupyter.js"));

let run = 0;
const send = (output) => process.send({ type: "output", run, output });

const converter = createConverter();
const executor = createExecutor(process.cwd(), { node: converter, browser: null, close: () => {} }, console);

process.stdout.write = (text) => {
  send({ type: "stream", name: "stdout", text: String(text) });
  return true;
};
process.stderr.write = (text) => {
  send({ type: "stream", name: "stderr", text: String(text) });
  return true;
};
jupyter.lastWriteDisplayData = ({ data }) => send({ type: "display_data", data });
process.on("SIGINT", () => executor.interrupt());
process.on("unhandledRejection", (error) => console.error("UnhandledPromiseRejection:", error));
process.on("uncaughtException", (error) => console.error("UncaughtException:", error));
process.on("disconnect", () => process.exit());

process.on("message", async ({ run: number, source }) => {
  run = number;
  const ok = await executor.execute(source);
  await new Promise((resolve) => setImmediate(resolve));
  process.send({ type: "done", run: number, ok });
});
process.send({ type: "ready" });
