/** Exercise A2.1: the walk under Sv39 and Sv48, and which entry said no. */
import type fc from "fast-check";
import type { Outcome } from "../../../checks/answer.ts";
import { type Check, defineCheck, type Property } from "../../../checks/check.ts";
import { describeInert, type Inert, member } from "../../../checks/inert.ts";
import type { Broken } from "../../../checks/property.ts";
import { encodeCsr, SV39, SV48 } from "../../../isa/csr-map.ts";
import { caseWords, machineWalk, type WalkCase, walkCases } from "../../walls/walk-cases.ts";
import { judgeWalks } from "../../walls/walk-check.ts";
import { walkHint } from "../../walls/walk-hints.ts";

const satpOf = ({ scheme, root }: WalkCase): bigint =>
  encodeCsr("satp", { MODE: scheme === "Sv39" ? SV39 : SV48, PPN: root >> 12n });

/** Said of every walk under Sv48 that goes wrong. */
const FOUR_LEVELS = "Under Sv48 (MODE 9) the root is indexed by bits 47 to 39, and three more tables follow.";

const argumentsOf = (walk: WalkCase): Inert[] => [walk.memory, satpOf(walk), walk.va, { ...walk.access }];

function compare(walk: WalkCase, outcome: Outcome | undefined, asksWho: boolean): Broken | undefined {
  const wanted = machineWalk(walk);
  const detail = `${walk.scheme}: ${caseWords(walk)}`;
  if (outcome?.ok !== true)
    return {
      hint: `walk ${outcome?.category ?? "did not answer"}.`,
      detail: `${outcome?.message ?? ""}; ${detail}`,
    };
  const paddr = member(outcome.value, "paddr");
  const cause = member(outcome.value, "cause");
  const got = typeof cause === "number" ? cause : paddr;
  if (typeof got !== "bigint" && typeof got !== "number")
    return {
      hint: "walk must return { paddr } or { cause, at }: a bigint, or a number and a bigint.",
      detail,
    };
  if (got !== wanted.result)
    return {
      hint: walk.scheme === "Sv48" ? `${FOUR_LEVELS} ${walkHint(wanted, got)}` : walkHint(wanted, got),
      detail: `${detail} — the machine gives ${describeInert(wanted.result)}, you give ${describeInert(got)}`,
    };
  if (!asksWho || typeof wanted.result === "bigint") return undefined;
  const at = BigInt(wanted.last?.pteAddress ?? 0n);
  const named = member(outcome.value, "at");
  if (named === at) return undefined;
  return {
    hint:
      at === 0n
        ? "For an address that is not canonical no entry is read: at is 0n."
        : "The right cause, the wrong entry: at is the physical address of the entry that ended the walk, the last one read.",
    detail: `${detail} — ${describeInert(at)} said no, you name ${describeInert(named)}`,
  };
}

const judge =
  (cases: readonly fc.Arbitrary<WalkCase>[], salt: number, asksWho: boolean): Property["run"] =>
  (answer, run) => {
    for (const [index, each] of cases.entries()) {
      const found = judgeWalks(answer, run, each, salt + index, argumentsOf, (walk, outcome) =>
        compare(walk, outcome, asksWho),
      );
      if (found.share < 1) return found;
    }
    return { share: 1, message: "" };
  };

/** Check of exercise A2.1. */
export const blameCheck: Check = defineCheck({
  id: "A2.1",
  title: "The walk, and who said no",
  points: 4,
  properties: [
    {
      id: "sv39",
      says: "under Sv39 pages and large pages are found",
      weight: 1,
      run: judge([walkCases("pages"), walkCases("large")], 11, false),
    },
    {
      id: "sv48",
      says: "under Sv48 too, through four tables",
      weight: 1,
      run: judge([walkCases("pages", "Sv48"), walkCases("large", "Sv48")], 21, false),
    },
    {
      id: "rights",
      says: "rights decide as they do in the machine",
      weight: 1,
      run: judge([walkCases("rights"), walkCases("rights", "Sv48")], 31, false),
    },
    {
      id: "blame",
      says: "every fault has its cause, and names the entry that said no",
      weight: 1,
      run: judge([walkCases("malformed"), walkCases("malformed", "Sv48")], 41, true),
    },
  ],
});
