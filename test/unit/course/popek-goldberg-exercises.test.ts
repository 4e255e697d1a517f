/**
 * Tests for the checks of notebook 03: the reference answer earns everything, the stub nothing, and each plausible wrong answer
 * loses the points of the properties that it breaks, with a sentence that teaches. The table is printed.
 */
import { stripTypeScriptTypes } from "node:module";
import { describe, expect, it } from "vitest";
import { localAnswer } from "../../../lib/checks/answer.ts";
import type { Check, Verdict } from "../../../lib/checks/check.ts";
import { seedFor } from "../../../lib/checks/seed.ts";
import { hint, referenceAnswer } from "../../../lib/course/help.ts";
import type { PopekGoldbergExercise } from "../../../lib/course/popek-goldberg/answers.ts";
import { POPEK_GOLDBERG_CHECKS } from "../../../lib/course/popek-goldberg/exercises.ts";
import { exitReading } from "../../../lib/course/popek-goldberg/exit-reading.ts";
import { GUEST_MEMORY } from "../../../lib/course/popek-goldberg/fill-check.ts";
import { label } from "../../../lib/isa/assembler/item.ts";
import { program } from "../../../lib/isa/assembler/program.ts";
import { asm } from "../../../lib/isa/assembler/typed.ts";
import { exerciseTable } from "../../support/exercise-table.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const INSTANCES = isFull ? 1_000 : 40;

const HANDED: Readonly<Record<PopekGoldbergExercise, string>> = {
  "03.1": "mine",
  "03.2": "sret",
  "03.3": "emulate",
  "03.4": "fill",
  "03.5": "seeThrough",
  "03.6": "price",
};
const IDS = Object.keys(HANDED) as PopekGoldbergExercise[];

