/**
 * Writes an ext2 file system: a disk image that Linux, U-Boot and every Unix tool can read, made from files as values.
 * The same entries and the same size give the same bytes: times, owners and the volume's name are constants.
 *
 * @spec "The Second Extended File System" (Dave Poirier)
 */
import {
  BLOCK_BYTES,
  BLOCKS_PER_GROUP,
  blocksOfGroup,
  DESCRIPTOR_BYTES,
  DIRECT_BLOCKS,
  type Division,
  divide,
  FIRST_INODE,
  GROUP_HEAD_BLOCKS,
  INODE_BYTES,
  MAX_FILE_BLOCKS,
  POINTERS_PER_BLOCK,
  ROOT_INODE,
  SUPERBLOCK_OFFSET,
} from "./ext2-layout.ts";
import {
  childrenByFolder,
  type FileEntry,
  type FileTreeError,
  fileTreeError,
  folder,
  modeOf,
  nameOf,
  orderedTree,
  parentOf,
} from "./file-tree.ts";

/** What the disk is like. */
export interface Ext2Options {
  /** Bytes of the image, rounded down to whole blocks. Left out: what the files need and half as much again, at least 4 MiB. */
  readonly sizeBytes?: number;
}

const MIB = 1024 * 1024;
const MIN_BYTES = 4 * MIB;
/** No image is larger: a board's disk is held in memory. */
export const MAX_DISK_BYTES = 1024 * MIB;
/** Inodes beyond those of the files, for what the guest makes; and one for so many bytes of disk. */
const SPARE_INODES = 256;
const BYTES_PER_INODE = 16 * 1024;
const MAX_NAME_BYTES = 255;
/** Targets shorter than this stand in the inode itself. */
const FAST_LINK_BYTES = 60;
const LOST_AND_FOUND = "lost+found";
/** File types in folder entries. */
const TYPE_CODE = { file: 1, folder: 2, character: 3, block: 4, link: 7 } as const;

const utf8 = new TextEncoder();

/** The disk's bytes, or why these files are no disk of that size. */
export function ext2Image(
  entries: readonly FileEntry[],
  options: Ext2Options = {},
): Uint8Array | FileTreeError {
  const named = entries.some(({ path }) => path === LOST_AND_FOUND)
    ? entries
    : [folder(LOST_AND_FOUND), ...entries];
  const sorted = orderedTree(named);
  if ("kind" in sorted) return sorted;
  const long = sorted.find(({ path }) => utf8.encode(nameOf(path)).length > MAX_NAME_BYTES);
  if (long !== undefined)
    return fileTreeError(`The name of ${long.path} is longer than ${MAX_NAME_BYTES} bytes.`);
  const neededBytes = sorted.reduce((sum, entry) => sum + bytesFor(entry), 0);
  const sizeBytes = options.sizeBytes ?? Math.max(MIN_BYTES, Math.ceil(neededBytes * 1.5));
  const mib = (bytes: number): number => Math.ceil(bytes / MIB);
  if (sizeBytes > MAX_DISK_BYTES)
    return fileTreeError(`A disk of ${mib(sizeBytes)} MiB is too large: at most ${mib(MAX_DISK_BYTES)} MiB.`);
  const inodes = FIRST_INODE + sorted.length + SPARE_INODES + Math.floor(sizeBytes / BYTES_PER_INODE);
  const division = divide(Math.floor(sizeBytes / BLOCK_BYTES), inodes);
  const tables = division.metaBlocks * division.groups * BLOCK_BYTES;
  if (division.blocks * BLOCK_BYTES < tables + neededBytes) {
    const room = mib(tables + neededBytes);
    return fileTreeError(`The files need a disk of ${room} MiB, and this one has ${mib(sizeBytes)}.`);
  }
  return new Ext2Writer(division, sorted).image();
}

/** Bytes of disk that an entry takes at most, with the blocks that list its blocks and its name in its folder. */
function bytesFor(entry: FileEntry): number {
  const ownBlocks = entry.kind === "folder" ? 2 * BLOCK_BYTES : 0;
  const bytes =
    entry.kind === "file" ? entry.bytes.length : entry.kind === "link" ? entry.target.length * 3 : 0;
  const blocks = Math.ceil(bytes / BLOCK_BYTES);
  const lists = Math.ceil(blocks / POINTERS_PER_BLOCK) + 2;
  // Twice, because no name crosses a border of blocks.
  const inFolder = 2 * (8 + MAX_NAME_BYTES);
  return ownBlocks + inFolder + (blocks === 0 ? 0 : (blocks + lists) * BLOCK_BYTES);
}

