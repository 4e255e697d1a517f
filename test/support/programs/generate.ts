/** Random programs out of seeds. */
import type { Mnemonic } from "../../../lib/isa/instructions.ts";
import { floatRegisterWord } from "../float-words.ts";
import { seededNumbers } from "../random.ts";
import { drawItem } from "./items.ts";
import {
  CODE_BYTES,
  GUEST_WINDOW,
  NOBODY,
  PAGE_WORDS,
  PAGES,
  RAM_START,
  TABLES,
  USER_ALIAS,
  WINDOW,
  WINDOW_PAGES,
} from "./layout.ts";
import { type Control, codeBytes, type Item, type Pointer, type Program } from "./program.ts";
import { type Below, COUNTER, POINTERS } from "./words.ts";

const ITEMS = 40;
const SV39 = 8n << 60n;
const SPV = 1n << 7n;
const [V, R, W, X, U, A, D] = [1n, 2n, 4n, 8n, 16n, 64n, 128n];

/** What programs of one kind are made of. */
export interface Kind {
  readonly withH: boolean;
  readonly pool: readonly Mnemonic[];
  /** Bits of `menvcfg` and `henvcfg` that are always set. */
  readonly environment: bigint;
}

const pick = <T>(below: Below, list: readonly T[]): T => list[below(list.length)] as T;
const word64 = (below: Below): bigint => (BigInt(below(2 ** 32)) << 32n) | BigInt(below(2 ** 32));

/** Values at which arithmetic goes wrong. */
const EDGES = [0, 1, -1, 63, 64, 31, 32, 2 ** 31, 2 ** 31 - 1, -(2 ** 31), 2 ** 32, 0xffff_ffff]
  .map(BigInt)
  .concat([2n ** 63n, 2n ** 63n - 1n]);

function integerWord(below: Below): bigint {
  const kind = below(8);
  if (kind < 3) return pick(below, EDGES);
  if (kind === 3) return BigInt.asUintN(64, BigInt.asIntN(1 + below(64), word64(below)));
  // Addresses, so that HLV, HSV and jumps through registers find something.
  if (kind === 4) return BigInt(pick(below, [WINDOW, GUEST_WINDOW, PAGES]) + 8 * below(0x1000));
  return word64(below);
}

/** An entry for one page: any rights, but mostly such that an access may succeed. */
function entry(below: Below, target: bigint, wantsUser: boolean): bigint {
  let flags = BigInt(below(256));
  if (below(8) !== 0) flags |= V;
  if (below(2) !== 0) flags |= A | D;
  if (below(3) !== 0) flags |= R | W | X;
  if (below(3) !== 0) flags = wantsUser ? flags | U : flags & ~U;
  // A pointer to a next level has no rights: nothing below the lowest level exists, so it is a fault.
  // Reserved bits, and PBMT where it is off; N is left to test/property/mmu, for QEMU 7.2 has not all of it.
  if (below(40) === 0) flags |= 1n << BigInt(54 + below(9));
  return ((target >> 12n) << 10n) | flags;
}

/** Eight pages, a superpage, and the pointer to the eight. */
function entries(below: Below, pages: () => bigint, lowest: bigint, wantsUser: boolean): bigint[] {
  const list = Array.from({ length: WINDOW_PAGES }, () => entry(below, pages(), wantsUser));
  const superpage =
    entry(below, BigInt(PAGES), wantsUser) | (below(16) === 0 ? 1n << BigInt(10 + below(9)) : 0n);
  const pointer = below(24) === 0 ? entry(below, lowest, wantsUser) : ((lowest >> 12n) << 10n) | V;
  return [...list, superpage, pointer];
}

const ownPage = (below: Below): bigint => BigInt(PAGES + 4096 * below(2));

function pointer(below: Below, isTranslated: boolean, isUser: boolean): Pointer {
  const inPage = 8 * below(512);
  const nearBorder = pick(below, [0, 2048, 2048, 2048, 4096, 4, 1]);
  const kind = below(16);
  if (kind === 0) return { space: "fixed", offset: NOBODY + inPage };
  if (!isTranslated || kind === 1)
    return { space: "plain", offset: 2048 + pick(below, [0, 2048, 8, inPage]) };
  if (kind < 4) return { space: isUser ? "alias" : "plain", offset: 2048 + pick(below, [0, 2048, 8]) };
  if (kind < 6) return { space: "superpage", offset: 2048 };
  return { space: "fixed", offset: WINDOW + 4096 * below(WINDOW_PAGES) + nearBorder };
}

