/**
 * Device trees and their binary form.
 *
 * @spec devicetree-0.4 §5 "Flattened Devicetree (DTB) Format"
 */

/** A value: 32-bit cells, one or more strings, nothing (the property's presence is the message), or bytes as a DTB has them. */
export type TreeValue = readonly number[] | string | readonly string[] | true | Uint8Array;

/** A node of a device tree. Names carry their unit address. */
export interface TreeNode {
  readonly name: string;
  readonly properties: { readonly [name: string]: TreeValue };
  readonly children: readonly TreeNode[];
}

/** A node without children unless some are given. */
export function node(
  name: string,
  properties: TreeNode["properties"],
  children: readonly TreeNode[] = [],
): TreeNode {
  return { name, properties, children };
}

/** An address or a size as two 32-bit cells, high first. */
export function cells64(value: number): [number, number] {
  return [Math.floor(value / 2 ** 32), value >>> 0];
}

/** First word of a DTB. */
export const MAGIC = 0xd00d_feed;
const VERSION = 17;
/** Readers of this version understand what is written here; older trees are read by nobody any more. */
export const LAST_COMPATIBLE_VERSION = 16;
/** What the structure block consists of. */
export const Token = { BEGIN_NODE: 1, END_NODE: 2, PROP: 3, NOP: 4, END: 9 } as const;
/** Bytes of the header. */
export const HEADER_BYTES = 40;
/** The memory reservation block holds only its terminator: two 64-bit zeros. */
const RESERVATION_BYTES = 16;

/** The tree as a DTB: big-endian, version 17. */
export function flattenTree(root: TreeNode): Uint8Array {
  const structure = new BlobWriter();
  const strings = new StringsBlock();
  writeNode(root, structure, strings);
  structure.word(Token.END);
  const structureBytes = structure.bytes();
  const stringsBytes = strings.writer.bytes();
  const structureOffset = HEADER_BYTES + RESERVATION_BYTES;
  const stringsOffset = structureOffset + structureBytes.length;
  const total = stringsOffset + stringsBytes.length;

  const header = new BlobWriter();
  for (const word of [
    MAGIC,
    total,
    structureOffset,
    stringsOffset,
    HEADER_BYTES,
    VERSION,
    LAST_COMPATIBLE_VERSION,
  ]) {
    header.word(word);
  }
  const bootHart = 0;
  for (const word of [bootHart, stringsBytes.length, structureBytes.length]) header.word(word);
  const blob = new Uint8Array(total);
  blob.set(header.bytes(), 0);
  blob.set(structureBytes, structureOffset);
  blob.set(stringsBytes, stringsOffset);
  return blob;
}

function writeNode({ name, properties, children }: TreeNode, out: BlobWriter, strings: StringsBlock): void {
  out.word(Token.BEGIN_NODE);
  out.text(name);
  out.align();
  for (const [property, value] of Object.entries(properties)) {
    const bytes = valueBytes(value);
    out.word(Token.PROP);
    out.word(bytes.length);
    out.word(strings.offsetOf(property));
    out.raw(bytes);
    out.align();
  }
  for (const child of children) writeNode(child, out, strings);
  out.word(Token.END_NODE);
}

function valueBytes(value: TreeValue): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const out = new BlobWriter();
  if (value === true) return out.bytes();
  for (const part of typeof value === "string" ? [value] : value) {
    if (typeof part === "number") out.word(part);
    else out.text(part);
  }
  return out.bytes();
}

/** Property names, each once. */
class StringsBlock {
  readonly writer = new BlobWriter();
  readonly #offsets = new Map<string, number>();

  offsetOf(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const offset = this.writer.length;
    this.#offsets.set(name, offset);
    this.writer.text(name);
    return offset;
  }
}

/** Appends big-endian words, ASCII strings with their zero, and padding to 4 bytes. */
class BlobWriter {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  word(value: number): void {
    this.#bytes.push((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
  }

  text(value: string): void {
    for (const char of value) this.#bytes.push(char.charCodeAt(0));
    this.#bytes.push(0);
  }

  raw(bytes: Uint8Array): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  align(): void {
    while (this.#bytes.length % 4 !== 0) this.#bytes.push(0);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
