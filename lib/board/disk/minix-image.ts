/**
 * Writes a MINIX file system, version 3: small, writable, and the one whose driver costs a booting kernel least (a thirtieth
 * of ext4's). Linux and MINIX 3 read it. The same entries and the same size give the same bytes.
 *
 * On the disk: boot block, superblock, bitmap of inodes, bitmap of zones, inodes, zones.
 *
 * @spec Linux "include/uapi/linux/minix_fs.h"; A. S. Tanenbaum and A. S. Woodhull, "Operating Systems: Design and
 *       Implementation", §5.6
 */
import {
  childrenByFolder,
  type FileEntry,
  type FileTreeError,
  fileTreeError,
  modeOf,
  nameOf,
  orderedTree,
  parentOf,
} from "./file-tree.ts";

/** What the disk is like. */
export interface MinixOptions {
  /** Bytes of the image, rounded down to whole blocks. Left out: what the files need and half as much again, at least 4 MiB. */
  readonly sizeBytes?: number;
}

const MIB = 1024 * 1024;
const MIN_BYTES = 4 * MIB;
/** No image is larger: a board's disk is held in memory. */
const MAX_BYTES = 1024 * MIB;
const BLOCK_BYTES = 1024;
const BITS_PER_BLOCK = BLOCK_BYTES * 8;
const INODE_BYTES = 64;
const INODES_PER_BLOCK = BLOCK_BYTES / INODE_BYTES;
/** A folder entry: a number and a name. */
const ENTRY_BYTES = 64;
const MAX_NAME_BYTES = 60;
/** Inodes beyond those of the files, for what the guest makes. */
const SPARE_INODES = 500;
const ROOT_INODE = 1;
/** Zone numbers of an inode: seven of data, then trees of one and of two levels. */
const DIRECT_ZONES = 7;
const POINTERS_PER_BLOCK = BLOCK_BYTES / 4;
const MAX_FILE_BLOCKS = DIRECT_ZONES + POINTERS_PER_BLOCK + POINTERS_PER_BLOCK ** 2;
/** Boot block and superblock. */
const HEAD_BLOCKS = 2;
const MAGIC = 0x4d5a;
const MAX_FILE_BYTES = 0x7fff_ffff;

/** Offsets in the superblock. */
const Superblock = {
  INODES: 0,
  INODE_MAP_BLOCKS: 6,
  ZONE_MAP_BLOCKS: 8,
  FIRST_DATA_ZONE: 10,
  MAX_SIZE: 16,
  ZONES: 20,
  MAGIC: 24,
  BLOCK_BYTES: 28,
} as const;

/** Offsets in an inode. */
const Inode = { MODE: 0, LINKS: 2, SIZE: 8, ZONES: 24 } as const;

const utf8 = new TextEncoder();

/** Where the parts of a disk begin, in blocks. */
interface Division {
  readonly blocks: number;
  readonly inodes: number;
  readonly inodeMapBlocks: number;
  readonly zoneMapBlocks: number;
  readonly firstDataZone: number;
}

/** The disk's bytes, or why these files are no disk of that size. */
export function minixImage(
  entries: readonly FileEntry[],
  options: MinixOptions = {},
): Uint8Array | FileTreeError {
  const sorted = orderedTree(entries);
  if ("kind" in sorted) return sorted;
  const refused = entryRefusal(sorted);
  if (refused !== undefined) return refused;
  const inodes = Math.ceil((1 + sorted.length + SPARE_INODES) / INODES_PER_BLOCK) * INODES_PER_BLOCK;
  const needed = neededBlocks(sorted) * BLOCK_BYTES;
  const sizeBytes = options.sizeBytes ?? Math.max(MIN_BYTES, Math.ceil(needed * 1.5));
  const mib = (bytes: number): number => Math.ceil(bytes / MIB);
  if (sizeBytes > MAX_BYTES)
    return fileTreeError(`A disk of ${mib(sizeBytes)} MiB is too large: at most ${mib(MAX_BYTES)} MiB.`);
  const division = divide(Math.floor(sizeBytes / BLOCK_BYTES), inodes);
  const room = (division.blocks - division.firstDataZone) * BLOCK_BYTES;
  if (room < needed) {
    const least = mib(division.firstDataZone * BLOCK_BYTES + needed);
    return fileTreeError(`The files need a disk of ${least} MiB, and this one has ${mib(sizeBytes)}.`);
  }
  return new MinixWriter(division, sorted).image();
}

