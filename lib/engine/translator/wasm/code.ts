/**
 * Writes the body of a WebAssembly function, instruction by instruction, into bytes that grow as needed.
 *
 * Control structures are opened and closed by calls; what opens one returns its label, an absolute depth, so that nobody
 * counts how deep a branch stands. Nothing checks types: the host's validator does, and the golden tests show the text.
 */
import {
  EMPTY_BLOCK,
  type LoadName,
  Op,
  type PlainName,
  type StoreName,
  ValType,
  type ValTypeName,
} from "./opcode.ts";

/** A control structure that branches may leave or repeat. */
export type Label = number & { readonly label: unique symbol };
/** Number of a local: parameters first. */
export type Local = number & { readonly local: unique symbol };

/** What a load or store promises about its address: log2 of its width in bytes. */
function alignmentOf(name: string): number {
  const narrow = /(?:load|store)(\d+)/.exec(name)?.[1];
  return Math.log2(Number(narrow ?? name.slice(1, 3)) / 8);
}

const ALIGNMENT: ReadonlyMap<string, number> = new Map(
  Object.keys(Op)
    .filter((name) => name.includes(".load") || name.includes(".store"))
    .map((name) => [name, alignmentOf(name)]),
);

const INITIAL_BYTES = 1024;

/** One function's body. */
export class Code {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  #depth = 0;
  readonly #parameters: number;
  readonly #locals: ValTypeName[] = [];

