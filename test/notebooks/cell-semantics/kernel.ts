/** The driver interface: one suite, several kernels. */

/** What a cell has put out. Live: output that arrives after the cell ended is added. */
export interface Outcome {
  /** `hung`: it went on after it was told to stop, and its kernel had to be killed. */
  status: "ok" | "error" | "interrupted" | "hung";
  out: string;
  err: string;
  value: string | undefined;
  error: { ename: string; evalue: string; traceback: readonly string[] } | undefined;
  shows: Record<string, unknown>[];
}

/** A running kernel. */
export interface CellKernel {
  /** Runs a cell to its end. `onOutput` is called whenever the outcome has grown. */
  execute(source: string, onOutput?: () => void): Promise<Outcome>;
  interrupt(): void;
  close(): Promise<void>;
}

export const emptyOutcome = (): Outcome => ({
  status: "ok",
  out: "",
  err: "",
  value: undefined,
  error: undefined,
  shows: [],
});

/** Adds an output in nbformat's words (Jupyter messages, headless) to an outcome. */
export function addOutput(outcome: Outcome, given: { readonly type: string }): void {
  const output: { readonly type: string; readonly [field: string]: unknown } = { ...given };
  const data = (output["data"] ?? {}) as Record<string, unknown>;
  if (output.type === "stream") {
    if (output["name"] === "stderr") outcome.err += String(output["text"]);
    else outcome.out += String(output["text"]);
  } else if (output.type === "display_data") outcome.shows.push(data);
  else if (output.type === "execute_result") {
    if (Object.keys(data).length > 1 || data["text/plain"] === undefined) outcome.shows.push(data);
    else outcome.value = String(data["text/plain"]);
  } else if (output.type === "error") {
    outcome.error = {
      ename: String(output["ename"]),
      evalue: String(output["evalue"]),
      traceback: output["traceback"] as string[],
    };
  }
}
