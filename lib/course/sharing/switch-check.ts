/** Exercise 05.3, build: the world switch. Records of random CSRs first, then two guests on a machine. */
import { type Answer, AnswerLost } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import { type Inert, isInertRecord } from "../../checks/inert.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { buildHost } from "../vm-host.ts";
import { keeper } from "./guests.ts";
import {
  type Csrs,
  type CsrWrite,
  GUEST_CSRS,
  HOST_CSRS,
  SHOWN_CSRS,
  SPP,
  switchParts,
} from "./world-switch-parts.ts";

/** A switch from one guest to another, as records. */
interface Switched {
  readonly leaving: Csrs;
  readonly between: Csrs;
  readonly writes: readonly CsrWrite[];
}

const wordsOf = (word: () => number): Csrs =>
  Object.fromEntries(SHOWN_CSRS.map((name) => [name, (BigInt(word()) << 32n) | BigInt(word()) | 1n]));

function recordOf(value: Inert): Csrs | undefined {
  if (!isInertRecord(value)) return undefined;
  const entries = Object.entries(value);
  return entries.every(([, word]) => typeof word === "bigint") ? (value as Csrs) : undefined;
}

function writesOf(value: Inert): readonly CsrWrite[] | undefined {
  if (!Array.isArray(value) || value.length > 200) return undefined;
  const isWrite = (each: Inert): boolean =>
    Array.isArray(each) && typeof each[0] === "string" && typeof each[1] === "bigint";
  return value.every(isWrite) ? (value as unknown as readonly CsrWrite[]) : undefined;
}

const SHAPES = {
  save: "save must return a record of CSRs: { vsatp: hart.vsatp, … }.",
  restore: 'restore must return a list of pairs, in the order of writing: [["vsatp", 0n], …].',
};

/** Saves one guest, lets another have the hart, and asks for the first one back. */
function switches(answer: Answer, run: CheckRun): readonly Switched[] | Finding {
  const [save, restore] = [answer.at("save"), answer.at("restore")];
  if (!save.isFunction || !restore.isFunction)
    return fails("The answer must be { save, restore }: two functions.");
  const word = seededWords(run.seed.value ^ 0x0503);
  const pairs = Array.from({ length: Math.max(4, Math.min(60, run.instances)) }, () => ({
    leaving: wordsOf(word),
    between: wordsOf(word),
  }));
  const kept: Csrs[] = [];
  for (const outcome of save.callEach(pairs.map(({ leaving }) => [leaving]))) {
    if (!outcome.ok) return fails(`save ${outcome.category}.`, outcome.message);
    const record = recordOf(outcome.value);
    if (record === undefined) return fails(SHAPES.save);
    kept.push(record);
  }
  const asked = restore.callEach(pairs.map(({ between }, index) => [kept[index] ?? {}, between]));
  const done: Switched[] = [];
  for (const [index, outcome] of asked.entries()) {
    const pair = pairs[index];
    if (!outcome.ok) return fails(`restore ${outcome.category}.`, outcome.message);
    const writes = writesOf(outcome.value);
    if (writes === undefined || pair === undefined) return fails(SHAPES.restore);
    done.push({ ...pair, writes });
  }
  return done.some(({ writes }) => writes.length > 0)
    ? done
    : fails("Nothing is written: the next guest would go on with everything of the last one.");
}

const isFinding = (value: readonly Switched[] | Finding): value is Finding => "share" in value;

/** What the hart has when all is written. */
const after = ({ between, writes }: Switched): Csrs => ({ ...between, ...Object.fromEntries(writes) });

/** Who writes next to nothing takes nothing and mixes nothing up: only a switch is asked about the hypervisor's and about order. */
function asSwitches(done: readonly Switched[]): readonly Switched[] | Finding {
  for (const switched of done) {
    const hart = after(switched);
    const back = GUEST_CSRS.filter((name) => hart[name] === switched.leaving[name]);
    if (!back.includes("vsatp") || !back.includes("hgatp") || 2 * back.length <= GUEST_CSRS.length)
      return fails(
        "This is no switch yet, and shows nothing: vsatp, hgatp and most other CSRs of the guest must come back.",
        `${back.length} of ${GUEST_CSRS.length} came back`,
      );
  }
  return done;
}

function judgeWhole(answer: Answer, run: CheckRun): Finding {
  const done = switches(answer, run);
  if (isFinding(done)) return done;
  for (const switched of done) {
    const unknown = switched.writes.find(([name]) => !SHOWN_CSRS.some((known) => known === name));
    if (unknown !== undefined) return fails("That is no CSR of the table.", `written: ${unknown[0]}`);
    const hart = after(switched);
    const lost = GUEST_CSRS.filter((name) => hart[name] !== switched.leaving[name]);
    if (lost.length > 0)
      return fails(
        lost.length > 3
          ? `${lost.length} CSRs do not come back with the guest. The table lists what is a guest's.`
          : "A CSR does not come back with the guest: it goes on with the other one's.",
        `lost: ${lost.join(", ")}`,
      );
    if (((hart["sstatus"] ?? 0n) & SPP) !== ((switched.leaving["sstatus"] ?? 0n) & SPP))
      return fails(
        "sstatus.SPP says in which of its modes the guest goes on: kernel or program. It is not restored.",
      );
  }
  return HOLDS;
}

