/**
 * Makes a chapter live. This file is all that a reader pays before touching a cell: it restores edits and marks,
 * and listens. Editor, TypeScript, session and charts are fetched when first needed.
 */
import { CellView } from "./cell-view.ts";
import { CompilerClient } from "./compiler-client.ts";
import { ExerciseHelpers } from "./exercise-help.ts";
import type { BuiltCells, NotebookRunner } from "./notebook-runner.ts";
import { saveFile } from "./save-file.ts";
import { changeProgress, loadEdits, loadProgress, pageProgress, saveEdit } from "./storage.ts";

/** Addresses that the build wrote into the page. */
interface LiveAddresses {
  readonly session: string;
  readonly compiler: string;
  readonly types: string;
  readonly cells: string;
  readonly charts: string;
  readonly help: string;
}

class ChapterPage {
  readonly cells: readonly CellView[];
  readonly #notebook: string;
  readonly #addresses: LiveAddresses;
  readonly #help: ExerciseHelpers;
  #runner: Promise<NotebookRunner> | undefined;
  #compiler: CompilerClient | undefined;

  constructor(tools: HTMLElement, elements: readonly HTMLElement[]) {
    this.cells = elements.map((element) => new CellView(element));
    this.#notebook = tools.dataset["notebook"] ?? "";
    this.#addresses = JSON.parse(tools.dataset["live"] ?? "{}") as LiveAddresses;
    this.#help = new ExerciseHelpers(this.#addresses.help, () => this.#seed());
  }