/** Exceptions that may go to S-mode: not its own calls, with which its handler ends a program. */
const DELEGABLE = 0xb1ffn;
const HYPERVISOR_DELEGABLE = 0xf0_b5ffn;
const SOFTWARE_INTERRUPTS = 0x222n;

/** Status bits that a program may start with: everything but MIE, and MPP as it must be. */
function statusOf(below: Below, mode: number, isVirtual: boolean): bigint {
  const bit = (position: number, oneIn = 2): bigint => (below(oneIn) === 0 ? 1n << BigInt(position) : 0n);
  const fs = BigInt(pick(below, [3, 3, 3, 1, 2, 0])) << 13n;
  const often = bit(1) | bit(5) | bit(7) | bit(8) | bit(18) | bit(19);
  const seldom = bit(20, 6) | bit(21, 6) | bit(22, 6);
  if (isVirtual) return (often & ~0x100n) | seldom | fs | (BigInt(mode) << 8n);
  return often | seldom | fs | (BigInt(mode) << 11n);
}

function hypervisorControl(below: Below, kind: Kind): Record<string, bigint> {
  const bit = (position: number, oneIn = 2): bigint => (below(oneIn) === 0 ? 1n << BigInt(position) : 0n);
  const ids = word64(below) & (0x3fffn << 44n);
  return {
    hstatus: bit(7) | bit(8) | bit(9) | bit(20, 6) | bit(21, 6) | bit(22, 6),
    hedeleg: below(3) === 0 ? 0n : word64(below) & 0xb1ffn,
    hideleg: below(2) === 0 ? 0n : 0x444n & word64(below),
    hvip: below(3) === 0 ? 0x444n & word64(below) : 0n,
    hcounteren: BigInt(below(8)),
    henvcfg: kind.environment,
    vsstatus: bit(1) | bit(5) | bit(8) | bit(18) | bit(19) | (BigInt(pick(below, [3, 3, 1, 2, 0])) << 13n),
    vsatp: below(4) === 0 ? 0n : SV39 | BigInt(TABLES.guest.root >>> 12) | (ids & (0xffffn << 44n)),
    hgatp: below(4) === 0 ? 0n : SV39 | BigInt(TABLES.second.root >>> 12) | ids,
  };
}

function items(below: Below, { pool, withH }: Kind): Item[] {
  const list: Item[] = [];
  let bytes = codeBytes([]);
  for (let id = 0; id < ITEMS; id++) {
    const { jump, ...rest } = drawItem(below, pick(below, pool), withH);
    bytes += 4 * rest.words.length;
    if (bytes > CODE_BYTES) break;
    if (jump === undefined) list.push({ id, ...rest });
    else {
      const { ahead, ...place } = jump;
      list.push({ id, ...rest, jump: { ...place, target: id + ahead } });
    }
  }
  return list;
}

/** Faults of loads go where those of stores go: QEMU 7.2 takes some of these for some of those. */
const inPairs = (causes: bigint): bigint =>
  (causes & ~0x80c0n) | ((causes & 0x30n) << 2n) | ((causes & 0x2000n) << 2n);

