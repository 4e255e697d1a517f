/** Exercise 04.6, measure: how many entries of both stages a guest makes the hart read, with and without a memory for translations. */
import fc from "fast-check";
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import { describeInert, type Inert, member } from "../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../checks/property.ts";
import type { GuestTouch } from "./guest-touches.ts";

/** Entries that the second stage reads for one page of 4 KiB. */
const SECOND_LEVELS = 3;

/** What a run costs, in entries read. */
export interface TwoStageReads {
  /** Nothing is remembered. */
  readonly afresh: number;
  /** Leaves of both stages are remembered, apart, until a fence. */
  readonly remembered: number;
}

/** What the model may get wrong, to name a mistake by the number that it gives. */
interface Slip {
  /** Tables of the guest are read as if they had host-physical addresses. */
  readonly tablesAreFree?: boolean;
  /** A page that the guest's stage remembers costs nothing, whatever the second stage remembers. */
  readonly forgetsSecond?: boolean;
  /** A guest's fence empties the second stage's memory, too. */
  readonly fencesBoth?: boolean;
  /** All VMs share one memory. */
  readonly mixesVms?: boolean;
  /** What was found for a table is not remembered. */
  readonly tablesUnknown?: boolean;
}

/** The model. */
export function twoStageReads(touches: readonly GuestTouch[], slip: Slip = {}): TwoStageReads {
  let [guest, second] = [new Set<string>(), new Set<string>()];
  let [afresh, remembered] = [0, 0];
  for (const touch of touches) {
    if (touch.what === "fence") {
      if (touch.stage === "guest" || slip.fencesBoth === true) guest = new Set();
      if (touch.stage === "second" || slip.fencesBoth === true) second = new Set();
      continue;
    }
    const { page, tables, gpa } = touch;
    const vm = slip.mixesVms === true ? 0 : touch.vm;
    const pass = (number: bigint): number => {
      const name = `${vm} ${number}`;
      if (second.has(name)) return 0;
      second.add(name);
      return SECOND_LEVELS;
    };
    const own = `${vm} ${page}`;
    const isKnown = tables.length > 0 && guest.has(own);
    const perTable = slip.tablesAreFree === true ? 0 : SECOND_LEVELS;
    afresh += tables.length * (1 + perTable) + SECOND_LEVELS;
    if (!isKnown) {
      for (const table of tables) {
        if (slip.tablesAreFree === true) remembered += 1;
        else if (slip.tablesUnknown === true) remembered += 1 + SECOND_LEVELS;
        else remembered += 1 + pass(table);
      }
      guest.add(own);
    }
    if (!(isKnown && slip.forgetsSecond === true)) remembered += pass(gpa);
  }
  return { afresh, remembered };
}

const touch: fc.Arbitrary<GuestTouch> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<GuestTouch>({ what: "fence", stage: "guest" }) },
  { weight: 1, arbitrary: fc.constant<GuestTouch>({ what: "fence", stage: "second" }) },
  {
    weight: 10,
    arbitrary: fc
      .record({
        vm: fc.integer({ min: 1, max: 2 }),
        page: fc.integer({ min: 0, max: 3 }),
        isOff: fc.integer({ min: 0, max: 5 }).map((draw) => draw === 5),
      })
      .map(({ vm, page, isOff }): GuestTouch => {
        const number = BigInt(page);
        // Two pages share their last table; the first page of data lies beside them.
        const tables = [0x80100n, 0x80101n, 0x80102n + number / 2n];
        return {
          what: "touch",
          vm,
          page: isOff ? 0x80200n + number : 0x40000n + number,
          tables: isOff ? [] : tables,
          gpa: 0x80200n + number,
        };
      }),
  },
);

const words = (touches: readonly GuestTouch[]): string =>
  touches
    .map((each) =>
      each.what === "fence"
        ? `fence of the ${each.stage} stage`
        : `VM ${each.vm} page 0x${each.page.toString(16)}${each.tables.length === 0 ? " (its own stage is off)" : ""}`,
    )
    .join("; ") || "no touch at all";

/** What to say when no habit explains a number. */
const HINTS = {
  afresh:
    "Each guest-physical address costs three entries: that of the data, and that of each of the guest's entries. The guest's entries themselves cost one each.",
  remembered:
    "Keep two memories for each VM: pages of the guest's stage, and guest-physical pages of the second. Ask the second one for each table that is read, and for the data.",
} as const;

/** Ways to miscount, and what to say about each. */
const SLIPS: readonly (readonly [Slip, string])[] = [
  [
    { tablesAreFree: true },
    "The guest's entries lie at guest-physical addresses: each needs a walk of the second stage before it can be read.",
  ],
  [
    { forgetsSecond: true },
    "The two stages are remembered apart: after a fence of the second stage the guest's page is still known, but where that lies must be asked again.",
  ],
  [
    { fencesBoth: true },
    "A guest's fence is about its own stage alone, and hfence.gvma about the second: each empties one memory.",
  ],
  [{ mixesVms: true }, "The same page number is another page in another VM: remember the VM with it."],
  [
    { tablesUnknown: true },
    "Pages that hold tables are guest-physical pages like others: the second stage remembers where they lie.",
  ],
];

function compare(
  touches: readonly GuestTouch[],
  value: Inert,
  name: keyof TwoStageReads,
): Broken | undefined {
  const wanted = twoStageReads(touches)[name];
  const got = member(value, name);
  const detail = `${words(touches)} — ${name} is ${wanted}, you say ${describeInert(got)}`;
  if (got === wanted) return undefined;
  if (typeof got !== "number")
    return { hint: `Return { afresh, remembered }; ${name} must be a number.`, detail };
  const slip = SLIPS.find(([each]) => twoStageReads(touches, each)[name] === got);
  return { hint: slip?.[1] ?? HINTS[name], detail };
}

function judge(answer: Answer, run: CheckRun, name: keyof TwoStageReads): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of a list of touches.");
  return forAllAtOnce(fc.array(touch, { minLength: 1, maxLength: 40, size: "max" }), run, 81, (batch) => {
    const outcomes = answer.callEach(batch.map((touches) => [touches.map((each) => ({ ...each }))]));
    return batch.map((touches, index) => {
      const outcome = outcomes[index];
      return outcome?.ok === true
        ? compare(touches, outcome.value, name)
        : { hint: `Your function ${outcome?.category ?? "did not answer"}.`, detail: outcome?.message ?? "" };
    });
  });
}

/** Check of exercise 04.6. */
export const readsCheck: Check = defineCheck({
  id: "04.6",
  title: "Measure two walks",
  points: 3,
  properties: [
    {
      id: "afresh",
      says: "entries read when every touch walks through both stages",
      weight: 1,
      run: (answer, run) => judge(answer, run, "afresh"),
    },
    {
      id: "remembered",
      says: "entries read when both stages are remembered until a fence",
      weight: 2,
      run: (answer, run) => judge(answer, run, "remembered"),
    },
  ],
});
