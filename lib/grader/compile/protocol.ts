/** Messages of the compiler process: JSON frames, one answer per request, in order. */
import type { CompileResult } from "../../notebook/kernel-protocol.ts";

/** One request. */
export type CompilerRequest =
  | { readonly type: "compile"; readonly source: string }
  | { readonly type: "commit"; readonly cell: number; readonly survivors: readonly string[] }
  | { readonly type: "reset" };

/** `null` answers everything but `compile`. */
export type CompilerAnswer = CompileResult | null;