/** All control words: the mode to start in, delegation, interrupts, translation. */
function controlOf(below: Below, kind: Kind, mode: number, isVirtual: boolean): Control {
  const hypervisor = kind.withH ? hypervisorControl(below, kind) : {};
  const ids = word64(below) & (0xffffn << 44n);
  const satp = below(3) === 0 ? 0n : SV39 | BigInt(TABLES.own.root >>> 12) | ids;
  const delegable = kind.withH ? HYPERVISOR_DELEGABLE : DELEGABLE;
  return {
    mstatus: statusOf(below, mode, isVirtual),
    satp,
    medeleg: below(3) === 0 ? 0n : inPairs(word64(below) & delegable),
    mideleg: below(2) === 0 ? 0n : word64(below) & SOFTWARE_INTERRUPTS,
    mie: below(2) === 0 ? 0n : word64(below) & (SOFTWARE_INTERRUPTS | (kind.withH ? 0x1444n : 0n)),
    mip: below(2) === 0 ? 0n : word64(below) & SOFTWARE_INTERRUPTS,
    mcounteren: BigInt(below(8)),
    scounteren: BigInt(below(8)),
    menvcfg: kind.environment,
    fcsr: BigInt(below(256)),
    ...hypervisor,
    ...(isVirtual ? { isGuest: -1n, hstatus: (hypervisor["hstatus"] ?? 0n) | SPV } : {}),
  };
}

/** A place in the guest's physical window; its last page may hold the guest's own table and is nobody's to write. */
const guestPage = (below: Below): number => GUEST_WINDOW + 4096 * below(WINDOW_PAGES - 1);

/**
 * The second stage's entries, and where the guest's lowest table is: now and then where its hypervisor may have left a hole,
 * in the window.
 */
function secondStage(below: Below): { readonly second: bigint[]; readonly guestLowest: bigint } {
  const isInWindow = below(3) === 0;
  const second = entries(below, () => ownPage(below), BigInt(TABLES.second.lowest), true);
  if (isInWindow) second[WINDOW_PAGES - 1] = entry(below, BigInt(TABLES.guest.lowest), true);
  const guestLowest = isInWindow ? GUEST_WINDOW + 4096 * (WINDOW_PAGES - 1) : TABLES.guest.lowest;
  return { second, guestLowest: BigInt(guestLowest) };
}

function integerRegisters(below: Below): bigint[] {
  const integers = Array.from({ length: 32 }, () => integerWord(below));
  for (const register of [0, ...Object.values(POINTERS)]) integers[register] = 0n;
  integers[COUNTER] = BigInt(below(5));
  return integers;
}

/** The program with a seed. The same seed gives the same program for as long as the generator does not change. */
export function generate(kind: Kind, seed: number): Program {
  const below = seededNumbers(seed);
  for (let turn = 0; turn < 8; turn++) below(2); // neighbors' first draws are alike
  const mode = pick(below, [0, 1, 3, 1, 0]);
  const isUser = mode === 0;
  const isVirtual = kind.withH && mode !== 3 && below(4) !== 0;
  const control = controlOf(below, kind, mode, isVirtual);
  const isTranslated = control[isVirtual ? "vsatp" : "satp"] !== 0n;
  const isInGuestSpace = isVirtual && control["vsatp"] === 0n && control["hgatp"] !== 0n;
  const where = (): Pointer =>
    isInGuestSpace && below(2) === 0
      ? pick(below, [
          { space: "fixed", offset: guestPage(below) + 2048 },
          { space: "guestSuperpage", offset: 2048 },
        ])
      : pointer(below, isTranslated, isUser);
  // LR and SC mostly find memory: an SC that may not even look makes no program.
  const plain: Pointer = {
    space: isUser && isTranslated ? "alias" : "plain",
    offset: 2048 + pick(below, [0, 8, 2048, 8 * below(512)]),
  };
  const { second, guestLowest } = secondStage(below);
  const guestTarget = (): bigint => (below(4) === 0 ? ownPage(below) : BigInt(guestPage(below)));
  const nothing: bigint[] = Array(PAGE_WORDS).fill(0n);
  return {
    name: `seed ${seed}`,
    codeShift: isUser && isTranslated ? USER_ALIAS - RAM_START : 0,
    integers: integerRegisters(below),
    items: items(below, kind),
    control,
    entries: {
      own: entries(below, () => ownPage(below), BigInt(TABLES.own.lowest), isUser),
      guest: kind.withH ? entries(below, guestTarget, guestLowest, isUser) : nothing,
      second: kind.withH ? second : nothing,
    },
    pointers: {
      [POINTERS.stack]: where(),
      [POINTERS.small]: where(),
      [POINTERS.other]: below(6) === 0 ? where() : plain,
    },
    floats: Array.from({ length: 32 }, () => floatRegisterWord(below)),
  };
}
