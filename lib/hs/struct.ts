/**
 * State of privileged software: structures in RAM at published addresses. A view holds an address and no data; reading a
 * field is a load and writing it is a store, so whoever corrupts the bytes has corrupted the state.
 */
import type { Width } from "../bus/device.ts";
import { type Gpaddr, gpaddr, type Paddr, paddr } from "../isa/address.ts";

/** Where structures live: a handler's context, or an onlooker's view of RAM. */
export interface StructMemory {
  load(address: Paddr, width: Width): bigint;
  store(address: Paddr, width: Width, value: bigint): void;
}

/** What a type is in C: `uint64_t name[4][2]`, `struct domain name`. */
export interface CType {
  /** What stands before the name. */
  readonly name: string;
  /** Lengths of arrays, the outermost first. */
  readonly lengths: readonly number[];
  /** An alignment that the C type would not have by itself. */
  readonly alignment?: number;
  /** The structure that it is, or that its elements are. */
  readonly struct?: StructShape;
}

/** What a structure is, whoever looks at it. */
export interface StructShape {
  readonly name: string;
  readonly sizeBytes: number;
  /** Names with offsets and sizes in bytes, in order. */
  readonly fields: readonly PlacedField[];
}

/** A field of a structure. */
export interface PlacedField {
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly type: FieldType<unknown>;
}

/** How a field lies in memory, and what it is in TypeScript. */
export interface FieldType<T> {
  readonly sizeBytes: number;
  /** A field begins at a multiple of this. */
  readonly alignment: number;
  readonly c: CType;
  read(memory: StructMemory, address: Paddr): T;
  write(memory: StructMemory, address: Paddr, value: T): void;
}

const small = (width: 1 | 2 | 4): FieldType<number> => ({
  sizeBytes: width,
  alignment: width,
  c: { name: `uint${8 * width}_t`, lengths: [] },
  read: (memory, address) => Number(memory.load(address, width)),
  write: (memory, address, value) => memory.store(address, width, BigInt(Math.trunc(value))),
});

/** 8 bits, unsigned. */
export const u8: FieldType<number> = small(1);
/** 16 bits, unsigned, little-endian. */
export const u16: FieldType<number> = small(2);
/** 32 bits, unsigned, little-endian. */
export const u32: FieldType<number> = small(4);
/** 64 bits, unsigned, little-endian. Stores keep the low 64 bits. */
export const u64: FieldType<bigint> = {
  sizeBytes: 8,
  alignment: 8,
  c: { name: "uint64_t", lengths: [] },
  read: (memory, address) => memory.load(address, 8),
  write: (memory, address, value) => memory.store(address, 8, value),
};
/** A physical address. */
export const pointer: FieldType<Paddr> = {
  ...u64,
  read: (memory, address) => paddr(memory.load(address, 8)),
};
/** A guest-physical address. */
export const guestPointer: FieldType<Gpaddr> = {
  ...u64,
  read: (memory, address) => gpaddr(memory.load(address, 8)),
};

/** Elements one behind the other. As in C nobody checks the index: one past the end is another address. */
export interface ArrayView<T> {
  readonly length: number;
  get(index: number): T;
  set(index: number, value: T): void;
  addressOf(index: number): Paddr;
}

/** A field with several elements of one type. It is written element by element. */
export const array = <T>(element: FieldType<T>, length: number): FieldType<ArrayView<T>> => ({
  sizeBytes: element.sizeBytes * length,
  alignment: element.alignment,
  c: { ...element.c, lengths: [length, ...element.c.lengths] },
  read: (memory, base) => {
    const addressOf = (index: number): Paddr => paddr(base + BigInt(index * element.sizeBytes));
    return {
      length,
      addressOf,
      get: (index) => element.read(memory, addressOf(index)),
      set: (index, value) => element.write(memory, addressOf(index), value),
    };
  },
  write: () => refuseWhole("an array"),
});

