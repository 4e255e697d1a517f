/**
 * Writes a cpio archive, which Linux unpacks as its first file system (initramfs). The same entries give the same bytes.
 *
 * @spec Linux "Documentation/driver-api/early-userspace/buffer-format.rst"
 */
import { type FileEntry, type FileTreeError, modeOf, orderedTree } from "./file-tree.ts";

const MAGIC = "070701";
const END_NAME = "TRAILER!!!";
const ALIGNMENT = 4;

/** The archive, or what is wrong with the entries. */
export function cpioArchive(entries: readonly FileEntry[]): Uint8Array | FileTreeError {
  const sorted = orderedTree(entries);
  if ("kind" in sorted) return sorted;
  const parts = sorted.flatMap((entry, index) => member(index + 1, entry));
  parts.push(header(0, 0, 0, 0, 0, END_NAME));
  const archive = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

function member(inode: number, entry: FileEntry): Uint8Array[] {
  const data = contents(entry);
  const [major, minor] = entry.kind === "device" ? [entry.major, entry.minor] : [0, 0];
  return [header(inode, modeOf(entry), data.length, major, minor, entry.path), padded(data)];
}

function contents(entry: FileEntry): Uint8Array {
  if (entry.kind === "file") return entry.bytes;
  return entry.kind === "link" ? new TextEncoder().encode(entry.target) : new Uint8Array(0);
}

/** Thirteen fields of eight hexadecimal digits, then the name with its zero. Times, owner and group are zero. */
function header(
  inode: number,
  mode: number,
  size: number,
  major: number,
  minor: number,
  path: string,
): Uint8Array {
  const name = new TextEncoder().encode(`${path}\0`);
  const links = 1;
  const fields = [inode, mode, 0, 0, links, 0, size, 0, 0, major, minor, name.length, 0];
  const digits = fields.map((field) => field.toString(16).padStart(8, "0")).join("");
  const start = new TextEncoder().encode(MAGIC + digits);
  const whole = new Uint8Array(start.length + name.length);
  whole.set(start);
  whole.set(name, start.length);
  return padded(whole);
}

function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % ALIGNMENT === 0) return bytes;
  const whole = new Uint8Array(Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT);
  whole.set(bytes);
  return whole;
}
