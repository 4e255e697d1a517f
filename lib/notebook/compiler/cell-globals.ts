/**
 * Declarations of globals that cells have beside ECMAScript, as text for the compiler.
 *
 * Under Node `@types/node` declares the rest; it leaves WebAssembly to the DOM library, which would let every
 * misspelt `name` or `status` pass as a window's property.
 */

/** The WebAssembly namespace, as a notebook needs it. */
export const WEBASSEMBLY_TYPES = `
declare namespace WebAssembly {
  type ImportExportKind = "function" | "global" | "memory" | "table" | "tag";
  type ValueType = "i32" | "i64" | "f32" | "f64" | "v128" | "anyfunc" | "externref";
  type ExportValue = Function | Global | Memory | Table;
  type Exports = Record<string, ExportValue>;
  type Imports = Record<string, Record<string, ExportValue | number | bigint>>;
  interface ModuleExportDescriptor { kind: ImportExportKind; name: string; }
  interface ModuleImportDescriptor { kind: ImportExportKind; module: string; name: string; }
  class Module {
    constructor(bytes: BufferSource);
    static exports(module: Module): ModuleExportDescriptor[];
    static imports(module: Module): ModuleImportDescriptor[];
    static customSections(module: Module, name: string): ArrayBuffer[];
  }
  class Instance { constructor(module: Module, imports?: Imports); readonly exports: Exports; }
  interface MemoryDescriptor { initial: number; maximum?: number; shared?: boolean; }
  class Memory { constructor(descriptor: MemoryDescriptor); readonly buffer: ArrayBuffer; grow(pages: number): number; }
  interface TableDescriptor { element: "anyfunc" | "externref"; initial: number; maximum?: number; }
  class Table {
    constructor(descriptor: TableDescriptor, value?: unknown);
    readonly length: number;
    get(index: number): unknown;
    grow(by: number, value?: unknown): number;
    set(index: number, value?: unknown): void;
  }
  interface GlobalDescriptor { mutable?: boolean; value: ValueType; }
  class Global { constructor(descriptor: GlobalDescriptor, value?: unknown); value: any; valueOf(): any; }
  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}
  interface WebAssemblyInstantiatedSource { instance: Instance; module: Module; }
  type BufferSource = ArrayBufferView | ArrayBuffer;
  function validate(bytes: BufferSource): boolean;
  function compile(bytes: BufferSource): Promise<Module>;
  function instantiate(bytes: BufferSource, imports?: Imports): Promise<WebAssemblyInstantiatedSource>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
}
`;

/** Globals of a Web Worker that cells may use; what a page's host gives as `globals`. */
export const WORKER_GLOBALS = `
interface Console {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  debug(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  trace(...values: unknown[]): void;
  dir(value: unknown): void;
  table(rows: unknown): void;
  assert(holds?: boolean, ...values: unknown[]): void;
  count(label?: string): void;
  countReset(label?: string): void;
  group(...values: unknown[]): void;
  groupCollapsed(...values: unknown[]): void;
  groupEnd(): void;
  clear(): void;
  time(label?: string): void;
  timeLog(label?: string, ...values: unknown[]): void;
  timeEnd(label?: string): void;
}
declare var console: Console;
declare function setTimeout(callback: (...values: any[]) => void, delayMs?: number, ...values: any[]): number;
declare function clearTimeout(timer: number | undefined): void;
declare function setInterval(callback: (...values: any[]) => void, delayMs?: number, ...values: any[]): number;
declare function clearInterval(timer: number | undefined): void;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(value: T): T;
declare function atob(base64: string): string;
declare function btoa(binary: string): string;
declare class TextEncoder { readonly encoding: string; encode(text?: string): Uint8Array<ArrayBuffer>; }
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: string;
  decode(bytes?: ArrayBufferView | ArrayBuffer, options?: { stream?: boolean }): string;
}
interface URLSearchParams extends Iterable<[string, string]> {
  get(name: string): string | null;
  has(name: string): boolean;
  set(name: string, value: string): void;
  toString(): string;
}
declare class URL {
  constructor(url: string | URL, base?: string | URL);
  hash: string; host: string; hostname: string; href: string; pathname: string; port: string; protocol: string; search: string;
  readonly origin: string;
  readonly searchParams: URLSearchParams;
  toString(): string;
}
interface AbortSignal { readonly aborted: boolean; readonly reason: unknown; throwIfAborted(): void; }
declare class AbortController { readonly signal: AbortSignal; abort(reason?: unknown): void; }
interface Performance { now(): number; }
declare var performance: Performance;
interface ImportMeta { url: string; }
`;
