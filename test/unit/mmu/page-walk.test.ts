/** The Sv39 walk against tables built by hand, and against a model that reads permissions from a truth table. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { vaddr } from "../../../lib/isa/address.ts";
import { type ReadPte, type WalkRequest, type WalkStep, walkPageTable } from "../../../lib/mmu/page-walk.ts";
import { PTE, pteFlagsText } from "../../../lib/mmu/pte.ts";
import { isInScheme, SCHEMES, tableIndex } from "../../../lib/mmu/scheme.ts";

const ROOT = 0x8000_0000n;
const MIDDLE = 0x8000_1000n;
const LAST = 0x8000_2000n;
const { V, R, W, X, U, A, D } = PTE;
const pte = (address: bigint, flags: bigint): bigint => ((address >> 12n) << 10n) | flags;

/** Tables in a map from physical address to entry. */
const reader =
  (entries: ReadonlyMap<bigint, bigint>): ReadPte =>
  (address) =>
    entries.get(address) ?? 0n;

const request = (change: Partial<WalkRequest> = {}): WalkRequest => ({
  scheme: SCHEMES.Sv39,
  rootPpn: ROOT >> 12n,
  vaddr: vaddr(0x4020_3456n),
  kind: "load",
  asUser: true,
  sum: false,
  mxr: false,
  setsAccessedDirty: false,
  needsExecute: false,
  allowsMemoryTypes: false,
  ...change,
});

/** 0x4020_3456: indexes 1, 1, 3 and offset 0x456. */
const tables = (leaf: bigint, middle = pte(LAST, V), root = pte(MIDDLE, V)): ReadPte =>
  reader(
    new Map([
      [ROOT + 8n, root],
      [MIDDLE + 8n, middle],
      [LAST + 24n, leaf],
    ]),
  );

const FULL = V | R | W | X | U | A | D;

describe("a walk", () => {
  it("goes through three tables and adds the offset (norm:Sv39_LEVELS norm:Sv39_levels norm:Sv39_PTESIZE norm:Sv39_page_offset_sz norm:Sv39_pte_sz norm:Sv39_vpn_sz)", () => {
    const steps: WalkStep[] = [];
    const found = walkPageTable(request(), tables(pte(0x8765_4000n, FULL)), (step) => steps.push(step));
    expect(found).toMatchObject({ kind: "leaf", paddr: 0x8765_4456n, level: 0, pteAddress: LAST + 24n });
    expect(
      steps.map(({ level, vpnIndex: index, pteAddress, verdict }) => [level, index, pteAddress, verdict]),
    ).toEqual([
      [2, 1, ROOT + 8n, "pointer"],
      [1, 1, MIDDLE + 8n, "pointer"],
      [0, 3, LAST + 24n, "leaf"],
    ]);
  });

  it("takes 2 MiB and 1 GiB pages where a leaf stands higher (norm:Sv39_page_sizes norm:Sv39_leaf_any_level)", () => {
    expect(walkPageTable(request(), tables(0n, pte(0x8760_0000n, FULL)))).toMatchObject({
      level: 1,
      paddr: 0x8760_3456n,
    });
    expect(walkPageTable(request(), tables(0n, 0n, pte(0xc000_0000n, FULL)))).toMatchObject({
      level: 2,
      paddr: 0xc020_3456n,
    });
  });

  it.each([
    [pte(0x8765_4000n, FULL & ~V), undefined, undefined, "invalid", 0],
    [0n, pte(LAST, 0n), undefined, "invalid", 1],
    [0n, undefined, 0n, "invalid", 2],
    [pte(0x8765_4000n, (FULL & ~R) | W), undefined, undefined, "write-without-read", 0],
    [pte(0x8765_4000n, FULL) | (1n << 54n), undefined, undefined, "reserved-bits", 0],
    [pte(0x8765_4000n, FULL) | (1n << 61n), undefined, undefined, "memory-type-disabled", 0],
    [pte(0x8765_4000n, FULL) | (1n << 63n), undefined, undefined, "napot-size-reserved", 0],
    [0n, pte(LAST, V | U), undefined, "pointer-with-leaf-bits", 1],
    [0n, pte(LAST, V | A), undefined, "pointer-with-leaf-bits", 1],
    [0n, undefined, pte(MIDDLE, V | D), "pointer-with-leaf-bits", 2],
    [pte(0x8765_4000n, V), undefined, undefined, "pointer-at-last-level", 0],
    [0n, pte(0x8760_1000n, FULL), undefined, "misaligned-superpage", 1],
    [0n, undefined, pte(0xc020_0000n, FULL), "misaligned-superpage", 2],
    [pte(0x8765_4000n, FULL & ~A), undefined, undefined, "not-accessed", 0],
  ] as const)(
    "of %s, %s, %s fails: %s at level %d (norm:Sv39_superpage_align_fault norm:Sv39_pte_future_rsv norm:Sv39_superpage_align)",
    (leaf, middle, root, reason, level) => {
      expect(walkPageTable(request(), tables(leaf, middle, root))).toEqual({
        kind: "walk-fault",
        reason,
        level,
      });
    },
  );

  it("reports an entry that cannot be read, and why", () => {
    expect(walkPageTable(request(), () => "pte-access-denied")).toEqual({
      kind: "walk-fault",
      reason: "pte-access-denied",
      level: 2,
    });
    expect(walkPageTable(request(), () => "pte-unreachable")).toEqual({
      kind: "walk-fault",
      reason: "pte-unreachable",
      level: 2,
    });
  });

  it("refuses addresses whose bits 63 to 39 do not repeat bit 38, without reading anything (norm:Sv39_va_signext norm:Sv39_va_sz)", () => {
    for (const bits of [0x0000_0040_0000_0000n, 0xffff_ffbf_ffff_ffffn, 1n << 63n, 0x0080_0000_0000_0000n]) {
      const read = (): never => {
        throw new Error("read");
      };
      expect(walkPageTable(request({ vaddr: vaddr(bits) }), read)).toMatchObject({ reason: "not-canonical" });
    }
    expect(isInScheme(SCHEMES.Sv39, 0xffff_ffc0_0000_0000n)).toBe(true);
    expect(isInScheme(SCHEMES.Sv39, 0x0000_003f_ffff_ffffn)).toBe(true);
  });
});