/** Builds one image. */
class Ext2Writer {
  readonly #division: Division;
  readonly #entries: readonly FileEntry[];
  readonly #disk: Uint8Array;
  readonly #view: DataView;
  /** By path; `""` is the root. */
  readonly #inodes = new Map<string, number>([["", ROOT_INODE]]);
  readonly #foldersOfGroup: number[];
  readonly #usedOfGroup: number[];
  #nextBlock: number;

  constructor(division: Division, entries: readonly FileEntry[]) {
    this.#division = division;
    this.#entries = entries;
    this.#disk = new Uint8Array(division.blocks * BLOCK_BYTES);
    this.#view = new DataView(this.#disk.buffer);
    this.#foldersOfGroup = new Array<number>(division.groups).fill(0);
    this.#usedOfGroup = new Array<number>(division.groups).fill(division.metaBlocks);
    this.#nextBlock = division.metaBlocks;
    // lost+found first: it has the first inode by custom.
    const others = entries.filter(({ path }) => path !== LOST_AND_FOUND);
    for (const [index, path] of [LOST_AND_FOUND, ...others.map((each) => each.path)].entries())
      this.#inodes.set(path, FIRST_INODE + index);
  }

  image(): Uint8Array {
    const children = childrenByFolder(this.#entries);
    this.#writeFolder({ path: "", permissions: 0o755, kind: "folder" }, children);
    for (const entry of this.#entries) {
      if (entry.kind === "folder") this.#writeFolder(entry, children);
      else this.#writeOther(entry);
    }
    for (let group = 0; group < this.#division.groups; group++) this.#writeGroup(group);
    return this.#disk;
  }

  #inode(path: string): number {
    return this.#inodes.get(path) ?? 0;
  }

  #writeOther(entry: Exclude<FileEntry, { kind: "folder" }>): void {
    if (entry.kind === "device") {
      const pointers = [(entry.major << 8) | entry.minor];
      this.#writeInode(entry, 1, { pointers, blocks: 0 }, 0);
      return;
    }
    const bytes = entry.kind === "file" ? entry.bytes : utf8.encode(entry.target);
    const isFast = entry.kind === "link" && bytes.length < FAST_LINK_BYTES;
    this.#writeInode(entry, 1, isFast ? { pointers: [], blocks: 0 } : this.#writeData(bytes), bytes.length);
    if (isFast) this.#disk.set(bytes, this.#inodeOffset(this.#inode(entry.path)) + InodeField.POINTERS);
  }

  #writeFolder(entry: FileEntry, children: ReadonlyMap<string, readonly FileEntry[]>): void {
    const contents = children.get(entry.path) ?? [];
    const own = this.#inode(entry.path);
    const parent = this.#inode(parentOf(entry.path));
    const records = [
      { inode: own, name: utf8.encode("."), type: TYPE_CODE.folder },
      { inode: parent, name: utf8.encode(".."), type: TYPE_CODE.folder },
      ...contents.map((child) => ({
        inode: this.#inode(child.path),
        name: utf8.encode(nameOf(child.path)),
        type: TYPE_CODE[child.kind === "device" ? child.type : child.kind],
      })),
    ];
    const bytes = folderBlocks(records);
    const subfolders = contents.filter(({ kind }) => kind === "folder").length;
    this.#writeInode(entry, 2 + subfolders, this.#writeData(bytes), bytes.length);
    const group = Math.floor((own - 1) / this.#division.inodesPerGroup);
    this.#foldersOfGroup[group] = (this.#foldersOfGroup[group] ?? 0) + 1;
  }

