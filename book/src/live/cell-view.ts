import type { CellDiagnostic, CellOutput as SessionOutput } from "../../../lib/notebook/kernel-protocol.ts";
import { cleanDom } from "./clean-dom.ts";
import type { CellOutput } from "./notebook-output.ts";
import { type FigureLabel, isFigure, outputMarkup } from "./output-markup.ts";

/** What a cell is doing. */
export type CellState = "idle" | "queued" | "running" | "done" | "failed" | "stopped";

const stateText: Readonly<Record<CellState, string>> = {
  idle: "",
  queued: "waiting",
  running: "running",
  done: "ran",
  failed: "failed",
  stopped: "stopped",
};

/** An editor that has taken the place of a cell's static code. */
export interface MountedEditor {
  readonly source: string;
  setSource(source: string): void;
  focus(): void;
}

/** One cell on the page: its text, its outputs and what it shows of its state. */
export class CellView {
  readonly element: HTMLElement;
  readonly id: string;
  readonly index: number;
  readonly builtSource: string;
  editor: MountedEditor | undefined;
  #source: string;
  #stream: { name: string; node: HTMLElement } | undefined;
  readonly #named = new Map<string, HTMLElement>();
  /** Numbers and captions of the book's drawings, which a run draws again in the same order. */
  readonly #labels: readonly FigureLabel[];
  #drawn = 0;

  constructor(element: HTMLElement) {
    this.element = element;
    this.id = element.dataset["cell"] ?? "";
    this.index = Number(element.dataset["index"]);
    this.builtSource = this.codeBlock?.textContent?.replace(/\n$/, "") ?? "";
    this.#source = this.builtSource;
    this.#labels = [...element.querySelectorAll<HTMLElement>("figure[data-number]")].map((figure) => ({
      number: figure.dataset["number"] ?? "",
      anchor: figure.id,
      caption: figure.querySelector(".figure-caption")?.innerHTML ?? "",
    }));
  }

  /** The static code, until an editor replaces it. */
  get codeBlock(): HTMLElement | null {
    return this.element.querySelector<HTMLElement>(":scope > pre");
  }

  get source(): string {
    return this.editor?.source ?? this.#source;
  }

  get isEdited(): boolean {
    return this.source !== this.builtSource;
  }

  /** Replaces the text, in the editor or in the static block. */
  setSource(source: string): void {
    this.#source = source;
    if (this.editor) this.editor.setSource(source);
    else {
      const code = this.codeBlock?.querySelector("code");
      if (code) code.textContent = source;
    }
    this.showEdited();
  }

  /** Shows or hides the way back to the book's text. */
  showEdited(): void {
    const reset = this.element.querySelector<HTMLElement>("[data-action=reset]");
    if (reset) reset.hidden = !this.isEdited;
  }

  setState(state: CellState, detail = ""): void {
    this.element.dataset["state"] = state;
    const label = this.element.querySelector(".cell-state");
    if (label) label.textContent = detail || stateText[state];
    const run = this.element.querySelector("[data-action=run]");
    const isBusy = state === "running" || state === "queued";
    run?.setAttribute("aria-label", `${isBusy ? "Stop" : "Run"} cell ${this.index}`);
    run?.setAttribute("title", isBusy ? "Stop" : "Run (Shift+Enter)");
  }

  /** Takes the outputs away, keeping their room so that the page does not jump. */
  clearOutputs(): void {
    const old = [...this.element.querySelectorAll<HTMLElement>(":scope > .output, :scope > .cell-outputs")];
    const height = old.reduce((sum, node) => sum + node.offsetHeight, 0);
    for (const node of old) node.remove();
    this.#stream = undefined;
    this.#named.clear();
    this.#drawn = 0;
    const room = document.createElement("div");
    room.className = "cell-outputs";
    room.style.minHeight = `${height}px`;
    this.element.insertBefore(room, this.element.querySelector(":scope > .exercise-help"));
  }

  /** Gives back the room that {@link clearOutputs} kept. */
  settleOutputs(): void {
    this.#room.style.minHeight = "";
  }

  get #room(): HTMLElement {
    const room = this.element.querySelector<HTMLElement>(":scope > .cell-outputs");
    if (room) return room;
    this.clearOutputs();
    return this.#room;
  }

  /** Adds one output of a session. */
  addOutput(output: SessionOutput): void {
    if (output.type === "stream" && this.#stream?.name === output.name) {
      this.#stream.node.append(output.text);
      return;
    }
    const node = document.createElement("div");
    node.className = "output";
    const shown = pageOutput(output);
    const label = isFigure(shown) ? this.#labels[this.#drawn++] : undefined;
    node.innerHTML = outputMarkup(shown, cleanDom, label);
    const displayId = output.type === "display_data" ? output.displayId : undefined;
    const replaced = displayId === undefined ? undefined : this.#named.get(displayId);
    if (replaced && output.type === "display_data" && output.update === true) replaced.replaceWith(node);
    else this.#room.append(node);
    if (displayId !== undefined) this.#named.set(displayId, node);
    const stream = output.type === "stream" ? node.querySelector("pre") : null;
    this.#stream = stream && output.type === "stream" ? { name: output.name, node: stream } : undefined;
  }

  /** Shows why a cell did not compile. */
  showDiagnostics(diagnostics: readonly CellDiagnostic[]): void {
    const [first] = diagnostics;
    const lines = diagnostics.map(
      ({ code, line, column, message }) => `${line}:${column}  ${message} (TS${code})`,
    );
    this.addOutput({
      type: "error",
      ename: "TypeScript",
      evalue:
        diagnostics.length === 1 && first
          ? `line ${first.line}: ${first.message} (TS${first.code})`
          : `${diagnostics.length} errors\n${lines.join("\n")}`,
      traceback: [],
    });
  }

  /** Verdicts of checks among the outputs: check id → passed. */
  verdicts(): Map<string, boolean> {
    const found = new Map<string, boolean>();
    for (const node of this.element.querySelectorAll<HTMLElement>(".dom0-verdict[data-check]")) {
      found.set(node.dataset["check"] ?? "", node.dataset["passed"] === "true");
    }
    return found;
  }
}

function pageOutput(output: SessionOutput): CellOutput {
  if (output.type !== "error") return output;
  return { type: "error", name: output.ename, message: output.evalue, traceback: output.traceback };
}
