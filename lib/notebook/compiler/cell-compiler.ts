/**
 * The one cell compiler: Jupyter, the headless runner and the browser all compile cells here.
 *
 * A cell is a TypeScript module whose earlier names are brought in by lines of ours (`cell-module.ts`), checked by
 * one language service (`language.ts`) and emitted as one async function (`emit.ts`). It never runs anything.
 */
import ts from "typescript";
import type {
  CellDiagnostic,
  CompileResult,
  Completeness,
  CompletionList,
  QuickInfo,
} from "../kernel-protocol.ts";
import { buildCellModule, type CellModule, type Reach, type Visible, visibleAfter } from "./cell-module.ts";
import { parseCell } from "./cell-names.ts";
import { cellDiagnostics, syntaxDiagnostics } from "./diagnostics.ts";
import { emitCell } from "./emit.ts";
import { CellLanguage } from "./language.ts";
import { completionsAt, quickInfoAt } from "./questions.ts";
import type { CompilerHost } from "./type-files.ts";

/** Compiles the cells of one notebook session. Mistakes in a cell are values; nothing here throws for them. */
export interface CellCompiler {
  /**
   * Checks and emits the next cell. Its names become visible by `commit`, after it ran.
   *
   * @param number  Number of the cell, higher than all before; the next one when left out. A cell that does not
   *                compile uses up a number too, as an execution count does.
   */
  compile(source: string, number?: number): CompileResult;
  /** Makes the names of a compiled cell visible: all of them, or those that hold a value after it threw. */
  commit(cell: number, survivors?: readonly string[]): void;
  /**
   * Errors of a text that is not run.
   *
   * @param earlier  Texts of the cells before it, in document order; the committed cells when left out.
   */
  check(source: string, earlier?: readonly string[]): readonly CellDiagnostic[];
  /** Names that fit at an offset (UTF-16 units) of a text. */
  complete(source: string, offset: number, earlier?: readonly string[]): CompletionList;
  /** What stands at an offset (UTF-16 units) of a text. */
  quickInfo(source: string, offset: number, earlier?: readonly string[]): QuickInfo | undefined;
  /** Whether a text could be run as it stands, or goes on in the next line. */
  completeness(source: string): Completeness;
  /** Forgets every cell; numbering starts at 1 again. */
  reset(): void;
}

/** Makes a compiler for one notebook. The first check pays for reading the declarations. */
export function createCellCompiler(host: CompilerHost): CellCompiler {
  return new LanguageServiceCompiler(host);
}

const NOTHING: Visible = new Map();

/** "'*\/' expected" and "Unterminated template literal": more lines may end them. */
const UNTERMINATED: ReadonlySet<number> = new Set([1010, 1160]);

class LanguageServiceCompiler implements CellCompiler {
  readonly #language: CellLanguage;
  readonly #pending = new Map<number, { module: CellModule; values: readonly string[] }>();
  #visible: Visible = NOTHING;
  #next = 1;
  #document: { source: string; before: Visible; after: Visible }[] = [];

  constructor(host: CompilerHost) {
    this.#language = new CellLanguage(host);
  }

  compile(source: string, number: number = this.#next): CompileResult {
    this.#next = number + 1;
    const module = buildCellModule(number, "cell", source, this.#visible);
    const { path, diagnostics } = this.#diagnose(module);
    if (diagnostics.length > 0) return { ok: false, diagnostics };
    const cell = emitCell(module, path, this.#language.program());
    this.#pending.set(module.id, { module, values: cell.values });
    return { ok: true, cell };
  }

  commit(cell: number, survivors?: readonly string[]): void {
    const pending = this.#pending.get(cell);
    if (pending === undefined) return;
    this.#pending.delete(cell);
    this.#language.keep(pending.module);
    const alive = new Set(survivors ?? pending.values);
    this.#visible = visibleAfter(
      this.#visible,
      pending.module,
      new Set(pending.values.filter((name) => !alive.has(name))),
    );
  }

  check(source: string, earlier?: readonly string[]): readonly CellDiagnostic[] {
    return this.#diagnose(this.#module(source, earlier, "mentioned")).diagnostics;
  }

  complete(source: string, offset: number, earlier?: readonly string[]): CompletionList {
    const path = this.#language.focus(this.#module(source, earlier, "all"));
    return completionsAt(this.#language.service, path, source, offset);
  }

  quickInfo(source: string, offset: number, earlier?: readonly string[]): QuickInfo | undefined {
    const path = this.#language.focus(this.#module(source, earlier, "mentioned"));
    return quickInfoAt(this.#language.service, path, source, offset);
  }

  completeness(source: string): Completeness {
    const errors = parseCell(source).syntaxErrors;
    if (errors.length === 0) return "complete";
    const end = source.trimEnd().length;
    return errors.some((error) => error.start >= end || UNTERMINATED.has(error.code))
      ? "incomplete"
      : "invalid";
  }

  reset(): void {
    this.#language.clear();
    this.#pending.clear();
    this.#visible = NOTHING;
    this.#document = [];
    this.#next = 1;
  }

  #diagnose(module: CellModule): { path: string; diagnostics: readonly CellDiagnostic[] } {
    const syntax = syntaxDiagnostics(module);
    if (syntax.length > 0) return { path: "", diagnostics: syntax };
    const path = this.#language.focus(module);
    return { path, diagnostics: cellDiagnostics(module, this.#language.diagnostics(path)) };
  }

  #module(source: string, earlier: readonly string[] | undefined, reach: Reach): CellModule {
    if (earlier === undefined) return buildCellModule(this.#next, "cell", source, this.#visible, reach);
    return buildCellModule(earlier.length + 1, "doc", source, this.#documentNames(earlier), reach);
  }

  /** Names after the given texts; a text whose predecessors did not change is not parsed again. */
  #documentNames(earlier: readonly string[]): Visible {
    let visible = NOTHING;
    earlier.forEach((source, at) => {
      const known = this.#document[at];
      if (known === undefined || known.source !== source || known.before !== visible) {
        const module = buildCellModule(at + 1, "doc", source, visible);
        this.#language.keep(module);
        this.#document[at] = { source, before: visible, after: visibleAfter(visible, module) };
        this.#document.length = at + 1;
      }
      visible = this.#document[at]?.after ?? visible;
    });
    return visible;
  }
}

/** TypeScript's version, for a kernel's banner. */
export const TYPESCRIPT_VERSION: string = ts.version;
