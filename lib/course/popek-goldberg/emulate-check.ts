/** Exercise 03.3, build: emulate a CSR instruction. The oracle is the instruction itself, on a hart in the mode that the guest believes in. */
import fc from "fast-check";
import { groupedHex } from "../../bits/hex.ts";
import type { Answer, Outcome } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding, type Property } from "../../checks/check.ts";
import { type Inert, member } from "../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../checks/property.ts";
import { disassemble } from "../../isa/disassemble.ts";
import { csrNumber, type GuestMode, stepOnHart, VCPU_CSRS, type Vcpu } from "./one-step.ts";

/** A CSR instruction, taken apart. */
export interface CsrOp {
  /** `rw` writes the operand, `rs` sets its bits, `rc` clears them. */
  readonly op: "rw" | "rs" | "rc";
  /** Number of the CSR: bits 31 to 20 of the instruction. */
  readonly csr: number;
  readonly rd: number;
  /** Number of the operand's register, or, where `isImmediate`, the operand itself. */
  readonly rs1: number;
  readonly isImmediate: boolean;
}

/** What emulation returns. */
export type Emulated = Vcpu | "illegal";

const FUNCT = { rw: 1, rs: 2, rc: 3 } as const;
const wordOf = ({ op, csr, rd, rs1, isImmediate }: CsrOp): number =>
  ((csr << 20) | (rs1 << 15) | ((FUNCT[op] + (isImmediate ? 4 : 0)) << 12) | (rd << 7) | 0x73) >>> 0;

interface Case {
  readonly op: CsrOp;
  readonly vcpu: Vcpu;
}

const PC = 0x8000_0000n;
const words = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

type Family = "allowed" | "forbidden";

function csrsOf(mode: number, family: Family): number[] {
  const all = VCPU_CSRS.map(csrNumber);
  const reach = (csr: number): boolean => mode >= ((csr >> 8) & 3);
  // 0x5c0 is nobody's; 0xf14, mhartid, cannot be written.
  if (family === "forbidden")
    return mode === 3 ? [0x5c0, 0xf14] : [...all.filter((csr) => !reach(csr)), 0x5c0];
  return all.filter((csr) => reach(csr) && csr !== 0xf14);
}

const casesOf = (family: Family): fc.Arbitrary<Case> =>
  fc
    .record({
      mode: fc.constantFrom<GuestMode>(3, 1, ...(family === "forbidden" ? ([0] as const) : [])),
      pick: fc.nat(100),
      op: fc.constantFrom("rw" as const, "rs" as const, "rc" as const),
      rd: fc.constantFrom(0, 5, 6, 10),
      rs1: fc.constantFrom(0, 5, 6, 11),
      isImmediate: fc.boolean(),
      values: fc.array(words, { minLength: 6, maxLength: 6 }),
      registers: fc.array(words, { minLength: 4, maxLength: 4 }),
    })
    .map(({ mode, pick, op, rd, rs1, isImmediate, values, registers }) => {
      const list = csrsOf(mode, family);
      const csr = list[pick % list.length] ?? 0x140;
      const x = Array.from({ length: 32 }, () => 0n);
      for (const [index, register] of [5, 6, 10, 11].entries()) x[register] = registers[index] ?? 0n;
      const csrs = new Map<number, bigint>();
      for (const [index, name] of VCPU_CSRS.entries()) {
        const value = name === "mhartid" ? 0n : (values[index] ?? 0n);
        csrs.set(csrNumber(name), /epc$/.test(name) ? value & ~1n : value);
      }
      return { op: { op, csr, rd, rs1, isImmediate }, vcpu: { mode, pc: PC, x, csrs } };
    });

const inertVcpu = ({ mode, pc, x, csrs }: Vcpu): Inert => ({ mode, pc, x: [...x], csrs: new Map(csrs) });
const MODES: Readonly<Record<number, string>> = { 0: "U", 1: "S", 3: "M" };

const nameOf = (csr: number): string => VCPU_CSRS.find((name) => csrNumber(name) === csr) ?? groupedHex(csr);

function vcpuOf(value: Inert): Vcpu | undefined {
  const [mode, pc, x, csrs] = ["mode", "pc", "x", "csrs"].map((name) => member(value, name));
  if (
    (mode !== 0 && mode !== 1 && mode !== 3) ||
    typeof pc !== "bigint" ||
    !Array.isArray(x) ||
    !(csrs instanceof Map)
  )
    return undefined;
  if (x.length !== 32 || !x.every((word): word is bigint => typeof word === "bigint")) return undefined;
  return { mode, pc, x, csrs: csrs as ReadonlyMap<number, bigint> };
}

const SHAPE =
  "Return \u201cillegal\u201d, or the vcpu as it is afterwards: { mode, pc, x, csrs }, with pc and the 32 words of x bigints, and csrs a Map from number to bigint.";

