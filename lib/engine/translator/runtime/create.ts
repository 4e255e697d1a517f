/** Translating engines for the harts of a board. */
import type { Bus } from "../../../bus/bus.ts";
import type { MachineMemory, MemoryPlan } from "../../../bus/machine-memory.ts";
import type { Hart } from "../../../hart/hart.ts";
import { TranslationSources } from "../../../mmu/translation-cache.ts";
import type { TranslationMemory } from "../../../mmu/translation-memory.ts";
import type { SlowPath } from "../../engine.ts";
import { FLAGS, RAM_OFFSET } from "../layout.ts";
import { TranslationBanks } from "./translation-banks.ts";
import { Translator, type TranslatorParts } from "./translator.ts";
import { TranslatorEngine } from "./translator-engine.ts";

/** How the memory of a machine with these engines must be laid out. */
export const ENGINE_PLAN: MemoryPlan = { flagsOffset: FLAGS, ramOffset: RAM_OFFSET };

/** Makes the engines that take the steps which generated code leaves, one for each hart, over the memories given. */
export type SlowPathSource = (memories: readonly TranslationMemory[]) => readonly SlowPath[];

type EngineOfEach<Harts extends readonly Hart[]> = { [Index in keyof Harts]: TranslatorEngine };

/** One engine for each hart. */
export function createTranslatorEngines<Harts extends readonly Hart[]>(
  parts: {
    readonly harts: Harts;
    readonly bus: Bus;
    /** Laid out by `ENGINE_PLAN`. */
    readonly memory: MachineMemory;
  } & Pick<TranslatorParts, "regions" | "heatThreshold" | "manyEnded">,
  slowPaths: SlowPathSource,
): EngineOfEach<Harts> {
  const { harts, bus } = parts;
  const translator = new Translator(parts);
  const sources = new TranslationSources(bus.ram);
  const banks = harts.map(
    (hart) =>
      new TranslationBanks({
        memory: translator.memory,
        hart,
        h: hart.state.bytes.byteOffset,
        harts: harts.length,
        sources,
        codePages: translator.codePages,
        counters: translator.counters,
        onUnmap: (codePage, bits) => translator.unmap(codePage, bits),
        onLearn: (codePage, bits) => translator.learn(codePage, bits),
        onForget: (bits) => translator.withdraw(bits),
        onFull: () => translator.requestFlush(),
      }),
  );
  const slow = slowPaths(banks);
  return harts.map((hart, index) => {
    const [ownBanks, ownSlow] = [banks[index], slow[index]];
    if (ownBanks === undefined || ownSlow === undefined)
      throw new RangeError(`no slow path for hart ${hart.id}`);
    return new TranslatorEngine({
      hart,
      h: hart.state.bytes.byteOffset,
      translator,
      banks: ownBanks,
      slow: ownSlow,
    });
  }) as EngineOfEach<Harts>;
}
