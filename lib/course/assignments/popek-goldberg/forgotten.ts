/** Exercise A3.4: a monitor forgets one field at one kind of event. Two histories of CSRs say which. */
import fc from "fast-check";
import type { Answer } from "../../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../../checks/check.ts";
import { describeInert, type Inert } from "../../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../../checks/property.ts";
import { forAllAtWork, type Work } from "../../popek-goldberg/work-share.ts";

/** A field of a CSR: its name, the CSR, and its bits. */
export interface CsrBits {
  readonly name: string;
  readonly csr: string;
  readonly low: number;
  readonly high: number;
}

/** The fields in question, by the manual. */
const FIELDS: readonly CsrBits[] = [
  { name: "sstatus.SIE", csr: "sstatus", low: 1, high: 1 },
  { name: "sstatus.SPIE", csr: "sstatus", low: 5, high: 5 },
  { name: "sstatus.SPP", csr: "sstatus", low: 8, high: 8 },
  { name: "scause.code", csr: "scause", low: 0, high: 62 },
  { name: "scause.interrupt", csr: "scause", low: 63, high: 63 },
  { name: "sepc", csr: "sepc", low: 0, high: 63 },
  { name: "stval", csr: "stval", low: 0, high: 63 },
];

/** Values of CSRs by name. */
export type CsrValues = Readonly<Record<string, bigint>>;
interface Machine {
  readonly mode: 0 | 1;
  readonly csrs: CsrValues;
}

type MachineEvent =
  | { readonly event: "trap"; readonly cause: bigint; readonly tval: bigint; readonly pc: bigint }
  | { readonly event: "sret" }
  | { readonly event: "disable" };

const maskOf = ({ low, high }: CsrBits): bigint => ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
const bit = (word: bigint, at: bigint): bigint => (word >> at) & 1n;

/** What a hart makes of an event. @spec norm:mstatus_xpie_xie_xpp_trap_op @spec norm:mstatus_xret_op */
function happen({ mode, csrs }: Machine, event: MachineEvent): Machine {
  const status = csrs["sstatus"] ?? 0n;
  if (event.event === "disable") return { mode, csrs: { ...csrs, sstatus: status & ~2n } };
  if (event.event === "sret") {
    const sstatus = (status & ~0x122n) | 0x20n | (bit(status, 5n) << 1n);
    return { mode: bit(status, 8n) === 1n ? 1 : 0, csrs: { ...csrs, sstatus } };
  }
  const sstatus = (status & ~0x122n) | (bit(status, 1n) << 5n) | (BigInt(mode) << 8n);
  return { mode: 1, csrs: { ...csrs, sstatus, scause: event.cause, sepc: event.pc, stval: event.tval } };
}

/** A monitor that leaves one field as it was, at one kind of event. */
interface Mistake {
  readonly field: number;
  readonly at: MachineEvent["event"];
}

function forgetting(machine: Machine, event: MachineEvent, mistake: Mistake | undefined): Machine {
  const right = happen(machine, event);
  const field = FIELDS[mistake?.field ?? -1];
  if (field === undefined || mistake?.at !== event.event) return right;
  const mask = maskOf(field);
  const old = machine.csrs[field.csr] ?? 0n;
  const made = right.csrs[field.csr] ?? 0n;
  return { ...right, csrs: { ...right.csrs, [field.csr]: (made & ~mask) | (old & mask) } };
}

/** Two histories of the same guest, and the field that was forgotten; none: the monitor is right. */
interface Pair {
  readonly bare: readonly CsrValues[];
  readonly guest: readonly CsrValues[];
  readonly forgotten: string;
}

const START: Machine = { mode: 0, csrs: { sstatus: 2n, scause: 0n, sepc: 0n, stval: 0n } };

/** Time may differ: the counter of the guest shows the monitor's instructions, too. */
const timed = (list: readonly CsrValues[], pace: bigint): readonly CsrValues[] =>
  list.map((csrs, index) => ({ ...csrs, cycle: BigInt(index + 1) * pace }));

function pairOf(events: readonly MachineEvent[], mistake: Mistake | undefined): Pair {
  let [bare, guest] = [START, START];
  const histories: { bare: CsrValues[]; guest: CsrValues[] } = { bare: [], guest: [] };
  for (const event of events) {
    bare = happen(bare, event);
    guest = forgetting(guest, event, mistake);
    histories.bare.push(bare.csrs);
    histories.guest.push(guest.csrs);
  }
  const differs = histories.bare.some((csrs, index) =>
    FIELDS.some(({ csr }) => csrs[csr] !== histories.guest[index]?.[csr]),
  );
  return {
    bare: timed(histories.bare, 100n),
    guest: timed(histories.guest, 208n),
    forgotten: differs ? (FIELDS[mistake?.field ?? -1]?.name ?? "none") : "none",
  };
}