/** The first thing that differs, and what to say about it. */
function difference({ op, vcpu }: Case, wanted: Vcpu, got: Vcpu): string | undefined {
  if (got.pc !== wanted.pc) return "The guest must go on behind the instruction: pc grows by 4.";
  if (got.x[0] !== 0n) return "x0 is always 0, also where it is rd.";
  if (got.mode !== wanted.mode) return "A CSR instruction does not change the mode.";
  const at = wanted.x.findIndex((word, index) => got.x[index] !== word);
  if (at >= 0)
    return at === op.rd ? "rd must hold what the CSR held before." : "A register has changed that is not rd.";
  const csr = [...wanted.csrs.keys()].find((number) => got.csrs.get(number) !== wanted.csrs.get(number));
  if (csr === undefined) return undefined;
  if (csr !== op.csr) return "Another CSR has changed.";
  const old = vcpu.csrs.get(csr);
  if (/epc$/.test(nameOf(csr)) && (((got.csrs.get(csr) ?? 0n) ^ (wanted.csrs.get(csr) ?? 0n)) | 1n) === 1n)
    return "Bit 0 of sepc and mepc is always 0.";
  if (wanted.csrs.get(csr) === old) return "With rs1 = 0, CSRRS and CSRRC write nothing, and CSRRW writes 0.";
  return op.isImmediate
    ? "In the immediate forms the operand is the number rs1 itself, 0 to 31."
    : "rw writes the operand, rs sets its bits, rc clears them, and the other bits stay.";
}

function compare(trial: Case, outcome: Outcome | undefined, family: Family): Broken | undefined {
  const { op, vcpu } = trial;
  const wanted = stepOnHart(wordOf(op), vcpu);
  const operand = op.isImmediate ? "" : `, x${op.rs1} = ${groupedHex(vcpu.x[op.rs1] ?? 0n)}`;
  const detail = `${disassemble(wordOf(op))} in ${MODES[vcpu.mode]}-mode, ${nameOf(op.csr)} = ${groupedHex(vcpu.csrs.get(op.csr) ?? 0n)}${operand}`;
  if (outcome?.ok !== true)
    return {
      hint: `emulate ${outcome?.category ?? "did not answer"}.`,
      detail: `${outcome?.message ?? ""}; ${detail}`,
    };
  if (wanted === undefined) {
    if (outcome.value === "illegal") return undefined;
    if (vcpuOf(outcome.value) === undefined) return { hint: SHAPE, detail };
    if (!vcpu.csrs.has(op.csr))
      return { hint: "The guest\u2019s machine has no such CSR: \u201cillegal\u201d.", detail };
    return op.csr >> 10 === 3 && vcpu.mode === 3
      ? { hint: "A CSR whose number has bits 11 and 10 set can be read and not written.", detail }
      : {
          hint: "That mode may not: bits 9 and 8 of the CSR\u2019s number say the lowest mode that may. Now the guest\u2019s program has a right of its kernel.",
          detail,
        };
  }
  if (outcome.value === "illegal")
    return op.csr >> 10 === 3
      ? { hint: "With rs1 = 0, CSRRS and CSRRC write nothing, and mhartid may be read.", detail }
      : { hint: "A hart does that without a trap, and you refuse.", detail };
  const got = vcpuOf(outcome.value);
  if (got === undefined) return { hint: SHAPE, detail };
  // What else it did is the other property's to say.
  if (family === "forbidden") return undefined;
  const hint = difference(trial, wanted, got);
  return hint === undefined ? undefined : { hint, detail };
}

function judge(answer: Answer, run: CheckRun, family: Family, salt: number): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of an operation and a vcpu.");
  const ask = (batch: readonly Case[]): readonly (Broken | undefined)[] => {
    const outcomes = answer.callEach(batch.map(({ op, vcpu }) => [{ ...op }, inertVcpu(vcpu)]));
    return batch.map((trial, index) => compare(trial, outcomes[index], family));
  };
  // Whoever refuses everything is not praised for refusing the right ones: those that are allowed lie between them.
  const cases = family === "allowed" ? casesOf(family) : fc.oneof(casesOf(family), casesOf("allowed"));
  return forAllAtOnce(cases, { ...run, instances: 4 * run.instances }, salt, ask);
}

const property = (family: Family, says: string, salt: number, weight: number): Property => ({
  id: family,
  says,
  weight,
  run: (answer, run) => judge(answer, run, family, salt),
});

/** Check of exercise 03.3. */
export const emulateCheck: Check = defineCheck({
  id: "03.3",
  title: "Do it for the guest",
  points: 4,
  properties: [
    property("allowed", "what the guest may do has the hart\u2019s effect", 33, 2),
    property("forbidden", "what it may not do is refused, and only that", 34, 2),
  ],
});
