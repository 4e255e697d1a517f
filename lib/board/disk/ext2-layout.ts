/**
 * The numbers of an ext2 file system: field offsets, and how a disk of a given size is divided into groups.
 *
 * @spec "The Second Extended File System" (Dave Poirier), §3 "Disk Organization"
 */

/** Bytes of a block. */
export const BLOCK_BYTES = 4096;
/** A bitmap of one block has a bit for each block of its group. */
export const BLOCKS_PER_GROUP = BLOCK_BYTES * 8;
/** Bytes of an inode: with room for the fields that ext4 reads, so that its driver has nothing to remark. */
export const INODE_BYTES = 256;
export const INODES_PER_BLOCK = BLOCK_BYTES / INODE_BYTES;
/** Block numbers in an inode: twelve of data, then three trees of which we use two. */
export const DIRECT_BLOCKS = 12;
/** Block numbers in a block. */
export const POINTERS_PER_BLOCK = BLOCK_BYTES / 4;
/** Blocks of the largest file here: the third tree is not used. */
export const MAX_FILE_BLOCKS = DIRECT_BLOCKS + POINTERS_PER_BLOCK + POINTERS_PER_BLOCK ** 2;
export const ROOT_INODE = 2;
/** Inodes below are set aside. */
export const FIRST_INODE = 11;

/** Where the superblock stands on the disk; its copies begin their groups. */
export const SUPERBLOCK_OFFSET = 1024;
export const DESCRIPTOR_BYTES = 32;

/** Blocks of a group before its inode table: superblock, descriptors, two bitmaps. */
export const GROUP_HEAD_BLOCKS = 4;

/** How a disk is divided. */
export interface Division {
  readonly blocks: number;
  readonly groups: number;
  readonly inodesPerGroup: number;
  /** Blocks at the beginning of each group that hold no data. */
  readonly metaBlocks: number;
}

/** Divides `blocks` blocks into groups with room for `inodes` inodes. A last group too small for its own tables is left off. */
export function divide(blocks: number, inodes: number): Division {
  const groups = Math.ceil(blocks / BLOCKS_PER_GROUP);
  const tableBlocks = Math.ceil(inodes / groups / INODES_PER_BLOCK);
  const metaBlocks = GROUP_HEAD_BLOCKS + tableBlocks;
  const last = blocks - (groups - 1) * BLOCKS_PER_GROUP;
  if (groups > 1 && last <= metaBlocks) return divide(blocks - last, inodes);
  return { blocks, groups, inodesPerGroup: tableBlocks * INODES_PER_BLOCK, metaBlocks };
}

/** Blocks that a group has; the last may have fewer than the others. */
export const blocksOfGroup = ({ blocks }: Division, group: number): number =>
  Math.min(BLOCKS_PER_GROUP, blocks - group * BLOCKS_PER_GROUP);