function checkOf(id: PopekGoldbergExercise): Check {
  const found = POPEK_GOLDBERG_CHECKS.find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

const answerOf = (id: PopekGoldbergExercise, source: string, seed: number): unknown =>
  new Function(
    "SEED",
    "GUEST_MEMORY",
    "asm",
    "label",
    "program",
    `${stripTypeScriptTypes(source)}\nreturn ${HANDED[id]};`,
  )(seed, GUEST_MEMORY, asm, label, program) as unknown;

const judge = (id: PopekGoldbergExercise, value: unknown, instances = 40): Verdict =>
  checkOf(id).run(localAnswer(value), { seed: seedFor(id, "test"), instances });

/** The reference with some of its text replaced; throws when the text is not there. */
function changed(
  id: PopekGoldbergExercise,
  ...edits: readonly (readonly [from: string, to: string])[]
): string {
  return edits.reduce(
    (source, [from, to]) => {
      if (!source.includes(from)) throw new Error(`${id} has no ${from}`);
      return source.replaceAll(from, to);
    },
    referenceAnswer(id, 1),
  );
}

interface Row {
  readonly id: PopekGoldbergExercise;
  readonly what: string;
  readonly source: string;
  readonly score: number;
  readonly says: RegExp;
}

const row = (id: PopekGoldbergExercise, what: string, score: number, says: RegExp, source: string): Row => ({
  id,
  what,
  source,
  score,
  says,
});

const { exits, sscratch } = exitReading(1);
const kindsWith = (change: (handling: string, cause: number) => string): string =>
  `const mine = { seed: SEED, kinds: ${JSON.stringify(exits.map(({ handling, cause }) => change(handling, cause)))}, value: ${sscratch.guest}n, call: 9 };`;

const ROWS: readonly Row[] = [
  row(
    "03.1",
    "the untouched stub",
    0,
    /Each exit is one of/,
    'const mine = { seed: SEED, kinds: ["?", "?", "?", "?", "?", "?"], value: 0n, call: 0 };',
  ),
  row(
    "03.1",
    "every illegal instruction done for the guest",
    2,
    /bare machine would have trapped/,
    kindsWith((handling, cause) => (cause === 2 ? "done" : handling)),
  ),
  row(
    "03.1",
    "every page fault a shadow that lags",
    2,
    /device|own/,
    kindsWith((handling, cause) => (cause === 13 ? "shadow" : handling)),
  ),
  row(
    "03.1",
    "the hart's CSR shown to the guest",
    2,
    /guest must read what it wrote/,
    `${referenceAnswer("03.1", 1)} mine.value = ${sscratch.hart}n;`,
  ),
  row(
    "03.1",
    "the hart's cause shown to the guest",
    2,
    /call from U-mode/,
    `${referenceAnswer("03.1", 1)} mine.call = 8;`,
  ),
  row(
    "03.2",
    "the untouched stub",
    0,
    /SIE must become what SPIE was/,
    changed("03.2", ["((sstatus >> 5n) & 1n) << 1n", "1n << 1n"]),
  ),
  row(
    "03.2",
    "interrupts off for good",
    0,
    /are off behind it/,
    changed("03.2", ["((sstatus >> 5n) & 1n) << 1n", "0n"]),
  ),
  row(
    "03.2",
    "SPIE copied, not set",
    1,
    /SPIE is 1/,
    changed("03.2", ["next |= 1n << 5n;", "next |= sstatus & 0x20n;"]),
  ),
  row("03.2", "SPP left as it was", 1, /SPP is 0/, changed("03.2", ["~0x122n", "~0x22n"])),
  row(
    "03.2",
    "SIE left as it was",
    0,
    /SIE must become|are off|are on/,
    changed("03.2", ["((sstatus >> 5n) & 1n) << 1n", "sstatus & 2n"]),
  ),
  row("03.3", "the untouched stub", 0, /refuse|refuses everything/, 'const emulate = () => "illegal";'),
  row(
    "03.3",
    "every mode may do everything",
    2,
    /right of its kernel/,
    changed("03.3", [" || vcpu.mode < ((csr >> 8) & 3)", ""]),
  ),
  row(
    "03.3",
    "rs and rc always write",
    2,
    /write nothing, and mhartid/,
    changed("03.3", ['op === "rw" || rs1 !== 0', "true"]),
  ),
  row(
    "03.3",
    "rd gets the new value",
    2,
    /rd must hold/,
    changed("03.3", ["rd !== 0 ? old : value", "rd !== 0 ? next : value"]),
  ),
  row(
    "03.3",
    "x0 written",
    2,
    /x0 is always 0/,
    changed("03.3", ["index === rd && rd !== 0", "index === rd"]),
  ),
  row(
    "03.3",
    "the immediate taken for a register",
    2,
    /number rs1 itself/,
    changed("03.3", ["isImmediate ? BigInt(rs1) : ", ""]),
  ),
  row(
    "03.3",
    "bit 0 of sepc kept",
    2,
    /Bit 0/,
    changed("03.3", ["csr === 0x141 || csr === 0x341 ? next & ~1n : next", "next"]),
  ),
  row("03.3", "the guest stays where it is", 2, /grows by 4/, changed("03.3", ["vcpu.pc + 4n", "vcpu.pc"])),
  row(
    "03.3",
    "all refused but in M-mode, and there nothing done",
    0,
    /refuse|grows by 4/,
    `const emulate = ({ op, csr, rs1 }, vcpu) => {
      if (csr === 0xf14) return op === "rw" || rs1 !== 0 ? "illegal" : vcpu;
      return vcpu.mode === 3 && csr !== 0x5c0 ? vcpu : "illegal";
    };`,
  ),
  row(
    "03.3",
    "all refused but in M-mode and for sscratch, and 7 in place of a vcpu",
    0,
    /refuse|Return “illegal”/,
    `const emulate = ({ op, csr, rs1 }, { mode }) => {
      if (csr === 0xf14) return op === "rw" || rs1 !== 0 || mode !== 3 ? "illegal" : 7;
      return (mode === 3 && csr !== 0x5c0) || (mode === 1 && csr === 0x140) ? 7 : "illegal";
    };`,
  ),
  row("03.4", "the untouched stub", 0, /only the shadow lacks/, "const fill = () => ({ deliver: 0 });"),
  row("03.4", "nothing returned", 0, /Return one of/, "const fill = () => undefined;"),
  row(
    "03.4",
    "the entry a number",
    1,
    /Return one of/,
    changed("03.4", [
      "{ entry: (page << 10n) | 0xd1n | flags }",
      "{ entry: Number((page << 10n) | 0xd1n | flags) }",
    ]),
  ),
  row(
    "03.4",
    "the guest's address in the entry",
    2,
    /this page is the monitor/,
    changed("03.4", ["(place + GUEST_MEMORY.shift) >> 12n", "place >> 12n"]),
  ),
  row(
    "03.4",
    "large pages mapped at their beginning",
    2,
    /2 MiB/,
    changed("03.4", ["va & (bytes - 1n)", "va & 4095n"]),
  ),
  row(
    "03.4",
    "a device mapped",
    2,
    /not the guest\u2019s RAM/,
    changed("03.4", [
      "if (place < GUEST_MEMORY.base || place >= GUEST_MEMORY.end) return { device: place };",
      "",
    ]),
  ),
  row("03.4", "D not looked at: writable too early", 1, /D is 0/, changed("03.4", [" && has(0x80n)", ""])),
  row(
    "03.4",
    "U copied from the guest's leaf",
    2,
    /U must be 1/,
    changed("03.4", ["| 0xd1n |", "| 0xc1n | (leaf & 0x10n) |"]),
  ),
  row("03.4", "SUM forgotten", 2, /With SUM/, changed("03.4", ["!has(0x10n) || sum", "!has(0x10n)"])),
  row(
    "03.4",
    "S-mode may execute a user's page",
    1,
    /never fetch|forbids/,
    changed("03.4", ["(user ? has(0x10n) : !has(0x10n)),", "mine,"]),
  ),
  row(
    "03.4",
    "all rights, whatever the guest says",
    2,
    /The shadow allows|D is 0/,
    changed("03.4", ["0xd1n | flags", "0xdfn"]),
  ),
  row(
    "03.4",
    "the exception and an entry at once",
    0,
    /Return one of/,
    "const fill = ({ kind }) => ({ deliver: { fetch: 12, load: 13, store: 15 }[kind], entry: 0n });",
  ),
  row(
    "03.4",
    "one entry, and from then on every fault is the guest's own",
    0,
    /only the shadow lacks/,
    `let isFirst = true;
    const fill = ({ kind }) => {
      const answer = isFirst ? { entry: 0n } : { deliver: { fetch: 12, load: 13, store: 15 }[kind] };
      isFirst = false;
      return answer;
    };`,
  ),
  row(
    "03.5",
    "the untouched stub",
    0,
    /one letter/,
    "const seeThrough = () => program({ origin: 0x8000_0000n }, [asm.wfi()]);",
  ),
  row(
    "03.5",
    // Even as a guest: it says there what it says everywhere.
    "always V",
    0,
    /On a bare machine it says V/,
    changed("03.5", ['asm.li("a0", 0x42)', 'asm.li("a0", 0x56)']),
  ),
  row("03.5", "always B", 0, /did not notice/, changed("03.5", ['asm.li("a0", 0x56)', 'asm.li("a0", 0x42)'])),
  row(
    "03.5",
    "V at once, and B after a while",
    0,
    /one letter/,
    `const seeThrough = () => program({ origin: 0x8000_0000n }, [
      asm.li("a1", 0x1000_0000), asm.li("a0", 0x56), asm.sb("a0", 0, "a1"), asm.li("t0", 2_000),
      label("wait"), asm.addi("t0", "t0", -1), asm.bnez("t0", "wait"),
      asm.li("a0", 0x42), asm.sb("a0", 0, "a1"), label("stay"), asm.j("stay")]);`,
  ),
  row(
    "03.5",
    "time, not the leak",
    3,
    /looks at something else/,
    `const seeThrough = () => program({ origin: 0x8000_0000n }, [
      asm.csrr("s0", "minstret"), asm.csrr("t1", "mscratch"), asm.csrr("s1", "minstret"), asm.sub("s1", "s1", "s0"),
      asm.li("t0", 20), asm.li("a1", 0x1000_0000), asm.li("a0", 0x42), asm.blt("s1", "t0", "say"), asm.li("a0", 0x56),
      label("say"), asm.sb("a0", 0, "a1"), label("stay"), asm.j("stay")]);`,
  ),
  row(
    "03.5",
    "only read, never written",
    0,
    /did not notice/,
    changed("03.5", ['asm.csrw(csr, "t0"),', ""], ['asm.li("t0", 0x100),', 'asm.li("t0", 0),']),
  ),
  row(
    "03.5",
    "bits that sstatus has not",
    2,
    /Write only bits/,
    changed("03.5", ['asm.li("t0", 0x100)', 'asm.li("t0", 0x7ff)'], ['asm.andi("t1", "t1", 0x100),', ""]),
  ),
  row(
    "03.6",
    "the untouched stub",
    0,
    /./,
    "const price = () => ({ perThousand: -1, slowdown: -1, price: -1 });",
  ),
  row(
    "03.6",
    "exits of a thousand of the machine's",
    1,
    /counts the monitor/,
    changed("03.6", ["(1000 * exits) / bare", "(1000 * exits) / machine"]),
  ),
  row("03.6", "a percentage", 1, /percentage/, changed("03.6", ["1000 * exits", "100 * exits"])),
  row(
    "03.6",
    "overhead in place of slowdown",
    2,
    /overhead/,
    changed("03.6", ["slowdown: machine / bare", "slowdown: machine / bare - 1"]),
  ),
  row(
    "03.6",
    "the guest's instructions in the price",
    1,
    /take bare away/,
    changed("03.6", ["(machine - bare) / exits", "machine / exits"]),
  ),
  row("03.6", "0 / 0", 2, /price is 0/, changed("03.6", ["exits === 0 ? 0 : ", ""])),
];

const table = exerciseTable();

describe("the exercises of notebook 03", () => {
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

  it.each(ROWS)("$id: $what earns $score", { timeout: 300_000 }, ({ id, what, source, score, says }) => {
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
