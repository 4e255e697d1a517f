/** Writes a WebAssembly module: signatures, imports, functions, exports, and entries of the table that is imported. */
import { ValType, type ValTypeName } from "./opcode.ts";

/** What functions take and give back. */
export interface Signature {
  readonly parameters: readonly ValTypeName[];
  readonly results: readonly ValTypeName[];
}

/** A module, piece by piece. Imported functions are numbered before the module's own: declare all imports first. */
export class ModuleWriter {
  readonly #signatures: Signature[] = [];
  readonly #imports: number[][] = [];
  readonly #functions: number[] = [];
  readonly #bodies: Uint8Array[] = [];
  readonly #exports: { name: string; functionIndex: number }[] = [];
  readonly #elements: { slot: number; functionIndex: number }[] = [];
  readonly #names = new Map<number, string>();
  #importedFunctions = 0;

  /** Number of a signature. */
  type(signature: Signature): number {
    this.#signatures.push(signature);
    return this.#signatures.length - 1;
  }

  /** Imports the memory, which must have at least so many pages of 64 KiB. */
  importMemory(module: string, name: string, pages: number): void {
    this.#imports.push([...text(module), ...text(name), 0x02, 0x00, ...unsigned(pages)]);
  }

  /** Imports the table of functions. */
  importTable(module: string, name: string, slots: number): void {
    this.#imports.push([...text(module), ...text(name), 0x01, ValType.funcref, 0x00, ...unsigned(slots)]);
  }

  /** Imports a function; its number. */
  importFunction(module: string, name: string, typeIndex: number): number {
    if (this.#functions.length > 0) throw new RangeError("imports come before functions");
    this.#imports.push([...text(module), ...text(name), 0x00, ...unsigned(typeIndex)]);
    return this.#importedFunctions++;
  }

  /** Announces a function, so that others may call it before its body is there; its number. */
  declare(typeIndex: number): number {
    this.#functions.push(typeIndex);
    return this.#importedFunctions + this.#functions.length - 1;
  }

  /** Gives a declared function its body, as `Code.finish` returns it. */
  define(functionIndex: number, body: Uint8Array): void {
    this.#bodies[functionIndex - this.#importedFunctions] = body;
  }

  export(name: string, functionIndex: number): void {
    this.#exports.push({ name, functionIndex });
  }

  /** What profilers and debuggers call a function. */
  name(functionIndex: number, name: string): void {
    this.#names.set(functionIndex, name);
  }

  /** Puts a function into the imported table when the module is instantiated. */
  element(slot: number, functionIndex: number): void {
    this.#elements.push({ slot, functionIndex });
  }

  /** The module. Throws when a declared function has no body: our bug. */
  finish(): Uint8Array<ArrayBuffer> {
    const bodies = this.#functions.map((_, index) => {
      const body = this.#bodies[index];
      if (body === undefined) throw new RangeError(`function ${index} has no body`);
      return body;
    });
    const sections: (readonly [id: number, parts: readonly (readonly number[] | Uint8Array)[]])[] = [
      [1, vector(this.#signatures.map(signatureBytes))],
      [2, vector(this.#imports)],
      [3, vector(this.#functions.map(unsigned))],
      [
        7,
        vector(
          this.#exports.map(({ name, functionIndex }) => [...text(name), 0x00, ...unsigned(functionIndex)]),
        ),
      ],
      [9, vector(this.#elements.map(elementBytes))],
      [
        10,
        vector(
          bodies.map((body) => body),
          true,
        ),
      ],
      [0, nameSection(this.#names)],
    ];
    return join([MAGIC, ...sections.filter(([, parts]) => parts.length > 1).flatMap(section)]);
  }
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

type Part = readonly number[] | Uint8Array;

/** A count, then the items; bodies of functions have their size before them. */
function vector(items: readonly Part[], sized = false): Part[] {
  return [
    unsigned(items.length),
    ...items.flatMap((item) => (sized ? [unsigned(item.length), item] : [item])),
  ];
}

function section([id, parts]: readonly [number, readonly Part[]]): Part[] {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  return [[id], unsigned(size), ...parts];
}

/** The custom section of names, with those of functions alone; they come in order of number. */
function nameSection(names: ReadonlyMap<number, string>): Part[] {
  if (names.size === 0) return [];
  const sorted = [...names].sort(([left], [right]) => left - right);
  const functions = vector(sorted.map(([index, name]) => [...unsigned(index), ...text(name)]));
  return [text("name"), ...section([1, functions])];
}

const signatureBytes = ({ parameters, results }: Signature): number[] => [
  0x60,
  ...unsigned(parameters.length),
  ...parameters.map((type) => ValType[type]),
  ...unsigned(results.length),
  ...results.map((type) => ValType[type]),
];

/** One slot of table 0. */
const elementBytes = ({ slot, functionIndex }: { slot: number; functionIndex: number }): number[] => [
  ...[0x00, 0x41, ...signed(slot), 0x0b],
  ...unsigned(1),
  ...unsigned(functionIndex),
];

const text = (string: string): number[] => {
  const bytes = [...new TextEncoder().encode(string)];
  return [...unsigned(bytes.length), ...bytes];
};

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    if (rest >= -0x40 && rest < 0x40) return [...bytes, rest & 0x7f];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function join(parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