const events: fc.Arbitrary<MachineEvent> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      event: fc.constant("trap" as const),
      cause: fc.constantFrom(8n, 13n, 15n, (1n << 63n) | 5n, (1n << 63n) | 9n),
      tval: fc.constantFrom(0n, 0x4000_1000n, 0x8000_2000n),
      pc: fc.constantFrom(0x4000_0010n, 0x4000_0020n, 0x8000_0100n),
    }),
  },
  { weight: 3, arbitrary: fc.constant<MachineEvent>({ event: "sret" }) },
  { weight: 1, arbitrary: fc.constant<MachineEvent>({ event: "disable" }) },
);

const pairs = (isWrong: boolean): fc.Arbitrary<Pair> =>
  fc
    .record({
      list: fc.array(events, { minLength: 2, maxLength: 12 }),
      field: fc.nat(FIELDS.length - 1),
      at: fc.constantFrom<MachineEvent["event"]>("trap", "sret", "trap"),
    })
    .map(({ list, field, at }) => pairOf(list, isWrong ? { field, at } : undefined))
    .filter(({ forgotten }) => isWrong === (forgotten !== "none"));

const hexes = (csrs: CsrValues | undefined): string =>
  Object.entries(csrs ?? {})
    .map(([name, value]) => `${name} 0x${value.toString(16)}`)
    .join(", ");

function firstDifference({ bare, guest }: Pair): string {
  const at = bare.findIndex((csrs, index) => FIELDS.some(({ csr }) => csrs[csr] !== guest[index]?.[csr]));
  return at < 0
    ? "the histories agree but for cycle"
    : `after event ${at + 1}: bare ${hexes(bare[at])}; guest ${hexes(guest[at])}`;
}

const inertList = (list: readonly CsrValues[]): Inert => list.map((csrs) => ({ ...csrs }));
const inertFields = (): Inert => FIELDS.map((field) => ({ ...field }));

function compare(pair: Pair, value: Inert): Broken | undefined {
  if (value === pair.forgotten) return undefined;
  const detail = `${firstDifference(pair)} \u2014 it is ${pair.forgotten}, you say ${describeInert(value)}`;
  if (value === "none")
    return { hint: "The histories differ in a field, and you say that nothing was forgotten.", detail };
  if (pair.forgotten === "none")
    return {
      hint: "A monitor without a mistake is accused. cycle may differ: it is no field of the list, and time is promised to nobody.",
      detail,
    };
  const named = FIELDS.find(({ name }) => name === value);
  if (named === undefined)
    return { hint: "Return the name of a field in the list, or \u201cnone\u201d.", detail };
  return pair.forgotten.split(".")[0] === named.name.split(".")[0]
    ? { hint: "The right CSR, another field: compare the bits low to high of each field alone.", detail }
    : {
        hint: "That field differs later, as a consequence. The first event after which anything differs shows the one that was forgotten.",
        detail,
      };
}

const NO_FUNCTION = "forgotten must be a function of fields and two histories.";

/** Asks about pairs of histories; for each what is said, and what is wrong with that. */
function ask(answer: Answer, batch: readonly Pair[]) {
  const outcomes = answer.callEach(
    batch.map(({ bare, guest }) => [inertFields(), inertList(bare), inertList(guest)]),
  );
  return batch.map((pair, index) => {
    const outcome = outcomes[index];
    const broken: Broken | undefined =
      outcome?.ok === true
        ? compare(pair, outcome.value)
        : { hint: `forgotten ${outcome?.category ?? "did not answer"}.`, detail: outcome?.message ?? "" };
    return { pair, outcome, broken };
  });
}

function judgeFound(answer: Answer, run: CheckRun): Finding {
  if (!answer.isFunction) return fails(NO_FUNCTION);
  return forAllAtOnce(pairs(true), { ...run, instances: 3 * run.instances }, 341, (batch) =>
    ask(answer, batch).map(({ broken }) => broken),
  );
}

/** Whoever never finds anything accuses nobody. */
const ACCUSED = {
  least: 0.25,
  idle: "Nobody without a mistake is accused, but hardly anybody with one is: who never finds anything accuses nobody.",
};

/** Monitors with and without a mistake; who is accused of the wrong one is the other property's matter. */
function judgeInnocent(answer: Answer, run: CheckRun): Finding {
  if (!answer.isFunction) return fails(NO_FUNCTION);
  const both = fc.oneof(pairs(false), pairs(true));
  return forAllAtWork(both, { ...run, instances: 6 * run.instances }, 342, ACCUSED, (batch) =>
    ask(answer, batch).map(({ pair, outcome, broken }): Work => {
      if (outcome?.ok !== true || pair.forgotten === "none") return { broken, asked: 0, done: 0 };
      return { broken: undefined, asked: 1, done: outcome.value === "none" ? 0 : 1 };
    }),
  );
}

/** Check of exercise A3.4. */
export const forgottenCheck: Check = defineCheck({
  id: "A3.4",
  title: "The forgotten field",
  points: 3,
  properties: [
    { id: "found", says: "the field that a monitor forgets is named", weight: 2, run: judgeFound },
    { id: "innocent", says: "a monitor without a mistake is not accused", weight: 1, run: judgeInnocent },
  ],
});
