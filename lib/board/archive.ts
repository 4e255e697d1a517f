/**
 * The kit's file format: one readable line that names format and version, the SHA-256 of all other bytes of the file, and the
 * content in compressed chunks. The same content gives the same bytes on every host, and any changed bit is noticed: also
 * those of a DEFLATE stream that mean nothing, such as the padding of its last byte.
 *
 * Layout: line of ASCII ending in "\n"; SHA-256 of the line and of what follows the SHA-256, 32 bytes; content length, u64;
 * then chunks: length here u32, length in the content u32, DEFLATE bytes. Numbers are little-endian. A file may come from
 * anywhere: memory is bounded by what the file's own length can expand to, and by a fixed limit.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { deflateSync, inflateSync } from "fflate";

/** What a file is, and which version of its content this kit reads and writes. */
export interface ArchiveFormat {
  /** Words of the first line, such as "dom0 board image". */
  readonly name: string;
  readonly version: number;
  /** Bytes that the content may have. */
  readonly maxContentBytes: number;
}

/** Why a file was refused, in one sentence that says what to do. */
export interface ArchiveError {
  readonly kind: "archive-error";
  readonly reason: "other-format" | "other-version" | "truncated" | "damaged" | "too-large";
  readonly message: string;
}

const DIGEST_BYTES = 32;
const LENGTH_BYTES = 8;
const CHUNK_HEADER_BYTES = 8;
/** Content bytes of a chunk: large enough to compress well, small enough to bound what a chunk can claim. */
const CHUNK_BYTES = 1024 * 1024;
/** DEFLATE expands no further than this. */
const MAX_EXPANSION = 1032;
/** No first line is longer. */
const MAX_LINE_BYTES = 80;
/** Fast compression: RAM pages gain little from more effort. */
const LEVEL = 4;

const lineOf = ({ name, version }: ArchiveFormat): string => `${name} ${version}\n`;

/** An error of this format. */
export const archiveError = (reason: ArchiveError["reason"], message: string): ArchiveError => ({
  kind: "archive-error",
  reason,
  message,
});

/** Packs content into a file. */
export function packArchive(format: ArchiveFormat, content: Uint8Array): Uint8Array {
  const line = new TextEncoder().encode(lineOf(format));
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setBigUint64(0, BigInt(content.length), true);
  const parts = [length];
  for (let start = 0; start < content.length; start += CHUNK_BYTES) {
    const chunk = content.subarray(start, start + CHUNK_BYTES);
    const packed = deflateSync(chunk, { level: LEVEL });
    const header = new Uint8Array(CHUNK_HEADER_BYTES);
    const view = new DataView(header.buffer);
    view.setUint32(0, packed.length, true);
    view.setUint32(4, chunk.length, true);
    parts.push(header, packed);
  }
  const body = joined(parts);
  return joined([line, digestOf(line, body), body]);
}

/** Unpacks a file; whatever the bytes are, the answer is the content or a sentence. */
export function unpackArchive(format: ArchiveFormat, file: Uint8Array): Uint8Array | ArchiveError {
  const refused = wrongLine(format, file);
  if (refused !== undefined) return refused;
  const start = lineOf(format).length;
  const headerEnd = start + DIGEST_BYTES + LENGTH_BYTES;
  if (file.length < headerEnd) return truncated();
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const declared = view.getBigUint64(start + DIGEST_BYTES, true);
  if (declared > BigInt(format.maxContentBytes))
    return archiveError(
      "too-large",
      `The file claims ${declared} bytes of content; at most ${format.maxContentBytes} are read.`,
    );
  if (declared > BigInt(file.length * MAX_EXPANSION))
    return archiveError(
      "damaged",
      `The file claims ${declared} bytes of content, more than its ${file.length} bytes can hold.`,
    );
  const content = inflated(file.subarray(headerEnd), Number(declared));
  if (!(content instanceof Uint8Array)) return content;
  const digest = digestOf(file.subarray(0, start), file.subarray(start + DIGEST_BYTES));
  const isWhole = digest.every((byte, index) => byte === file[start + index]);
  return isWhole ? content : damaged("its SHA-256 differs from the one that it carries");
}

const digestOf = (line: Uint8Array, body: Uint8Array): Uint8Array =>
  sha256.create().update(line).update(body).digest();

function wrongLine(format: ArchiveFormat, file: Uint8Array): ArchiveError | undefined {
  const end = file.subarray(0, MAX_LINE_BYTES).indexOf(10);
  const line = new TextDecoder().decode(file.subarray(0, end + 1));
  if (line === lineOf(format)) return undefined;
  const words = line.trimEnd();
  if (words.startsWith(`${format.name} `)) {
    const message = `The file is "${words}", and this kit reads version ${format.version}. Make it again with this kit.`;
    return archiveError("other-version", message);
  }
  return archiveError("other-format", `The file is no "${format.name}": its first line does not say so.`);
}

function inflated(packed: Uint8Array, contentBytes: number): Uint8Array | ArchiveError {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const content = new Uint8Array(contentBytes);
  let from = 0;
  let to = 0;
  while (to < contentBytes) {
    if (packed.length - from < CHUNK_HEADER_BYTES) return truncated();
    const packedBytes = view.getUint32(from, true);
    const chunkBytes = view.getUint32(from + 4, true);
    from += CHUNK_HEADER_BYTES;
    if (packedBytes > packed.length - from) return truncated();
    if (chunkBytes === 0 || chunkBytes > CHUNK_BYTES || chunkBytes > contentBytes - to)
      return damaged("a chunk has an impossible length");
    if (!inflateInto(packed.subarray(from, from + packedBytes), content.subarray(to, to + chunkBytes)))
      return damaged("a chunk cannot be decompressed");
    from += packedBytes;
    to += chunkBytes;
  }
  return from === packed.length ? content : damaged("bytes are left over at its end");
}

/** The decompressor never writes past `out`, and throws for what is no DEFLATE stream. */
function inflateInto(packed: Uint8Array, out: Uint8Array): boolean {
  try {
    return inflateSync(packed, { out }).length === out.length;
  } catch {
    return false;
  }
}

const truncated = (): ArchiveError =>
  archiveError("truncated", "The file ends too early. Copy it again, whole.");

const damaged = (how: string): ArchiveError =>
  archiveError("damaged", `The file is damaged: ${how}. Copy it again, or make it again.`);

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
