/**
 * Two-stage translation beside a slow walker that follows the manual's numbered steps and shares no line with the code
 * under test: random tables, random rights, A and D by hardware or by software.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import type { AccessKind } from "../../../lib/hart/effective-mode.ts";
import { vaddr } from "../../../lib/isa/address.ts";
import { MODE_NUMBER } from "../../../lib/isa/mode.ts";
import { translate, trapOf } from "../../../lib/mmu/translate.ts";
import { type BareMachine, bareMachine, RAM_BASE } from "../../support/bare-machine.ts";
import { seededNumbers } from "../../support/random.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const PAGES = 16;
const RAM_BYTES = PAGES * 4096;
const BASE = BigInt(RAM_BASE);
/** The root of the second stage takes pages 0 to 3; its other tables 4 and 5; the guest's tables 6 to 8. */
const ROOT_PAGES = 4;
const SECOND_STAGE_PAGES = [4, 5];
const GUEST_PAGES = [6, 7, 8];

interface Situation {
  readonly user: boolean;
  readonly sum: boolean;
  readonly guestMxr: boolean;
  readonly hostMxr: boolean;
  readonly guestAdue: boolean;
  readonly hostAdue: boolean;
  readonly kind: AccessKind;
  readonly hlvx: boolean;
  readonly guestBare: boolean;
  readonly hostBare: boolean;
  /** Sv48 in place of Sv39, in either stage. */
  readonly guestWide: boolean;
  readonly hostWide: boolean;
  readonly guestPbmte: boolean;
  readonly hostPbmte: boolean;
  /** No guest: the tables of `satp`. */
  readonly single: boolean;
  readonly va: bigint;
}

/** What the manual says happens: a physical address and the bits that hardware has set, or a cause. */
type Outcome =
  | { readonly pa: bigint; readonly set: Readonly<Record<string, bigint>> }
  | { readonly cause: number; readonly gpaOver4?: bigint; readonly tinst?: bigint };

/** The one PMP entry allows everything below. */
const END_OF_PMP = 2n ** 57n;

const CAUSES = { fetch: [12, 20, 1], load: [13, 21, 5], store: [15, 23, 7] } as const;

/** "Virtual Address Translation Process", steps 1 to 10, once for each stage. */
class BookWalker {
  readonly set: Record<string, bigint> = {};
  /** What of it stays set when the access is refused. */
  readonly read: Record<string, bigint> = {};
  readonly memory: DataView;
  readonly s: Situation;
  constructor(memory: DataView, situation: Situation) {
    this.memory = memory;
    this.s = situation;
  }

  word(pa: bigint): bigint | undefined {
    const offset = pa - BASE;
    const inside = offset >= 0n && offset + 8n <= BigInt(RAM_BYTES);
    return inside ? this.memory.getBigUint64(Number(offset), true) : undefined;
  }

