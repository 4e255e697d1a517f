/** Which instructions generated code hands to the slow path, and where: counted at the engine's door while a profile runs. */
import type { Board } from "../../../board/board.ts";
import { readVirtual } from "../../../board/gdb/memory.ts";
import { TranslatorEngine } from "../../../engine/translator/runtime/translator-engine.ts";
import { decode } from "../../../isa/decode.ts";
import type { PlainCounters } from "./engine-counters.ts";

/** One instruction of the guest that was handed over. */
interface Place {
  readonly text: string;
  readonly mnemonic: string;
  count: number;
}

const DOORS = { bail: "bails", fetchMiss: "fetch misses" } as const;
/** So many of the places are told. */
const MOST_PLACES = 40;

/** Counts from now on, for the board that `board` gives once there is one. The answer gives the counts. */
export function watchSlowSteps(board: () => Board | undefined): () => PlainCounters {
  const places = { bail: new Map<bigint, Place>(), fetchMiss: new Map<bigint, Place>() };
  for (const door of ["bail", "fetchMiss"] as const) {
    const original = TranslatorEngine.prototype[door];
    TranslatorEngine.prototype[door] = function (this: TranslatorEngine, budget: number): number {
      const known = places[door].get(this.pc);
      if (known !== undefined) known.count++;
      else places[door].set(this.pc, placeAt(board(), this.pc));
      return original.call(this, budget);
    };
  }
  return () => ({
    [`${DOORS.bail} by instruction`]: byMnemonic(places.bail.values()),
    [`${DOORS.bail} by place`]: byPlace(places.bail.values()),
    [`${DOORS.fetchMiss} by place`]: byPlace(places.fetchMiss.values()),
  });
}

function placeAt(board: Board | undefined, pc: bigint): Place {
  const hart = board?.harts.find((each) => each.pc === pc);
  const bytes =
    board === undefined || hart === undefined ? new Uint8Array() : readVirtual(board, hart, pc, 4);
  const word = bytes.reduce((sum, byte, index) => sum | (byte << (8 * index)), 0);
  const mnemonic = decode(word)?.mnemonic ?? "(no instruction)";
  const name = board?.symbols.nameOf(pc) ?? `0x${pc.toString(16)}`;
  return { text: `${mnemonic} at ${name}`, mnemonic, count: 1 };
}

function byMnemonic(places: Iterable<Place>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { mnemonic, count } of places) counts[mnemonic] = (counts[mnemonic] ?? 0) + count;
  return counts;
}

const byPlace = (places: Iterable<Place>): Record<string, number> =>
  Object.fromEntries(
    [...places]
      .sort((left, right) => right.count - left.count)
      .slice(0, MOST_PLACES)
      .map(({ text, count }) => [text, count]),
  );
