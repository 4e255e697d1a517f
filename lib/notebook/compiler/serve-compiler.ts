/**
 * Answers the calls of a compiler protocol: the body of every compiler worker.
 */
import type { CompilerAnswers, CompilerCall } from "../kernel-protocol.ts";
import type { CellCompiler } from "./cell-compiler.ts";

/** A function that answers one call; it throws only for a bug of ours. */
export function serveCompiler(
  compiler: CellCompiler,
): (call: CompilerCall) => CompilerAnswers[keyof CompilerAnswers] {
  return (call) => {
    switch (call.call) {
      case "compile":
        return compiler.compile(call.source, call.number);
      case "commit":
        compiler.commit(call.cell, call.survivors);
        return undefined;
      case "reset":
        compiler.reset();
        return undefined;
      case "check":
        return compiler.check(call.source, call.earlier);
      case "complete":
        return compiler.complete(call.source, call.offset, call.earlier);
      case "quickInfo":
        return compiler.quickInfo(call.source, call.offset, call.earlier);
      case "completeness":
        return compiler.completeness(call.source);
      default:
        return call satisfies never;
    }
  };
}
