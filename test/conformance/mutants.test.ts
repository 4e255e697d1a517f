/**
 * The conformance programs can fail: each is run on a machine with one broken instruction, the one that it tests.
 *
 * An instruction is broken by leaving it out, by letting it trap, by spoiling a bit of its result, and by giving it the meaning
 * of each other instruction that is written with the same operands. Where a break is no mistake, a table says why.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { CONFORMANCE_PROGRAMS } from "../../lib/host/conformance/programs.ts";
import { runProgram } from "../../lib/host/conformance/run-program.ts";
import { type Execute, type Insn, illegalInstruction } from "../../lib/isa/insn.ts";
import { INSTRUCTIONS, MNEMONICS, type Mnemonic } from "../../lib/isa/instructions.ts";

const IS_FULL = process.env["DOM0_TEST_FULL"] === "1";
/** More than any of the programs needs; a broken one may never end. */
const BUDGET = 20_000;
const RAM_BYTES = 2 << 20;

/** A way to break an instruction: its name, and what the instruction does then. */
interface Mutant {
  readonly name: string;
  readonly execute: Execute;
}

const LEFT_OUT: Mutant = { name: "left out", execute: () => undefined };
const TRAPS: Mutant = { name: "traps", execute: (_, operands) => illegalInstruction(operands) };

const spoiled = (execute: Execute, bit: bigint): Mutant => ({
  name: `bit ${bit} of its result is wrong`,
  execute: (hart, operands) => {
    const trap = execute(hart, operands);
    if (trap === undefined && operands.rd !== 0) hart.x[operands.rd] ^= 1n << bit;
    return trap;
  },
});

const spoiledFloat = (execute: Execute, bit: bigint): Mutant => ({
  name: `bit ${bit} of its floating-point result is wrong`,
  execute: (hart, operands) => {
    const trap = execute(hart, operands);
    if (trap === undefined) hart.setFloat(operands.rd, (hart.f[operands.rd] ?? 0n) ^ (1n << bit));
    return trap;
  },
});

const FENCES = ["fenceTranslations", "fenceGuestTranslations"] as const;

/** Raises what it must raise, and else does nothing. */
const fencesNothing = (execute: Execute): Mutant => ({
  name: "fences nothing",
  execute: (hart, operands) => {
    Object.assign(hart, Object.fromEntries(FENCES.map((name) => [name, () => {}])));
    try {
      return execute(hart, operands);
    } finally {
      for (const name of FENCES) Reflect.deleteProperty(hart, name);
    }
  },
});

const WRITES_FLOAT =
  /^float(Load|Fused|Binary|Unary|Pair|Widen|WidenInteger|FromInteger|MoveFromInteger)$|^(compressed|stack)FloatLoad$/;
const WRITES_INTEGER =
  /^(registers|immediate|shift|load|jump|upper|csr|csrImmediate|unary|loadReserved|atomic|floatCompare|floatToInteger|floatRoundToInteger)$|^compressed(Small)?(Immediate|Upper|Shift|Pair)$|^(compressed|stack)Load$|^stack(Address|Pointer)$/;

/** The ordering bits of an atomic instruction mean nothing on a machine that reorders nothing. */
const withoutOrdering = (mnemonic: string): string => mnemonic.replace(/[.](aq|rl|aqrl)$/, "");

/** Breaks that are none, with the reason. */
const NO_MISTAKE: Readonly<Record<string, string>> = {
  "fence: left out": "one hart at a time and a bus without reordering: every access is in order already",
  "fence.i: left out": "stores are seen by fetches at once in this machine's memo",
  "c.li: does what c.addiw does": "x0 plus six bits is the same in 32 bits and in 64",
  "sfence.vma: does what hfence.gvma does": "coherent mode: no table that is cached changes unseen",
  "hx: traps": "nobody registered a handler, so that is what it must do",
  "c.nop: left out": "it is the instruction that does nothing",
};