  run(): Outcome {
    const { s } = this;
    const fail = (index: 0 | 1 | 2) => ({ cause: CAUSES[s.kind][index] });
    let gpa = s.va;
    if (!s.guestBare) {
      const top = BigInt.asIntN(64, s.va) >> (s.guestWide ? 47n : 38n);
      if (top !== 0n && top !== -1n) return fail(0);
      let a = BASE + BigInt((GUEST_PAGES[0] as number) * 4096);
      let level = s.guestWide ? 3 : 2;
      for (;;) {
        const shift = 12n + 9n * BigInt(level);
        const entryAt = a + ((s.va >> shift) % 512n) * 8n;
        const host = this.second(entryAt, "load", false, 0x3000n);
        if (typeof host !== "bigint") return host;
        const pte = this.word(host);
        if (pte === undefined) return fail(2);
        const [v, r, w, x, u, , acc, dirty] = [...Array(8).keys()].map(
          (bit) => (pte >> BigInt(bit)) % 2n === 1n,
        );
        if (!v || (!r && w) || (pte >> 54n) % 128n !== 0n) return fail(0);
        const [memoryType, n] = [(pte >> 61n) % 4n, pte >> 63n];
        if (memoryType !== 0n && !s.guestPbmte) return fail(0);
        if (!r && !x) {
          level -= 1;
          if (level < 0 || u || acc || dirty || memoryType !== 0n || n !== 0n) return fail(0);
          a = ((pte >> 10n) % 2n ** 44n) * 4096n;
          continue;
        }
        let ppn = (pte >> 10n) % 2n ** 44n;
        if (ppn % 512n ** BigInt(level) !== 0n || memoryType === 3n) return fail(0);
        if (n === 1n) {
          if (level > 0 || ppn % 16n !== 8n) return fail(0);
          ppn += ((s.va >> 12n) % 16n) - 8n;
        }
        if (s.user && !u) return fail(0);
        if (!s.user && u && (s.kind === "fetch" || !s.sum)) return fail(0);
        const readable = r || (x && (s.guestMxr || s.hostMxr));
        const allowed = s.kind === "fetch" || s.hlvx ? x : s.kind === "load" ? readable : w;
        if (!allowed) return fail(0);
        const wants = (acc ? 0n : 0x40n) | (s.kind === "store" && !dirty ? 0x80n : 0n);
        if (wants !== 0n) {
          if (!s.guestAdue) return fail(0);
          const target = this.second(entryAt, "store", false, 0x3020n);
          if (typeof target !== "bigint") return target;
          this.note(target, wants);
        }
        const size = 2n ** shift;
        gpa = ppn * 4096n - ((ppn * 4096n) % size) + (s.va % size);
        break;
      }
    }
    const pa = this.second(gpa, s.kind, true, 0n);
    if (typeof pa !== "bigint") return pa;
    return pa < END_OF_PMP ? { pa, set: this.set } : fail(2);
  }

  /** The second stage; every access is user mode's. */
  second(gpa: bigint, kind: AccessKind, explicit: boolean, tinst: bigint): bigint | Outcome {
    const { s } = this;
    if (s.hostBare) return gpa;
    const guestFault = { cause: CAUSES[s.kind][1], gpaOver4: gpa / 4n, tinst };
    if (gpa >= 2n ** (s.hostWide ? 50n : 41n)) return guestFault;
    let table = BASE;
    const levels = [
      [30n, s.hostWide ? 512n : 2048n],
      [21n, 512n],
      [12n, 512n],
    ] as const;
    for (const [shift, entries] of s.hostWide ? ([[39n, 2048n], ...levels] as const) : levels) {
      const at = table + ((gpa >> shift) % entries) * 8n;
      const pte = this.word(at);
      if (pte === undefined) return { cause: CAUSES[s.kind][2] };
      const flags = pte % 256n;
      const has = (mask: bigint): boolean => (flags & mask) === mask;
      if (!has(1n) || (has(4n) && !has(2n)) || (pte & 0x1fc0_0000_0000_0000n) !== 0n) return guestFault;
      const top = pte >> 61n; // N and PBMT
      if ((top & 3n) > (s.hostPbmte ? 2n : 0n)) return guestFault;
      let next = ((pte % 2n ** 54n) >> 10n) * 4096n;
      if (!has(2n) && !has(8n)) {
        if (shift === 12n || (flags & 0xd0n) !== 0n || top !== 0n) return guestFault;
        table = next;
        continue;
      }
      if (next % 2n ** shift !== 0n || !has(0x10n)) return guestFault;
      if (top >= 4n) {
        if (shift !== 12n || (next & 0xf000n) !== 0x8000n) return guestFault;
        next = next - 0x8000n + (gpa & 0xf000n);
      }
      const mayRead = has(2n) || (explicit && s.hostMxr && has(8n));
      const needsX = kind === "fetch" || (explicit && s.hlvx);
      if (!(needsX ? has(8n) : kind === "load" ? mayRead : has(4n))) return guestFault;
      const wants = (has(0x40n) ? 0n : 0x40n) | (kind === "store" && !has(0x80n) ? 0x80n : 0n);
      if (wants !== 0n && !s.hostAdue) return guestFault;
      if (wants !== 0n) this.note(at, wants);
      // The guest's table is read now, so its page has been accessed whatever is found there.
      if (wants !== 0n && !explicit && kind === "load") this.read[at.toString(16)] = wants;
      return next + (gpa % 2n ** shift);
    }
    return guestFault;
  }

