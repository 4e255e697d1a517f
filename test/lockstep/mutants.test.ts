/**
 * Bugs planted in the translator: each must show in lockstep within a bounded number of random programs. A bug is planted in a
 * copy of the modules that this test alone has; nothing of it is in the product.
 */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { OpName } from "../../lib/engine/translator/emit/table.ts";
import type { RegionSource } from "../../lib/engine/translator/runtime/registry.ts";
import { type LoopingProgram, loopingProgram } from "../support/programs/looping.ts";

/** Programs within which a bug must show, and how long each runs. */
const MAX_PROGRAMS = 24;
const INSTRUCTIONS = 200_000;
const EVERY = 50_000;

type EmitterTable = typeof import("../../lib/engine/translator/emit/table.ts");
type Changeable<T> = { -readonly [K in keyof T]: T[K] };

/** One instruction is translated as if it were another. */
const confuse = (name: OpName, other: OpName) => async (): Promise<void> => {
  const { OPS }: EmitterTable = await import("../../lib/engine/translator/emit/table.ts");
  const find = (wanted: OpName): Changeable<(typeof OPS)[number]> => {
    const op = OPS.find((each) => each.name === wanted);
    if (op === undefined) throw new Error(`nothing is translated as ${wanted}`);
    return op;
  };
  find(name).emitter = find(other).emitter;
};

/** The source of regions is changed. */
const changeRegions =
  (change: (source: RegionSource) => Partial<RegionSource>) => async (): Promise<void> => {
    vi.doMock("../../lib/engine/translator/region/regions.ts", async (original) => {
      const module = await original<typeof import("../../lib/engine/translator/region/regions.ts")>();
      return {
        ...module,
        createRegions: (...options: Parameters<typeof module.createRegions>) => {
          const create = module.createRegions(...options);
          return (...host: Parameters<typeof create>): RegionSource => {
            const source = create(...host);
            return Object.assign(Object.create(source), boundTo(source), change(source));
          };
        },
      };
    });
  };

/** Methods of an object with private fields work on itself alone. */
function boundTo(source: RegionSource): RegionSource {
  const { invalidate, hot, resolve, unmap, learn, flush } = source;
  const methods = { invalidate, hot, resolve, unmap, learn, flush };
  return Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      (method as (...rest: never[]) => unknown).bind(source),
    ]),
  ) as unknown as RegionSource;
}

/** A method of a class does something else. */
async function changeBanks(
  change: (prototype: Record<string, (...rest: never[]) => unknown>) => void,
): Promise<void> {
  const { TranslationBanks } = await import("../../lib/engine/translator/runtime/translation-banks.ts");
  change(TranslationBanks.prototype as unknown as Record<string, (...rest: never[]) => unknown>);
}

const MUTANTS: readonly (readonly [about: string, plant: () => Promise<void>, inFloats?: boolean])[] = [
  ["shifts in zeroes where the sign belongs", confuse("sraiw", "srliw")],
  ["forgets that ADDW extends a sign", confuse("addw", "add")],
  ["loads words without their sign", confuse("lw", "lwu")],
  ["divides as if there were no signs", confuse("rem", "remu")],
  ["compares as if there were no signs", confuse("blt", "bltu")],
  ["takes the unsigned maximum of words in memory", confuse("amomax.w", "amomaxu.w")],
  ["counts leading zeroes from the wrong end", confuse("clz", "ctz")],
  ["subtracts doubles the wrong way", confuse("fsub.d", "fadd.d"), true],
  ["takes one sign of a single for another", confuse("fsgnjn.s", "fsgnjx.s"), true],
  [
    "keeps what a store to a page table has changed",
    () => changeBanks((banks) => Object.assign(banks, { forgetAt() {} })),
  ],
  ["keeps regions whose code was stored to", changeRegions(() => ({ invalidate() {} }))],
  [
    "keeps the context of the mode before",
    () =>
      changeBanks((banks) => {
        let calls = 0;
        const { selectContext } = banks;
        banks["selectContext"] = function (this: unknown) {
          calls++;
          if (calls < 100) selectContext?.apply(this);
        };
      }),
  ],
  [
    "gives a step too few back",
    async () => {
      const { HartWords } = await import("../../lib/engine/translator/runtime/hart-words.ts");
      const { take } = HartWords.prototype;
      HartWords.prototype.take = function (this: InstanceType<typeof HartWords>, left) {
        return take.call(this, left > 1000 ? left - 1 : left);
      };
    },
  ],
];

/** Programs of all kinds, in turn. */
const MODES = ["S", "U", "VS", "M", "VU"] as const;
const programAt = (at: number, isFloating: boolean): LoopingProgram => ({
  seed: 7000 + at,
  mode: MODES[at % MODES.length] ?? "S",
  isTranslated: at % MODES.length !== 3 && at % 4 !== 3,
  harts: 1,
  isFloating,
});

/** Programs until one shows a difference; its report. Undefined: none did. */
async function firstDifference(
  isFloating: boolean,
): Promise<{ programs: number; message: string } | undefined> {
  const { lockstep } = await import("../../lib/board/lockstep.ts");
  const { buildBoard } = await import("../../lib/board/virt.ts");
  for (let at = 0; at < MAX_PROGRAMS; at++) {
    const parts = loopingProgram(programAt(at, isFloating));
    const build = (engine: "reference" | "translator") => {
      const board = buildBoard({ engine, ramBytes: 4 << 20, translating: { heatThreshold: 16, batch: 4 } });
      for (const [address, bytes] of parts) board.memory.write(BigInt(address), bytes);
      return board;
    };
    try {
      const report = lockstep({
        build: () => [build("reference"), build("translator")],
        instructions: INSTRUCTIONS,
        every: EVERY,
      });
      if (report.kind === "different") return { programs: at + 1, message: report.message };
    } catch (error) {
      // A bug may well lead generated code out of the machine's memory.
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      return { programs: at + 1, message: error.message };
    }
  }
  return undefined;
}

describe("a translator that", () => {
  afterEach(() => {
    vi.doUnmock("../../lib/engine/translator/region/regions.ts");
    vi.resetModules();
  });

  for (const [about, plant, isFloating = false] of MUTANTS)
    it(`${about} is found`, async () => {
      vi.resetModules();
      await plant();
      const found = await firstDifference(isFloating);
      expect(found, "no program showed it").toBeDefined();
      console.log(
        `${about}: program ${found?.programs}\n${found?.message.split("\n").slice(0, 5).join("\n")}`,
      );
    }, 600_000);

  it("has none of these bugs shows no difference in the same programs", async () => {
    vi.resetModules();
    expect(await firstDifference(false)).toBeUndefined();
  }, 600_000);
});
