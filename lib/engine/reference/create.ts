/** Reference engines for the harts of a board. */
import type { Bus } from "../../bus/bus.ts";
import type { Hart } from "../../hart/hart.ts";
import type { FenceChecker } from "../../mmu/fence-checker.ts";
import { TranslationSources } from "../../mmu/translation-cache.ts";
import { DecodeMemo } from "./decode-memo.ts";
import { ReferenceEngine } from "./reference-engine.ts";

/** The two switches; both are on by default. Behavior is the same in all four positions. */
export interface ReferenceOptions {
  readonly decodeMemo?: boolean;
  readonly translationCache?: boolean;
}

type EngineOfEach<Harts extends readonly Hart[]> = { [Index in keyof Harts]: ReferenceEngine };

/** One engine for each hart. They share what they remember about RAM, so that a store of one is seen by all. */
export function createReferenceEngines<Harts extends readonly Hart[]>(
  harts: Harts,
  bus: Bus,
  { decodeMemo = true, translationCache = true }: ReferenceOptions = {},
  checker?: FenceChecker,
): EngineOfEach<Harts> {
  const memo = new DecodeMemo(bus.ram, decodeMemo);
  const sources = new TranslationSources(bus.ram);
  return harts.map(
    (hart) =>
      new ReferenceEngine({ hart, bus, memo, sources, cachesTranslations: translationCache, checker }),
  ) as EngineOfEach<Harts>;
}
