/**
 * What crosses a thread or process boundary between whoever shows a notebook and whoever runs its cells.
 *
 * Two parties serve a page, a terminal or Jupyter: a *compiler* (holds TypeScript, never runs a cell) and a
 * *session* (runs cells, holds no TypeScript). Everything here is plain data that `postMessage` or JSON carries.
 * The order for one cell: compile → execute → commit (tells the compiler which names survived).
 */
import type { MimeBundle } from "./display.ts";

/** One compiled cell: plain data, may cross threads or be kept in a file at build time. */
export interface EmittedCell {
  /** Number of this cell in its session, from 1; also in the names of stack frames. */
  readonly id: number;
  /** An async function expression in JavaScript: `(scope, reads…, modules…) => Promise<void>`. */
  readonly code: string;
  /** Cells whose names this one uses, in parameter order. */
  readonly reads: readonly number[];
  /** Module specifiers to load before the body runs, in parameter order. */
  readonly modules: readonly ModuleRequest[];
  /** Values that later cells may use, in declaration order. */
  readonly values: readonly string[];
  /** Source map `mappings` from `code` back to the cell's text, for tracebacks. */
  readonly mappings: string;
  /** The cell's text. */
  readonly source: string;
}

/** A static import of a cell. */
export interface ModuleRequest {
  readonly specifier: string;
  /** Import attributes, such as `{ type: "json" }`. */
  readonly attributes?: { readonly [name: string]: string };
}

/** A type error or syntax error, positioned inside the cell. */
export interface CellDiagnostic {
  /** TypeScript's number, as in TS2322. */
  readonly code: number;
  readonly message: string;
  /** Line from 1. */
  readonly line: number;
  /** Column from 1, in UTF-16 units. */
  readonly column: number;
  /** Offset of the first character in the cell's text, in UTF-16 units. */
  readonly start: number;
  /** UTF-16 units covered; at least 1 unless the cell is empty. */
  readonly length: number;
}

/** Result of compiling a cell: either it runs, or it says why not. */
export type CompileResult =
  | { readonly ok: true; readonly cell: EmittedCell }
  | { readonly ok: false; readonly diagnostics: readonly CellDiagnostic[] };

/** One output of a cell, with nbformat's names but plain strings. */
export type CellOutput =
  | { readonly type: "stream"; readonly name: "stdout" | "stderr"; readonly text: string }
  | {
      readonly type: "display_data";
      readonly data: MimeBundle;
      readonly displayId?: string;
      readonly update?: boolean;
    }
  | { readonly type: "execute_result"; readonly data: MimeBundle }
  | ({ readonly type: "error" } & CellError);

/** An error record: `ename: evalue` is the one-line form, `traceback` the lines to print. */
export interface CellError {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/** How a cell's run ended. */
export type RunStatus = "ok" | "error" | "interrupted";

/** End of one run. */
export interface RunOutcome {
  readonly status: RunStatus;
  /** Names of this cell that hold a value now; for `commit`. */
  readonly survivors: readonly string[];
  /** Present unless the status is "ok"; already sent as an output too. */
  readonly error?: CellError;
}

/** Page → session worker. */
export type SessionRequest =
  /** First message. `interrupt` is 4 bytes of shared memory when the page is cross-origin isolated. */
  | { readonly type: "boot"; readonly interrupt?: SharedArrayBuffer }
  /** Runs a cell; answered by `output`s, then one `done` with the same `run`. One at a time. */
  | { readonly type: "execute"; readonly run: number; readonly cell: EmittedCell }
  /** Stops an awaiting cell. A busy loop sees the shared flag instead; without the flag: terminate and replay. */
  | { readonly type: "interrupt" };

/** Session worker → page. */
export type SessionEvent =
  | { readonly type: "ready" }
  /** `run` is the cell that printed; it may already be done (a timer's late output). */
  | { readonly type: "output"; readonly run: number; readonly output: CellOutput }
  | { readonly type: "done"; readonly run: number; readonly outcome: RunOutcome };

/** Page → compiler worker; every request is answered by one {@link CompilerReply} with the same `id`. */
export type CompilerRequest = { readonly id: number } & CompilerCall;

/** The calls a compiler worker serves; see `CellCompiler` for what each means. */
export type CompilerCall =
  | { readonly call: "compile"; readonly source: string; readonly number?: number }
  | { readonly call: "completeness"; readonly source: string }
  | { readonly call: "commit"; readonly cell: number; readonly survivors: readonly string[] }
  | { readonly call: "reset" }
  | { readonly call: "check"; readonly source: string; readonly earlier?: readonly string[] }
  | {
      readonly call: "complete";
      readonly source: string;
      readonly offset: number;
      readonly earlier?: readonly string[];
    }
  | {
      readonly call: "quickInfo";
      readonly source: string;
      readonly offset: number;
      readonly earlier?: readonly string[];
    };

/** Answer to each call. */
export interface CompilerAnswers {
  readonly compile: CompileResult;
  readonly commit: undefined;
  readonly reset: undefined;
  readonly check: readonly CellDiagnostic[];
  readonly complete: CompletionList;
  readonly quickInfo: QuickInfo | undefined;
  readonly completeness: Completeness;
}

/** Whether a text can be run as it stands: Jupyter's words. */
export type Completeness = "complete" | "incomplete" | "invalid" | "unknown";

/** Compiler worker → page. `fault` is a bug of ours, in one line. */
export type CompilerReply =
  | { readonly id: number; readonly answer: CompilerAnswers[keyof CompilerAnswers] }
  | { readonly id: number; readonly fault: string };

/** Names that fit at a position. */
export interface CompletionList {
  /** Range of the text that an entry replaces. */
  readonly from: number;
  readonly to: number;
  /** Best first. */
  readonly entries: readonly CompletionEntry[];
}

/** One name that fits. */
export interface CompletionEntry {
  readonly name: string;
  /** TypeScript's kind: "const", "method", "interface", … */
  readonly kind: string;
}

/** What the name under a position is. */
export interface QuickInfo {
  readonly start: number;
  readonly length: number;
  /** Signature, as TypeScript prints it. */
  readonly signature: string;
  /** First paragraph and tags of the doc comment; may be empty. */
  readonly documentation: string;
}
