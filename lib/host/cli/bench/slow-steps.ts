/** Which instructions generated code hands to the slow path, and where: counted at the engine's door while a profile runs. */
import type { Board } from "../../../board/board.ts";
import { readVirtual } from "../../../board/gdb/memory.ts";
import { TranslatorEngine } from "../../../engine/translator/runtime/translator-engine.ts";
import type { Hart } from "../../../hart/hart.ts";
import { type DecodedInsn, decode } from "../../../isa/decode.ts";
import type { PlainCounters } from "./engine-counters.ts";

/** One instruction of the guest that was handed over. */
interface Place {
  readonly text: string;
  /** How to name why it was handed over. */
  readonly reason: (hart: Hart) => string;
  count: number;
}

const PAGE_MASK = 4095n;
/** Loads and stores of an integer or a number, by the bytes that they access. */
const WIDTHS: Readonly<Record<string, bigint>> = { b: 1n, h: 2n, w: 4n, d: 8n };

/** So many of the places are told. */
const MOST_PLACES = 40;

/** Counts from now on, for the board that `board` gives once there is one. The answer gives the counts. */
export function watchSlowSteps(board: () => Board | undefined): () => PlainCounters {
  const places = { bail: new Map<bigint, Place>(), fetchMiss: new Map<bigint, Place>() };
  const reasons: Record<string, number> = {};
  for (const door of ["bail", "fetchMiss"] as const) {
    const original = TranslatorEngine.prototype[door];
    TranslatorEngine.prototype[door] = function (this: TranslatorEngine, budget: number): number {
      const { pc } = this;
      const hart = board()?.harts.find((each) => each.pc === pc);
      const place = places[door].get(pc) ?? placeAt(board(), hart, pc);
      places[door].set(pc, place);
      place.count++;
      if (door === "bail" && hart !== undefined) {
        const reason = place.reason(hart);
        reasons[reason] = (reasons[reason] ?? 0) + 1;
      }
      return original.call(this, budget);
    };
  }
  return () => ({
    "bails by reason": reasons,
    "bails by place": byPlace(places.bail.values()),
    "fetch misses by place": byPlace(places.fetchMiss.values()),
  });
}

function placeAt(board: Board | undefined, hart: Hart | undefined, pc: bigint): Place {
  const bytes =
    board === undefined || hart === undefined ? new Uint8Array() : readVirtual(board, hart, pc, 4);
  const word = bytes.reduce((sum, byte, index) => sum | (byte << (8 * index)), 0);
  const insn = decode(word);
  const name = board?.symbols.nameOf(pc) ?? `0x${pc.toString(16)}`;
  const text = `${insn?.mnemonic ?? "(no instruction)"} at ${name}`;
  return { text, reason: reasonOf(insn, pc, (word & 3) === 3), count: 0 };
}

function reasonOf(insn: DecodedInsn | undefined, pc: bigint, isLong: boolean): Place["reason"] {
  if (insn === undefined) return () => "no instruction";
  if (isLong && (pc & PAGE_MASK) === PAGE_MASK - 1n) return () => "an instruction on two pages";
  const { mnemonic, rs1, imm } = insn;
  const letter = /^(?:c[.])?f?[ls]([bhwd])u?(?:sp)?$/.exec(mnemonic)?.[1];
  if (letter === undefined) return () => mnemonic;
  const width = WIDTHS[letter] ?? 1n;
  return (hart) => {
    const address = BigInt.asUintN(64, (hart.state.registers[rs1] ?? 0n) + imm);
    if (address % width !== 0n) return `${mnemonic}: misaligned`;
    return `${mnemonic}: translation not known, a page with a flag, or a device`;
  };
}

const byPlace = (places: Iterable<Place>): Record<string, number> =>
  Object.fromEntries(
    [...places]
      .sort((left, right) => right.count - left.count)
      .slice(0, MOST_PLACES)
      .map(({ text, count }) => [text, count]),
  );