  /** The seed in the reader's text, for answers that depend on it. */
  #seed(): number | undefined {
    const digits = this.cells
      .map((cell) => /^const SEED = (\d+);/m.exec(cell.source)?.[1])
      .find((found) => found);
    return digits === undefined ? undefined : Number(digits);
  }

  /** Runs what a reader asked for; a part that is gone from the server, after an update, is said and not thrown. */
  #do(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      showState(
        /import|module|fetch/i.test(reason) ? "A part of this page could not be loaded. Reload it." : reason,
        false,
      );
    });
  }

  start(): void {
    this.#restore();
    document.addEventListener("click", (event) => this.#onClick(event));
    document.addEventListener("focusin", (event) => this.#onFocus(event.target));
    document.addEventListener("keydown", (event) => this.#onKey(event));
    document.documentElement.dataset["live"] = "ready";
    this.#do(this.#help.start());
  }

  #restore(): void {
    const edits = loadEdits(this.#notebook);
    const progress = loadProgress();
    for (const cell of this.cells) {
      const edit = edits[cell.id];
      if (edit !== undefined && edit !== cell.builtSource) cell.setSource(edit);
      for (const [check, passed] of cell.verdicts()) {
        if (passed || progress.checks[check] !== true) continue;
        cell.element
          .querySelector(`.dom0-verdict[data-check="${CSS.escape(check)}"]`)
          ?.setAttribute("data-earlier", "");
      }
    }
    const checks = this.cells.flatMap((cell) => [...cell.verdicts().keys()]);
    changeProgress((all) => {
      const page = pageProgress(all, location.pathname);
      page.cells = this.cells.length;
      page.checks = checks;
    });
  }

  #cellOf(target: EventTarget | null): CellView | undefined {
    const element = target instanceof Element ? target.closest(".cell") : null;
    return element ? this.cells.find((cell) => cell.element === element) : undefined;
  }

  #onClick(event: MouseEvent): void {
    const button =
      event.target instanceof Element
        ? event.target.closest<HTMLElement>("[data-action], [data-explore], [data-help]")
        : null;
    const cell = this.#cellOf(event.target);
    const help = button?.dataset["help"];
    if (button && help !== undefined) {
      const room = button.closest<HTMLElement>(".exercise-help");
      if (room) this.#do(this.#help.act(help, room));
      return;
    }
    if (button) {
      const isChart = button.dataset["explore"] !== undefined;
      this.#do(isChart ? this.#explore(button) : this.#act(button.dataset["action"] ?? "", cell, button));
      return;
    }
    const block = cell?.codeBlock;
    if (cell && block && event.target instanceof Node && block.contains(event.target)) {
      this.#do(this.edit(cell, offsetAt(block, event.clientX, event.clientY)));
    }
  }

  #onFocus(target: EventTarget | null): void {
    const cell = this.#cellOf(target);
    if (cell && target === cell.codeBlock) this.#do(import("./cell-editor.ts"));
  }

  #onKey(event: KeyboardEvent): void {
    const cell = this.#cellOf(event.target);
    if (!cell || event.target !== cell.codeBlock) return;
    if (event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey)) this.#do(this.run(cell));
    else if (event.key === "Enter") this.#do(this.edit(cell, 0));
    else return;
    event.preventDefault();
  }

  async #act(action: string, cell: CellView | undefined, button: HTMLElement): Promise<void> {
    if (cell !== undefined) return this.#actOnCell(action, cell, button);
    if (action === "download-edited") return this.#downloadEdited();
    const runner = await this.runner();
    if (action === "run-all") return runner.runAll(this.cells);
    if (action === "stop") return runner.stop();
    if (action === "restart") runner.restart();
  }

  async #actOnCell(action: string, cell: CellView, button: HTMLElement): Promise<void> {
    if (action === "copy") return copySource(cell, button);
    if (action === "reset") {
      cell.setSource(cell.builtSource);
      this.#remember(cell);
      return;
    }
    const runner = await this.runner();
    if (action === "run-above") return runner.runAll(this.cells.slice(0, this.cells.indexOf(cell) + 1));
    if (action === "run") return runner.isRunning(cell) ? runner.stop() : this.run(cell);
  }

  /** Runs a cell, as Shift+Enter and its button do. */
  async run(cell: CellView): Promise<void> {
    this.#remember(cell);
    return (await this.runner()).run(cell);
  }

  /** Puts an editor in the place of a cell's static code. */
  async edit(cell: CellView, offset: number): Promise<void> {
    const { mountEditor, checkAgain } = await import("./cell-editor.ts");
    const block = cell.codeBlock;
    if (!block) return cell.editor?.focus();
    const later = (): Element[] =>
      [...document.querySelectorAll(".cell .cm-editor")].filter((editor) => !cell.element.contains(editor));
    let timer: number | undefined;
    const editor = mountEditor(block, cell.source, {
      label: `Code of cell ${cell.index}`,
      compiler: () => this.compiler(),
      earlier: () => this.cells.slice(0, this.cells.indexOf(cell)).map((other) => other.source),
      onRun: () => this.#do(this.run(cell)),
      onLeave: () => cell.element.querySelector<HTMLElement>("[data-action=run]")?.focus(),
      onEdit: () => {
        cell.showEdited();
        clearTimeout(timer);
        timer = window.setTimeout(() => {
          this.#remember(cell);
          later().forEach(checkAgain);
        }, 600);
      },
    });
    cell.editor = editor;
    editor.place(offset);
    editor.focus();
  }

  #remember(cell: CellView): void {
    saveEdit(this.#notebook, cell.id, cell.isEdited ? cell.source : undefined);
  }

  compiler(): CompilerClient {
    if (this.#compiler === undefined || this.#compiler.isBroken) {
      this.#compiler = new CompilerClient(this.#addresses.compiler, this.#addresses.types);
    }
    return this.#compiler;
  }

  runner(): Promise<NotebookRunner> {
    this.#runner ??= import("./notebook-runner.ts").then(
      ({ NotebookRunner }) =>
        new NotebookRunner({
          cells: this.cells,
          sessionAddress: this.#addresses.session,
          builtCells: async () => (await fetch(this.#addresses.cells)).json() as Promise<BuiltCells>,
          compiler: () => this.compiler(),
          announce: showState,
          onRan: (cell) => this.#keepProgress(cell),
        }),
    );
    return this.#runner;
  }

  #keepProgress(cell: CellView): void {
    const verdicts = cell.verdicts();
    changeProgress((progress) => {
      const page = pageProgress(progress, location.pathname);
      if (!page.ran.includes(cell.id)) page.ran.push(cell.id);
      for (const [check, passed] of verdicts) {
        progress.checks[check] = passed || progress.checks[check] === true;
        if (!page.checks.includes(check)) page.checks.push(check);
      }
    });
    this.#offerHelp(cell, verdicts);
  }

  /** An attempt is a run of the reader's own text that reached the check; the untouched stub is none. */
  #offerHelp(cell: CellView, verdicts: ReadonlyMap<string, boolean>): void {
    const room = cell.element.querySelector<HTMLElement>(":scope > .exercise-help");
    const passed = verdicts.get(room?.dataset["exercise"] ?? "");
    if (room === null || passed === undefined) return;
    if (passed) this.#do(this.#help.draw(room));
    else if (cell.isEdited) this.#do(this.#help.tried(room));
  }

  async #explore(button: HTMLElement): Promise<void> {
    const { drawChart } = await import("./charts.ts");
    await drawChart(button, this.#addresses.charts);
  }

  async #downloadEdited(): Promise<void> {
    const notebook = (await (await fetch(`/notebooks/${this.#notebook}`)).json()) as {
      cells: NotebookCell[];
    };
    for (const cell of notebook.cells) {
      const view = this.cells.find((candidate) => candidate.id === cell.id);
      if (view?.isEdited) cell.source = view.source.split(/(?<=\n)/);
    }
    saveFile(
      this.#notebook.replace(/\.ipynb$/, "-mine.ipynb"),
      "application/x-ipynb+json",
      `${JSON.stringify(notebook, undefined, 1)}\n`,
    );
  }
}

interface NotebookCell {
  id?: string;
  source: string | string[];
}

function showState(text: string, isBusy: boolean): void {
  const pill = document.querySelector<HTMLElement>(".kernel-pill");
  const status = document.querySelector("#live-status");
  if (status) status.textContent = text;
  pill?.toggleAttribute("data-busy", isBusy);
}

async function copySource(cell: CellView, button: HTMLElement): Promise<void> {
  const isCopied = await navigator.clipboard?.writeText(cell.source).then(
    () => true,
    () => false,
  );
  button.textContent = isCopied ? "Copied" : "Not allowed";
  setTimeout(() => {
    button.textContent = "Copy";
  }, 1500);
}

/** Offset in a block's text under a point of the screen. */
function offsetAt(block: HTMLElement, x: number, y: number): number {
  const place = document.caretPositionFromPoint?.(x, y);
  const older = place ? undefined : document.caretRangeFromPoint?.(x, y);
  const node = place?.offsetNode ?? older?.startContainer;
  if (!node || !block.contains(node)) return 0;
  const range = document.createRange();
  range.setStart(block, 0);
  range.setEnd(node, place?.offset ?? older?.startOffset ?? 0);
  return range.toString().length;
}

const tools = document.querySelector<HTMLElement>(".chapter-tools");
const elements = [...document.querySelectorAll<HTMLElement>(".cell")];
if (tools && elements.length > 0) new ChapterPage(tools, elements).start();
