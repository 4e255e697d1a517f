/**
 * Tests for the checks of notebook 05: the reference answer earns everything, the stub nothing, and each plausible wrong answer
 * loses the points of the properties that it breaks, with a sentence that teaches. The table is printed.
 */
import { stripTypeScriptTypes } from "node:module";
import { describe, expect, it } from "vitest";
import { localAnswer } from "../../../lib/checks/answer.ts";
import type { Check, Verdict } from "../../../lib/checks/check.ts";
import { seedFor } from "../../../lib/checks/seed.ts";
import { hint, referenceAnswer } from "../../../lib/course/help.ts";
import type { SharingExercise } from "../../../lib/course/sharing/answers.ts";
import { SHARING_CHECKS } from "../../../lib/course/sharing/exercises.ts";
import { BUSY } from "../../../lib/course/sharing/guests.ts";
import { NEVER_AGAIN } from "../../../lib/course/sharing/ring-check.ts";
import { exerciseTable } from "../../support/exercise-table.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const INSTANCES = isFull ? 400 : 12;

const HANDED: Readonly<Record<SharingExercise, string>> = {
  "05.1": "mine",
  "05.2": "ring",
  "05.3": "{ save, restore }",
  "05.4": "{ charge, wake, choose }",
  "05.5": "thief",
  "05.6": "account",
};
const IDS = Object.keys(HANDED) as SharingExercise[];