function entryRefusal(entries: readonly FileEntry[]): FileTreeError | undefined {
  for (const entry of entries) {
    if (utf8.encode(nameOf(entry.path)).length > MAX_NAME_BYTES)
      return fileTreeError(`The name of ${entry.path} is longer than ${MAX_NAME_BYTES} bytes.`);
    if (entry.kind === "file" && entry.bytes.length > MAX_FILE_BLOCKS * BLOCK_BYTES)
      return fileTreeError(
        `${entry.path} is larger than ${Math.floor((MAX_FILE_BLOCKS * BLOCK_BYTES) / MIB)} MiB.`,
      );
  }
  return undefined;
}

/** Blocks of data, of lists of blocks, and of folders. */
function neededBlocks(entries: readonly FileEntry[]): number {
  const children = childrenByFolder(entries);
  const folderBytes = (path: string): number => (2 + (children.get(path)?.length ?? 0)) * ENTRY_BYTES;
  const sizes = entries.map((entry) => {
    if (entry.kind === "file") return entry.bytes.length;
    if (entry.kind === "folder") return folderBytes(entry.path);
    return entry.kind === "link" ? utf8.encode(entry.target).length : 0;
  });
  return [folderBytes(""), ...sizes].reduce(
    (sum, bytes) => sum + blocksFor(Math.ceil(bytes / BLOCK_BYTES)),
    0,
  );
}

/** Data blocks and the blocks that list them. */
function blocksFor(data: number): number {
  const single = data > DIRECT_ZONES ? 1 : 0;
  const beyond = Math.max(0, data - DIRECT_ZONES - POINTERS_PER_BLOCK);
  return data + single + (beyond > 0 ? 1 + Math.ceil(beyond / POINTERS_PER_BLOCK) : 0);
}

function divide(blocks: number, inodes: number): Division {
  const inodeMapBlocks = Math.ceil((inodes + 1) / BITS_PER_BLOCK);
  const zoneMapBlocks = Math.ceil((blocks + 1) / BITS_PER_BLOCK);
  const firstDataZone = HEAD_BLOCKS + inodeMapBlocks + zoneMapBlocks + inodes / INODES_PER_BLOCK;
  return { blocks, inodes, inodeMapBlocks, zoneMapBlocks, firstDataZone };
}

/** Builds one image. */
class MinixWriter {
  readonly #division: Division;
  readonly #entries: readonly FileEntry[];
  readonly #disk: Uint8Array;
  readonly #view: DataView;
  /** By path; `""` is the root. */
  readonly #inodes: ReadonlyMap<string, number>;
  #nextZone: number;