  note(at: bigint, bits: bigint): void {
    const key = at.toString(16);
    this.set[key] = (this.set[key] ?? 0n) | bits;
  }
}

/** Tables that lead somewhere more often than not. */
function scatter(machine: BareMachine, below: (limit: number) => number): void {
  const pageWord = (page: number, flags: bigint) => (((BASE + BigInt(page * 4096)) >> 12n) << 10n) | flags;
  const someFlags = (usual: bigint): bigint =>
    below(3) === 0 ? BigInt(below(256)) | 1n : below(3) === 0 ? usual ^ (1n << BigInt(1 + below(7))) : usual;
  const superpage = (flags: bigint) => ((BASE >> 12n) << 10n) | flags;
  const special = (word: bigint): bigint => {
    switch (below(10)) {
      case 0:
        return word | (BigInt(below(4)) << 61n);
      case 1:
        return below(2) === 0 ? word | (1n << 63n) : word;
      case 2:
        // The 64 KiB of RAM, as each of sixteen entries says it.
        return (word & ~0x3f_ffff_ffff_fc00n) | (((BASE >> 12n) | 8n) << 10n) | (1n << 63n);
      default:
        return word;
    }
  };
  const entry = (tables: readonly number[], usual: bigint): bigint => special(plainEntry(tables, usual));
  const plainEntry = (tables: readonly number[], usual: bigint): bigint => {
    switch (below(16)) {
      case 0:
        return 0n;
      case 1:
        return (BigInt(below(2 ** 30)) << 34n) | BigInt(below(2 ** 30));
      case 2:
      case 3:
        return superpage(someFlags(usual));
      case 4:
        return pageWord(below(PAGES), 1n | (BigInt(below(3)) << 6n));
      case 5:
      case 6:
      case 7:
      case 8:
        return pageWord(tables[below(tables.length)] as number, 1n);
      default:
        return pageWord(below(PAGES), someFlags(usual));
    }
  };
  const put = (page: number, index: number, word: bigint) =>
    machine.ram.store(page * 4096 + index * 8, 8, word);
  for (let index = 0; index < 512 * ROOT_PAGES; index++)
    put(0, index, below(3) === 0 ? superpage(someFlags(0xdfn)) : entry(SECOND_STAGE_PAGES, 0xdfn));
  for (const page of SECOND_STAGE_PAGES)
    for (let index = 0; index < 512; index++) put(page, index, entry(SECOND_STAGE_PAGES, 0xdfn));
  // Often the second stage maps RAM where it is, so that the guest's tables are found.
  if (below(4) !== 0)
    put(0, 2, superpage(below(4) === 0 ? someFlags(0xdfn) : below(3) === 0 ? 0xdbn : 0xdfn));
  for (const page of GUEST_PAGES)
    for (let index = 0; index < 512; index++)
      put(
        page,
        index,
        entry(GUEST_PAGES, (below(2) === 0 ? 0xdfn : 0xcfn) & (below(3) === 0 ? ~0xc0n : -1n)),
      );
}

/** Now and then the guest's tables lead to leaves of the last level, most of them with a size or a memory type. */
function mapDeep(machine: BareMachine, below: (limit: number) => number): void {
  if (below(3) !== 0) return;
  const [root, middle, last] = GUEST_PAGES as [number, number, number];
  const pointer = (page: number): bigint => (((BASE >> 12n) + BigInt(page)) << 10n) | 1n;
  for (let index = 0; index < 512; index++) {
    machine.ram.store(root * 4096 + index * 8, 8, pointer(middle));
    machine.ram.store(middle * 4096 + index * 8, 8, pointer(below(2) === 0 ? middle : last));
    const flags = (below(2) === 0 ? 0xdfn : 0xcfn) & (below(3) === 0 ? ~0xc0n : -1n);
    const napot = (((BASE >> 12n) | 8n) << 10n) | (1n << 63n);
    const typed = (((BASE >> 12n) + BigInt(below(PAGES))) << 10n) | (BigInt(below(3)) << 61n);
    machine.ram.store(last * 4096 + index * 8, 8, flags | (below(2) === 0 ? napot : typed));
  }
}

