/** The first program of a Linux that has no disk: it says a sentence and switches the machine off. Made here, byte by byte. */
import { cpioArchive } from "../../board/disk/cpio-archive.ts";
import { assemble } from "../../isa/assembler/text.ts";

const ORIGIN = 0x1_0000n;
const HEADERS = 64 + 56;

/** What the program says. */
export const SENTENCE = "init: hello from a stock Linux, in a virtual machine";

/** System calls 64, `write`, and 142, `reboot`, which wants two magic numbers and one that says what to do. */
const code = `la a1, text
  li a0, 1
  li a2, ${SENTENCE.length + 1}
  li a7, 64
  ecall
  li a0, 0xfee1dead
  li a1, 672274793
  li a2, 0x4321fedc
  li a7, 142
  ecall
again: j again
text: .ascii "${SENTENCE}\\n"`;

/** An ELF file with one segment, which holds everything. @spec "ELF-64 Object File Format" §2 and §8 */
function program(): Uint8Array {
  const built = assemble(code, { origin: ORIGIN + BigInt(HEADERS) });
  if (built.kind !== "program") throw new Error(built.message);
  const bytes = new Uint8Array(HEADERS + built.bytes.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const half = (at: number, value: number): void => view.setUint16(at, value, true);
  const word = (at: number, value: number): void => view.setUint32(at, value, true);
  const long = (at: number, value: bigint): void => view.setBigUint64(at, value, true);
  half(16, 2); // an executable
  half(18, 243); // for RISC-V
  word(20, 1);
  long(24, ORIGIN + BigInt(HEADERS));
  long(32, 64n);
  half(52, 64);
  half(54, 56);
  half(56, 1);
  word(64, 1); // to be loaded,
  word(68, 5); // readable and executable
  long(80, ORIGIN);
  long(88, ORIGIN);
  long(96, BigInt(bytes.length));
  long(104, BigInt(bytes.length));
  long(112, 4096n);
  bytes.set(built.bytes, HEADERS);
  return bytes;
}

/** The initial file system: the program, and the console that it writes to. */
export function initialFiles(): Uint8Array {
  const archive = cpioArchive([
    { path: "dev", permissions: 0o755, kind: "folder" },
    { path: "dev/console", permissions: 0o600, kind: "device", type: "character", major: 5, minor: 1 },
    { path: "init", permissions: 0o755, kind: "file", bytes: program() },
  ]);
  if (!(archive instanceof Uint8Array)) throw new Error(archive.message);
  return archive;
}