/** A type that begins at a multiple of a larger power of two: tables that the hart walks. */
export const aligned = <T>(type: FieldType<T>, alignment: number): FieldType<T> => ({
  ...type,
  alignment,
  c: { ...type.c, alignment },
});

/** Fields by name, in the order in which they lie. */
export type Fields = Readonly<Record<string, FieldType<unknown>>>;

type ValueOf<F> = F extends { read(memory: StructMemory, address: Paddr): infer T } ? T : never;

/** A structure at an address: its fields by name. */
export type StructView<F> = { readonly address: Paddr } & { -readonly [K in keyof F]: ValueOf<F[K]> };

/** What `Struct.at` returns for a structure. */
export type ViewOf<S> = S extends Struct<infer F> ? StructView<F> : never;

/** A description of a structure. It is a field type itself, so structures nest. */
export interface Struct<F> extends FieldType<StructView<F>>, StructShape {
  /** Offset of a field in bytes. */
  offsetOf(field: keyof F & string): number;
  /** The structure at `address`. */
  at(memory: StructMemory, address: Paddr): StructView<F>;
}

/**
 * Describes a structure: fields in order, each at the next multiple of its alignment, as C lays them out.
 *
 * @example const Counter = struct("counter", { calls: u64, flags: u8 });
 * @example Counter.at(context, address).calls += 1n; // a load and a store
 */
export function struct<const F extends Record<string, FieldType<unknown>>>(
  name: string,
  fields: F,
): Struct<F> {
  const placed = placeFields(name, fields);
  const alignment = Math.max(1, ...Object.values(fields).map((type) => type.alignment));
  const last = placed.at(-1);
  const sizeBytes = roundUp(last === undefined ? 0 : last.offset + last.sizeBytes, alignment);
  const View = viewClass(placed);
  const at = (memory: StructMemory, address: Paddr): StructView<F> =>
    new View(memory, address) as unknown as StructView<F>;
  const shape: StructShape = { name, sizeBytes, fields: placed };
  return {
    ...shape,
    alignment,
    c: { name: `struct ${cName(name)}`, lengths: [], struct: shape },
    offsetOf: (field) =>
      placed.find((candidate) => candidate.name === field)?.offset ?? refuseField(name, field),
    at,
    read: at,
    write: () => refuseWhole("a structure"),
  };
}

function placeFields(struct: string, fields: Fields): PlacedField[] {
  let end = 0;
  return Object.entries(fields).map(([name, type]) => {
    if (name === "address" || name === "memory")
      throw new RangeError(`${struct}: a field cannot be called ${name}`);
    const offset = roundUp(end, type.alignment);
    end = offset + type.sizeBytes;
    return { name, offset, sizeBytes: type.sizeBytes, type };
  });
}

class StructAt {
  readonly memory: StructMemory;
  readonly address: Paddr;

  constructor(memory: StructMemory, address: Paddr) {
    this.memory = memory;
    this.address = address;
  }
}

/** A class with a property for each field. */
function viewClass(fields: readonly PlacedField[]): typeof StructAt {
  const View = class extends StructAt {};
  for (const { name, offset, type } of fields) {
    const at = (view: StructAt): Paddr => paddr(view.address + BigInt(offset));
    Object.defineProperty(View.prototype, name, {
      enumerable: true,
      get(this: StructAt): unknown {
        return type.read(this.memory, at(this));
      },
      set(this: StructAt, value: unknown) {
        type.write(this.memory, at(this), value);
      },
    });
  }
  return View;
}

/** A name as C can have it: `save_area` for `save-area`. */
export const cName = (name: string): string => name.replaceAll(/[^A-Za-z0-9_]/g, "_");

const roundUp = (bytes: number, grain: number): number => Math.ceil(bytes / grain) * grain;

function refuseWhole(what: string): never {
  throw new TypeError(`${what} is written field by field`);
}

function refuseField(struct: string, field: string): never {
  throw new RangeError(`${struct} has no field ${field}`);
}
