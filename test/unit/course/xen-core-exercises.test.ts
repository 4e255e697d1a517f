/**
 * Tests for the checks of notebook 06: the reference answer earns everything, the stub nothing, and each plausible wrong answer
 * loses the points of the properties that it breaks, with a sentence that teaches. The table is printed.
 */
import { stripTypeScriptTypes } from "node:module";
import { describe, expect, it } from "vitest";
import { localAnswer } from "../../../lib/checks/answer.ts";
import type { Check, Verdict } from "../../../lib/checks/check.ts";
import { seedFor } from "../../../lib/checks/seed.ts";
import { hint, referenceAnswer } from "../../../lib/course/help.ts";
import type { XenCoreExercise } from "../../../lib/course/xen-core/answers.ts";
import { bookOf } from "../../../lib/course/xen-core/count-references.ts";
import { XEN_CORE_CHECKS } from "../../../lib/course/xen-core/exercises.ts";
import { fastPathDraft } from "../../../lib/course/xen-core/fast-path.ts";
import { MUTANTS, storyOf, wrecksOf } from "../../../lib/course/xen-core/mutants.ts";
import { drawHistory, firstWrong, play } from "../../../lib/course/xen-core/paper-histories.ts";
import { paperMistakes } from "../../../lib/course/xen-core/paper-referee.ts";
import { exerciseTable } from "../../support/exercise-table.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const INSTANCES = isFull ? 1_000 : 40;

const HANDED: Readonly<Record<XenCoreExercise, string>> = {
  "06.1": "mine",
  "06.2": "{ seed: SEED, mask }",
  "06.3": "eventCall",
  "06.4": "grantCall",
  "06.5": "isBroken",
  "06.6": "breakEven",
};
const IDS = Object.keys(HANDED) as XenCoreExercise[];

