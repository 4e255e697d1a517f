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

/** Instructions that a machine retires until the program has switched it off. */
function retiredOn(path: GuestPath | "bare", program: Uint8Array): number {
  const config: BoardConfig = path === "classic" ? { isa: { hypervisor: false } } : {};
  const board = buildBoard(config);
  if (path === "bare") board.load({ origin: 0x8000_0000n, bytes: program });
  if (path === "classic") installClassic(board, { image: program });
  if (path === "extension") installVmm(board, { guests: [{ image: program, begins: "machine" }] });
  const { reason, retired } = board.run({ instructions: 50_000_000 });
  if (reason !== "poweroff") throw new Error(`the program ended with ${reason}`);
  return retired;
}

/**
 * Measures the curve. What it takes to begin and to end is left out: each point is the difference of a longer and a shorter run.
 *
 * @param perThousands  Densities, 0 to 998.
 * @example densityCurve("classic", [0, 1, 10, 100])
 */
export function densityCurve(path: GuestPath, perThousands: readonly number[]): readonly DensityPoint[] {
  const [few, many] = [4, 14];
  return perThousands.map((perThousand) => {
    const cost = (where: GuestPath | "bare"): number =>
      retiredOn(where, programWith(perThousand, many)) - retiredOn(where, programWith(perThousand, few));
    return { perThousand, slowdown: cost(path) / cost("bare") };
  });
}
