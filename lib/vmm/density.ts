/**
 * The price of a sensitive instruction, as a curve: how much longer a program runs in a virtual machine, by how many of a thousand of its
 * instructions are sensitive. Time is counted in instructions of the machine, the monitor's included: the same on every computer.
 */
import { type BoardConfig, buildBoard } from "../board/virt.ts";
import { assemble } from "../isa/assembler/text.ts";
import { installClassic } from "./classic/monitor.ts";
import { installVmm } from "./hypervisor.ts";

/** How guests are run: by trap and emulation in user mode, or in VS-mode. */
export type GuestPath = "classic" | "extension";

/** A point of the curve. */
export interface DensityPoint {
  /** Sensitive instructions among a thousand. */
  readonly perThousand: number;
  /** Instructions of the machine in the virtual machine, divided by those on a bare board: 1 is no slowdown. */
  readonly slowdown: number;
}

/** A loop of a thousand instructions in a guest's supervisor mode, some of which write `sscratch`. */
function programWith(perThousand: number, rounds: number): Uint8Array {
  const body = Array.from({ length: 998 }, (_, index) => {
    const isSensitive =
      Math.floor(((index + 1) * perThousand) / 998) > Math.floor((index * perThousand) / 998);
    return isSensitive ? "csrw sscratch, t1" : "addi t1, t1, 1";
  });
  const built = assemble(
    `li t0, -1\n csrw pmpaddr0, t0\n li t0, 0x1f\n csrw pmpcfg0, t0\n li t0, 0x800\n csrs mstatus, t0
     la t0, kernel\n csrw mepc, t0\n mret
     kernel: li t0, ${rounds}\n again: ${body.join("\n")}\n addi t0, t0, -1\n bnez t0, again
     li t0, 0x100000\n li t1, 0x5555\n sw t1, (t0)\n stay: j stay`,
    { origin: 0x8000_0000n },
  );
  if (built.kind !== "program") throw new Error(built.message);
  return built.bytes;
}

/** What a run took: instructions that the machine retired until the program switched it off, and exits to a classic monitor. */
interface Took {
  readonly retired: number;
  readonly exits: number;
}

function runOn(path: GuestPath | "bare", program: Uint8Array): Took {
  const config: BoardConfig = path === "classic" ? { isa: { hypervisor: false } } : {};
  const board = buildBoard(config);
  if (path === "bare") board.load({ origin: 0x8000_0000n, bytes: program });
  const classic = path === "classic" ? installClassic(board, { image: program }) : undefined;
  if (path === "extension") installVmm(board, { guests: [{ image: program, begins: "machine" }] });
  const { reason, retired } = board.run({ instructions: 50_000_000 });
  if (reason !== "poweroff") throw new Error(`the program ended with ${reason}`);
  const counts = classic?.kind === "classic" ? classic.state.exits : undefined;
  const exits = Array.from({ length: counts?.length ?? 0 }, (_, kind) => Number(counts?.get(kind) ?? 0n));
  return { retired, exits: exits.reduce((sum, count) => sum + count, 0) };
}

/** A longer run less a shorter one, so that it does not matter what it takes to begin and to end. */
function tookFor(path: GuestPath | "bare", perThousand: number): Took {
  const [few, many] = [4, 14].map((rounds) => runOn(path, programWith(perThousand, rounds)));
  if (few === undefined || many === undefined) return { retired: 0, exits: 0 };
  return { retired: many.retired - few.retired, exits: many.exits - few.exits };
}

/** One measurement of a guest by trap and emulation. */
export interface DensityRun {
  /** Instructions of the program on a bare machine. */
  readonly bare: number;
  /** Instructions of the machine that has the monitor, both together. */
  readonly machine: number;
  /** How often the guest came to its monitor. */
  readonly exits: number;
}

/** Runs ten thousand instructions, so many of each thousand sensitive, bare and by trap and emulation. */
export function densityRun(perThousand: number): DensityRun {
  const { retired, exits } = tookFor("classic", perThousand);
  return { bare: tookFor("bare", perThousand).retired, machine: retired, exits };
}

/**
 * Measures the curve.
 *
 * @param perThousands  Densities, 0 to 998.
 * @example densityCurve("classic", [0, 1, 10, 100])
 */
export const densityCurve = (path: GuestPath, perThousands: readonly number[]): readonly DensityPoint[] =>
  perThousands.map((perThousand) => ({
    perThousand,
    slowdown: tookFor(path, perThousand).retired / tookFor("bare", perThousand).retired,
  }));