describe("rights", () => {
  /** What the manual's text says, case by case, from the flags as a string. */
  function mayAccess(flags: string, { kind, asUser, sum, mxr }: WalkRequest): boolean {
    const has = (letter: string): boolean => flags.includes(letter);
    if (!has("V") || (has("W") && !has("R")) || !(has("R") || has("X"))) return false;
    if (asUser && !has("U")) return false;
    if (!asUser && has("U") && (kind === "fetch" || !sum)) return false;
    if (kind === "fetch" && !has("X")) return false;
    if (kind === "store" && !has("W")) return false;
    if (kind === "load" && !has("R") && !(mxr && has("X"))) return false;
    return has("A") && (kind !== "store" || has("D"));
  }

  it("are those of the manual for every leaf, access and setting (norm:sstatus_sum norm:sstatus_mxr norm:svade_access_ad_bit_clear norm:mstatus_sum_op norm:mstatus_mxr_op norm:load_page_fault_no_r norm:store_page_fault_no_w norm:fetch_page_fault_no_x)", () => {
    let allowed = 0;
    for (let flags = 0n; flags < 256n; flags++) {
      for (const kind of ["fetch", "load", "store"] as const) {
        for (let setting = 0; setting < 8; setting++) {
          const wanted = request({
            kind,
            asUser: (setting & 1) !== 0,
            sum: (setting & 2) !== 0,
            mxr: (setting & 4) !== 0,
          });
          const found = walkPageTable(wanted, tables(pte(0x8765_4000n, flags)));
          const expected = mayAccess(pteFlagsText(flags), wanted);
          expect(found.kind === "leaf", `${pteFlagsText(flags)} ${kind} ${setting}`).toBe(expected);
          if (expected) allowed += 1;
        }
      }
    }
    expect(allowed).toBeGreaterThan(100);
  });

  it("with ADUE the walk asks for A, and for D when it stores, instead of failing (norm:menvcfg_adue_op norm:Svadu_disabled_hw_update_falls_back_to_svade)", () => {
    const clean = pte(0x8765_4000n, FULL & ~A & ~D);
    const load = walkPageTable(request({ setsAccessedDirty: true }), tables(clean));
    expect(load).toMatchObject({ kind: "leaf", pte: clean, wantedPte: clean | A });
    const store = walkPageTable(request({ setsAccessedDirty: true, kind: "store" }), tables(clean));
    expect(store).toMatchObject({ kind: "leaf", wantedPte: clean | A | D });
  });
});

