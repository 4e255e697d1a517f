/**
 * What a kernel front (the Jupyter server of the launcher) asks of the session behind it.
 *
 * Values are those of the kernel protocol that page and headless runner speak, so all kernels say the same.
 */
import type {
  CellOutput,
  Completeness,
  CompletionList,
  QuickInfo,
  RunOutcome,
} from "../../notebook/kernel-protocol.ts";

/** One student's session: names defined by earlier cells live as long as it does. */
export interface KernelSession {
  /**
   * Compiles and runs one cell; callers wait for one before they start the next.
   * @param onOutput  Called for each output, an error included; also after the cell ended (a timer's late output).
   */
  execute(source: string, onOutput: (output: CellOutput) => void): Promise<RunOutcome>;
  /** Completions at a UTF-16 offset, seeing the same cells as `execute`; also while a cell runs. */
  complete(source: string, offset: number): Promise<CompletionList>;
  /** What the name at a UTF-16 offset is. */
  quickInfo(source: string, offset: number): Promise<QuickInfo | undefined>;
  /** Whether the text could be run as it stands, or goes on. */
  completeness(source: string): Promise<Completeness>;
  /** Stops the running cell; what earlier cells made stays. */
  interrupt(): void;
  /** Ends everything that the session started. */
  close(): Promise<void>;
}
