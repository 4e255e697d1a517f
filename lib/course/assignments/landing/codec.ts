/** Exercise A1.2: `mstatus` as an object and back. The expected fields come from the CSR table, not from an answer. */
import fc from "fast-check";
import { fieldRange, getField, setField } from "../../../bits/field.ts";
import type { Answer, Outcome } from "../../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../../checks/check.ts";
import { describeInert, type Inert, isInertRecord, member } from "../../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../../checks/property.ts";
import { CSRS } from "../../../isa/csr-map.ts";

/** The fields that the exercise names; all other bits stay in `rest`, where they are. */
export interface Mstatus {
  sie: boolean;
  mie: boolean;
  spie: boolean;
  mpie: boolean;
  /** Mode before a trap to S: 0 is U, 1 is S. */
  spp: number;
  /** Mode before a trap to M: 0 is U, 1 is S, 3 is M. */
  mpp: number;
  sum: boolean;
  mxr: boolean;
  /** Every bit that has no name here, at its own place. */
  rest: bigint;
}

const { fields } = CSRS.mstatus;
const NAMED = {
  sie: fields.SIE,
  mie: fields.MIE,
  spie: fields.SPIE,
  mpie: fields.MPIE,
  spp: fields.SPP,
  mpp: fields.MPP,
  sum: fields.SUM,
  mxr: fields.MXR,
} as const;
type Named = keyof typeof NAMED;
const NAMES = Object.keys(NAMED) as Named[];
const NUMBERS: readonly Named[] = ["spp", "mpp"];

const words = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

const fieldOf = (word: bigint, name: Named): boolean | number => {
  const value = Number(getField(word, NAMED[name]));
  return NUMBERS.includes(name) ? value : value === 1;
};

const hex = (word: bigint): string => `0x${word.toString(16).padStart(16, "0")}`;

function misread(word: bigint, outcome: Outcome): Broken | undefined {
  const input = `decodeMstatus(${hex(word)}n)`;
  if (!outcome.ok)
    return { hint: `decodeMstatus ${outcome.category}.`, detail: `${input} ${outcome.message}` };
  const { value } = outcome;
  const wrong = NAMES.find((name) => member(value, name) !== fieldOf(word, name));
  if (wrong === undefined) return undefined;
  const kind = NUMBERS.includes(wrong) ? "a number" : "a boolean";
  return {
    hint: `${wrong} is wrong. In mstatus it is ${fieldRange(NAMED[wrong])}, here as ${kind}.`,
    detail: `${input} gives ${describeInert(value)}`,
  };
}

function judgeDecode(answer: Answer, run: CheckRun): Finding {
  const decode = answer.at("decodeMstatus");
  if (!decode.isFunction) return fails("decodeMstatus is not defined, or not a function.");
  return forAllAtOnce(words, run, 1, (batch) => {
    const outcomes = decode.callEach(batch.map((word) => [word]));
    return batch.map((word, index) => misread(word, outcomes[index] ?? LOST));
  });
}

const LOST: Outcome = { ok: false, category: "did not answer", message: "" };

/** Calls `decodeMstatus` on each word, changes the object, and calls `encodeMstatus`: two messages in all. */
function roundTrip(
  answer: Answer,
  batch: readonly bigint[],
  edit: (decoded: Inert, word: bigint) => Inert,
): readonly Outcome[] {
  const decoded = answer.at("decodeMstatus").callEach(batch.map((word) => [word]));
  const encoded = answer
    .at("encodeMstatus")
    .callEach(batch.map((word, index) => [edit(decodedValue(decoded[index]), word)]));
  return batch.map((_, index) => {
    const first = decoded[index] ?? LOST;
    return first.ok ? (encoded[index] ?? LOST) : first;
  });
}

const decodedValue = (outcome: Outcome | undefined): Inert =>
  outcome?.ok === true ? outcome.value : undefined;