function judgeOnly(answer: Answer, run: CheckRun): Finding {
  const asked = switches(answer, run);
  const done = isFinding(asked) ? asked : asSwitches(asked);
  if (isFinding(done)) return done;
  for (const switched of done) {
    const hart = after(switched);
    const taken = HOST_CSRS.find((name) => hart[name] !== switched.between[name]);
    if (taken !== undefined)
      return fails(
        "A CSR of the hypervisor is overwritten with what it was long ago. With an old stimecmp the scheduler's alarm never goes off.",
        `written: ${taken}`,
      );
    const rest = ~SPP & (2n ** 64n - 1n);
    if (((hart["sstatus"] ?? 0n) & rest) !== ((switched.between["sstatus"] ?? 0n) & rest))
      return fails(
        "Only SPP of sstatus is the guest's. The other bits must stay as they are in the hart now.",
      );
  }
  return HOLDS;
}

function judgeOrder(answer: Answer, run: CheckRun): Finding {
  const asked = switches(answer, run);
  const done = isFinding(asked) ? asked : asSwitches(asked);
  if (isFinding(done)) return done;
  for (const { leaving, between, writes } of done) {
    const hart: Record<string, bigint> = { ...between };
    for (const [name, value] of writes) {
      hart[name] = value;
      const isOf = (guest: Csrs): boolean =>
        hart["vsatp"] === guest["vsatp"] && hart["hgatp"] === guest["hgatp"];
      if (hart["vsatp"] !== 0n && !isOf(leaving) && !isOf(between))
        return fails(
          "For a moment the tables of one guest stand over the memory of the other, and a hart may translate ahead at any time. Write vsatp 0 first, and its value last.",
          `behind the write of ${name}`,
        );
    }
  }
  return HOLDS;
}

const SWITCHED_ROUNDS = 260_000;

/** What the answer does inside of a hypervisor; a mistake ends the machine with its sentence. */
function onMachine(answer: Answer) {
  const ask = (name: "save" | "restore", args: readonly Inert[]): Inert => {
    const outcome = answer.at(name).call(...args);
    if (!outcome.ok) throw new Error(`${name} ${outcome.category}`);
    return outcome.value;
  };
  return switchParts({
    save: (hart) => recordOf(ask("save", [hart])) ?? {},
    restore: (saved, hart) => writesOf(ask("restore", [saved, hart])) ?? [],
  });
}

function judgeMachine(answer: Answer, run: CheckRun): Finding {
  const done = switches(answer, run);
  if (isFinding(done)) return done;
  let lost: AnswerLost | undefined;
  const parts = onMachine(answer);
  const host = buildHost({
    guests: [7, 8].map((number) => ({ image: keeper(number), ramBytes: 1 << 18 })),
    slice: 700,
    parts: {
      ...parts,
      saveVcpu: (...args) => {
        try {
          parts.saveVcpu?.(...args);
        } catch (error) {
          if (error instanceof AnswerLost) lost = error;
          throw error;
        }
      },
    },
    judge: false,
  });
  const stop = host.run(SWITCHED_ROUNDS);
  if (lost !== undefined) throw lost;
  if (stop.reason === "handler-error")
    return fails("On the machine the hypervisor stops at your switch.", stop.message);
  const printed = [1, 2].map((domain) => host.console(domain));
  const counts = printed.map((text) => text.length);
  if (printed.some((text) => text.includes("n")))
    return fails(
      "On the machine a guest found another one's number in its sscratch.",
      `printed: ${printed.join(" and ")}`,
    );
  return counts.every((count) => count >= 6)
    ? HOLDS
    : fails(
        "On the machine a guest falls silent: it was not put back where it left.",
        `letters printed: ${counts.join(" and ")}`,
      );
}

/** Check of exercise 05.3. */
export const switchCheck: Check = defineCheck({
  id: "05.3",
  title: "The world switch",
  points: 5,
  properties: [
    { id: "whole", says: "everything of a guest comes back", weight: 2, run: judgeWhole },
    { id: "only", says: "nothing of the hypervisor's is touched", weight: 1, run: judgeOnly },
    { id: "order", says: "no guest's tables ever stand over another's memory", weight: 1, run: judgeOrder },
    { id: "machine", says: "two guests on a machine each keep what is theirs", weight: 1, run: judgeMachine },
  ],
});
