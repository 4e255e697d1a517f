/**
 * Reads a DTB. Files come from anywhere: whatever is wrong with one is a {@link LoadError} with the place.
 *
 * @spec devicetree-0.4 §5 "Flattened Devicetree (DTB) Format"
 */
import { HEADER_BYTES, LAST_COMPATIBLE_VERSION, MAGIC, Token, type TreeNode } from "./flattened-tree.ts";
import { type LoadError, loadError } from "./load-error.ts";

/** No tree of a board is larger, nor deeper. */
const MAX_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;

const Header = { TOTAL: 4, STRUCTURE: 8, STRINGS: 12, VERSION: 20, LAST_COMPATIBLE: 24, STRINGS_BYTES: 32 };

/** What is wrong, as it travels up to `readTree`, which makes it a value. */
class Malformed extends Error {}

/** The tree in a DTB, its values as bytes. */
export function readTree(blob: Uint8Array): TreeNode | LoadError {
  try {
    return new TreeReader(blob).root();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return loadError(
      "bad-device-tree",
      `Not a device tree blob: ${error.message}. Compile it again with dtc.`,
    );
  }
}

class TreeReader {
  readonly #blob: Uint8Array;
  readonly #view: DataView;
  readonly #strings: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(blob: Uint8Array) {
    this.#blob = blob;
    this.#view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
    if (blob.length < HEADER_BYTES || this.#view.getUint32(0) !== MAGIC) throw new Malformed("no header");
    this.#end = this.#view.getUint32(Header.TOTAL);
    if (this.#end > blob.length || this.#end > MAX_BYTES)
      throw new Malformed(
        `its header says ${this.#end} bytes, of at most ${Math.min(blob.length, MAX_BYTES)}`,
      );
    if (this.#view.getUint32(Header.VERSION) < LAST_COMPATIBLE_VERSION || this.#lastCompatible() > 17)
      throw new Malformed("its version is none that is in use");
    const strings = this.#view.getUint32(Header.STRINGS);
    this.#strings = blob.subarray(
      strings,
      Math.min(strings + this.#view.getUint32(Header.STRINGS_BYTES), this.#end),
    );
    this.#at = this.#view.getUint32(Header.STRUCTURE);
    if (this.#at % 4 !== 0) throw new Malformed("its structure is not aligned");
  }

  root(): TreeNode {
    if (this.#token() !== Token.BEGIN_NODE) throw new Malformed("it does not begin with a node");
    const root = this.#node(0);
    if (this.#token() !== Token.END) throw new Malformed("something follows its root");
    return root;
  }

  #lastCompatible(): number {
    return this.#view.getUint32(Header.LAST_COMPATIBLE);
  }

  #node(depth: number): TreeNode {
    if (depth > MAX_DEPTH) throw new Malformed(`it is deeper than ${MAX_DEPTH} nodes`);
    const name = this.#text(this.#blob.subarray(this.#at, this.#end));
    this.#skip(name.length + 1);
    const properties: [string, Uint8Array][] = [];
    const children: TreeNode[] = [];
    for (;;) {
      const token = this.#token();
      if (token === Token.END_NODE) return { name, properties: Object.fromEntries(properties), children };
      if (token === Token.BEGIN_NODE) children.push(this.#node(depth + 1));
      else if (token === Token.PROP) properties.push(this.#property());
      else throw new Malformed(`there is no token ${token}, at byte ${this.#at - 4}`);
    }
  }

  #property(): [string, Uint8Array] {
    const length = this.#word();
    const name = this.#text(this.#strings.subarray(this.#word()));
    const bytes = this.#blob.slice(this.#at, this.#at + length);
    this.#skip(length);
    return [name, bytes];
  }

  #token(): number {
    for (;;) {
      const token = this.#word();
      if (token !== Token.NOP) return token;
    }
  }

  #word(): number {
    const at = this.#at;
    this.#skip(4);
    return this.#view.getUint32(at);
  }

  /** Goes on behind `length` bytes and their padding. */
  #skip(length: number): void {
    const next = this.#at + Math.ceil(length / 4) * 4;
    if (next > this.#end) throw new Malformed(`it ends in the middle, at byte ${this.#at}`);
    this.#at = next;
  }

  /** ASCII up to its zero. */
  #text(bytes: Uint8Array): string {
    const end = bytes.indexOf(0);
    if (end < 0) throw new Malformed(`a name has no end, at byte ${this.#at}`);
    return Array.from(bytes.subarray(0, end), (byte) => String.fromCharCode(byte)).join("");
  }
}
