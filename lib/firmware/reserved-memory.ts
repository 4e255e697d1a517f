/**
 * Tells the next program, in the device tree that it gets, which RAM is the firmware's. Without it a kernel would use the bytes
 * and meet PMP.
 *
 * @spec devicetree-0.4 §3.5 "/reserved-memory Node", §5 "Flattened Devicetree (DTB) Format"
 */

const Token = { BEGIN_NODE: 1, END_NODE: 2, PROP: 3, NOP: 4, END: 9 } as const;
const Header = {
  TOTAL: 4,
  STRUCTURE: 8,
  STRINGS: 12,
  RESERVATIONS: 16,
  STRINGS_SIZE: 32,
  STRUCTURE_SIZE: 36,
} as const;
const HEADER_BYTES = 40;
const MAGIC = 0xd00d_feed;

/** Names of the properties that the new nodes have. */
const NAMES = ["#address-cells", "#size-cells", "ranges", "reg", "no-map"] as const;

/**
 * A device tree with one more reserved range.
 *
 * @param tree  A DTB, version 17. One that is damaged, or has a `reserved-memory` node already, comes back as it is.
 */
export function withReservedMemory(tree: Uint8Array, range: { base: bigint; sizeBytes: bigint }): Uint8Array {
  const view = new DataView(tree.buffer, tree.byteOffset, tree.byteLength);
  if (tree.length < HEADER_BYTES || view.getUint32(0) !== MAGIC) return tree;
  const field = (offset: number): number => view.getUint32(offset);
  const [structure, strings] = [field(Header.STRUCTURE), field(Header.STRINGS)];
  const structureBytes = field(Header.STRUCTURE_SIZE);
  const stringsBytes = field(Header.STRINGS_SIZE);
  const isInside = structure + structureBytes <= tree.length && strings + stringsBytes <= tree.length;
  if (!isInside || structureBytes < 8) return tree;
  const end = endOfRoot(view, structure, structure + structureBytes);
  if (end === undefined) return tree;

  const nodes = reservedNodes(range, stringsBytes);
  const newStrings = new TextEncoder().encode(NAMES.map((name) => `${name}\0`).join(""));
  const reservations = tree.subarray(field(Header.RESERVATIONS), structure);
  const parts = [
    tree.subarray(0, HEADER_BYTES),
    reservations,
    tree.subarray(structure, end),
    nodes,
    tree.subarray(end, structure + structureBytes),
    tree.subarray(strings, strings + stringsBytes),
    newStrings,
  ];
  const blob = joined(parts);
  const out = new DataView(blob.buffer);
  const structureAt = HEADER_BYTES + reservations.length;
  out.setUint32(Header.TOTAL, blob.length);
  out.setUint32(Header.RESERVATIONS, HEADER_BYTES);
  out.setUint32(Header.STRUCTURE, structureAt);
  out.setUint32(Header.STRUCTURE_SIZE, structureBytes + nodes.length);
  out.setUint32(Header.STRINGS, structureAt + structureBytes + nodes.length);
  out.setUint32(Header.STRINGS_SIZE, stringsBytes + newStrings.length);
  return blob;
}

/** Where the root's END_NODE is; `undefined` in a damaged tree, or when the root has the node already. */
function endOfRoot(view: DataView, start: number, limit: number): number | undefined {
  let depth = 0;
  for (let at = start; at + 4 <= limit; ) {
    const token = view.getUint32(at);
    if (token === Token.BEGIN_NODE) {
      const name = textAt(view, at + 4, limit);
      if (depth === 1 && name === "reserved-memory") return undefined;
      depth += 1;
      at += 4 + padded(name.length + 1);
    } else if (token === Token.END_NODE) {
      depth -= 1;
      if (depth === 0) return at;
      at += 4;
    } else if (token === Token.PROP && at + 12 <= limit) at += 12 + padded(view.getUint32(at + 4));
    else if (token === Token.NOP) at += 4;
    else return undefined;
  }
  return undefined;
}

function textAt(view: DataView, start: number, limit: number): string {
  let text = "";
  for (let at = start; at < limit && view.getUint8(at) !== 0; at++)
    text += String.fromCharCode(view.getUint8(at));
  return text;
}

const padded = (bytes: number): number => Math.ceil(bytes / 4) * 4;

/** `reserved-memory { firmware@… { reg; no-map; } }` as tokens. */
function reservedNodes(
  { base, sizeBytes }: { base: bigint; sizeBytes: bigint },
  stringsBytes: number,
): Uint8Array {
  const words: number[] = [];
  const nameOffset = (name: (typeof NAMES)[number]): number =>
    stringsBytes +
    NAMES.slice(0, NAMES.indexOf(name)).reduce((bytes, earlier) => bytes + earlier.length + 1, 0);
  const begin = (name: string): void => {
    const bytes = new Uint8Array(padded(name.length + 1));
    bytes.set(new TextEncoder().encode(name));
    const view = new DataView(bytes.buffer);
    words.push(Token.BEGIN_NODE);
    for (let at = 0; at < bytes.length; at += 4) words.push(view.getUint32(at));
  };
  const property = (name: (typeof NAMES)[number], ...cells: number[]): void => {
    words.push(Token.PROP, 4 * cells.length, nameOffset(name), ...cells);
  };
  const cells64 = (value: bigint): [number, number] => [Number(value >> 32n), Number(value & 0xffff_ffffn)];
  begin("reserved-memory");
  property("#address-cells", 2);
  property("#size-cells", 2);
  property("ranges");
  begin(`firmware@${base.toString(16)}`);
  property("reg", ...cells64(base), ...cells64(sizeBytes));
  property("no-map");
  words.push(Token.END_NODE, Token.END_NODE);
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setUint32(4 * index, word);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
