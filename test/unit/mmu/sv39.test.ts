/** The Sv39 walk against tables built by hand, and against a model that reads permissions from a truth table. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { vaddr } from "../../../lib/isa/address.ts";
import { PTE, pteFlagsText } from "../../../lib/mmu/pte.ts";
import {
  isCanonical,
  type ReadPte,
  vpnIndex,
  type WalkRequest,
  type WalkStep,
  walkSv39,
} from "../../../lib/mmu/sv39.ts";

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
  rootPpn: ROOT >> 12n,
  vaddr: vaddr(0x4020_3456n),
  kind: "load",
  asUser: true,
  sum: false,
  mxr: false,
  setsAccessedDirty: false,
  needsExecute: false,
  isGuestPhysical: false,
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
  it("goes through three tables and adds the offset", () => {
    const steps: WalkStep[] = [];
    const found = walkSv39(request(), tables(pte(0x8765_4000n, FULL)), (step) => steps.push(step));
    expect(found).toMatchObject({ kind: "leaf", paddr: 0x8765_4456n, level: 0, pteAddress: LAST + 24n });
    expect(
      steps.map(({ level, vpnIndex: index, pteAddress, verdict }) => [level, index, pteAddress, verdict]),
    ).toEqual([
      [2, 1, ROOT + 8n, "pointer"],
      [1, 1, MIDDLE + 8n, "pointer"],
      [0, 3, LAST + 24n, "leaf"],
    ]);
  });

  it("takes 2 MiB and 1 GiB pages where a leaf stands higher", () => {
    expect(walkSv39(request(), tables(0n, pte(0x8760_0000n, FULL)))).toMatchObject({
      level: 1,
      paddr: 0x8760_3456n,
    });
    expect(walkSv39(request(), tables(0n, 0n, pte(0xc000_0000n, FULL)))).toMatchObject({
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
    [pte(0x8765_4000n, FULL) | (1n << 61n), undefined, undefined, "reserved-bits", 0],
    [pte(0x8765_4000n, FULL) | (1n << 63n), undefined, undefined, "reserved-bits", 0],
    [0n, pte(LAST, V | U), undefined, "pointer-with-leaf-bits", 1],
    [0n, pte(LAST, V | A), undefined, "pointer-with-leaf-bits", 1],
    [0n, undefined, pte(MIDDLE, V | D), "pointer-with-leaf-bits", 2],
    [pte(0x8765_4000n, V), undefined, undefined, "pointer-at-last-level", 0],
    [0n, pte(0x8760_1000n, FULL), undefined, "misaligned-superpage", 1],
    [0n, undefined, pte(0xc020_0000n, FULL), "misaligned-superpage", 2],
    [pte(0x8765_4000n, FULL & ~A), undefined, undefined, "not-accessed", 0],
  ] as const)("of %s, %s, %s fails: %s at level %d", (leaf, middle, root, reason, level) => {
    expect(walkSv39(request(), tables(leaf, middle, root))).toEqual({ kind: "walk-fault", reason, level });
  });

  it("reports an entry that cannot be read, and why", () => {
    expect(walkSv39(request(), () => "pte-access-denied")).toEqual({
      kind: "walk-fault",
      reason: "pte-access-denied",
      level: 2,
    });
    expect(walkSv39(request(), () => "pte-unreachable")).toEqual({
      kind: "walk-fault",
      reason: "pte-unreachable",
      level: 2,
    });
  });

  it("refuses addresses whose bits 63 to 39 do not repeat bit 38, without reading anything", () => {
    for (const bits of [0x0000_0040_0000_0000n, 0xffff_ffbf_ffff_ffffn, 1n << 63n, 0x0080_0000_0000_0000n]) {
      const read = (): never => {
        throw new Error("read");
      };
      expect(walkSv39(request({ vaddr: vaddr(bits) }), read)).toMatchObject({ reason: "not-canonical" });
    }
    expect(isCanonical(0xffff_ffc0_0000_0000n)).toBe(true);
    expect(isCanonical(0x0000_003f_ffff_ffffn)).toBe(true);
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

  it("are those of the manual for every leaf, access and setting", () => {
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
          const found = walkSv39(wanted, tables(pte(0x8765_4000n, flags)));
          const expected = mayAccess(pteFlagsText(flags), wanted);
          expect(found.kind === "leaf", `${pteFlagsText(flags)} ${kind} ${setting}`).toBe(expected);
          if (expected) allowed += 1;
        }
      }
    }
    expect(allowed).toBeGreaterThan(100);
  });

  it("with ADUE the walk asks for A, and for D when it stores, instead of failing", () => {
    const clean = pte(0x8765_4000n, FULL & ~A & ~D);
    const load = walkSv39(request({ setsAccessedDirty: true }), tables(clean));
    expect(load).toMatchObject({ kind: "leaf", pte: clean, wantedPte: clean | A });
    const store = walkSv39(request({ setsAccessedDirty: true, kind: "store" }), tables(clean));
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
              const address = table + BigInt(vpnIndex(from, at)) * 8n;
              const entry = entries.get(address);
              if (entry !== undefined && (entry & (R | W | X)) !== 0n) blocked = true;
              if (blocked) break;
              if (entry === undefined) {
                entries.set(address, pte(nextTable, V));
                nextTable += 4096n;
              }
              table = ((entries.get(address) ?? 0n) >> 10n) << 12n;
            }
            const last = table + BigInt(vpnIndex(from, level)) * 8n;
            if (blocked || entries.has(last)) continue;
            entries.set(last, pte(to, FULL));
            model.set(`${from}`, to * 8n + BigInt(level));
          }
          const probes = [probe, ...[...model.keys()].map((key) => BigInt(key) + (probe % 4096n))];
          for (const address of probes) {
            const canonical = BigInt.asUintN(64, BigInt.asIntN(39, address));
            const found = walkSv39(request({ vaddr: vaddr(canonical) }), reader(entries));
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
