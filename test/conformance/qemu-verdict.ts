/** What QEMU says to a conformance program: its exit status, and for the signature convention what is in its RAM. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseElf } from "../../lib/board/elf.ts";
import { signatureText } from "../../lib/host/conformance/signature.ts";

/** One program to ask about. */
export interface AskedProgram {
  readonly name: string;
  readonly file: string;
  /** Text of its reference file; without one the exit status decides. */
  readonly reference: string | undefined;
}

const RAM_BASE = 0x8000_0000;
const RAM_MEBIBYTES = 16;
const MACHINE = ["-M", "virt", "-bios", "none", "-m", `${RAM_MEBIBYTES}M`];
const QUIET = ["-display", "none", "-monitor", "none", "-serial", "none"];

/** A QEMU, and the processor that it is to be: one with what we have. */
export interface Qemu {
  readonly path: string;
  readonly cpu: string;
}

/** Names of the programs that do not pass on this QEMU, in order of name. */
export function programsThatFailOn(qemu: Qemu, programs: readonly AskedProgram[]): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), "dom0-verdict-"));
  try {
    const failed = programs.filter((program) => !passesOn(qemu, program, path.join(folder, "ram")));
    return failed.map(({ name }) => name).sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function passesOn({ path: program, cpu }: Qemu, { file, reference }: AskedProgram, ramFile: string): boolean {
  const backend = `memory-backend-file,id=ram,size=${RAM_MEBIBYTES}M,mem-path=${ramFile},share=on`;
  const memory = reference === undefined ? [] : ["-object", backend, "-machine", "memory-backend=ram"];
  const { error, status } = spawnSync(
    program,
    [...MACHINE, "-cpu", cpu, ...QUIET, ...memory, "-kernel", file],
    {
      timeout: 60_000,
    },
  );
  if (error !== undefined) throw error;
  if (status !== 0 || reference === undefined) return status === 0;
  const image = parseElf(new Uint8Array(readFileSync(file)), {
    base: RAM_BASE,
    sizeBytes: RAM_MEBIBYTES << 20,
  });
  if (image.kind === "load-error") throw new Error(image.message);
  const place = (symbol: string): number => Number(image.symbols.addressOf(symbol)) - RAM_BASE;
  const ram = new Uint8Array(readFileSync(ramFile));
  rmSync(ramFile);
  return signatureText(ram.slice(place("begin_signature"), place("end_signature"))) === reference;
}
