/**
 * Reads a Linux `Image`: what distributions call `vmlinux` or `vmlinuz` on RISC-V. Plain, compressed by gzip, or inside the
 * kernel's own self-extracting EFI program (`vmlinuz.efi`).
 *
 * @spec Linux "Documentation/arch/riscv/boot-image-header.rst", "drivers/firmware/efi/libstub/zboot-header.S"
 */
import { MAX_RAM_BYTES } from "../bus/machine-memory.ts";
import { gunzipped, isGzip } from "./gzip.ts";
import { type LoadError, loadError } from "./load-error.ts";

/** A kernel ready to be copied. */
export interface LinuxImage {
  readonly kind: "linux-image";
  readonly bytes: Uint8Array;
  /** Bytes from the start of RAM, or from a 2 MiB border of it, to where it wants to be. */
  readonly textOffset: number;
  /** Bytes that it takes in RAM: the file and what it clears behind it. */
  readonly memoryBytes: number;
}

/** Fields of the header, in bytes from the start of the file. */
const Header = { TEXT_OFFSET: 8, IMAGE_SIZE: 16, FLAGS: 24, MAGIC: 0x38, END: 0x40 } as const;
/** "RSC" and 5: the magic that replaced the older "RISCV". */
const MAGIC = 0x0543_5352;
const BIG_ENDIAN = 1n;
/** The self-extracting program: "MZ", then "zimg"; where the payload is, and how it was compressed. */
const Zboot = { MAGIC: 4, PAYLOAD: 8, PAYLOAD_BYTES: 12, METHOD: 24, END: 56 } as const;
const MZ = 0x5a4d;
const ZIMG = 0x676d_697a;

/** Checks and reads a kernel. No input makes it throw, and none makes it take more memory than the largest RAM. */
export function parseLinuxImage(file: Uint8Array): LinuxImage | LoadError {
  const zboot = zbootPayload(file);
  if ("kind" in zboot) return zboot;
  const unpacked = isGzip(zboot) ? gunzipped(zboot, "kernel", MAX_RAM_BYTES) : zboot;
  return unpacked instanceof Uint8Array ? readHeader(unpacked) : unpacked;
}

function readHeader(bytes: Uint8Array): LinuxImage | LoadError {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < Header.END || view.getUint32(Header.MAGIC, true) !== MAGIC) {
    const message =
      "This is no Linux kernel for RISC-V: the header has no RISC-V mark. Give the file that the package installs as /boot/vmlinux-… or vmlinuz-….";
    return loadError("not-linux", message);
  }
  if ((view.getBigUint64(Header.FLAGS, true) & BIG_ENDIAN) !== 0n) {
    return loadError("wrong-byte-order", "This kernel is big-endian; the board's harts are little-endian.");
  }
  const textOffset = Number(view.getBigUint64(Header.TEXT_OFFSET, true));
  const memoryBytes = Number(view.getBigUint64(Header.IMAGE_SIZE, true));
  if (memoryBytes > MAX_RAM_BYTES || textOffset > MAX_RAM_BYTES) {
    const message = `The kernel's header asks for ${memoryBytes} bytes at offset ${textOffset}, more than any board has: the file is damaged. Fetch it again.`;
    return loadError("malformed", message);
  }
  if (memoryBytes !== 0 && bytes.length > memoryBytes) {
    const message = `The kernel has ${bytes.length} bytes and its header says ${memoryBytes}: the file is damaged. Fetch it again.`;
    return loadError("malformed", message);
  }
  // Kernels before the field existed say 0.
  return { kind: "linux-image", bytes, textOffset, memoryBytes: memoryBytes || bytes.length };
}

/** What the self-extracting program holds, or the file itself when it is none. */
function zbootPayload(file: Uint8Array): Uint8Array | LoadError {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isZboot =
    file.length >= Zboot.END && view.getUint16(0, true) === MZ && view.getUint32(Zboot.MAGIC, true) === ZIMG;
  if (!isZboot) return file;
  const method = new TextDecoder().decode(file.subarray(Zboot.METHOD, Zboot.END)).replace(/\0.*$/s, "");
  if (method !== "gzip") {
    const message = `This kernel is compressed by ${JSON.stringify(method)}; gzip is the one method that is read here. Unpack it first.`;
    return loadError("unsupported", message);
  }
  const start = view.getUint32(Zboot.PAYLOAD, true);
  const end = start + view.getUint32(Zboot.PAYLOAD_BYTES, true);
  if (end > file.length) {
    const message = `The compressed kernel ends at byte ${end} of ${file.length}: the file is cut off. Fetch it again.`;
    return loadError("truncated", message);
  }
  return file.subarray(start, end);
}