function checkOf(id: XenCoreExercise): Check {
  const found = XEN_CORE_CHECKS.find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

const answerOf = (id: XenCoreExercise, source: string, seed: number): unknown =>
  new Function("SEED", `${stripTypeScriptTypes(source)}\nreturn ${HANDED[id]};`)(seed) as unknown;

const judge = (id: XenCoreExercise, value: unknown, instances = INSTANCES): Verdict =>
  checkOf(id).run(localAnswer(value), { seed: seedFor(id, "test"), instances });

/** The reference with some of its text replaced; throws when the text is not there. */
function changed(id: XenCoreExercise, ...edits: readonly (readonly [from: string, to: string])[]): string {
  return edits.reduce(
    (source, [from, to]) => {
      if (!source.includes(from)) throw new Error(`${id} has no ${from}`);
      return source.replaceAll(from, to);
    },
    referenceAnswer(id, 1),
  );
}

interface Row {
  readonly id: XenCoreExercise;
  readonly what: string;
  readonly source: string;
  readonly score: number;
  readonly says: RegExp;
}

const row = (id: XenCoreExercise, what: string, score: number, says: RegExp, source: string): Row => ({
  id,
  what,
  source,
  score,
  says,
});
const { refs, writers, revoke } = bookOf(1);
const mine = (change: object): string =>
  `const mine = ${JSON.stringify({ seed: 1, refs, writers, revoke, ...change })};`;
const mask = (value: bigint): string => `const mask = ${value}n;`;

const ROWS: readonly Row[] = [
  row(
    "06.1",
    "the untouched stub",
    0,
    /Count its owner/,
    "const mine = { seed: SEED, refs: -1, writers: -1, revoke: 1 };",
  ),
  row("06.1", "the owner is no reference", 2, /One is missing/, mine({ refs: refs - 1 })),
  row(
    "06.1",
    "neither the owner nor its own entry",
    2,
    /so is the owner's own entry/,
    mine({ refs: refs - 2 }),
  ),
  row("06.1", "a mapping that only reads taken for a writer", 2, /writable/, mine({ writers: writers + 1 })),
  row(
    "06.1",
    "the grant looked at, not its mappings",
    2,
    /Only mappings of this very grant/,
    mine({ revoke: -16 - revoke }),
  ),
  row("06.2", "the untouched draft", 0, /must be looked at/, mask(fastPathDraft(1).mask)),
  row("06.2", "all low bits", 1, /must be looked at/, mask(0x3ffn)),
  row("06.2", "A and D alone", 2, /need not/, mask(0xc0n)),
  row("06.2", "W taken for harmless (XSA-182)", 1, /page table/, mask(0x3d4n)),
  row("06.2", "no fast path at all", 0, /no fast path/, mask(0n)),
  row("06.2", "the page number, too", 1, /another one/, mask(0x7d0n)),
  row(
    "06.3",
    "the untouched stub",
    0,
    /-1n|-2n/,
    "const eventCall = (domains) => ({ value: -22n, domains });",
  ),
  row(
    "06.3",
    "whoever comes binds the port",
    3,
    /by the domain that it waits for/,
    changed("06.3", [" || far.remote !== me", ""]),
  ),
  row(
    "06.3",
    "the far end is not told who bound it",
    3,
    /Both ends become bound/,
    changed("06.3", ['{ state: "bound", remotePort: port }', '{ state: "bound" }']),
  ),
  row(
    "06.3",
    "the sender's own bit is set",
    3,
    /other end's port/,
    changed("06.3", ["domains[end.remote]!.pending |= bit(end.remotePort)", "mine.pending |= bit(a)"]),
  ),
  row(
    "06.3",
    "a masked event is lost when others are taken",
    3,
    /not lost/,
    changed("06.3", ["mine.pending &= ~seen;", "mine.pending = 0n;"]),
  ),
  row(
    "06.3",
    "the mask is not looked at",
    3,
    /not masked/,
    changed("06.3", ["const seen = mine.pending & ~mine.masked;", "const seen = mine.pending;"]),
  ),
  row(
    "06.3",
    "port 0 taken for a port",
    2,
    /-2n|free/,
    changed("06.3", [
      "port === 0 ? undefined : domain?.ports[port]",
      'port === 0 ? { state: "bound", remote: 1, remotePort: 1 } : domain?.ports[port]',
    ]),
  ),
  row(
    "06.4",
    "the untouched stub",
    0,
    /refuses everything/,
    "const grantCall = (office) => ({ value: -22, office });",
  ),
  row(
    "06.4",
    "writers counted for every mapping",
    3,
    /XSA-234|writers/,
    changed("06.4", ["if (writable) counts.writers", "counts.writers"]),
  ),
  row(
    "06.4",
    "unmap drops no reference",
    3,
    /references are not/,
    changed("06.4", ["    count(gone!.frame, -1, gone!.writable);\n", ""]),
  ),
  row(
    "06.4",
    "unmap drops two",
    3,
    /references are not/,
    changed("06.4", ["count(gone!.frame, -1, gone!.writable);", "count(gone!.frame, -2, gone!.writable);"]),
  ),
  row(
    "06.4",
    "the entry stays behind when a mapping goes",
    1,
    /Has unmap left an entry behind/,
    changed("06.4", ["const [gone] = entries.splice(at, 1);", "const gone = entries[at];"]),
  ),
  row(
    "06.4",
    "a mapped grant can be taken back",
    4,
    /cannot be taken back/,
    changed("06.4", ["    if (grant.mapped > 0) return done(-16);\n", ""]),
  ),
  row(
    "06.4",
    "the entry gets the grant's right, whatever was asked",
    4,
    /the right that map asked for/,
    changed(
      "06.4",
      ["frame: grant.frame, writable: ask.writable }", "frame: grant.frame, writable: grant.writable }"],
      ["count(grant.frame, 1, ask.writable)", "count(grant.frame, 1, grant.writable)"],
    ),
  ),
  row(
    "06.4",
    "a grant to read can be mapped writable",
    4,
    /only what was granted writable/,
    changed("06.4", [" || (ask.writable && !grant.writable)", ""]),
  ),
  row(
    "06.4",
    "anybody maps what was granted to one",
    4,
    /for may map it|for may map/,
    changed("06.4", ["grant.to !== me || ", ""]),
  ),
  row(
    "06.4",
    "one page is granted and mapped, and that is all",
    0,
    /allowed was refused/,
    changed("06.4", [
      "const done = (value: number) => ({ value, office });",
      `const done = (value: number) => ({ value, office });
  if (ask.call === "grant" ? grants.length > 0 : ask.call !== "map" || mappings.length > 0) return done(-999);`,
    ]),
  ),
  row("06.5", "the untouched stub", 0, /no referee/, "const isBroken = () => false;"),
  row(
    "06.5",
    "the calls counted, and no machine looked at",
    0,
    /without mistakes is accused/,
    "let calls = 0; const isBroken = () => { calls += 1; return (calls > 50 && calls <= 52) || calls > 102; };",
  ),
  row(
    "06.5",
    "one call of all accused",
    0,
    /hardly ever|is accused/,
    "let calls = 0; const isBroken = () => { calls += 1; return calls === 1; };",
  ),
  row("06.5", "everybody accused", 0, /without mistakes is accused/, "const isBroken = () => true;"),
  row(
    "06.5",
    "references alone",
    3,
    /of 10 found/,
    `function isBroken({ frames, entries, mappings, roots }) {
    return frames.some(({ frame, owner, refs }) => refs !== (owner === 0 ? 0 : 1)
      + entries.filter((entry) => entry.frame <= frame && frame < entry.frame + entry.frames).length
      + roots.filter((root) => root.frame === frame).length + mappings.filter((mapping) => mapping?.table === frame).length);
  }`,
  ),
  row(
    "06.5",
    "who owns what alone",
    0,
    /accused/,
    `function isBroken({ frames, entries }) {
    return entries.some((entry) => frames.some(({ frame, owner }) => frame === entry.frame && owner !== entry.domain));
  }`,
  ),
  row(
    "06.5",
    "a large page taken for one frame",
    5,
    /Every property holds/,
    changed("06.5", ["entry.frame <= frame && frame < entry.frame + entry.frames", "entry.frame === frame"]),
  ),
  row("06.5", "the owner is no reference", 0, /accused/, changed("06.5", ["(owner === 0 ? 0 : 1) + ", ""])),
  row("06.6", "the untouched stub", 0, /fixed part/, "const breakEven = () => 0;"),
  row("06.6", "never", 0, /do cross|no crossing/, "const breakEven = () => -1;"),
  row(
    "06.6",
    "the first size at which mapping was cheaper",
    1,
    /sizes measured|do cross/,
    "const breakEven = (samples) => samples.find(({ copy, map }) => map < copy)?.bytes ?? -1;",
  ),
  row(
    "06.6",
    "where both cost the same",
    1,
    /cheaper|whole/,
    changed("06.6", [
      'Math.floor((fixed("map") - fixed("copy")) / gain) + 1',
      'Math.floor((fixed("map") - fixed("copy")) / gain)',
    ]),
  ),
  row("06.6", "slopes not looked at", 2, /never gets cheaper/, changed("06.6", ["gain <= 0 ? -1 : ", ""])),
];

const table = exerciseTable();

describe("the exercises of notebook 06", () => {
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
    const verdict = judge(id, answerOf(id, source, 1));
    table.add(checkOf(id), what, score, verdict);
    expect(verdict.message).toMatch(says);
    expect(verdict.score).toBeCloseTo(score, 6);
  });

  it("stories have no call that the mistake does not need", () => {
    const stories = (id: XenCoreExercise, source: string): string[] =>
      Array.from({ length: isFull ? 40 : 3 }, (_, seed) => {
        const seeded = { seed: seedFor(id, `story ${seed}`), instances: 20 };
        const { properties } = checkOf(id).run(localAnswer(answerOf(id, source, 1)), seeded);
        const detail = properties.find(({ passed }) => !passed)?.detail;
        return (/after `([^`]+)`/.exec(detail ?? "")?.[1] ?? "").replaceAll(/dom\d |\([^)]*\)/g, "");
      });
    const idle = changed("06.4", ["    count(gone!.frame, -1, gone!.writable);\n", ""]);
    expect(new Set(stories("06.4", idle))).toEqual(new Set(["grant; map; unmap"]));
    const lost = changed("06.3", ["mine.pending &= ~seen;", "mine.pending = 0n;"]);
    for (const story of stories("06.3", lost))
      expect(story.split("; ").sort().join("; ")).toBe("allocate; bind; mask; send; take");
  });

  it.each(IDS)("%s: two hints, then the answer", (id) => {
    expect(String(hint(id)["text/plain"])).toContain(`hint("${id}", 2)`);
    expect(String(hint(id, 2)["text/plain"])).toContain(`answer("${id}", SEED)`);
  });
});

describe("hypervisors on paper", () => {
  it("keep every invariant when they have no mistake", () => {
    for (let seed = 0; seed < (isFull ? 2_000 : 60); seed++)
      for (const { machine } of play(drawHistory(seed, 40))) expect(paperMistakes(machine)).toEqual([]);
  });

  it("do what is asked, often enough to meet", () => {
    const values = Array.from({ length: 40 }, (_, seed) => play(drawHistory(seed, 40))).flat();
    for (const op of ["update", "grant", "map", "unmap", "revoke", "release", "claim"] as const) {
      const asked = values.filter((step) => step.op.op === op);
      expect(asked.filter(({ value }) => value >= 0).length, op).toBeGreaterThan(asked.length / 8);
    }
  });

  it.each(MUTANTS)("one that $says breaks an invariant, and the story of it is short", ({ name }) => {
    const seed = seedFor("06.5", name);
    const wrecks = wrecksOf(name, seed, 3);
    expect(wrecks).toHaveLength(3);
    const stories = wrecks.map((wreck) => storyOf(wreck, name));
    for (const { ops } of wrecks) expect(firstWrong(play(ops, name))).toBe(ops.length - 1);
    for (const story of stories) expect(story).toMatch(/^after `[^`]+`: I[123]: /);
    expect(Math.min(...stories.map((story) => story.split("; ").length))).toBeLessThanOrEqual(5);
  });
});
