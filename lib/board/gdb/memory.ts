/** Guest memory as a debugger sees it: through a hart's tables, whatever the rights, and without side effects. */

import { PAGE_BYTES } from "../../bus/machine-memory.ts";
import type { Hart } from "../../hart/hart.ts";
import type { Mode } from "../../isa/mode.ts";
import { explainTranslation } from "../../mmu/explain-translation.ts";
import type { Board } from "../board.ts";

const PAGE = BigInt(PAGE_BYTES);
const TOP = 1n << 64n;

/** Whose tables are tried when the hart's present mode may not touch a page. */
const OTHER_MODES: Readonly<Record<Mode, readonly Mode[]>> = {
  M: ["M"],
  S: ["S", "U"],
  U: ["U", "S"],
  VS: ["VS", "VU"],
  VU: ["VU", "VS"],
};

/** Where a virtual address leads, for whoever may go there; undefined when nowhere. */
export function physicalOf(hart: Hart, address: bigint): bigint | undefined {
  for (const mode of OTHER_MODES[hart.mode])
    for (const access of ["load", "fetch", "store"] as const) {
      const { paddr, ok } = explainTranslation(hart, address, access, mode);
      if (ok && paddr !== undefined) return paddr;
    }
  return undefined;
}

/** Bytes from a virtual address on, as far as they are in RAM; devices are not asked, for reading them changes them. */
export function readVirtual(board: Board, hart: Hart, address: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  for (const [from, count] of pieces(address, length)) {
    const physical = physicalOf(hart, from);
    const found = physical === undefined ? undefined : board.memory.bytes(physical, count);
    if (!(found instanceof Uint8Array)) break;
    bytes.set(found, done);
    done += count;
  }
  return bytes.subarray(0, done);
}

/** Writes bytes at a virtual address. False: not all of it is RAM, and nothing was written. */
export function writeVirtual(board: Board, hart: Hart, address: bigint, bytes: Uint8Array): boolean {
  const parts = [...pieces(address, bytes.length)].map(([from, count]) => ({
    physical: physicalOf(hart, from),
    count,
  }));
  const isRam = parts.every(
    ({ physical, count }) =>
      physical !== undefined && board.memory.bytes(physical, count) instanceof Uint8Array,
  );
  if (!isRam) return false;
  let done = 0;
  for (const { physical, count } of parts) {
    if (physical !== undefined) board.memory.write(physical, bytes.subarray(done, done + count));
    done += count;
  }
  return true;
}

/** A range cut at page borders. */
function* pieces(address: bigint, length: number): Generator<readonly [bigint, number]> {
  for (let done = 0; done < length; ) {
    const from = (address + BigInt(done)) % TOP;
    const count = Math.min(length - done, Number(PAGE - (from % PAGE)));
    yield [from, count];
    done += count;
  }
}
