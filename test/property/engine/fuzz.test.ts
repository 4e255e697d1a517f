/**
 * Random words from random states: whatever a guest does is an architectural trap, never an exception of the host, and
 * the two accelerations cannot be seen.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { CSR_NAMES, CSRS } from "../../../lib/isa/csr-map.ts";
import { insertField } from "../../../lib/isa/encoding.ts";
import type { Insn } from "../../../lib/isa/insn.ts";
import { INSTRUCTIONS, MNEMONICS } from "../../../lib/isa/instructions.ts";
import { type BareMachine, bareMachine, RAM_BASE, SWITCH_POSITIONS } from "../../support/bare-machine.ts";

const RAM_BYTES = 32 * 1024;
const isFull = process.env["DOM0_TEST_FULL"] === "1";
/** Steps in all, and per machine state. */
const STEPS = isFull ? 10_000_000 : 40_000;
const STEPS_PER_STATE = isFull ? 500 : 50;

/** xorshift32: fast enough for millions of words, and the seed repeats the run. */
class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 1;
  }
  word(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state >>> 0;
  }
  below(limit: number): number {
    return this.word() % limit;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
  word64(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }
}

/** Known CSR addresses are frequent, so that privileged state really changes. */
const CSR_ADDRESSES = CSR_NAMES.map((name) => CSRS[name].address);

/** Mostly instructions with random operands, sometimes any word at all. */
function instructionWord(random: Random): number {
  if (random.below(8) === 0) return random.word();
  const insn: Insn = INSTRUCTIONS[random.pick(MNEMONICS)];
  return insn.fields.reduce((word, field) => {
    const value = field.name === "csr" ? random.pick(CSR_ADDRESSES) : random.word();
    return insertField(word, field, value & (2 ** field.widthBits - 1) & -(2 ** field.lowestBit));
  }, insn.match);
}

/** Page-table entries, addresses inside RAM, addresses under Sv39, and noise. */
function value(random: Random): bigint {
  const inRam = BigInt(RAM_BASE + random.below(RAM_BYTES));
  switch (random.below(6)) {
    case 0:
      return random.word64();
    case 1:
      return inRam;
    case 2:
      return ((inRam >> 12n) << 10n) | BigInt(random.below(256)) | 1n;
    case 3:
      return BigInt(random.below(64)) * 8n;
    case 4:
      return 2n ** 64n - BigInt(random.below(4096));
    default:
      return BigInt.asUintN(64, BigInt.asIntN(39, random.word64()));
  }
}

/** Fills RAM with code and tables, registers and CSRs with anything, and chooses a mode. */
function scramble(machine: BareMachine, random: Random): void {
  const { hart, ram } = machine;
  for (let offset = 0; offset < RAM_BYTES / 2; offset += 4)
    ram.store(offset, 4, BigInt(instructionWord(random)));
  for (let offset = RAM_BYTES / 2; offset < RAM_BYTES; offset += 8) ram.store(offset, 8, value(random));
  hart.reset();
  for (let register = 1; register < 32; register++) hart.state.x[register] = BigInt.asIntN(64, value(random));
  for (let writes = random.below(40); writes > 0; writes--)
    writeCsr(hart, random.pick(CSR_NAMES), value(random));
  if (random.below(4) !== 0) {
    writeCsr(hart, "pmpaddr0", 2n ** 54n - 1n);
    writeCsr(hart, "pmpcfg0", 0x1fn);
  }
  const mode = random.pick([0, 1, 3, 4, 5] as const);
  const tables = BigInt(RAM_BASE + RAM_BYTES / 2 + random.below(RAM_BYTES / 8192) * 4096);
  writeCsr(hart, "satp", (BigInt(random.pick([0, 8, 8, 9])) << 60n) | (tables >> 12n));
  // A guest's tables stand in the same pages; the root of the second stage is aligned to 16 KiB.
  const secondStage = BigInt(RAM_BASE + RAM_BYTES / 2);
  writeCsr(hart, "vsatp", (BigInt(random.pick([0, 8, 8, 9])) << 60n) | (tables >> 12n));
  writeCsr(hart, "hgatp", (BigInt(random.pick([0, 8, 8, 9])) << 60n) | (secondStage >> 12n));
  const root = Number(secondStage) - RAM_BASE + 2 * 8;
  if (random.below(3) !== 0)
    ram.store(root, 8, (BigInt(RAM_BASE >>> 12) << 10n) | (random.below(2) === 0 ? 0xdbn : 0xdfn));
  for (const vector of ["mtvec", "stvec", "vstvec", "mepc", "sepc", "vsepc"] as const)
    writeCsr(hart, vector, BigInt(RAM_BASE + random.below(RAM_BYTES / 2)));
  // Often RAM is mapped where it is, so that programs run on and fault in their data accesses.
  const leaf = (BigInt(RAM_BASE >>> 12) << 10n) | ((mode & 3) === 0 ? 0xdfn : 0xcfn);
  if (random.below(3) !== 0) ram.store(Number(tables) - RAM_BASE + 2 * 8, 8, leaf);
  hart.state.modeNumber = mode;
  hart.pc =
    random.below(4) === 0 ? value(random) & ~1n : BigInt(RAM_BASE + random.below(RAM_BYTES / 2)) & ~1n;
  hart.stateReplaced();
}

