/**
 * The contents of a disk: an immutable base of bytes and, over it, what was written since, in a tree that is never changed
 * in place. A version of the disk is the root of such a tree, so remembering one costs nothing, a write costs the path to its
 * chunk, and versions may be taken and returned to in any order.
 */

/** The unit of a disk. */
export const SECTOR_BYTES = 512;
/** The unit in which what was written is kept. */
const CHUNK_BYTES = 4096;
/** Children of an inner node. */
const FANOUT = 32;

/**
 * What was written over the base: at the leaves chunks of 4096 bytes, `undefined` where the base still holds. Plain data:
 * a snapshot keeps it as it is, a file can hold it.
 */
export type BlockVersion = readonly (BlockVersion | Uint8Array | undefined)[];

const UNTOUCHED: BlockVersion = [];
const ZEROS = new Uint8Array(CHUNK_BYTES);

/** How a disk differs from a plain writable one. */
export interface BlockStoreOptions {
  /** The guest may not write. */
  readonly isReadOnly?: boolean;
}

/** A disk's contents. It belongs to one board; the base may be shared by many. */
export class BlockStore {
  /** Bytes of the disk, a multiple of {@link SECTOR_BYTES}. */
  readonly sizeBytes: number;
  readonly isReadOnly: boolean;
  /** What it held at first. */
  readonly base: Uint8Array;
  /** Levels of inner nodes. */
  readonly #depth: number;
  #version: BlockVersion = UNTOUCHED;

  /** @param base  Never written, and not to be changed by anybody else; a last sector that is not whole is filled with zeros. */
  constructor(base: Uint8Array, { isReadOnly = false }: BlockStoreOptions = {}) {
    this.base = base;
    this.isReadOnly = isReadOnly;
    this.sizeBytes = Math.ceil(base.length / SECTOR_BYTES) * SECTOR_BYTES;
    let depth = 1;
    while (FANOUT ** depth * CHUNK_BYTES < this.sizeBytes) depth++;
    this.#depth = depth;
  }

  /** The disk as it is now. */
  get version(): BlockVersion {
    return this.#version;
  }

  /** Makes the disk what it was; the version must come from a disk with the same base. */
  goTo(version: BlockVersion): void {
    this.#version = version;
  }

  /** Number of chunks of 4096 bytes that differ from the base in having been written. */
  get writtenChunks(): number {
    const count = (node: BlockVersion): number =>
      node.reduce<number>(
        (sum, child) => sum + (child === undefined ? 0 : child instanceof Uint8Array ? 1 : count(child)),
        0,
      );
    return count(this.#version);
  }

  /** Everything on the disk, as a copy: what a file of it would hold. */
  bytes(): Uint8Array {
    return this.read(0, this.sizeBytes);
  }

  /** Copies bytes out. The range lies on the disk. */
  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (const { chunk, from, to } of pieces(offset, length)) {
      const source = this.#chunk(chunk);
      const at = chunk * CHUNK_BYTES;
      bytes.set(source.subarray(from - at, to - at), from - offset);
    }
    return bytes;
  }

  /** Copies bytes in. The range lies on the disk. It always can. */
  write(offset: number, bytes: Uint8Array): true {
    for (const { chunk, from, to } of pieces(offset, bytes.length)) {
      const at = chunk * CHUNK_BYTES;
      const changed = new Uint8Array(CHUNK_BYTES);
      changed.set(this.#chunk(chunk).subarray(0, CHUNK_BYTES));
      changed.set(bytes.subarray(from - offset, to - offset), from - at);
      this.#version = withChunk(this.#version, this.#depth, chunk, changed);
    }
    return true;
  }

  /** Fills a range with zeros. Whole chunks cost no memory. */
  clear(offset: number, length: number): true {
    for (const { chunk, from, to } of pieces(offset, length)) {
      if (to - from === CHUNK_BYTES) this.#version = withChunk(this.#version, this.#depth, chunk, ZEROS);
      else this.write(from, ZEROS.subarray(0, to - from));
    }
    return true;
  }

  /** The bytes of a chunk now; fewer than 4096 at the end of the base. */
  #chunk(chunk: number): Uint8Array {
    let node: BlockVersion | Uint8Array | undefined = this.#version;
    for (
      let level = this.#depth - 1;
      level >= 0 && node !== undefined && !(node instanceof Uint8Array);
      level--
    )
      node = node[childIndex(chunk, level)];
    if (node instanceof Uint8Array) return node;
    return this.base.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);
  }
}

/** The tree with one chunk replaced: new nodes on the way to it, all others shared. */
function withChunk(node: BlockVersion, depth: number, chunk: number, bytes: Uint8Array): BlockVersion {
  const index = childIndex(chunk, depth - 1);
  const children = Array.from({ length: FANOUT }, (_, at) => node[at]);
  const child = children[index];
  children[index] =
    depth === 1
      ? bytes
      : withChunk(
          child === undefined || child instanceof Uint8Array ? UNTOUCHED : child,
          depth - 1,
          chunk,
          bytes,
        );
  return children;
}

function childIndex(chunk: number, level: number): number {
  return Math.floor(chunk / FANOUT ** level) % FANOUT;
}

/** A range, cut where chunks end: `from` and `to` are offsets on the disk. */
function* pieces(offset: number, length: number): Generator<{ chunk: number; from: number; to: number }> {
  const end = offset + length;
  for (let from = offset; from < end; ) {
    const chunk = Math.floor(from / CHUNK_BYTES);
    const to = Math.min(end, (chunk + 1) * CHUNK_BYTES);
    yield { chunk, from, to };
    from = to;
  }
}
