/** Tests for the checks of notebook 01: reference answers pass under several seeds; stubs and plausible wrong answers lose the points of what they break. */
import { stripTypeScriptTypes } from "node:module";
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { localAnswer } from "../../../lib/checks/answer.ts";
import type { Check, Verdict } from "../../../lib/checks/check.ts";
import { seedFor } from "../../../lib/checks/seed.ts";
import type { Crossing } from "../../../lib/course/climb.ts";
import { countdownOf, countdownProgram, countdownSum } from "../../../lib/course/exercises/countdown.ts";
import { delegationWish } from "../../../lib/course/exercises/delegation.ts";
import { LANDING_CHECKS } from "../../../lib/course/exercises/landing.ts";
import type { LandingExercise } from "../../../lib/course/exercises/landing-answers.ts";
import { hint, referenceAnswer, answer as showAnswer } from "../../../lib/course/help.ts";
import { instance } from "../../../lib/course/instances.ts";
import { buildIsland } from "../../../lib/course/island.ts";
import { type Item, label } from "../../../lib/isa/assembler/item.ts";
import { program } from "../../../lib/isa/assembler/program.ts";
import { asm } from "../../../lib/isa/assembler/typed.ts";
import { exerciseTable } from "../../support/exercise-table.ts";

const table = exerciseTable();
const RAM = 0x8000_0000n;
const SEEDS = process.env["DOM0_TEST_FULL"] === "1" ? 20 : 3;

const checkOf = (id: LandingExercise): Check => {
  const found = LANDING_CHECKS.find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
};

const judge = (id: LandingExercise, value: unknown, round = 0): Verdict =>
  checkOf(id).run(localAnswer(value), { seed: seedFor(id, String(round)) });

/** Runs the source that readers are shown and returns what the notebook hands to the check. */
function reference(id: LandingExercise, seed: number): unknown {
  const handed = {
    "01.1": "mine",
    "01.2": "{ seed: SEED, medeleg }",
    "01.3": "visit",
    "01.4": "steal",
    "01.5": "roundTrips",
  }[id];
  const source = `${stripTypeScriptTypes(referenceAnswer(id, seed))}\nreturn ${handed};`;
  const scope = { asm, label, program, buildIsland, RAM, SEED: seed };
  return new Function(...Object.keys(scope), source)(...Object.values(scope)) as unknown;
}

const IDS: LandingExercise[] = ["01.1", "01.2", "01.3", "01.4", "01.5"];

describe("reference answers", () => {
  it.each(IDS)("of %s pass under every seed, with full points", (id) => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const verdict = judge(id, reference(id, seed), seed);
      if (seed === 1) table.add(checkOf(id), "the reference answer", checkOf(id).points, verdict);
      expect(verdict.message).toBe("Every property holds.");
      expect(verdict.score).toBe(checkOf(id).points);
    }
  });

  it("are what a reader is shown", () => {
    for (const id of IDS) expect(String(showAnswer(id, 1)["text/plain"])).toContain(referenceAnswer(id, 1));
  });

  it("come after two hints, of which the first gives no code away", () => {
    for (const id of IDS) {
      expect(String(hint(id)["text/plain"])).toContain(`hint("${id}", 2)`);
      expect(String(hint(id, 2)["text/plain"])).toContain(`answer("${id}", SEED)`);
    }
  });
});

/** A trip with each of its parts replaceable. */
const trip =
  (parts: {
    pmp?: Item[];
    delegate?: Item[];
    vector?: Item[];
    mode?: Item[];
    user?: Item[];
    landing?: Item[];
  }) =>
  (token: number) =>
    program({ origin: RAM }, [
      ...(parts.pmp ?? [
        asm.li("t0", -1),
        asm.csrw("pmpaddr0", "t0"),
        asm.li("t0", 0x1f),
        asm.csrw("pmpcfg0", "t0"),
      ]),
      ...(parts.delegate ?? [asm.li("t0", 1 << 8), asm.csrw("medeleg", "t0")]),
      ...(parts.vector ?? [asm.la("t0", "landing"), asm.csrw("stvec", "t0")]),
      ...(parts.mode ?? [asm.li("t0", 0x1800), asm.csrc("mstatus", "t0")]),
      asm.la("t0", "user"),
      asm.csrw("mepc", "t0"),
      asm.mret(),
      label("user"),
      ...(parts.user ?? [asm.li("a0", token), asm.ecall()]),
      label("landing"),
      ...(parts.landing ?? [asm.wfi()]),
    ]);

type Steal = (seed: number, loose: boolean) => unknown;
const probe = (
  seed: number,
  loose: boolean,
  addresses: (vault: readonly bigint[]) => readonly bigint[],
  onMiss: unknown,
): unknown => {
  const island = buildIsland({ seed, loose });
  for (const address of addresses(island.vault)) {
    const { cause } = island.land([asm.li("a1", address), asm.ld("a0", 0, "a1"), asm.ecall()]);
    if (cause === 8) return island.board.hart.read("a0");
  }
  return onMiss;
};