  constructor(division: Division, entries: readonly FileEntry[]) {
    this.#division = division;
    this.#entries = entries;
    this.#disk = new Uint8Array(division.blocks * BLOCK_BYTES);
    this.#view = new DataView(this.#disk.buffer);
    this.#inodes = new Map(
      ["", ...entries.map(({ path }) => path)].map((path, index) => [path, ROOT_INODE + index]),
    );
    this.#nextZone = division.firstDataZone;
  }

  image(): Uint8Array {
    const children = childrenByFolder(this.#entries);
    this.#writeFolder({ path: "", permissions: 0o755, kind: "folder" }, children);
    for (const entry of this.#entries) {
      if (entry.kind === "folder") this.#writeFolder(entry, children);
      else if (entry.kind === "device") this.#writeInode(entry, 1, 0, [(entry.major << 8) | entry.minor]);
      else this.#writeFile(entry, 1, entry.kind === "file" ? entry.bytes : utf8.encode(entry.target));
    }
    this.#writeSuperblock();
    this.#writeMaps();
    return this.#disk;
  }

  #inode(path: string): number {
    return this.#inodes.get(path) ?? 0;
  }

  #writeFolder(entry: FileEntry, children: ReadonlyMap<string, readonly FileEntry[]>): void {
    const contents = children.get(entry.path) ?? [];
    const names: [string, number][] = [
      [".", this.#inode(entry.path)],
      ["..", this.#inode(parentOf(entry.path))],
      ...contents.map(({ path }): [string, number] => [nameOf(path), this.#inode(path)]),
    ];
    const bytes = new Uint8Array(names.length * ENTRY_BYTES);
    const view = new DataView(bytes.buffer);
    for (const [index, [name, inode]] of names.entries()) {
      view.setUint32(index * ENTRY_BYTES, inode, true);
      bytes.set(utf8.encode(name), index * ENTRY_BYTES + 4);
    }
    const subfolders = contents.filter(({ kind }) => kind === "folder").length;
    this.#writeFile(entry, 2 + subfolders, bytes);
  }

  #writeFile(entry: FileEntry, links: number, bytes: Uint8Array): void {
    const data: number[] = [];
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const zone = this.#nextZone++;
      this.#disk.set(bytes.subarray(at, at + BLOCK_BYTES), zone * BLOCK_BYTES);
      data.push(zone);
    }
    this.#writeInode(entry, links, bytes.length, this.#listed(data));
  }

  /** The zone numbers of the inode itself, after those that it has no room for went into blocks of their own. */
  #listed(data: readonly number[]): number[] {
    const zones = data.slice(0, DIRECT_ZONES);
    const single = data.slice(DIRECT_ZONES, DIRECT_ZONES + POINTERS_PER_BLOCK);
    if (single.length > 0) zones.push(this.#writeList(single));
    const rest = data.slice(DIRECT_ZONES + POINTERS_PER_BLOCK);
    const lists: number[] = [];
    for (let at = 0; at < rest.length; at += POINTERS_PER_BLOCK)
      lists.push(this.#writeList(rest.slice(at, at + POINTERS_PER_BLOCK)));
    if (lists.length > 0) zones.push(this.#writeList(lists));
    return zones;
  }

  #writeList(zones: readonly number[]): number {
    const list = this.#nextZone++;
    for (const [index, zone] of zones.entries())
      this.#view.setUint32(list * BLOCK_BYTES + 4 * index, zone, true);
    return list;
  }

  #writeInode(entry: FileEntry, links: number, sizeBytes: number, zones: readonly number[]): void {
    const { inodeMapBlocks, zoneMapBlocks } = this.#division;
    const table = (HEAD_BLOCKS + inodeMapBlocks + zoneMapBlocks) * BLOCK_BYTES;
    const at = table + (this.#inode(entry.path) - ROOT_INODE) * INODE_BYTES;
    this.#view.setUint16(at + Inode.MODE, modeOf(entry), true);
    this.#view.setUint16(at + Inode.LINKS, links, true);
    this.#view.setUint32(at + Inode.SIZE, sizeBytes, true);
    for (const [index, zone] of zones.entries())
      this.#view.setUint32(at + Inode.ZONES + 4 * index, zone, true);
  }

  #writeSuperblock(): void {
    const { inodes, inodeMapBlocks, zoneMapBlocks, firstDataZone, blocks } = this.#division;
    const at = BLOCK_BYTES;
    this.#view.setUint32(at + Superblock.INODES, inodes, true);
    this.#view.setUint16(at + Superblock.INODE_MAP_BLOCKS, inodeMapBlocks, true);
    this.#view.setUint16(at + Superblock.ZONE_MAP_BLOCKS, zoneMapBlocks, true);
    this.#view.setUint16(at + Superblock.FIRST_DATA_ZONE, firstDataZone, true);
    this.#view.setUint32(at + Superblock.MAX_SIZE, MAX_FILE_BYTES, true);
    this.#view.setUint32(at + Superblock.ZONES, blocks, true);
    this.#view.setUint16(at + Superblock.MAGIC, MAGIC, true);
    this.#view.setUint16(at + Superblock.BLOCK_BYTES, BLOCK_BYTES, true);
  }

  /** Bit 0 of each map stands for nothing and is set; so are the bits behind the last inode and zone. */
  #writeMaps(): void {
    const { inodes, inodeMapBlocks, zoneMapBlocks, firstDataZone, blocks } = this.#division;
    const map = (first: number, count: number): Uint8Array =>
      this.#disk.subarray(first * BLOCK_BYTES, (first + count) * BLOCK_BYTES);
    const inodeMap = map(HEAD_BLOCKS, inodeMapBlocks);
    setBits(inodeMap, 0, 1 + this.#inodes.size);
    setBits(inodeMap, inodes + 1, inodeMapBlocks * BITS_PER_BLOCK);
    const zoneMap = map(HEAD_BLOCKS + inodeMapBlocks, zoneMapBlocks);
    setBits(zoneMap, 0, 1 + this.#nextZone - firstDataZone);
    setBits(zoneMap, 1 + blocks - firstDataZone, zoneMapBlocks * BITS_PER_BLOCK);
  }
}

/** Sets the bits from `first` up to but not `end`. */
function setBits(bitmap: Uint8Array, first: number, end: number): void {
  for (let bit = first; bit < end; bit++) bitmap[bit >> 3] = (bitmap[bit >> 3] ?? 0) | (1 << (bit & 7));
}
