/**
 * Tests for the checks of notebook 04: the reference answer earns everything, the stub nothing, and each plausible wrong answer
 * loses the points of the properties that it breaks, with a sentence that teaches. The table is printed.
 */
import { stripTypeScriptTypes } from "node:module";
import { describe, expect, it } from "vitest";
import { localAnswer } from "../../../lib/checks/answer.ts";
import type { Check, Verdict } from "../../../lib/checks/check.ts";
import { seededWords, seedFor } from "../../../lib/checks/seed.ts";
import { hint, referenceAnswer } from "../../../lib/course/help.ts";
import type { SecondWallExercise } from "../../../lib/course/second-wall/answers.ts";
import { SECOND_WALL_CHECKS } from "../../../lib/course/second-wall/exercises.ts";
import { handWalk, handWalkValues } from "../../../lib/course/second-wall/hand-walk.ts";
import {
  CARELESS_HYPERVISORS,
  firstLieIn,
  RIGHT_HYPERVISOR,
  runHypervisor,
  type VmOp,
} from "../../../lib/course/second-wall/vm-machine.ts";
import { leavesOf, tablesOf, throughSecondStage, walkTo } from "../../../lib/referee/page-tables.ts";
import { exerciseTable } from "../../support/exercise-table.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const INSTANCES = isFull ? 2_000 : 40;

const HANDED: Readonly<Record<SecondWallExercise, string>> = {
  "04.1": "mine",
  "04.2": "{ seed: SEED, hgatp, at, entry }",
  "04.3": "decodeMmio",
  "04.4": "onGuestFault",
  "04.5": "{ trial, firstLie }",
  "04.6": "entryReads",
};
const IDS = Object.keys(HANDED) as SecondWallExercise[];

