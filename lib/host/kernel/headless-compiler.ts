/**
 * Thread that compiles cells: the kernel's own thread stays free to time out, to stop a cell and to answer.
 */
import { enableCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { CompilerAnswers, CompilerReply, CompilerRequest } from "../../notebook/kernel-protocol.ts";

enableCompileCache();
// TypeScript is large: its import waits until the cache is on.
const { createCellCompiler } = await import("../../notebook/compiler/cell-compiler.ts");
const { serveCompiler } = await import("../../notebook/compiler/serve-compiler.ts");
const { nodeCompilerHost } = await import("./headless-files.ts");

const { folder } = workerData as { folder: string };
const serve = serveCompiler(createCellCompiler(nodeCompilerHost(folder)));

parentPort?.on("message", (request: CompilerRequest) => {
  let reply: CompilerReply;
  try {
    const answer: CompilerAnswers[keyof CompilerAnswers] = serve(request);
    reply = { id: request.id, answer };
  } catch (error) {
    reply = {
      id: request.id,
      fault: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
  parentPort?.postMessage(reply);
});