function mutantsOf(mnemonic: Mnemonic): Mutant[] {
  const insn: Insn = INSTRUCTIONS[mnemonic];
  const { form, execute } = insn;
  const siblings = MNEMONICS.filter((other) => isOther(mnemonic, other)).map((other) => ({
    name: `does what ${other} does`,
    execute: INSTRUCTIONS[other].execute as Execute,
  }));
  const spoilt = WRITES_FLOAT.test(form)
    ? [spoiledFloat(execute, 0n), spoiledFloat(execute, 63n)]
    : WRITES_INTEGER.test(form)
      ? [spoiled(execute, 0n), spoiled(execute, 63n)]
      : [];
  return [LEFT_OUT, TRAPS, ...spoilt, ...siblings];
}

/** Whether `other` takes the same operands as `mnemonic` and means something else. */
function isOther(mnemonic: Mnemonic, other: Mnemonic): boolean {
  const [insn, candidate]: [Insn, Insn] = [INSTRUCTIONS[mnemonic], INSTRUCTIONS[other]];
  if (insn.form !== candidate.form || insn.execute === candidate.execute) return false;
  return withoutOrdering(mnemonic) !== withoutOrdering(other);
}

/** Runs the program of an instruction on a machine where that instruction is broken. */
function survives(
  mnemonic: Mnemonic,
  mutant: Mutant,
  translations: "coherent" | "sticky" = "coherent",
): boolean {
  const record = INSTRUCTIONS[mnemonic] as { execute: Execute };
  const healthy = record.execute;
  record.execute = mutant.execute;
  try {
    const file = new Uint8Array(readFileSync(path.join(CONFORMANCE_PROGRAMS, mnemonic)));
    return (
      // What is broken is a record; the translator has emitters besides (test/lockstep/mutants.test.ts breaks those).
      runProgram(mnemonic, file, undefined, {
        engine: "reference",
        budget: BUDGET,
        ramBytes: RAM_BYTES,
        translations,
      }).outcome === "passed"
    );
  } finally {
    record.execute = healthy;
  }
}

/** In `npm test` one instruction in six with its plain breaks and some of the others; all of them in `npm run test:full`. */
const TRIED = MNEMONICS.filter((_, index) => IS_FULL || index % 6 === 0);
const chosen = (mnemonic: Mnemonic): Mutant[] =>
  mutantsOf(mnemonic).filter(({ name }, index) => IS_FULL || !name.startsWith("does") || index % 4 === 0);

describe("each conformance program", () => {
  it("fails when the instruction that it tests is broken, unless that is no mistake", () => {
    const survivors = new Set<string>();
    let count = 0;
    for (const mnemonic of TRIED)
      for (const mutant of chosen(mnemonic)) {
        count += 1;
        if (survives(mnemonic, mutant)) survivors.add(`${mnemonic}: ${mutant.name}`);
      }
    expect(count).toBeGreaterThan(IS_FULL ? 5000 : 300);
    expect([...survivors].filter((survivor) => !Object.hasOwn(NO_MISTAKE, survivor))).toEqual([]);
    const tried = new Set<string>(TRIED);
    const listed = Object.keys(NO_MISTAKE).filter((entry) => tried.has(entry.split(":")[0] ?? ""));
    expect(listed.filter((entry) => !survivors.has(entry))).toEqual([]);
  }, 600_000);

  it("fails when a translation fence fences nothing, on a board where that shows", () => {
    for (const mnemonic of ["sfence.vma", "hfence.vvma", "hfence.gvma"] as const) {
      const mutant = fencesNothing(INSTRUCTIONS[mnemonic].execute);
      expect(survives(mnemonic, mutant, "coherent"), mnemonic).toBe(true);
      expect(survives(mnemonic, mutant, "sticky"), mnemonic).toBe(false);
    }
  });

  it("passes again afterwards: the breaks are undone", () => {
    for (const mnemonic of ["add", "fadd.d", "hlv.w"] as const)
      expect(survives(mnemonic, { name: "", execute: INSTRUCTIONS[mnemonic].execute })).toBe(true);
  });
});
