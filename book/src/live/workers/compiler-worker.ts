/** The compiler worker: the kit's one cell compiler over type files that the build packed into one file. */
import { type CellCompiler, createCellCompiler } from "../../../../lib/notebook/compiler/cell-compiler.ts";
import { typeFilesFromMap } from "../../../../lib/notebook/compiler/type-files.ts";
import type { CompilerReply, CompilerRequest } from "../../../../lib/notebook/kernel-protocol.ts";
import type { CompilerBoot } from "../compiler-client.ts";
import { compilerFolders } from "./compiler-folders.ts";

let compiler: Promise<CellCompiler> | undefined;

addEventListener("message", async ({ data }: MessageEvent<CompilerBoot | CompilerRequest>) => {
  if ("types" in data) {
    compiler = startCompiler(data.types);
    compiler.catch(() => undefined);
    return;
  }
  postMessage(await reply(data));
});

async function startCompiler(types: string): Promise<CellCompiler> {
  const response = await fetch(types);
  if (!response.ok) throw new Error(`The type declarations could not be loaded (${response.status}).`);
  const files = new Map(Object.entries((await response.json()) as Record<string, string>));
  return createCellCompiler({ files: typeFilesFromMap(files), ...compilerFolders });
}

async function reply(request: CompilerRequest): Promise<CompilerReply> {
  try {
    if (!compiler) throw new Error("The compiler was not started.");
    return { id: request.id, answer: answer(await compiler, request) };
  } catch (error) {
    return { id: request.id, fault: error instanceof Error ? error.message : String(error) };
  }
}

function answer(compiler: CellCompiler, request: CompilerRequest) {
  switch (request.call) {
    case "compile":
      return compiler.compile(request.source);
    case "commit":
      return compiler.commit(request.cell, request.survivors) as undefined;
    case "reset":
      return compiler.reset() as undefined;
    case "check":
      return compiler.check(request.source, request.earlier);
    case "complete":
      return compiler.complete(request.source, request.offset, request.earlier);
    case "quickInfo":
      return compiler.quickInfo(request.source, request.offset, request.earlier);
  }
}