function checkOf(id: SecondWallExercise): Check {
  const found = SECOND_WALL_CHECKS.find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

const answerOf = (id: SecondWallExercise, source: string, seed: number): unknown =>
  new Function("SEED", "seededWords", `${stripTypeScriptTypes(source)}\nreturn ${HANDED[id]};`)(
    seed,
    seededWords,
  ) as unknown;

const judge = (id: SecondWallExercise, value: unknown, instances = 40): Verdict =>
  checkOf(id).run(localAnswer(value), { seed: seedFor(id, "test"), instances });

/** The reference with some of its text replaced; throws when the text is not there. */
function changed(id: SecondWallExercise, ...edits: readonly (readonly [from: string, to: string])[]): string {
  return edits.reduce(
    (source, [from, to]) => {
      if (!source.includes(from)) throw new Error(`${id} has no ${from}`);
      return source.replaceAll(from, to);
    },
    referenceAnswer(id, 1),
  );
}

interface Row {
  readonly id: SecondWallExercise;
  readonly what: string;
  readonly source: string;
  readonly score: number;
  readonly says: RegExp;
}

const row = (id: SecondWallExercise, what: string, score: number, says: RegExp, source: string): Row => ({
  id,
  what,
  source,
  score,
  says,
});

const walk = handWalkValues(1);
const [hgatp = "0n", at = "0n", entry = "0n"] = [...referenceAnswer("04.2", 1).matchAll(/0x[0-9a-f]+n/g)].map(
  ([text]) => text,
);
const draft = (root: string, place: string, word: string): string =>
  `const hgatp = ${root}; const at = ${place}; const entry = ${word};`;

const ROWS: readonly Row[] = [
  row(
    "04.1",
    "the untouched stub",
    0,
    /guest-physical page/,
    "const mine = { seed: SEED, leafAt: 0n, paddr: 0n, reads: -1, store: -1 };",
  ),
  row(
    "04.1",
    "guest-physical taken for host-physical",
    2,
    /through the second stage, too/,
    changed(
      "04.1",
      [`0x${walk.leafAt.toString(16)}n`, `0x${walk.leafGpa.toString(16)}n`],
      [`0x${walk.paddr.toString(16)}n`, `0x${walk.gpa.toString(16)}n`],
    ),
  ),
  row("04.1", "two and two entries", 3, /are not 4/, changed("04.1", ["reads: 8", "reads: 4"])),
  row(
    "04.1",
    "twelve bits of offset",
    3,
    /where the large page begins/,
    `${referenceAnswer("04.1", 1)} mine.paddr &= ~0x1fffffn;`,
  ),
  row(
    "04.1",
    "the code of a load",
    3,
    /codes for loads/,
    changed("04.1", [`store: ${walk.store}`, "store: 21"]),
  ),
  row("04.2", "the untouched stub", 0, /2,048 entries/, draft("0n", "0n", "0n")),
  row("04.2", "a root off the border", 2, /always read as 0/, draft(`${hgatp} + 1n`, at, entry)),
  row("04.2", "the VMID forgotten", 2, /VMID is bits/, draft(`${hgatp} & ~(0x3fffn << 44n)`, at, entry)),
  row("04.2", "the scheme forgotten", 2, /select the scheme/, draft(`${hgatp} & ~(15n << 60n)`, at, entry)),
  row(
    "04.2",
    "W in place of U",
    2,
    /user mode here|not R, W or X/,
    draft(hgatp, at, `(${entry} & ~16n) | 4n`),
  ),
  row("04.2", "every right, to be safe", 2, /not R, W or X/, draft(hgatp, at, `((${entry}) ^ 12n) | 2n`)),
  row(
    "04.3",
    "the untouched stub",
    0,
    /htinst has the instruction/,
    "function decodeMmio() { return undefined; }",
  ),
  row(
    "04.3",
    "only htinst",
    4,
    /htinst may be 0/,
    changed("04.3", ["const told = htinst !== 0;", "const told = true; if (htinst === 0) return undefined;"]),
  ),
  row(
    "04.3",
    "short instructions taken for long ones",
    3,
    /bit 1 is 0 for an instruction of two/,
    changed(
      "04.3",
      ["sizeBytes: isShort ? 2 : 4", "sizeBytes: 4"],
      [
        "register: 8 + ((instruction >>> 2) & 7), sizeBytes: 2",
        "register: 8 + ((instruction >>> 2) & 7), sizeBytes: 4",
      ],
    ),
  ),
  row(
    "04.3",
    "the bit of short instructions not set",
    4,
    /stands for, with bit 1 clear|tells of a compressed/,
    changed("04.3", ["htinst | 3", "htinst"]),
  ),
  row(
    "04.3",
    "every load signed",
    3,
    /makes a load unsigned/,
    changed("04.3", ["!isStore && funct3 < 4", "!isStore"]),
  ),
  row(
    "04.3",
    "the loaded register in the place of the stored one",
    2,
    /a store in bits 24 to 20/,
    changed("04.3", ["(isStore ? 20 : 7)", "7"]),
  ),
  row(
    "04.3",
    "page-table accesses of the hart taken for the guest's",
    4,
    /page table/,
    changed("04.3", ["const told = htinst !== 0;", "const told = (htinst & 1) !== 0;"]),
  ),
  row(
    "04.3",
    "one load known, and everything else refused",
    0,
    /decode a plain load first|htinst has the instruction/,
    "const decodeMmio = (htinst) => (htinst === 0x1503 ? 1 : undefined);",
  ),
  row(
    "04.4",
    "the untouched stub",
    0,
    /refuses everything/,
    'function onGuestFault(vm, fault, memory, free) { return { outcome: "?", memory, free }; }',
  ),
  row(
    "04.4",
    "htval not shifted",
    0,
    /you say “device”. Where it touched is htval << 2/,
    changed("04.4", ["fault.htval << 2n", "fault.htval"]),
  ),
  row(
    "04.4",
    "a root of 512 entries",
    2,
    /eleven bits/,
    changed("04.4", ["(shift === 30n ? 2047n : 511n)", "511n"]),
  ),
  row("04.4", "U forgotten", 2, /Every leaf of a second stage needs U/, changed("04.4", ["0xdfn", "0xcfn"])),
  row(
    "04.4",
    "frames not cleared",
    0,
    /./,
    changed("04.4", ["for (let word = 0n; word < 4096n; word += 8n) memory.set(frame + word, 0n);", ""]),
  ),
  row(
    "04.4",
    "pages cleared, tables not",
    0,
    /./,
    changed("04.4", ["for (let word = 0n;", "if (level === 2) for (let word = 0n;"]),
  ),
  row(
    "04.4",
    "tables cleared, pages not",
    3,
    /what somebody else left there/,
    changed("04.4", ["for (let word = 0n;", "if (level < 2) for (let word = 0n;"]),
  ),
  row(
    "04.4",
    "frames not counted first",
    1,
    /./,
    changed("04.4", ["if (free.length < 4 - path.length) return refused;", ""]),
  ),
  row(
    "04.4",
    "the last byte of RAM and one more page",
    3,
    /RAM ends at/,
    changed("04.4", ["gpa >= vm.ramBase + vm.ramBytes", "gpa > vm.ramBase + vm.ramBytes + 4095n"]),
  ),
  row(
    "04.4",
    "one page known, and everything else refused",
    0,
    /it got nothing/,
    `function onGuestFault(vm, fault, memory, free) {
      const gpa = fault.htval << 2n;
      if (gpa < vm.ramBase || gpa >= vm.ramBase + vm.ramBytes) return { outcome: "device", memory, free };
      if (gpa !== 0x80000010n || vm.ramBytes !== 8192n || free.length !== 3) return { outcome: "refused", memory, free };
      const link = (frame, flags) => ((frame >> 12n) << 10n) | flags;
      const [middle, last, page] = free;
      return { outcome: "mapped", memory: new Map([[vm.root + 16n, link(middle, 1n)], [middle, link(last, 1n)], [last, link(page, 0xdfn)]]), free: [] };
    }`,
  ),
  row(
    "04.4",
    "the first page of each guest, and no other",
    0,
    /it got nothing/,
    changed("04.4", ["if (free.length < 4 - path.length)", "if (path.length > 1 || free.length < 3)"]),
  ),
  // 3,072 entries that mean two million pages.
  row(
    "04.4",
    "one table for everything",
    0,
    /the same table is reached again and again/,
    `function onGuestFault(vm) {
      const [middle, last] = [0x81010000n, 0x81011000n];
      const memory = new Map();
      for (let i = 0n; i < 2048n; i += 1n) memory.set(vm.root + 8n * i, ((middle >> 12n) << 10n) | 1n);
      for (let i = 0n; i < 512n; i += 1n) {
        memory.set(middle + 8n * i, ((last >> 12n) << 10n) | 1n);
        memory.set(last + 8n * i, ((0x100000n + i) << 10n) | 0xdfn);
      }
      return { outcome: "mapped", memory, free: [] };
    }`,
  ),
  row(
    "04.5",
    "the untouched stub",
    0,
    /without requests/,
    "const trial = () => []; const firstLie = () => -1;",
  ),
  row(
    "04.5",
    "nobody accused",
    1,
    /did not notice/,
    changed("04.5", ["return history.findIndex(", "return -1; history.findIndex("]),
  ),
  row(
    "04.5",
    "everybody accused",
    0,
    /is accused/,
    changed("04.5", ["return history.findIndex(", "return 0; history.findIndex("]),
  ),
  row("04.5", "one VM only", 5, /about two VMs/, changed("04.5", ["1 + pick(2)", "1"])),
  row(
    "04.5",
    "VMs that never share a page number",
    5,
    /about two VMs/,
    changed(
      "04.5",
      ["pick(4)];", "pick(2) + 2 * (seed % 1)]; const split = page + 2 * (vm - 1);"],
      ["vm, page, frame", "vm, page: split, frame"],
      ['"unmap", vm, page }', '"unmap", vm, page: split }'],
      ['"load", vm, page }', '"load", vm, page: split }'],
    ),
  ),
  row(
    "04.5",
    "pages of two VMs taken for one",
    0,
    /is accused/,
    changed("04.5", ["4 * event.vm + event.page", "event.page"]),
  ),
  row(
    "04.5",
    "the last lie in place of the first",
    1,
    /at another place/,
    changed(
      "04.5",
      ["return history.findIndex((event) => {", "let last = -1;\n  history.forEach((event, place) => {"],
      ['return event.op === "load" &&', 'if (event.op === "load" &&'],
      ["(frames.get(key) ?? -1);\n  });", "(frames.get(key) ?? -1)) last = place;\n  });\n  return last;"],
    ),
  ),
  row(
    "04.6",
    "the untouched stub",
    0,
    /three entries/,
    "const entryReads = () => ({ afresh: -1, remembered: -1 });",
  ),
  row(
    "04.6",
    "the guest's entries for nothing",
    1,
    /needs a walk of the second stage|hole|stage/,
    changed("04.6", ["remembered += 1 + pass(table)", "remembered += 1"]),
  ),
  row(
    "04.6",
    "the two stages added, not multiplied",
    2,
    /needs a walk of the second stage/,
    changed("04.6", ["tables.length * 4 + 3", "tables.length + 3"]),
  ),
  row(
    "04.6",
    "one fence for both stages",
    1,
    /empties one memory/,
    changed("04.6", [
      'if (touch.stage === "guest") guest = new Set(); else second = new Set();',
      "guest = new Set(); second = new Set();",
    ]),
  ),
  row("04.6", "all VMs in one memory", 1, /another VM/, changed("04.6", ["+ BigInt(vm)", ""])),
];

const table = exerciseTable();

describe("the exercises of notebook 04", () => {
  it.each(IDS)(
    "%s: the reference answer earns everything, under several seeds",
    { timeout: isFull ? 600_000 : 60_000 },
    (id) => {
      for (const seed of [1, 2, 3, 99]) {
        const verdict = judge(id, answerOf(id, referenceAnswer(id, seed), seed), seed === 1 ? INSTANCES : 20);
        if (seed === 1) table.add(checkOf(id), "the reference answer", checkOf(id).points, verdict);
        expect(verdict.message).toBe("Every property holds.");
        expect(verdict.score).toBe(checkOf(id).points);
      }
    },
  );

  it.each(ROWS)("$id: $what earns $score", { timeout: 60_000 }, ({ id, what, source, score, says }) => {
    const verdict = judge(id, answerOf(id, source, 1), 80);
    table.add(checkOf(id), what, score, verdict);
    expect(verdict.message).toMatch(says);
    expect(verdict.score).toBeCloseTo(score, 6);
  });

  it.each(IDS)("%s: two hints, then the answer", (id) => {
    expect(String(hint(id)["text/plain"])).toContain(`hint("${id}", 2)`);
    expect(String(hint(id, 2)["text/plain"])).toContain(`answer("${id}", SEED)`);
  });
});

describe("what the checks compare with", () => {
  it("04.1: the referee's own reading of the tables leads to the same place", () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const { hgatp: second, vsatp, gva, memory } = handWalk(seed);
      const [host, guest] = [tablesOf("hgatp", second), tablesOf("vsatp", vsatp)];
      if (host === undefined || guest === undefined) throw new Error("no tables");
      const read = (place: bigint) => memory.get(place) ?? 0n;
      const { page } = walkTo(guest, throughSecondStage(host, read), gva);
      const gpa = (page?.to ?? 0n) + (gva % (page?.bytes ?? 1n));
      const behind = walkTo(host, read, gpa).page;
      const { paddr, reads, gpa: said } = handWalkValues(seed);
      expect(said).toBe(gpa);
      expect(paddr).toBe((behind?.to ?? 0n) + (gpa % (behind?.bytes ?? 1n)));
      expect(reads).toBe(8);
      expect([...leavesOf(host, read)].length).toBeGreaterThanOrEqual(3);
    }
  });

  it("04.1: all three outcomes of the store occur", () => {
    const causes = new Set(Array.from({ length: 40 }, (_, seed) => handWalkValues(seed).store));
    expect([...causes].sort((a, b) => a - b)).toEqual([0, 15, 23]);
  });

  it("04.5: a machine on which each bad habit shows, and the right one never", () => {
    const ops: readonly VmOp[] = [
      { op: "map", vm: 1, page: 0, frame: 1 },
      { op: "map", vm: 2, page: 0, frame: 3 },
      { op: "load", vm: 1, page: 0 },
      { op: "load", vm: 2, page: 0 },
      { op: "unmap", vm: 1, page: 0 },
      { op: "load", vm: 1, page: 0 },
    ];
    expect(firstLieIn(runHypervisor(ops, RIGHT_HYPERVISOR))).toBe(-1);
    expect(runHypervisor(ops, RIGHT_HYPERVISOR).map((event) => event.saw)).toEqual([
      undefined,
      undefined,
      1,
      3,
      undefined,
      -1,
    ]);
    for (const habit of CARELESS_HYPERVISORS)
      expect(firstLieIn(runHypervisor(ops, habit)), habit.name).toBeGreaterThan(0);
  });
});