  /**
   * @param parameters    How many parameters the function has: locals that are there already.
   * @param initialBytes  Room in the beginning.
   */
  constructor(parameters: number, initialBytes = INITIAL_BYTES) {
    this.#bytes = new Uint8Array(initialBytes);
    this.#parameters = parameters;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** A new local. */
  local(type: ValTypeName): Local {
    this.#locals.push(type);
    return (this.#parameters + this.#locals.length - 1) as Local;
  }

  /** An instruction without an immediate. */
  op(name: PlainName): void {
    this.#byte(Op[name]);
  }

  /** Several of them. */
  ops(...names: PlainName[]): void {
    for (const name of names) this.#byte(Op[name]);
  }

  get(local: Local): void {
    this.#withIndex(Op["local.get"], local);
  }

  set(local: Local): void {
    this.#withIndex(Op["local.set"], local);
  }

  tee(local: Local): void {
    this.#withIndex(Op["local.tee"], local);
  }

  /** @param value  A 32-bit integer, signed or unsigned. */
  i32(value: number): void {
    this.#byte(Op["i32.const"]);
    this.#signed32(value | 0);
  }

  /** @param value  A 64-bit integer, signed or unsigned. */
  i64(value: bigint): void {
    this.#byte(Op["i64.const"]);
    const signed = BigInt.asIntN(64, value);
    if (signed >= -0x8000_0000n && signed <= 0x7fff_ffffn) this.#signed32(Number(signed));
    else this.#signed64(signed);
  }

  f64(value: number): void {
    this.#byte(Op["f64.const"]);
    this.#raw(8, (view, at) => view.setFloat64(at, value, true));
  }

  f32(value: number): void {
    this.#byte(Op["f32.const"]);
    this.#raw(4, (view, at) => view.setFloat32(at, value, true));
  }

  /** Reads memory at the address on the stack plus `offset`, 32 bits unsigned. */
  load(name: LoadName, offset: number): void {
    this.#memory(name, offset);
  }

  /** Writes memory. The stack holds the address and, above it, the value. */
  store(name: StoreName, offset: number): void {
    this.#memory(name, offset);
  }

  /** Opens a block: branches to it go behind its end. With a result type, they bring a value. */
  block(result?: ValTypeName): Label {
    return this.#open(Op.block, result);
  }

  /** Opens a loop: branches to it go to its beginning. */
  loop(result?: ValTypeName): Label {
    return this.#open(Op.loop, result);
  }

  /** Opens a block that is entered if the number on the stack is not zero. */
  if(result?: ValTypeName): Label {
    return this.#open(Op.if, result);
  }

  else(): void {
    this.#byte(Op.else);
  }

  /** Closes what was opened last. */
  end(): void {
    this.#depth -= 1;
    this.#byte(Op.end);
  }

  br(label: Label): void {
    this.#withIndex(Op.br, this.#depth - label);
  }

  brIf(label: Label): void {
    this.#withIndex(Op.br_if, this.#depth - label);
  }

  brTable(labels: readonly Label[], otherwise: Label): void {
    this.#byte(Op.br_table);
    this.#unsigned(labels.length);
    for (const label of labels) this.#unsigned(this.#depth - label);
    this.#unsigned(this.#depth - otherwise);
  }

  call(functionIndex: number): void {
    this.#byte(Op.call);
    this.#unsigned(functionIndex);
  }

  returnCall(functionIndex: number): void {
    this.#byte(Op.return_call);
    this.#unsigned(functionIndex);
  }

  /** Calls the function in table 0 whose number is on the stack above the arguments. */
  callIndirect(typeIndex: number): void {
    this.#byte(Op.call_indirect);
    this.#unsigned(typeIndex);
    this.#byte(0);
  }

  returnCallIndirect(typeIndex: number): void {
    this.#byte(Op.return_call_indirect);
    this.#unsigned(typeIndex);
    this.#byte(0);
  }

  /** The whole body, locals first, as the code section wants it: without its size. */
  finish(): Uint8Array {
    const header = new Code(0, 8 * this.#locals.length + 8);
    const firsts = [...this.#locals.keys()].filter((at) => this.#locals[at] !== this.#locals[at - 1]);
    header.#unsigned(firsts.length);
    firsts.forEach((first, run) => {
      header.#unsigned((firsts[run + 1] ?? this.#locals.length) - first);
      header.#byte(ValType[this.#locals[first] as ValTypeName]);
    });
    const body = new Uint8Array(header.#length + this.#length + 1);
    body.set(header.#bytes.subarray(0, header.#length));
    body.set(this.#bytes.subarray(0, this.#length), header.#length);
    body[body.length - 1] = Op.end;
    return body;
  }

  #open(opcode: number, result: ValTypeName | undefined): Label {
    this.#byte(opcode);
    this.#byte(result === undefined ? EMPTY_BLOCK : ValType[result]);
    this.#depth += 1;
    return this.#depth as Label;
  }

  #memory(name: LoadName | StoreName, offset: number): void {
    this.#byte(Op[name]);
    this.#byte(ALIGNMENT.get(name) ?? 0);
    this.#unsigned(offset);
  }

  /** Nearly all indices are small: for them, this is all. */
  #withIndex(opcode: number, index: number): void {
    if (index < 0x80 && this.#length + 2 <= this.#bytes.length) {
      this.#bytes[this.#length] = opcode;
      this.#bytes[this.#length + 1] = index;
      this.#length += 2;
      return;
    }
    this.#byte(opcode);
    this.#unsigned(index);
  }

  #byte(byte: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = byte;
  }

  #grow(room: number): void {
    const bytes = new Uint8Array(2 * this.#bytes.length + room);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }

  #raw(size: number, write: (view: DataView, at: number) => void): void {
    if (this.#length + size > this.#bytes.length) this.#grow(size);
    write(new DataView(this.#bytes.buffer), this.#length);
    this.#length += size;
  }

  #unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.#byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.#byte(rest);
  }

  #signed32(value: number): void {
    if (value >= -0x40 && value < 0x40) {
      this.#byte(value & 0x7f);
      return;
    }
    let rest = value;
    for (;;) {
      const byte = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)) {
        this.#byte(byte);
        return;
      }
      this.#byte(byte | 0x80);
    }
  }

  #signed64(value: bigint): void {
    let rest = value;
    for (;;) {
      const byte = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (byte & 0x40) === 0) || (rest === -1n && (byte & 0x40) !== 0)) {
        this.#byte(byte);
        return;
      }
      this.#byte(byte | 0x80);
    }
  }
}