describe("a random address space", () => {
  const levelBytes = [4096n, 2n << 20n, 1n << 30n] as const;
  /** Mappings: where, to what, how large. Later ones win. */
  const mapping = fc.record({
    level: fc.constantFrom(0, 1, 2),
    place: fc.bigInt({ min: 0n, max: 2n ** 27n - 1n }),
    target: fc.bigInt({ min: 0n, max: 2n ** 44n - 1n }),
  });

  it("maps what was mapped, and nothing else", () => {
    fc.assert(
      fc.property(
        fc.array(mapping, { maxLength: 20 }),
        fc.bigInt({ min: 0n, max: 2n ** 39n - 1n }),
        (mappings, probe) => {
          const entries = new Map<bigint, bigint>();
          let nextTable = 0x8000_1000n;
          const model = new Map<string, bigint>();
          for (const { level, place, target } of mappings) {
            const pageBytes = levelBytes[level] ?? 4096n;
            const from = ((place * 4096n) / pageBytes) * pageBytes;
            const to = ((target * 4096n) / pageBytes) * pageBytes;
            let table = ROOT;
            let blocked = false;
            for (let at = 2; at > level; at--) {
              const address = table + BigInt(tableIndex(SCHEMES.Sv39, from, at)) * 8n;
              const entry = entries.get(address);
              if (entry !== undefined && (entry & (R | W | X)) !== 0n) blocked = true;
              if (blocked) break;
              if (entry === undefined) {
                entries.set(address, pte(nextTable, V));
                nextTable += 4096n;
              }
              table = ((entries.get(address) ?? 0n) >> 10n) << 12n;
            }
            const last = table + BigInt(tableIndex(SCHEMES.Sv39, from, level)) * 8n;
            if (blocked || entries.has(last)) continue;
            entries.set(last, pte(to, FULL));
            model.set(`${from}`, to * 8n + BigInt(level));
          }
          const probes = [probe, ...[...model.keys()].map((key) => BigInt(key) + (probe % 4096n))];
          for (const address of probes) {
            const canonical = BigInt.asUintN(64, BigInt.asIntN(39, address));
            const found = walkPageTable(request({ vaddr: vaddr(canonical) }), reader(entries));
            const hits = [...model].filter(([from, value]) => {
              const size = levelBytes[Number(value % 8n)] ?? 0n;
              return address >= BigInt(from) && address < BigInt(from) + size;
            });
            expect(hits.length).toBeLessThanOrEqual(1);
            const [hit] = hits;
            expect(found.kind).toBe(hit === undefined ? "walk-fault" : "leaf");
            if (hit !== undefined)
              expect(found).toMatchObject({ paddr: hit[1] / 8n + address - BigInt(hit[0]) });
          }
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe("Svnapot", () => {
  const N = 1n << 63n;
  /** 64 KiB at 0x8765_0000, as each of its sixteen entries says it. */
  const napot = pte(0x8765_8000n, FULL) | N;

  it("maps 64 KiB: the lowest four bits of the page number come from the address (norm:Svnapot_implicit_read_ppn_subst norm:Svnapot_pte_N norm:Svnapot_range_napot norm:Svnapot_valid_encoding)", () => {
    for (let page = 0n; page < 16n; page++) {
      const at = 0x4020_0456n + (page << 12n);
      const entries = new Map([
        [ROOT + 8n, pte(MIDDLE, V)],
        [MIDDLE + 8n, pte(LAST, V)],
        [LAST + page * 8n, napot],
      ]);
      expect(walkPageTable(request({ vaddr: vaddr(at) }), reader(entries))).toMatchObject({
        kind: "leaf",
        paddr: 0x8765_0456n + (page << 12n),
        pageBytes: 0x1_0000n,
      });
    }
  });

  it.each([0x0n, 0x1n, 0x2n, 0x3n, 0x4n, 0x5n, 0x6n, 0x7n, 0x9n, 0xan, 0xbn, 0xcn, 0xdn, 0xen, 0xfn])(
    "reserves page numbers that end in %s (norm:Svnapot_reserved_encoding_fault norm:Svnapot_valid_encoding)",
    (low) => {
      const leaf = pte(0x8765_0000n | (low << 12n), FULL) | N;
      expect(walkPageTable(request(), tables(leaf))).toMatchObject({ reason: "napot-size-reserved" });
    },
  );

  it("reserves N above the last level, in leaves and in pointers (norm:Svnapot_valid_encoding)", () => {
    const found = walkPageTable(request(), tables(0n, pte(0x8760_0000n, FULL) | N));
    expect(found).toMatchObject({ reason: "napot-superpage", level: 1 });
    const pointer = walkPageTable(request(), tables(napot, pte(LAST, V) | N));
    expect(pointer).toMatchObject({ reason: "pointer-with-napot", level: 1 });
  });
});

describe("Svpbmt", () => {
  const typed = (type: bigint): bigint => pte(0x8765_4000n, FULL) | (type << 61n);

  it("lets leaves say NC and IO while PBMTE is 1, and nothing while it is 0 (norm:menvcfg_pbmte_op)", () => {
    for (const type of [1n, 2n]) {
      expect(walkPageTable(request({ allowsMemoryTypes: true }), tables(typed(type)))).toMatchObject({
        kind: "leaf",
        paddr: 0x8765_4456n,
      });
      expect(walkPageTable(request(), tables(typed(type)))).toMatchObject({ reason: "memory-type-disabled" });
    }
  });

  it("reserves the value 3, and every value in pointers (norm:Svpbmt_leaf_pte_pbmt_reserved_3_fault norm:Svpbmt_nonleaf_pte_pbmt_must_be_zero)", () => {
    const allowing = request({ allowsMemoryTypes: true });
    expect(walkPageTable(allowing, tables(typed(3n)))).toMatchObject({ reason: "memory-type-reserved" });
    for (const type of [1n, 2n, 3n])
      expect(walkPageTable(allowing, tables(typed(0n), pte(LAST, V) | (type << 61n)))).toMatchObject({
        reason: "pointer-with-memory-type",
        level: 1,
      });
  });
});

describe("schemes", () => {
  /** "bits 63–48 all equal to bit 47", counted bit by bit. */
  const repeats = (address: bigint, from: number): boolean => {
    const bits = address
      .toString(2)
      .padStart(64, "0")
      .slice(0, 64 - from + 1);
    return /^(0+|1+)$/.test(bits);
  };

  it("know their addresses (norm:Sv48_va_signext norm:Sv39_va_signext)", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.integer({ min: 30, max: 64 }),
        (word, cut) => {
          const address = BigInt.asUintN(64, BigInt.asIntN(cut, word));
          expect(isInScheme(SCHEMES.Sv39, address)).toBe(repeats(address, 39));
          expect(isInScheme(SCHEMES.Sv48, address)).toBe(repeats(address, 48));
          const small = word >> BigInt(cut - 30);
          expect(isInScheme(SCHEMES.Sv39x4, small)).toBe(small < 2n ** 41n);
          expect(isInScheme(SCHEMES.Sv48x4, small)).toBe(small < 2n ** 50n);
        },
      ),
      { seed: 1, numRuns: 1000 },
    );
  });

  it("of four levels walk them all, and the root of the second stage has 2048 entries (norm:Sv48_LEVELS norm:hgatp_mode_sv48x4 norm:Sv48_levels norm:Sv48_vpn_sz norm:Sv48_va_sz norm:Sv48_PTESIZE norm:Sv48_page_offset_sz)", () => {
    const steps: WalkStep[] = [];
    const everything: ReadPte = (address) => pte(address & ~0xfffn, V);
    const record = (step: WalkStep) => steps.push(step);
    const found = walkPageTable(
      request({ scheme: SCHEMES.Sv48, vaddr: vaddr(0xffff_8080_4040_3000n) }),
      everything,
      record,
    );
    expect(found).toMatchObject({ reason: "pointer-at-last-level" });
    expect(steps.map(({ level, vpnIndex }) => [level, vpnIndex])).toEqual([
      [3, 257],
      [2, 1],
      [1, 2],
      [0, 3],
    ]);
    steps.length = 0;
    walkPageTable(request({ scheme: SCHEMES.Sv48x4, vaddr: vaddr(0x3_ff80_0000_0000n) }), everything, record);
    expect(steps[0]).toMatchObject({ level: 3, vpnIndex: 2047 });
  });
});
