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
