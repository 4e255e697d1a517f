/**
 * The compiler process: turns cells into JavaScript for one submission at a time. It runs no cell.
 *
 * It is confined like a cage: an import or a type in a student's text reads files, and messages quote types. A text can keep a type checker busy for minutes, so whoever started this process kills it at a deadline.
 */
import { enableCompileCache, flushCompileCache } from "node:module";
import { pathToFileURL } from "node:url";
import type { CompilerHost } from "../../notebook/compiler/type-files.ts";
import type { CompileResult } from "../../notebook/kernel-protocol.ts";
import { readFrameSync, writeFrameSync } from "../wire.ts";
import type { CompilerAnswer, CompilerRequest } from "./protocol.ts";

const CHANNEL = 3;

interface HostModule {
  /** The type files that every kernel of the kit sees, for cells in a folder. */
  nodeCompilerHost(folder: string): CompilerHost;
}

const [, , hostModule = "", cache, mode] = process.argv;
if (cache !== undefined && cache !== "") enableCompileCache(cache);
// TypeScript is large: its import waits until the cache is on.
const { createCellCompiler } = await import("../../notebook/compiler/cell-compiler.ts");
const { nodeCompilerHost } = (await import(pathToFileURL(hostModule).href)) as HostModule;
if (mode === "warm-up") {
  flushCompileCache();
  process.exit(0);
}
// Started in the kit's own folder: cells import from the kit and from nowhere else.
const compiler = createCellCompiler(nodeCompilerHost(process.cwd()));

/** A text that trips the compiler itself is one more text that does not compile. */
function compile(source: string): CompileResult {
  try {
    return compiler.compile(source);
  } catch (error) {
    const what = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "";
    const message = `the compiler failed on this cell: ${what}`;
    return { ok: false, diagnostics: [{ code: 0, message, line: 1, column: 1, start: 0, length: 1 }] };
  }
}

function answer(request: CompilerRequest): CompilerAnswer {
  if (request.type === "compile") return compile(request.source);
  if (request.type === "commit") compiler.commit(request.cell, request.survivors);
  else compiler.reset();
  return null;
}

for (let bytes = readFrameSync(CHANNEL); bytes !== undefined; bytes = readFrameSync(CHANNEL)) {
  const request = JSON.parse(Buffer.from(bytes).toString("utf8")) as CompilerRequest;
  writeFrameSync(CHANNEL, Buffer.from(JSON.stringify(answer(request))));
}
