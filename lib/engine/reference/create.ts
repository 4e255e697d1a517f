/** Reference engines for the harts of a board. */
import type { Bus } from "../../bus/bus.ts";
import type { Hart } from "../../hart/hart.ts";
import type { FenceChecker } from "../../mmu/fence-checker.ts";
import { TranslationCache, TranslationSources } from "../../mmu/translation-cache.ts";
import type { TranslationMemory } from "../../mmu/translation-memory.ts";
import { DecodeMemo } from "./decode-memo.ts";
import { ReferenceEngine } from "./reference-engine.ts";
import { WordMemo } from "./word-memo.ts";

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
  const sources = new TranslationSources(bus.ram);
  const memo = new DecodeMemo(bus.ram, decodeMemo);
  return harts.map((hart) => {
    const translations = new TranslationCache(sources, translationCache);
    return new ReferenceEngine({ hart, bus, memo, translations, checker });
  }) as EngineOfEach<Harts>;
}

/**
 * Reference engines that make a few steps, here and there, for somebody who makes all others and remembers translations for both.
 *
 * @param memories  One for each hart.
 */
export function createSlowPaths(
  harts: readonly Hart[],
  bus: Bus,
  memories: readonly TranslationMemory[],
  checker?: FenceChecker,
): ReferenceEngine[] {
  const memo = new WordMemo(bus.ram);
  return harts.map((hart, index) => {
    const translations = memories[index];
    if (translations === undefined) throw new RangeError(`nobody remembers translations for hart ${hart.id}`);
    return new ReferenceEngine({ hart, bus, memo, translations, checker });
  });
}