function checkOf(id: SharingExercise): Check {
  const found = SHARING_CHECKS.find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

const answerOf = (id: SharingExercise, source: string, seed: number): unknown =>
  new Function("SEED", "NEVER", "BUSY", `${stripTypeScriptTypes(source)}\nreturn ${HANDED[id]};`)(
    seed,
    NEVER_AGAIN,
    BUSY,
  ) as unknown;

const judge = (id: SharingExercise, value: unknown, instances = INSTANCES): Verdict =>
  checkOf(id).run(localAnswer(value), { seed: seedFor(id, "test"), instances });

/** The reference with some of its text replaced; throws when the text is not there. */
function changed(id: SharingExercise, ...edits: readonly (readonly [from: string, to: string])[]): string {
  return edits.reduce(
    (source, [from, to]) => {
      if (!source.includes(from)) throw new Error(`${id} has no ${from}`);
      return source.replaceAll(from, to);
    },
    referenceAnswer(id, 1),
  );
}

interface Row {
  readonly id: SharingExercise;
  readonly what: string;
  readonly source: string;
  readonly score: number;
  readonly says: RegExp;
  /** The case that is shown with the first property that it breaks. */
  readonly shows: RegExp;
}

const row = (
  id: SharingExercise,
  what: string,
  score: number,
  says: RegExp,
  source: string,
  shows = /^/,
): Row => ({ id, what, source, score, says, shows });

const [, first = "", second = "", third = "", waited = ""] =
  /turns: \[(\d+), (\d+), (\d+)\], waited: (\d)/.exec(referenceAnswer("05.1", 1)) ?? [];
const turns = `[${first}, ${second}, ${third}]`;

const ROWS: readonly Row[] = [
  row(
    "05.1",
    "the untouched stub",
    0,
    /Count the thick bars/,
    "const mine = { seed: SEED, turns: [0, 0, 0], waited: 0 };",
  ),
  row(
    "05.1",
    "rows from below",
    1.3333,
    /Right counts in the wrong order|Count the thick/,
    changed("05.1", [turns, `[${third}, ${second}, ${first}]`]),
  ),
  row(
    "05.1",
    "one bar missed",
    1.6667,
    /cuts off counts/,
    changed("05.1", [turns, `[${first}, ${second}, ${Number(third) - 1}]`]),
  ),
  row(
    "05.1",
    "the sleeper taken for one who waits",
    2,
    /Who sleeps does not wait/,
    changed("05.1", [`waited: ${waited}`, `waited: ${(Number(waited) % 3) + 1}`]),
  ),

  row(
    "05.2",
    "the untouched stub",
    0,
    /Compare times of the same clock|behind the machine/,
    "const ring = (now, { deadline, delta }) => ({ due: now >= deadline, deadline });",
  ),
  row(
    "05.2",
    "the sum is not cut to 64 bits",
    1,
    /cut to 64 bits|negative number/,
    changed("05.2", ["BigInt.asUintN(64, now + delta)", "now + delta"]),
  ),
  row("05.2", "only after the deadline", 1, /at or after/, changed("05.2", [">= deadline", "> deadline"])),
  row(
    "05.2",
    "the deadline stays",
    2,
    /rings again at the next look/,
    changed("05.2", ["due ? NEVER : deadline", "deadline"]),
  ),
  row(
    "05.2",
    "the deadline is lost at the first look",
    2,
    /never comes/,
    changed("05.2", ["due ? NEVER : deadline", "NEVER"]),
  ),
  row(
    "05.2",
    "delta is taken away",
    1,
    /same clock|negative number|never set/,
    changed("05.2", ["now + delta", "now - delta"]),
  ),
  row(
    "05.2",
    "always due",
    0,
    /behind the machine|same clock/,
    "const ring = () => ({ due: true, deadline: NEVER });",
  ),
  row(
    "05.2",
    "all that is set is due",
    0,
    /behind the machine|same clock/,
    "const ring = (now, { deadline }) => ({ due: deadline !== NEVER, deadline: NEVER });",
  ),

  row(
    "05.3",
    "the untouched stub",
    0,
    /Nothing is written/,
    "const save = () => ({}); const restore = () => [];",
  ),
  row(
    "05.3",
    "one register is written, and nothing else",
    0,
    /no switch yet|do not come back/,
    'const save = () => ({}); const restore = () => [["vsscratch", 0n]];',
  ),
  row("05.3", "vsscratch forgotten", 2, /A CSR does not come back/, changed("05.3", ['"vsscratch", ', ""])),
  row(
    "05.3",
    "everything is swapped, the hypervisor's too",
    3,
    /scheduler's alarm/,
    `const save = (hart) => ({ ...hart });
    const restore = (saved) => [["vsatp", 0n], ...Object.entries(saved).filter(([name]) => name !== "vsatp"), ["vsatp", saved.vsatp]];`,
  ),
  row(
    "05.3",
    "all of sstatus",
    3,
    /Only SPP/,
    changed("05.3", ['["sstatus", status]', '["sstatus", saved["sstatus"] ?? 0n]']),
  ),
  row(
    "05.3",
    "vsatp is not 0 in between",
    4,
    /For a moment/,
    changed("05.3", ['["vsatp", 0n], ...rest', "...rest"]),
  ),
  row(
    "05.3",
    "a name that no CSR has",
    2,
    /no CSR of the table/,
    changed("05.3", ['["sstatus", status]', '["sstats", status]']),
  ),
  row("05.3", "SPP forgotten", 2, /SPP says in which/, changed("05.3", ['["sstatus", status], ', ""])),
  row(
    "05.3",
    // With hgatp left as it is it is no switch: that nothing of the hypervisor's is written says nothing.
    "only what begins with vs",
    0,
    /lists what is a guest's/,
    changed("05.3", ["const rest = own.map", 'const rest = own.filter((name) => name.startsWith("vs")).map']),
  ),

  row(
    "05.4",
    "the untouched stub",
    0,
    /by weight/,
    "const charge = (used) => used; const wake = (used) => used; const choose = (ready) => ready[0]?.id ?? 0;",
  ),
  row(
    "05.4",
    "a slice is charged, whatever was run",
    4,
    /sleeper leaves|Charge the ticks/,
    changed("05.4", ["ran / weight", "1000 / weight"]),
  ),
  row(
    "05.4",
    "weights are forgotten",
    2,
    /by weight/,
    changed("05.4", ["ran / weight", "ran"]),
    /^weights \d+ : \d+: /,
  ),
  row(
    "05.4",
    "who sleeps saves up",
    4,
    /saved up its turns/,
    changed("05.4", ["Math.max(used, Math.min(...others))", "used"]),
  ),
  row(
    "05.4",
    "the smallest of nobody",
    4,
    /smallest of nobody/,
    changed("05.4", ["others.length === 0 ? used : ", ""]),
  ),
  row(
    "05.4",
    "who wakes goes last",
    3,
    /waits long|stand no worse/,
    changed("05.4", ["Math.max(used, Math.min(...others))", "Math.max(used, ...others) + 100"]),
  ),

  row("05.5", "the untouched stub", 0, /no more than an honest guest/, "const thief = (tick) => BUSY;"),
  row(
    "05.5",
    "asleep at the wrong moment",
    0,
    /running when a tick comes|less than 90|hardly runs/,
    changed("05.5", ["addi s4, s2, -300", "addi s4, s2, 300"]),
  ),
  row(
    "05.5",
    "asleep too early",
    0,
    /less than 90/,
    changed("05.5", ["addi s4, s2, -300", "li t3, 4000\n  sub s4, s2, t3"]),
  ),
  row(
    "05.5",
    "one tick's length only",
    3,
    /less than 90|no more than|hardly/,
    changed("05.5", ["li s3, \u0024{tick}", "li s3, 20000"]),
  ),
  row(
    "05.5",
    "sstatus.SIE is set, and nobody handles the interrupt",
    0,
    /no handler runs, too/,
    changed("05.5", ["csrw sie, t0", "csrw sie, t0\n  csrsi sstatus, 2"]),
  ),
  row("05.5", "never wakes", 0, /Does it wake again/, changed("05.5", ["csrw stimecmp, t1\n  wfi", "wfi"])),
  row("05.5", "more than its RAM", 0, /262144 bytes of RAM/, 'const thief = () => "x: j x\\n.zero 1000000";'),
  row("05.5", "no assembly", 0, /The assembler refuses/, "const thief = (tick) => 'steal everything';"),

  row(
    "05.6",
    "the untouched stub",
    0,
    /A domain's share/,
    "const account = () => ({ shares: [-1], switches: -1, perSwitch: -1 });",
  ),
  row(
    "05.6",
    "ticks in place of shares",
    2,
    /These are ticks/,
    changed("05.6", ["(to - from) / all", "(to - from)"]),
  ),
  row(
    "05.6",
    "a hole where a domain never had the hart",
    2,
    /share of 0/,
    changed("05.6", ["Array.from(shares, (share) => share ?? 0)", "shares"]),
    /^account of (\d:\d-\d ?){1,3}$/,
  ),
  row(
    "05.6",
    "every visit is a switch",
    2,
    /visits to the hypervisor|neighbors|one guest before/,
    changed("05.6", ["&& before !== behind", ""]),
    /^account of (\d):\d-\d 0:\d-\d \1:\d-\d$/,
  ),
  row(
    "05.6",
    "the hypervisor's time left out of the whole",
    2,
    /hypervisor's included/,
    changed("05.6", ["const all = spans", "const all = spans.filter(({ domain }) => domain > 0)"]),
  ),
  row(
    "05.6",
    "the mean of all visits",
    3,
    /mean of all visits/,
    changed("05.6", [
      "cost / between.length",
      "spans.filter((s) => s.domain === 0).reduce((sum, s) => sum + s.to - s.from, 0) / spans.filter((s) => s.domain === 0).length",
    ]),
  ),
];

const table = exerciseTable();

describe("the exercises of notebook 05", () => {
  it.each(IDS)(
    "%s: the reference answer earns everything, under several seeds",
    { timeout: isFull ? 600_000 : 60_000 },
    (id) => {
      for (const seed of [1, 2, 99]) {
        const verdict = judge(id, answerOf(id, referenceAnswer(id, seed), seed), seed === 1 ? INSTANCES : 5);
        if (seed === 1) table.add(checkOf(id), "the reference answer", checkOf(id).points, verdict);
        expect(verdict.message).toBe("Every property holds.");
        expect(verdict.score).toBe(checkOf(id).points);
        // Only the first depends on the reader's seed.
        if (id !== "05.1") break;
      }
    },
  );

  it.each(ROWS)(
    "$id: $what earns $score",
    { timeout: 60_000 },
    ({ id, what, source, score, says, shows }) => {
      const verdict = judge(id, answerOf(id, source, 1));
      table.add(checkOf(id), what, score, verdict);
      expect(verdict.message).toMatch(says);
      expect(verdict.score).toBe(score);
      expect(verdict.properties.find(({ passed }) => !passed)?.detail ?? "").toMatch(shows);
    },
  );

  it.each(IDS)("%s: two hints, then the answer", (id) => {
    expect(String(hint(id)["text/plain"])).toContain(`hint("${id}", 2)`);
    expect(String(hint(id, 2)["text/plain"])).toContain(`answer("${id}", SEED)`);
  });
});