/** Often the second stage of four levels maps RAM where it is, too: entry 0 of the root, entry 2 of the next table. */
function mapWide(machine: BareMachine, below: (limit: number) => number): void {
  if (below(4) === 0) return;
  machine.ram.store(0, 8, (((BASE >> 12n) + 4n) << 10n) | 1n);
  machine.ram.store(4 * 4096 + 16, 8, ((BASE >> 12n) << 10n) | (below(3) === 0 ? 0xdbn : 0xdfn));
}

function prepare(machine: BareMachine, s: Situation): void {
  const set = (name: Parameters<typeof writeCsr>[1], value: bigint) => writeCsr(machine.hart, name, value);
  machine.hart.reset();
  set("pmpaddr0", 2n ** 54n - 1n);
  set("pmpcfg0", 0x1fn);
  const bit = (on: boolean, place: number): bigint => (on ? 1n << BigInt(place) : 0n);
  set("menvcfg", 3n << 61n);
  set("henvcfg", bit(s.guestAdue, 61) | bit(s.guestPbmte, 62));
  // The guest's fields are zero while machine mode's are.
  set("menvcfg", bit(s.hostAdue, 61) | bit(s.hostPbmte, 62));
  set("mstatus", bit(s.hostMxr, 19) | bit(s.single && s.sum, 18));
  set("vsstatus", bit(s.guestMxr, 19) | bit(s.sum, 18));
  const guestRoot = (BASE >> 12n) + BigInt(GUEST_PAGES[0] as number);
  const root = s.guestBare ? 0n : ((s.guestWide ? 9n : 8n) << 60n) | guestRoot;
  set(s.single ? "satp" : "vsatp", root);
  set("hgatp", s.hostBare ? 0n : ((s.hostWide ? 9n : 8n) << 60n) | (BASE >> 12n));
}

const situations = fc.record({
  user: fc.boolean(),
  sum: fc.boolean(),
  guestMxr: fc.boolean(),
  hostMxr: fc.boolean(),
  guestAdue: fc.boolean(),
  hostAdue: fc.boolean(),
  kind: fc.constantFrom<AccessKind>("fetch", "load", "store"),
  hlvx: fc.boolean(),
  guestBare: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  hostBare: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  guestWide: fc.boolean(),
  hostWide: fc.boolean(),
  guestPbmte: fc.integer({ min: 0, max: 3 }).map((n) => n !== 0),
  hostPbmte: fc.integer({ min: 0, max: 3 }).map((n) => n !== 0),
  single: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  va: fc.oneof(
    fc.tuple(fc.nat(511), fc.nat(511), fc.nat(511), fc.nat(511), fc.nat(4095)).map(([top, a, b, c, d]) => {
      const high = (BigInt(top) << 39n) | (BigInt(a) << 30n);
      const low = (BigInt(b) << 21n) | (BigInt(c) << 12n) | BigInt(d & ~7);
      return BigInt.asUintN(64, BigInt.asIntN(48, high | low));
    }),
    fc.bigInt({ min: 0n, max: 2n ** 51n - 1n }).map((word) => word & ~7n),
    fc.tuple(fc.nat(511), fc.nat(511), fc.nat(511), fc.nat(4095)).map(([a, b, c, d]) => {
      const low = (BigInt(a) << 30n) | (BigInt(b) << 21n) | (BigInt(c) << 12n) | BigInt(d & ~7);
      return BigInt.asUintN(64, BigInt.asIntN(39, low));
    }),
    fc.nat(RAM_BYTES - 8).map((offset) => BASE + BigInt(offset & ~7)),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((word) => word & ~7n),
    fc.bigInt({ min: 0n, max: 2n ** 42n - 1n }).map((word) => word & ~7n),
  ),
});

