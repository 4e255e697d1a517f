/**
 * What a kernel front (the Jupyter server of the launcher) asks of the session behind it, and what it hears back.
 * All values are plain data, so they can cross a thread.
 */

/** Representations of one value, by MIME type. */
export type MimeData = Readonly<Record<string, unknown>>;

/** Something a cell says while it runs, or after it ended. */
export type CellEvent =
  | { readonly kind: "stream"; readonly name: "stdout" | "stderr"; readonly text: string }
  | {
      readonly kind: "display";
      readonly data: MimeData;
      readonly metadata: MimeData;
      readonly displayId?: string | undefined;
      /** True when it replaces the display with the same id. */
      readonly update?: boolean | undefined;
    }
  | { readonly kind: "result"; readonly data: MimeData; readonly metadata: MimeData };

/** How a cell ended. An error is a value: the student's mistake, never ours. */
export type CellOutcome =
  | { readonly status: "ok" }
  | {
      readonly status: "error";
      /** Name of the error: `RangeError`, `TypeScriptError`, `KeyboardInterrupt`. */
      readonly ename: string;
      readonly evalue: string;
      /** Lines for the reader, the first with name and message. */
      readonly traceback: readonly string[];
    };

/** Completions for one place in a cell; offsets count UTF-16 units. */
export interface CellCompletions {
  readonly start: number;
  readonly end: number;
  readonly matches: readonly { readonly text: string; readonly type: string }[];
}

/** One student's session: names defined by earlier cells live as long as it does. */
export interface KernelSession {
  /** Compiles and runs one cell. Calls come one after the other; `onEvent` may be called after it resolved (late output). */
  execute(code: string, onEvent: (event: CellEvent) => void): Promise<CellOutcome>;
  /** Completions at a UTF-16 offset, seeing the same cells as `execute`. */
  complete(code: string, offset: number): Promise<CellCompletions>;
  /** Type and documentation at a UTF-16 offset, as Markdown; `undefined` when nothing is there. */
  inspect(code: string, offset: number): Promise<string | undefined>;
  /** Whether the text could be run as it stands, or goes on. */
  isComplete(code: string): Promise<"complete" | "incomplete" | "invalid" | "unknown">;
  /** Stops the running cell; what earlier cells made stays. */
  interrupt(): void;
  /** Ends everything that the session started. */
  close(): Promise<void>;
}