/** One more state, the same for every machine that is given the same seed. */
function runState(machine: BareMachine, seed: number, steps: number): void {
  scramble(machine, new Random(seed));
  for (let left = steps; left > 0; ) {
    const stop = machine.engine.run(left);
    left -= Math.max(stop.steps, 1);
    if (stop.reason === "waiting") machine.hart.state.waiting = false;
  }
}

const digest = ({ hart, ram }: BareMachine): string => {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const word of [...new BigUint64Array(hart.state.bytes.slice().buffer), ...ram.i64]) {
    hash = BigInt.asUintN(64, (hash ^ BigInt.asUintN(64, word)) * 0x100_0000_01b3n);
  }
  return `${hash.toString(16)} ${hart.remembered?.describe() ?? ""}`;
};

describe("random programs", () => {
  it(`never throw and always make their steps: ${STEPS} of them`, () => {
    const machine = bareMachine({ ramBytes: RAM_BYTES });
    const traps = new Map<number, number>();
    machine.hart.onTrap(({ trap }) => traps.set(trap.cause, (traps.get(trap.cause) ?? 0) + 1));
    for (let seed = 1; seed <= STEPS / STEPS_PER_STATE; seed++) {
      try {
        runState(machine, seed, STEPS_PER_STATE);
      } catch (error) {
        throw new Error(`seed ${seed} at ${machine.hart.pc.toString(16)}`, { cause: error });
      }
      expect([0, 1, 3, 4, 5]).toContain(machine.hart.state.modeNumber);
      expect(machine.hart.read("zero")).toBe(0n);
    }
    // The states really went to many places: page, access and illegal-instruction faults, calls, misaligned atomics.
    for (const cause of [1, 2, 4, 5, 6, 7, 12, 13, 15, 20, 21, 22, 23, ...(isFull ? [3] : [])])
      expect(traps.get(cause) ?? 0, `cause ${cause}`).toBeGreaterThan(0);
  }, 1_800_000);

  it("never throw where translations are remembered and fences are checked", () => {
    const machines = [true, false].map((sticky) =>
      bareMachine({ sticky, checksFences: true, ramBytes: RAM_BYTES }),
    );
    let remembered = 0;
    for (let seed = 1; seed <= STEPS / STEPS_PER_STATE / 4; seed++)
      for (const machine of machines) {
        runState(machine, seed, STEPS_PER_STATE);
        remembered += machine.hart.remembered?.size ?? 0;
      }
    expect(remembered).toBeGreaterThan(20);
  }, 1_800_000);

  it.each([false, true])(
    "end in the same state in all four positions of the engine's switches (sticky: %s)",
    (sticky) => {
      const machines = SWITCH_POSITIONS.map((switches) =>
        bareMachine({ ...switches, sticky, ramBytes: RAM_BYTES }),
      );
      const states = fc.integer({ min: 1, max: 2 ** 30 });
      fc.assert(
        fc.property(states, (seed) => {
          for (const machine of machines) runState(machine, seed, 150);
          const [reference, ...others] = machines.map(digest);
          for (const [index, other] of others.entries())
            expect(other, SWITCH_POSITIONS[index + 1]?.title).toBe(reference);
        }),
        { seed: 1, numRuns: isFull ? 2000 : 25 },
      );
    },
    1_800_000,
  );

  it("run the same in one piece or in many", () => {
    const whole = bareMachine({ ramBytes: RAM_BYTES });
    const pieces = bareMachine({ ramBytes: RAM_BYTES });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 30 }), (seed) => {
        runState(whole, seed, 150);
        scramble(pieces, new Random(seed));
        for (let left = 150; left > 0; left--) {
          pieces.engine.run(1);
          pieces.hart.state.waiting = false;
        }
        expect(pieces.hart.pc).toBe(whole.hart.pc);
      }),
      { seed: 2, numRuns: isFull ? 500 : 10 },
    );
  }, 600_000);
});
