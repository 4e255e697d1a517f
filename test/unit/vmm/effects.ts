/** What a program leaves behind, on a bare board and in virtual machines of both kinds. The oracle of equivalence is the bare board. */
import { type BoardConfig, buildBoard } from "../../../lib/board/virt.ts";
import { gpa } from "../../../lib/hs/address.ts";
import type { HsContext } from "../../../lib/hs/context.ts";
import { onlooker } from "../../../lib/hs/onlooker.ts";
import { causeWords } from "../../../lib/isa/trap.ts";
import {
  type Classic,
  type ClassicOptions,
  hostAddress as classicAddress,
  installClassic,
} from "../../../lib/vmm/classic/monitor.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { hostAddress } from "../../../lib/vmm/second-stage.ts";
import { LOG } from "../../support/guest-programs.ts";
import { type Board, GUEST_BASE, type VmmScene, vmmScene } from "./vmm-scene.ts";

const pagesFrom = (address: bigint, count: number): number[] =>
  Array.from({ length: count }, (_, page) => Number((address - GUEST_BASE) / 4096n) + page);
/** The log, in the order of time; then code, tables and data; then what programs see as a large page. */
const COMPARED = [
  ...pagesFrom(LOG, 16),
  ...pagesFrom(GUEST_BASE, 24),
  ...pagesFrom(GUEST_BASE + 0x20_0000n, 16),
];
const LOG_ENTRY_BYTES = 256;
const LOGGED = ["cause", "epc", "tval", "status", "level", "a0", "a1", "a2", "a3", "a4", "a5"];
const ALL_LOGGED = [...LOGGED, "s2", "s3", "s4", "s5", "s6", "s7"];
/** More than programs use, so that no device tree lies among what is compared. */
const RAM_BYTES = 6 << 20;
const PLENTY = { instructions: 3_000_000 };

/** What a run has left: the program's memory page by page, and its console. */
export interface Effects {
  readonly stop: string;
  readonly console: string;
  readonly pages: readonly Uint8Array[];
  readonly retired: number;
}

const bytesOf = (found: unknown): Uint8Array => {
  if (!(found instanceof Uint8Array)) throw new Error("no RAM there");
  return found.slice();
};
const pages = (read: (address: bigint) => Uint8Array): Uint8Array[] =>
  COMPARED.map((page) => read(GUEST_BASE + BigInt(4096 * page)));

/** On a board of its own. */
export function onBareBoard(program: Uint8Array, config: BoardConfig = {}): Effects {
  const board = buildBoard(config);
  board.load({ origin: GUEST_BASE, bytes: program });
  const { reason, retired } = board.run(PLENTY);
  const read = (address: bigint): Uint8Array => bytesOf(board.memory.bytes(address, 4096));
  return { stop: reason, console: board.console.text, pages: pages(read), retired };
}

/** In a virtual machine with the hypervisor extension. */
export function asGuest(program: Uint8Array): Effects & { readonly scene: VmmScene } {
  const scene = vmmScene({ guests: [{ image: program, begins: "machine", ramBytes: RAM_BYTES }] });
  const { board, vmm } = scene;
  const { reason, retired } = board.run(PLENTY);
  const host = {
    context: onlooker(board) as unknown as HsContext,
    map: vmm.map,
    state: vmm.state,
    parts: {},
  };
  const read = (address: bigint): Uint8Array => {
    const at = hostAddress(host, 1, gpa(address));
    if (at !== undefined) return bytesOf(board.memory.bytes(at, 4096));
    // A page that the guest has not used is as the loader left it.
    const loaded = new Uint8Array(4096);
    loaded.set(program.subarray(Number(address - GUEST_BASE), Number(address - GUEST_BASE) + 4096));
    return loaded;
  };
  return { stop: reason, console: printedBy(vmm, 1), pages: pages(read), retired, scene };
}

/** A board without the hypervisor extension, and a monitor with a guest on it. */
export function classicScene(
  image: Uint8Array,
  config: BoardConfig = {},
  options: ClassicOptions = {},
  install: typeof installClassic = installClassic,
) {
  const board = buildBoard({ ...config, isa: { hypervisor: false, ...config.isa } });
  const classic = install(board, { image, ramBytes: RAM_BYTES }, options);
  if (classic.kind !== "classic") throw new Error(classic.message);
  return { board, classic };
}

/** In a virtual machine without the extension. */
export function asClassicGuest(
  program: Uint8Array,
  config: BoardConfig = {},
  options: ClassicOptions = {},
  install: typeof installClassic = installClassic,
): Effects & { readonly board: Board; readonly classic: Classic } {
  const { board, classic } = classicScene(program, config, options, install);
  const stop = board.run(PLENTY);
  if (stop.reason === "handler-error") throw new Error(stop.message);
  const read = (address: bigint): Uint8Array => bytesOf(board.memory.bytes(classicAddress(address), 4096));
  return {
    stop: stop.reason,
    console: board.console.text,
    pages: pages(read),
    retired: stop.retired,
    board,
    classic,
  };
}

/** How often a guest came to its monitor. */
export const classicExits = ({ classic: { state } }: { readonly classic: Classic }): number[] =>
  Array.from({ length: state.exits.length }, (_, kind) => Number(state.exits.get(kind)));

const wordAt = (page: Uint8Array | undefined, offset: number): bigint =>
  page === undefined ? 0n : new DataView(page.buffer, page.byteOffset).getBigUint64(offset, true);
const hex = (word: bigint): string => `0x${word.toString(16)}`;

/** An entry of the log, in words. */
function entryText(page: Uint8Array | undefined, offset: number): string {
  const [cause = 0n, epc = 0n, tval = 0n] = [0, 8, 16].map((at) => wordAt(page, offset + at));
  const isInterrupt = cause >> 63n === 1n;
  const words = causeWords({ isInterrupt, cause: Number(cause & 63n) });
  return cause === 0n && epc === 0n ? "no trap" : `${words} at ${hex(epc)}, tval ${hex(tval)}`;
}

/** The first difference of two runs, in words: which trap of the log, and what about it; or which word of memory. */
export function firstDifference(bare: Effects, guest: Effects): string | undefined {
  for (const [index, page] of bare.pages.entries()) {
    const other = guest.pages[index];
    for (let offset = 0; offset < 4096; offset += 8) {
      const [mine, its] = [wordAt(page, offset), wordAt(other, offset)];
      if (mine === its) continue;
      const address = GUEST_BASE + BigInt(4096 * (COMPARED[index] ?? 0) + offset);
      if (index >= 16) return `word ${hex(address)}: bare ${hex(mine)}, guest ${hex(its)}`;
      const entry = offset - (offset % LOG_ENTRY_BYTES);
      const number = (index * 4096 + entry) / LOG_ENTRY_BYTES;
      const what = ALL_LOGGED[(offset - entry) / 8] ?? "?";
      return `trap ${number}: ${what} is ${hex(mine)} bare and ${hex(its)} as a guest (bare: ${entryText(page, entry)}; guest: ${entryText(other, entry)})`;
    }
  }
  if (bare.console !== guest.console) return `console: bare "${bare.console}", guest "${guest.console}"`;
  return bare.stop === guest.stop ? undefined : `bare ended with ${bare.stop}, the guest with ${guest.stop}`;
}

/** Traps in the log. */
export const trapsIn = ({ pages: compared }: Effects): number =>
  compared
    .slice(0, 16)
    .flatMap((page) => Array.from({ length: 16 }, (_, entry) => wordAt(page, entry * LOG_ENTRY_BYTES + 32)))
    .filter((level) => level !== 0n).length;
