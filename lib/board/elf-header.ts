/** The ELF file header: where things are in it, and whether this is a program for our hart at all. */
import { type LoadError, loadError } from "./load-error.ts";

const HEADER_BYTES = 64;
const RISCV = 243;

/** Machines that people are most likely to have compiled for by mistake. */
const MACHINE_NAMES: Record<number, string> = {
  3: "x86",
  8: "MIPS",
  40: "Arm",
  62: "x86-64",
  183: "AArch64",
  258: "LoongArch",
};

/** Offsets in the file header. */
export const ElfHeader = {
  CLASS: 4,
  BYTE_ORDER: 5,
  TYPE: 16,
  MACHINE: 18,
  ENTRY: 24,
  PROGRAM_HEADERS: 32,
  SECTION_HEADERS: 40,
  PROGRAM_HEADER_SIZE: 54,
  PROGRAM_HEADER_COUNT: 56,
  SECTION_HEADER_SIZE: 58,
  SECTION_HEADER_COUNT: 60,
} as const;

/** What keeps a file from being a RISC-V program, or undefined. */
export function checkHeader(file: Uint8Array, view: DataView): LoadError | undefined {
  const magic = [0x7f, 0x45, 0x4c, 0x46];
  if (!magic.slice(0, file.length).every((byte, index) => file[index] === byte) || file.length === 0) {
    const start = [...file.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const found = file.length === 0 ? "the file is empty" : `it starts with ${start}, not 7f 45 4c 46`;
    return loadError(
      "not-elf",
      `Not an ELF file: ${found}. Give the file that the linker wrote, or load raw bytes with an origin.`,
    );
  }
  if (file.length < HEADER_BYTES) {
    return loadError(
      "truncated",
      `The ELF header is cut off: ${file.length} of ${HEADER_BYTES} bytes. Copy or build the file again.`,
    );
  }
  if (file[ElfHeader.CLASS] !== 2) {
    return loadError(
      "wrong-class",
      "This is a 32-bit ELF file and the hart is RV64. Compile with -march=rv64… -mabi=lp64.",
    );
  }
  if (file[ElfHeader.BYTE_ORDER] !== 1) {
    return loadError(
      "wrong-byte-order",
      "This ELF file is big-endian and the hart is little-endian. Compile for riscv64.",
    );
  }
  const machine = view.getUint16(ElfHeader.MACHINE, true);
  if (machine !== RISCV) {
    const name = MACHINE_NAMES[machine] ?? "another machine";
    const advice = "Compile with riscv64-unknown-elf-gcc.";
    return loadError(
      "wrong-machine",
      `This ELF file is for ${name} (machine ${machine}), not RISC-V (${RISCV}). ${advice}`,
    );
  }
  return checkType(view.getUint16(ElfHeader.TYPE, true));
}

function checkType(type: number): LoadError | undefined {
  if (type === 2) return undefined;
  if (type === 1) return loadError("wrong-type", "This is an object file, not a program. Link it first.");
  if (type === 3) {
    return loadError(
      "wrong-type",
      "This program is position-independent and has no fixed place. Link it with -static -no-pie.",
    );
  }
  return loadError(
    "wrong-type",
    `This ELF file has type ${type}, which is not an executable. Link a program.`,
  );
}
