/**
 * One TypeScript language service that sees cells as files beside the notebook.
 *
 * Cells never change once committed; one scratch file holds the cell in question. A cell that no root reaches any
 * more costs nothing: roots are the scratch file, the ambient files and cells that augment globals.
 */
import ts from "typescript";
import { WEBASSEMBLY_TYPES } from "./cell-globals.ts";
import type { CellModule } from "./cell-module.ts";
import type { CompilerHost } from "./type-files.ts";

/** Semantics of every cell, wherever it runs. */
export const CELL_OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: [
    "lib.es2024.d.ts",
    "lib.esnext.disposable.d.ts",
    "lib.esnext.collection.d.ts",
    "lib.esnext.iterator.d.ts",
  ],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  allowImportingTsExtensions: true,
  resolveJsonModule: true,
  esModuleInterop: true,
  strict: true,
  skipLibCheck: true,
  preserveConstEnums: true,
  sourceMap: true,
  types: [],
  newLine: ts.NewLineKind.LineFeed,
};

const GLOBALS_FILE = "dom0-globals.d.ts";
const SCRATCH_FILE = "cell-in-question.ts";

/** The language service and the cells that it knows. */
export class CellLanguage {
  readonly #host: CompilerHost;
  readonly #texts = new Map<string, { text: string; version: number; snapshot: ts.IScriptSnapshot }>();
  readonly #diskSnapshots = new Map<string, { version: string; snapshot: ts.IScriptSnapshot }>();
  readonly #augmenting = new Set<string>();
  readonly #service: ts.LanguageService;
  readonly #resolutions: ts.ModuleResolutionCache;
  readonly #globals: string;
  readonly #scratch: string;
  #version = 0;

  constructor(host: CompilerHost) {
    this.#host = host;
    this.#globals = this.#putText(GLOBALS_FILE, `${host.globals ?? ""}${WEBASSEMBLY_TYPES}`);
    this.#scratch = this.#putText(SCRATCH_FILE, "");
    this.#resolutions = ts.createModuleResolutionCache(host.folder, (path) => path, CELL_OPTIONS);
    this.#service = ts.createLanguageService(
      this.#serviceHost(),
      ts.createDocumentRegistry(true, host.folder),
    );
  }

  /** Makes a cell's module readable by later ones. */
  keep(module: CellModule): void {
    const path = this.#put(module);
    if (module.parsed.augments) this.#augmenting.add(path);
  }

  /**
   * Makes a cell the one that the next questions are about.
   *
   * Its file has always the same name: with the same roots TypeScript takes over the program of the last question.
   */
  focus(module: CellModule): string {
    return this.#putText(SCRATCH_FILE, module.text);
  }

  /** Forgets every cell. */
  clear(): void {
    const globals = this.#texts.get(this.#globals);
    this.#texts.clear();
    if (globals !== undefined) this.#texts.set(this.#globals, globals);
    this.#augmenting.clear();
    this.#putText(SCRATCH_FILE, "");
  }

  /** Syntax and type errors of a focused file. */
  diagnostics(path: string): readonly ts.Diagnostic[] {
    const syntactic = this.#service.getSyntacticDiagnostics(path);
    return syntactic.length > 0 ? syntactic : this.#service.getSemanticDiagnostics(path);
  }

  get service(): ts.LanguageService {
    return this.#service;
  }

  /** The program behind the last question. */
  program(): ts.Program {
    const program = this.#service.getProgram();
    if (program === undefined) throw new Error("the language service has no program");
    return program;
  }

  #put(module: CellModule): string {
    return this.#putText(module.fileName, module.text);
  }

  #putText(fileName: string, text: string): string {
    const path = `${this.#host.folder}/${fileName}`;
    if (this.#texts.get(path)?.text !== text) {
      this.#version += 1;
      this.#texts.set(path, { text, version: this.#version, snapshot: ts.ScriptSnapshot.fromString(text) });
    }
    return path;
  }

  #serviceHost(): ts.LanguageServiceHost {
    const { files, folder, libFolder, ambient } = this.#host;
    // The program asks its host for this too, though the public type does not say so.
    const sharedCache = { getModuleResolutionCache: () => this.#resolutions };
    return {
      getCompilationSettings: () => CELL_OPTIONS,
      getScriptFileNames: () => [...ambient, this.#globals, ...this.#augmenting, this.#scratch],
      getScriptVersion: (path) => String(this.#texts.get(path)?.version ?? files.version?.(path) ?? 0),
      getScriptSnapshot: (path) => this.#texts.get(path)?.snapshot ?? this.#fromDisk(path),
      getCurrentDirectory: () => folder,
      getDefaultLibFileName: () => `${libFolder}/lib.es2024.d.ts`,
      fileExists: (path) => this.#texts.has(path) || files.fileExists(path),
      readFile: (path) => this.#texts.get(path)?.text ?? files.readFile(path),
      directoryExists: (path) => path === folder || files.directoryExists(path),
      getDirectories: (path) => files.getDirectories(path),
      ...(files.realpath && { realpath: (path: string) => files.realpath?.(path) ?? path }),
      resolveModuleNameLiterals: this.#resolver(),
      ...sharedCache,
      useCaseSensitiveFileNames: () => true,
    };
  }

  #fromDisk(path: string): ts.IScriptSnapshot | undefined {
    const version = this.#host.files.version?.(path) ?? "0";
    const known = this.#diskSnapshots.get(path);
    if (known?.version === version) return known.snapshot;
    const text = this.#host.files.readFile(path);
    if (text === undefined) return undefined;
    const snapshot = ts.ScriptSnapshot.fromString(text);
    this.#diskSnapshots.set(path, { version, snapshot });
    return snapshot;
  }

  #resolver(): NonNullable<ts.LanguageServiceHost["resolveModuleNameLiterals"]> {
    const { files, folder, fallbackFolder } = this.#host;
    const host: ts.ModuleResolutionHost = {
      fileExists: (path) => this.#texts.has(path) || files.fileExists(path),
      readFile: (path) => this.#texts.get(path)?.text ?? files.readFile(path),
      directoryExists: (path) => path === folder || files.directoryExists(path),
      getDirectories: (path) => files.getDirectories(path),
      ...(files.realpath && { realpath: (path: string) => files.realpath?.(path) ?? path }),
    };
    return (literals, containingFile, redirected, options) =>
      literals.map(({ text: name }) => {
        const cell = `${folder}/${name.slice(2)}.ts`;
        if (isCell(name) && this.#texts.has(cell)) {
          return { resolvedModule: { resolvedFileName: cell, extension: ts.Extension.Ts } };
        }
        const own = ts.resolveModuleName(name, containingFile, options, host, this.#resolutions, redirected);
        if (own.resolvedModule !== undefined || fallbackFolder === undefined || name.startsWith("."))
          return own;
        return ts.resolveModuleName(name, `${fallbackFolder}/cell.ts`, options, host, this.#resolutions);
      });
  }
}

/** Siblings of a cell: they are never looked for on a disk. */
const isCell = (specifier: string) => /^\.\/(?:cell|doc)-\d+$/.test(specifier);