  /** Puts data into blocks, and the numbers of those that the inode does not hold into further blocks. */
  #writeData(bytes: Uint8Array): { pointers: number[]; blocks: number } {
    const data: number[] = [];
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const block = this.#takeBlock();
      this.#disk.set(bytes.subarray(at, at + BLOCK_BYTES), block * BLOCK_BYTES);
      data.push(block);
    }
    if (data.length > MAX_FILE_BLOCKS)
      throw new RangeError(`a file of ${bytes.length} bytes on a disk that is smaller`);
    const pointers = data.slice(0, DIRECT_BLOCKS);
    let blocks = data.length;
    const listed = (numbers: readonly number[]): number => {
      blocks++;
      return this.#writeList(numbers);
    };
    const single = data.slice(DIRECT_BLOCKS, DIRECT_BLOCKS + POINTERS_PER_BLOCK);
    if (single.length > 0) pointers.push(listed(single));
    const rest = data.slice(DIRECT_BLOCKS + POINTERS_PER_BLOCK);
    if (rest.length > 0) {
      const lists: number[] = [];
      for (let at = 0; at < rest.length; at += POINTERS_PER_BLOCK)
        lists.push(listed(rest.slice(at, at + POINTERS_PER_BLOCK)));
      pointers.push(listed(lists));
    }
    return { pointers, blocks };
  }

  #writeList(numbers: readonly number[]): number {
    const block = this.#takeBlock();
    for (const [index, number] of numbers.entries())
      this.#view.setUint32(block * BLOCK_BYTES + 4 * index, number, true);
    return block;
  }

  /** The next free block: they are taken in order. */
  #takeBlock(): number {
    const block = this.#nextBlock;
    const group = Math.floor(block / BLOCKS_PER_GROUP);
    this.#usedOfGroup[group] = (this.#usedOfGroup[group] ?? 0) + 1;
    const next = block + 1;
    this.#nextBlock = next % BLOCKS_PER_GROUP === 0 ? next + this.#division.metaBlocks : next;
    return block;
  }

  #inodeOffset(inode: number): number {
    const { inodesPerGroup } = this.#division;
    const group = Math.floor((inode - 1) / inodesPerGroup);
    const table = (group * BLOCKS_PER_GROUP + GROUP_HEAD_BLOCKS) * BLOCK_BYTES;
    return table + ((inode - 1) % inodesPerGroup) * INODE_BYTES;
  }

  #writeInode(
    entry: FileEntry,
    links: number,
    { pointers, blocks }: { readonly pointers: readonly number[]; readonly blocks: number },
    sizeBytes: number,
  ): void {
    const at = this.#inodeOffset(this.#inode(entry.path));
    const view = this.#view;
    view.setUint16(at, modeOf(entry), true);
    view.setUint32(at + InodeField.SIZE, sizeBytes, true);
    view.setUint16(at + InodeField.LINKS, links, true);
    view.setUint32(at + InodeField.SECTORS, (blocks * BLOCK_BYTES) / 512, true);
    for (const [index, pointer] of pointers.entries())
      view.setUint32(at + InodeField.POINTERS + 4 * index, pointer, true);
    view.setUint16(at + InodeField.EXTRA_BYTES, 32, true);
  }

  #writeGroup(group: number): void {
    const first = group * BLOCKS_PER_GROUP;
    this.#writeSuperblock(group === 0 ? SUPERBLOCK_OFFSET : first * BLOCK_BYTES, group);
    for (let each = 0; each < this.#division.groups; each++)
      this.#writeDescriptor((first + 1) * BLOCK_BYTES + each * DESCRIPTOR_BYTES, each);
    const blocks = blocksOfGroup(this.#division, group);
    const bitmap = (index: number): Uint8Array =>
      this.#disk.subarray((first + index) * BLOCK_BYTES, (first + index + 1) * BLOCK_BYTES);
    setBits(bitmap(2), 0, this.#usedOfGroup[group] ?? 0);
    setBits(bitmap(2), blocks, BLOCKS_PER_GROUP);
    setBits(bitmap(3), 0, this.#usedInodes(group));
    setBits(bitmap(3), this.#division.inodesPerGroup, BLOCKS_PER_GROUP);
  }

  #usedInodes(group: number): number {
    const { inodesPerGroup } = this.#division;
    const used = FIRST_INODE - 1 + this.#entries.length;
    return Math.max(0, Math.min(inodesPerGroup, used - group * inodesPerGroup));
  }

  #freeBlocks(group: number): number {
    return blocksOfGroup(this.#division, group) - (this.#usedOfGroup[group] ?? 0);
  }

  #writeDescriptor(at: number, group: number): void {
    const first = group * BLOCKS_PER_GROUP;
    const view = this.#view;
    for (const [index, block] of [first + 2, first + 3, first + GROUP_HEAD_BLOCKS].entries())
      view.setUint32(at + 4 * index, block, true);
    view.setUint16(at + 12, this.#freeBlocks(group), true);
    view.setUint16(at + 14, this.#division.inodesPerGroup - this.#usedInodes(group), true);
    view.setUint16(at + 16, this.#foldersOfGroup[group] ?? 0, true);
  }

  #writeSuperblock(at: number, group: number): void {
    const { blocks, groups, inodesPerGroup } = this.#division;
    const all = Array.from({ length: groups }, (_, each) => each);
    const freeBlocks = all.reduce((sum, each) => sum + this.#freeBlocks(each), 0);
    const inodes = inodesPerGroup * groups;
    const used = FIRST_INODE - 1 + this.#entries.length;
    const words: readonly [offset: number, value: number][] = [
      [Superblock.INODES, inodes],
      [Superblock.BLOCKS, blocks],
      [Superblock.FREE_BLOCKS, freeBlocks],
      [Superblock.FREE_INODES, inodes - used],
      [Superblock.LOG_BLOCK, Math.log2(BLOCK_BYTES / 1024)],
      [Superblock.LOG_FRAGMENT, Math.log2(BLOCK_BYTES / 1024)],
      [Superblock.BLOCKS_PER_GROUP, BLOCKS_PER_GROUP],
      [Superblock.FRAGMENTS_PER_GROUP, BLOCKS_PER_GROUP],
      [Superblock.INODES_PER_GROUP, inodesPerGroup],
      [Superblock.REVISION, 1],
      [Superblock.FIRST_INODE, FIRST_INODE],
      [Superblock.INCOMPATIBLE, FILE_TYPES_IN_FOLDERS],
    ];
    for (const [offset, value] of words) this.#view.setUint32(at + offset, value, true);
    const halves: readonly [offset: number, value: number][] = [
      [Superblock.MAX_MOUNTS, 0xffff],
      [Superblock.MAGIC, 0xef53],
      [Superblock.STATE, CLEAN],
      [Superblock.ON_ERROR, CONTINUE],
      [Superblock.INODE_BYTES, INODE_BYTES],
      [Superblock.GROUP, group],
    ];
    for (const [offset, value] of halves) this.#view.setUint16(at + offset, value, true);
    this.#disk.set(UUID, at + Superblock.UUID);
    this.#disk.set(utf8.encode(VOLUME), at + Superblock.VOLUME);
  }
}

/** Offsets in an inode. */
const InodeField = { SIZE: 4, LINKS: 26, SECTORS: 28, POINTERS: 40, EXTRA_BYTES: 128 } as const;

/** Offsets in the superblock. */
const Superblock = {
  INODES: 0,
  BLOCKS: 4,
  FREE_BLOCKS: 12,
  FREE_INODES: 16,
  LOG_BLOCK: 24,
  LOG_FRAGMENT: 28,
  BLOCKS_PER_GROUP: 32,
  FRAGMENTS_PER_GROUP: 36,
  INODES_PER_GROUP: 40,
  MAX_MOUNTS: 54,
  MAGIC: 56,
  STATE: 58,
  ON_ERROR: 60,
  REVISION: 76,
  FIRST_INODE: 84,
  INODE_BYTES: 88,
  GROUP: 90,
  INCOMPATIBLE: 96,
  UUID: 104,
  VOLUME: 120,
} as const;
const FILE_TYPES_IN_FOLDERS = 2;
const CLEAN = 1;
const CONTINUE = 1;
const VOLUME = "dom0";
/** A UUID of version 8, which is for everybody's own purposes. @spec RFC 9562 §5.8 */
const UUID = Uint8Array.from([0xd0, 0x30, 0, 0, 0, 0, 0x80, 0, 0x80, 0, 0, 0, 0, 0, 0, 1]);

/** Entries of a folder in whole blocks: none crosses a border, and the last of each block takes what is left. */
function folderBlocks(
  records: readonly { readonly inode: number; readonly name: Uint8Array; readonly type: number }[],
): Uint8Array {
  const sizeOf = (name: Uint8Array): number => Math.ceil((8 + name.length) / 4) * 4;
  const starts: number[] = [];
  let end = 0;
  for (const { name } of records) {
    const room = BLOCK_BYTES - (end % BLOCK_BYTES);
    if (sizeOf(name) > room) end += room;
    starts.push(end);
    end += sizeOf(name);
  }
  const bytes = new Uint8Array(Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, { inode, name, type }] of records.entries()) {
    const at = starts[index] ?? 0;
    const blockEnd = (Math.floor(at / BLOCK_BYTES) + 1) * BLOCK_BYTES;
    view.setUint32(at, inode, true);
    view.setUint16(at + 4, Math.min(starts[index + 1] ?? blockEnd, blockEnd) - at, true);
    view.setUint8(at + 6, name.length);
    view.setUint8(at + 7, type);
    bytes.set(name, at + 8);
  }
  return bytes;
}

/** Sets the bits from `first` up to but not `end`. */
function setBits(bitmap: Uint8Array, first: number, end: number): void {
  for (let bit = first; bit < end; bit++) bitmap[bit >> 3] = (bitmap[bit >> 3] ?? 0) | (1 << (bit & 7));
}