describe("two-stage translation", () => {
  it("does what the manual's steps do, to the bit that hardware sets", () => {
    const machine = bareMachine({ ramBytes: RAM_BYTES });
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 30 }),
        fc.array(situations, { minLength: 20, maxLength: 20 }),
        (seed, list) => {
          scatter(machine, seededNumbers(seed));
          mapDeep(machine, seededNumbers(seed + 2));
          if (seed % 2 === 0) mapWide(machine, seededNumbers(seed + 1));
          for (const raw of list) {
            const guest = {
              ...raw,
              hlvx: raw.hlvx && raw.kind === "load" && !raw.single,
              guestAdue: raw.guestAdue && raw.hostAdue,
              guestPbmte: raw.guestPbmte && raw.hostPbmte,
            };
            // Without a guest there is one stage, and machine mode's switches are its.
            const alone = { guestAdue: raw.hostAdue, guestPbmte: raw.hostPbmte, guestMxr: raw.hostMxr };
            const s = raw.single ? { ...guest, ...alone, hostBare: true } : guest;
            prepare(machine, { ...s, guestAdue: raw.guestAdue, guestPbmte: raw.guestPbmte });
            const before = machine.ram.u8.slice();
            const book = new BookWalker(new DataView(before.buffer), s);
            const expected = book.run();
            const { U, S, VU, VS } = MODE_NUMBER;
            const mode = s.single ? (s.user ? U : S) : s.user ? VU : VS;
            const rights = { mode, needsExecute: s.hlvx };
            const found = translate(machine.hart.state, machine.bus, vaddr(s.va), s.kind, 8, rights);
            const width = `${s.guestBare ? "" : s.guestWide ? 48 : 39}`;
            const used = found.kind === "translation" && (found.leaf?.pte ?? 0n) >> 61n;
            const form = `${width}${used === 4n ? " napot" : used ? " typed" : ""}${s.single ? " single" : ""}`;
            seen.set(`${found.kind} ${form}`, 1);
            const label = `${found.kind} ${"cause" in expected ? expected.cause : "ok"} ${"tinst" in expected ? expected.tinst : ""}`;
            seen.set(label, (seen.get(label) ?? 0) + 1);
            for (const [at, bits] of Object.entries("pa" in expected ? expected.set : book.read)) {
              const offset = Number(BigInt(`0x${at}`) - BASE);
              const view = new DataView(before.buffer);
              view.setBigUint64(offset, view.getBigUint64(offset, true) | bits, true);
            }
            if ("pa" in expected) expect(found).toMatchObject({ kind: "translation", paddr: expected.pa });
            else {
              if (found.kind === "translation") throw new Error(`went to ${found.paddr.toString(16)}`);
              const trap = trapOf(found, s.kind, s.va, mode);
              expect({ cause: trap.cause, gva: trap.gva, tval: trap.tval }).toEqual({
                cause: expected.cause,
                gva: !s.single,
                tval: s.va,
              });
              expect([trap.tval2, trap.tinst]).toEqual([expected.gpaOver4 ?? 0n, expected.tinst ?? 0n]);
            }
            expect(Buffer.compare(machine.ram.u8, before)).toBe(0);
          }
        },
      ),
      { seed: 1, numRuns: isFull ? 6000 : 600 },
    );
    // Every kind of outcome was met: pages, both stages' faults, implicit reads and writes of the guest's tables.
    const labels = [...seen.keys()].join("\n");
    for (const outcome of ["translation ok", "walk-fault 12", "walk-fault 13", "walk-fault 15"])
      expect(labels).toContain(outcome);
    for (const form of [
      "39",
      "48",
      "39 napot",
      "39 typed",
      "39 napot single",
      "48 napot single",
      "48 typed single",
    ])
      expect(labels).toContain(`translation ${form}`);
    for (const cause of [20, 21, 23])
      for (const tinst of ["0", "12288", "12320"])
        expect(labels).toContain(`guest-page-fault ${cause} ${tinst}`);
  }, 600_000);
});
