/** Runs images of programs on different machines, all of which leave a copy of RAM. */
import { spawn } from "node:child_process";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBoard } from "../../../lib/board/virt.ts";
import { CODE, RAM_END, RAM_START, RESULTS } from "./layout.ts";

const RAM_MEBIBYTES = 16;
/** No image needs a tenth of this; a program that does not end is the generator's mistake. */
const BUDGET = 50_000_000;

/** RAM from `RAM_START` on, as a machine left it. */
export type Ram = Uint8Array;

/** How often the instruction at each even address of the code area was executed here. */
export type Counts = Uint32Array;

/** Runs an image on our board. With `counts`, also says which instructions completed, one step at a time. */
export function runHere(elf: Uint8Array, counts?: Counts): Ram {
  const board = buildBoard({ ramBytes: RAM_MEBIBYTES << 20 });
  const loaded = board.loadElf(elf);
  if (loaded.kind !== "elf") throw new Error(loaded.message);
  if (counts === undefined) {
    const stop = board.run({ instructions: BUDGET });
    if (stop.reason !== "poweroff")
      throw new Error(`ended with ${stop.reason} at ${board.hart.pc.toString(16)}`);
    return board.bus.ram.u8;
  }
  const { hart } = board;
  for (;;) {
    const low = Number(hart.pc & 0x3fff_ffffn) - (CODE - RAM_START);
    const isCode = low >= 0 && low >> 1 < counts.length;
    const before = hart.retired;
    const stop = board.run({ instructions: 1 });
    if (isCode && hart.retired !== before) counts[low >> 1] = (counts[low >> 1] ?? 0) + 1;
    if (stop.reason === "poweroff") return board.bus.ram.u8;
  }
}

/** Runs an image on a QEMU. RAM is a file that both see. Rejects when it does not end within a minute. */
export async function runOnQemu(program: string, cpu: string, elf: Uint8Array): Promise<Ram> {
  const folder = await mkdtemp(join(tmpdir(), "dom0-qemu-"));
  try {
    const [elfPath, ramPath] = [join(folder, "programs.elf"), join(folder, "ram")];
    await writeFile(elfPath, elf);
    const backend = `memory-backend-file,id=ram,size=${RAM_MEBIBYTES}M,mem-path=${ramPath},share=on`;
    const machine = [
      "-M",
      "virt,memory-backend=ram",
      "-object",
      backend,
      "-m",
      `${RAM_MEBIBYTES}M`,
      "-bios",
      "none",
    ];
    const quiet = ["-display", "none", "-monitor", "none", "-serial", "none", "-nic", "none"];
    await ended(program, [...machine, ...quiet, "-cpu", cpu, "-kernel", elfPath]);
    return await beginningOf(ramPath);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The part of RAM that an image takes. */
async function beginningOf(ramPath: string): Promise<Ram> {
  const ram = new Uint8Array(RAM_END - RAM_START);
  const file = await open(ramPath);
  try {
    await file.read(ram, 0, ram.length, 0);
  } finally {
    await file.close();
  }
  return ram;
}

/** Runs an image on Spike. Its signature is what lies between two symbols, a line of 16 bytes each. */
export async function runOnSpike(program: string, isa: string, elf: Uint8Array): Promise<Ram> {
  const folder = await mkdtemp(join(tmpdir(), "dom0-spike-"));
  try {
    const [elfPath, signature] = [join(folder, "programs.elf"), join(folder, "signature")];
    await writeFile(elfPath, elf);
    const options = [`--isa=${isa}`, `-m${RAM_MEBIBYTES}`];
    await ended(program, [...options, `+signature=${signature}`, "+signature-granularity=8", elfPath]);
    const words = (await readFile(signature, "utf8")).trim().split("\n");
    const ram = new Uint8Array(RAM_END - RAM_START);
    const view = new DataView(ram.buffer);
    for (const [at, text] of words.entries())
      view.setBigUint64(RESULTS - RAM_START + 8 * at, BigInt(`0x${text}`), true);
    return ram;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function ended(program: string, options: readonly string[]): Promise<void> {
  return new Promise((done, failed) => {
    const child = spawn(program, options, { stdio: ["ignore", "ignore", "pipe"], timeout: 60_000 });
    let problem = "";
    child.stderr.on("data", (chunk) => {
      problem += chunk;
    });
    child.on("error", failed);
    child.on("close", (code, signal) =>
      code === 0
        ? done()
        : failed(new Error(`${program} ended with ${signal ?? code}: ${problem.slice(0, 500)}`)),
    );
  });
}
