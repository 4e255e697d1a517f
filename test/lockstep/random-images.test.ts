/** The images of random programs that are compared with QEMU, many rounds of each, on both engines in lockstep. */
import { afterAll, describe, expect, it } from "vitest";
import { type BoardConfig, buildBoard } from "../../lib/board/virt.ts";
import { floatRegisterWord } from "../support/float-words.ts";
import { expectSame, PLANNED, Tally } from "../support/lockstep.ts";
import { generate } from "../support/programs/generate.ts";
import { imageOf } from "../support/programs/image.ts";
import { poolOf } from "../support/programs/items.ts";
import { RAM_START } from "../support/programs/layout.ts";
import { listing } from "../support/programs/program.ts";
import { seededNumbers } from "../support/random.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
/** Another seed is another set of programs: DOM0_SEED=12345. */
const SEED = Number(process.env["DOM0_SEED"] ?? 1);
/** Programs of an image, rounds of it, and images: the rounds make programs hot. */
const [PROGRAMS, ROUNDS, IMAGES] = isFull ? [40, 300, 3] : [6, 130, 1];
const EVERY = 250_000;

const KINDS = [
  { title: "with hypervisor", withH: true, environment: 1n << 61n },
  { title: "without hypervisor", withH: false, environment: 1n << 61n },
  { title: "with hypervisor, A and D by software", withH: true, environment: 0n },
] as const;
const TRANSLATIONS = ["coherent", "sticky"] as const;

describe("images of random programs, on both engines in lockstep", () => {
  const total = new Tally();
  let seed = SEED;
  for (const { title, ...kind } of KINDS)
    for (const translations of TRANSLATIONS) {
      const first = seed;
      seed += PROGRAMS * IMAGES;
      it(`${title}, ${translations}, from seed ${first} on`, () => {
        for (let image = 0; image < IMAGES; image++) {
          const config: BoardConfig = { ramBytes: 16 << 20, translations };
          runImage({ ...kind, pool: poolOf(kind.withH, new Set()) }, first + image * PROGRAMS, config, total);
        }
      }, 3_600_000);
    }

  afterAll(() => {
    console.log(total.words("images of random programs"));
    total.report("images");
    expect(total.instructions).toBeGreaterThanOrEqual(PLANNED.images);
    expect(total.fallbacks({ share: 0.7, regionShare: 0.5 })).toEqual([]);
  });
});

function runImage(
  kind: Parameters<typeof generate>[0],
  firstSeed: number,
  config: BoardConfig,
  tally: Tally,
): void {
  const programs = Array.from({ length: PROGRAMS }, (_, at) => generate(kind, firstSeed + at));
  const below = seededNumbers(1);
  const ram = imageOf(programs, kind.withH, () => floatRegisterWord(below), ROUNDS);
  const board = expectSame({
    title: `seeds ${firstSeed} to ${firstSeed + PROGRAMS - 1}; the first is\n${programs.slice(0, 1).map(listing)}`,
    tally,
    isEager: true,
    instructions: 1e9,
    every: EVERY,
    build: (engine) => {
      const made = buildBoard({ ...config, ...engine });
      made.load({ origin: BigInt(RAM_START), bytes: ram });
      return made;
    },
  });
  expect(board.run({ instructions: 1 }).reason).toBe("poweroff");
}