const NAMED_MASK = NAMES.reduce((mask, name) => setField(mask, NAMED[name], -1n), 0n);
const LOW_HALF = 0xffff_ffffn;

function whatIsLost(wanted: bigint, got: bigint): string {
  const lost = wanted ^ got;
  if ((lost & LOW_HALF) === 0n) {
    return "Bits above 31 are lost. JavaScript's bit operators work on 32 bits of a number: stay with bigint.";
  }
  if ((lost & NAMED_MASK) === 0n)
    return "Bits without a name are lost. Keep them in rest, and put rest back.";
  const field = NAMES.find((name) => getField(wanted, NAMED[name]) !== getField(got, NAMED[name])) ?? "sie";
  return `${field} does not come back: its place is ${fieldRange(NAMED[field])}.`;
}

function judgeRoundTrip(answer: Answer, run: CheckRun): Finding {
  if (!answer.at("decodeMstatus").isFunction)
    return fails("decodeMstatus is not defined, or not a function.");
  if (!answer.at("encodeMstatus").isFunction)
    return fails("encodeMstatus is not defined, or not a function.");
  return forAllAtOnce(words, run, 2, (batch) =>
    roundTrip(answer, batch, (decoded) => decoded).map((outcome, index) => {
      const word = batch[index] ?? 0n;
      return differs(outcome, word, `encodeMstatus(decodeMstatus(${hex(word)}n))`, whatIsLost);
    }),
  );
}

function differs(
  outcome: Outcome,
  wanted: bigint,
  input: string,
  hint: (wanted: bigint, got: bigint) => string,
): Broken | undefined {
  if (!outcome.ok) return { hint: `A function ${outcome.category}.`, detail: `${input} ${outcome.message}` };
  if (typeof outcome.value !== "bigint") {
    return {
      hint: "encodeMstatus must return a bigint.",
      detail: `${input} gives ${describeInert(outcome.value)}`,
    };
  }
  const got = BigInt.asUintN(64, outcome.value);
  if (got === wanted) return undefined;
  return { hint: hint(wanted, got), detail: `${input} gives ${hex(got)}n, not ${hex(wanted)}n` };
}

const edits = fc.record({ word: words, mpp: fc.constantFrom(0, 1, 3) });

function judgeEdit(answer: Answer, run: CheckRun): Finding {
  if (!answer.at("encodeMstatus").isFunction)
    return fails("encodeMstatus is not defined, or not a function.");
  return forAllAtOnce(edits, run, 3, (batch) => {
    const pending = batch.map(({ mpp }) => mpp).values();
    const outcomes = roundTrip(
      answer,
      batch.map(({ word }) => word),
      (decoded) => {
        const mpp = pending.next().value ?? 0;
        return isInertRecord(decoded) ? { ...decoded, mpp } : decoded;
      },
    );
    return batch.map(({ word, mpp }, index) => {
      const wanted = setField(word, NAMED.mpp, BigInt(mpp));
      const input = `encodeMstatus({ ...decodeMstatus(${hex(word)}n), mpp: ${mpp} })`;
      return differs(outcomes[index] ?? LOST, wanted, input, (_, got) =>
        getField(got, NAMED.mpp) === BigInt(mpp)
          ? "Changing mpp changed other bits too."
          : "The new mpp did not arrive: clear its two bits, then put the new value there.",
      );
    });
  });
}

/** Check of exercise A1.2. */
export const codecCheck: Check = defineCheck({
  id: "A1.2",
  title: "mstatus, there and back",
  points: 3,
  properties: [
    { id: "decode", says: "decodeMstatus finds each field", weight: 1, run: judgeDecode },
    {
      id: "round-trip",
      says: "encodeMstatus undoes decodeMstatus for every 64-bit word",
      weight: 1,
      run: judgeRoundTrip,
    },
    { id: "edit", says: "a change of mpp changes mpp alone", weight: 1, run: judgeEdit },
  ],
});