const wrong: Record<LandingExercise, [what: string, score: number, value: unknown][]> = {
  "01.1": [
    ["the untouched stub", 0, { seed: 1, a0: 0n, taken: 0 }],
    [
      "one turn too few",
      1,
      {
        seed: 1,
        a0: countdownSum(countdownOf(1)) - BigInt(countdownOf(1).turns * countdownOf(1).stride),
        taken: countdownOf(1).turns - 1,
      },
    ],
    [
      "the branch counted once too often",
      1,
      { seed: 1, a0: countdownSum(countdownOf(1)), taken: countdownOf(1).turns },
    ],
    [
      "the answer of another seed",
      0,
      { seed: 1, a0: countdownSum(countdownOf(2)), taken: countdownOf(2).turns - 1 },
    ],
    ["no seed", 0, { a0: countdownSum(countdownOf(1)), taken: countdownOf(1).turns - 1 }],
    ["words", 0, "fifteen"],
  ],
  "01.2": [
    ["the untouched stub", 0, { seed: 1, medeleg: 0n }],
    ["everything delegated", 1, { seed: 1, medeleg: 0xffffn }],
    ["only ECALL", 1, { seed: 1, medeleg: 1n << 8n }],
    [
      "causes joined as numbers",
      0,
      { seed: 1, medeleg: delegationWish(1).causes.reduce((mask, cause) => mask | BigInt(cause), 0n) },
    ],
    ["a negative number", 0, { seed: 1, medeleg: -1n }],
  ],
  "01.3": [
    ["the untouched stub", 0, (token: number) => program({ origin: RAM }, [asm.li("a0", token), asm.wfi()])],
    ["no PMP rule", 1, trip({ pmp: [] })],
    ["no delegation: the call lands in M", 2, trip({ delegate: [] })],
    ["no trap vector", 2, trip({ vector: [] })],
    [
      "MPP left at S: the call comes from S",
      0,
      trip({ mode: [asm.li("t0", 0x800), asm.csrs("mstatus", "t0")] }),
    ],
    ["a fixed token", 3, trip({ user: [asm.li("a0", 7), asm.ecall()] })],
    ["a handler that returns and calls again", 2, trip({ landing: [asm.sret()] })],
    [
      "a program with a mistake",
      0,
      (token: number) => program({ origin: RAM }, [asm.addi("a0", "zero", 5000 + token)]),
    ],
    ["no program", 0, () => 42],
  ],
  "01.4": [
    ["the untouched stub", 0, (() => 0n) satisfies Steal],
    [
      "only the first page",
      0,
      ((seed, loose) => probe(seed, loose, (vault) => vault.slice(0, 1), 0n)) satisfies Steal,
    ],
    [
      "all but the last page",
      1,
      ((seed, loose) => probe(seed, loose, (vault) => vault.slice(0, 15), 0n)) satisfies Steal,
    ],
    [
      "the address in place of the secret",
      0,
      ((seed, loose) => buildIsland({ seed, loose }).vault[3]) satisfies Steal,
    ],
    [
      "a secret of a tight island, read around the wall",
      0,
      ((seed) => buildIsland({ seed }).peek(0x8001_0000n)) satisfies Steal,
    ],
    [
      "minus one for nothing",
      2,
      ((seed, loose) => probe(seed, loose, (vault) => vault, -1n)) satisfies Steal,
    ],
    [
      "a function that throws",
      0,
      (() => {
        throw new Error("no");
      }) satisfies Steal,
    ],
  ],
  "01.5": [
    ["the untouched stub", 0, () => []],
    [
      "page faults counted as calls",
      0,
      (crossings: readonly Crossing[]) =>
        crossings.flatMap((c, i) =>
          c.isTrap && c.from === "U" ? [(crossings.slice(i).find((d) => d.to === "U")?.at ?? 0) - c.at] : [],
        ),
    ],
    [
      "the next crossing, wherever it goes",
      0,
      (crossings: readonly Crossing[]) =>
        crossings.flatMap((c, i) =>
          c.why.startsWith("environment") ? [(crossings[i + 1]?.at ?? 0) - c.at] : [],
        ),
    ],
    ["the sum of all", 0, (crossings: readonly Crossing[]) => [crossings.reduce((sum, c) => sum + c.at, 0)]],
    ["a number", 0, () => 4],
  ],
};

describe("wrong answers", () => {
  const cases = IDS.flatMap((id) => wrong[id].map(([what, score, value]) => ({ id, what, score, value })));

  it.each(cases)("$id: $what earns $score, with a sentence that helps", ({ id, what, score, value }) => {
    const verdict = judge(id, value);
    table.add(checkOf(id), what, score, verdict);
    expect(verdict.passed).toBe(false);
    expect(verdict.score).toBeCloseTo(score, 6);
    expect(verdict.message.length).toBeGreaterThan(20);
  });
});

describe("instances", () => {
  it("are the same for the same seed and differ between seeds", () => {
    for (const id of ["01.1", "01.2", "01.5"] as const) {
      expect(instance(id, 4)).toEqual(instance(id, 4));
      const texts = Array.from({ length: 12 }, (_, seed) =>
        JSON.stringify(instance(id, seed), (_, value) => (typeof value === "bigint" ? String(value) : value)),
      );
      expect(new Set(texts).size, id).toBeGreaterThan(5);
    }
  });

  it("of 01.1 do what the arithmetic says when the machine runs them", () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const board = buildBoard({ ramBytes: 1 << 20 });
      board.load(countdownProgram(seed));
      const { steps = [] } = board.run({ instructions: 100, log: true });
      const taken = steps.filter(
        (step) => step.text.startsWith("bne") && steps[steps.indexOf(step) + 1]?.pc !== step.pc + 4n,
      ).length;
      expect([board.hart.read("a0"), taken]).toEqual([
        countdownSum(countdownOf(seed)),
        countdownOf(seed).turns - 1,
      ]);
    }
  });
});
