/** The compiler worker: the kit's one cell compiler over type files that the build packed into one file. */
import { createCellCompiler } from "../../../../lib/notebook/compiler/cell-compiler.ts";
import { serveCompiler } from "../../../../lib/notebook/compiler/serve-compiler.ts";
import { typeFilesFromMap } from "../../../../lib/notebook/compiler/type-files.ts";
import type { CompilerReply, CompilerRequest } from "../../../../lib/notebook/kernel-protocol.ts";
import type { CompilerBoot } from "../compiler-client.ts";
import { compilerFolders } from "./compiler-folders.ts";

type Serve = ReturnType<typeof serveCompiler>;

let compiler: Promise<Serve> | undefined;

addEventListener("message", async ({ data }: MessageEvent<CompilerBoot | CompilerRequest>) => {
  if ("types" in data) {
    compiler = startCompiler(data.types);
    compiler.catch(() => undefined);
    return;
  }
  postMessage(await reply(data));
});

async function startCompiler(types: string): Promise<Serve> {
  const response = await fetch(types);
  if (!response.ok) throw new Error(`The type declarations could not be loaded (${response.status}).`);
  const files = new Map(Object.entries((await response.json()) as Record<string, string>));
  return serveCompiler(createCellCompiler({ files: typeFilesFromMap(files), ...compilerFolders }));
}

async function reply(request: CompilerRequest): Promise<CompilerReply> {
  try {
    if (!compiler) throw new Error("The compiler was not started.");
    const serve = await compiler;
    return { id: request.id, answer: serve(request) };
  } catch (error) {
    return { id: request.id, fault: error instanceof Error ? error.message : String(error) };
  }
}
