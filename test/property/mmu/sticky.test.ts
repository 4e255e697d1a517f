/**
 * Sticky translations beside a model: a plain list of what was used since the last fence that covers it. Random changes of
 * the tables, random accesses and random fences, by real instructions; the model knows nothing of PTEs.
 */
import { describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { encodeCsr } from "../../../lib/isa/csr-map.ts";
import { assembled } from "../../support/assembled.ts";
import { type BareMachine, bareMachine, RAM_BASE } from "../../support/bare-machine.ts";
import { seededNumbers } from "../../support/random.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const STEPS = 4000;
const SEEDS = isFull ? 200 : 12;
const BASE = BigInt(RAM_BASE);
const [V, R, W, U, G, A, D] = [1n, 2n, 4n, 16n, 32n, 64n, 128n];
const page = (number: number): bigint => BASE + BigInt(number * 4096);
const entry = (address: bigint, flags: bigint): bigint => ((address >> 12n) << 10n) | flags;

/** Executes one instruction in machine mode, with registers as given. */
class OneByOne {
  readonly machine: BareMachine;
  readonly #words = new Map<string, bigint>();

  constructor(machine: BareMachine) {
    this.machine = machine;
    // Traps come back to machine mode; nothing is executed there.
    this.set("mtvec", page(0));
    this.set("pmpaddr0", 2n ** 54n - 1n);
    this.set("pmpcfg0", 0x1fn);
    this.set("mcounteren", 0n);
  }

  set(name: Parameters<typeof writeCsr>[1], value: bigint): void {
    writeCsr(this.machine.hart, name, value);
  }

  put(address: bigint, word: bigint): void {
    this.machine.ram.store(Number(address - BASE), 8, word);
  }

  /** @returns  The cause of the trap, or `undefined`. */
  do(text: string, a1 = 0n, a2 = 0n): bigint | undefined {
    const { hart, ram, engine } = this.machine;
    const word =
      this.#words.get(text) ?? BigInt(new DataView(assembled(text).bytes.buffer).getUint32(0, true));
    this.#words.set(text, word);
    ram.store(0x100, 4, word);
    hart.pc = page(0) + 0x100n;
    hart.write("a1", a1);
    hart.write("a2", a2);
    const trap = engine.step();
    return trap === undefined ? undefined : BigInt(trap.cause);
  }
}

describe("what satp maps", () => {
  /** Pages 8 to 15 hold their own number; 2 MiB pages begin at 2 MiB borders of RAM, which hold 100 and 101. */
  const DATA = [8, 9, 10, 11, 12, 13, 14, 15];
  const LARGE = [BASE + 0x20_0000n, BASE + 0x40_0000n];
  /** Tables of two roots: root, middle, last; and the 4 KiB pages 0…3 of 2 MiB region 0, region 1. */
  const ROOTS = [
    { root: page(1), middle: page(2), last: [page(3), page(4)] },
    { root: page(5), middle: page(6), last: [page(7), page(16)] },
  ] as const;

  interface Small {
    readonly target: bigint;
    readonly writable: boolean;
    readonly global: boolean;
    dirty: boolean;
  }
  /** A region of 2 MiB: one large page, or small ones. */
  type Region = { large: Small | undefined; small: (Small | undefined)[] };
  interface Used {
    readonly asid: number | "all";
    readonly first: bigint;
    readonly bytes: bigint;
    readonly leaf: Small;
  }

  type Found = { readonly leaf: Small; readonly first: bigint; readonly bytes: bigint };
  /** Whether the tables would lead an access elsewhere than a remembered leaf does, or refuse it. More rights do not count. */
  function isStale(found: Found, fresh: Found | undefined, isStore: boolean, setsDirty: boolean): boolean {
    const allows = (one: Found): boolean => !isStore || (one.leaf.writable && (one.leaf.dirty || setsDirty));
    const elsewhere = fresh?.bytes !== found.bytes || fresh.leaf.target !== found.leaf.target;
    if (!allows(found)) return fresh !== undefined && allows(fresh) && elsewhere;
    if (fresh === undefined || !allows(fresh)) return true;
    const place = (one: Found): bigint => one.leaf.target - one.first;
    return place(fresh) !== place(found) || (isStore && !fresh.leaf.dirty);
  }

  function run(seed: number, translationCache: boolean): Record<string, number> {
    const below = seededNumbers(seed);
    const setsDirty = below(2) === 0;
    const machine = bareMachine({ ramBytes: 8 << 20, sticky: true, translationCache, checksFences: true });
    const reported = () =>
      (machine.checker?.reports ?? []).reduce(
        (sum, { uses, mayFenceLater }) => sum + (mayFenceLater ? 0 : uses),
        0,
      );
    let staleUses = 0;
    const cpu = new OneByOne(machine);
    cpu.set("menvcfg", setsDirty ? 1n << 61n : 0n);
    for (const number of DATA) cpu.put(page(number), BigInt(number));
    for (const [index, address] of LARGE.entries())
      for (let small = 0n; small < 4n; small++)
        cpu.put(address + small * 4096n, BigInt(100 + index) + small * 1000n);
    const regions: Region[][] = ROOTS.map(({ root, middle, last }) => {
      cpu.put(root, entry(middle, V));
      return [0, 1].map((region) => {
        cpu.put(middle + BigInt(region * 8), entry(last[region] as bigint, V));
        return { large: undefined, small: [] };
      });
    });
    let used: Used[] = [];
    let [root, asid] = [0, 0];
    const counts: Record<string, number> = {};
    const count = (what: string) => {
      counts[what] = (counts[what] ?? 0) + 1;
    };
    const satp = () =>
      cpu.do(
        "csrw satp, a1",
        encodeCsr("satp", { MODE: 8, ASID: asid, PPN: (ROOTS[root] as (typeof ROOTS)[0]).root >> 12n }),
      );
    const flags = (leaf: Small) =>
      V | R | A | (leaf.writable ? W : 0n) | (leaf.global ? G : 0n) | (leaf.dirty ? D : 0n);
    /** Writes the tables of a region as the model has them. */
    const write = (rootNumber: number, regionNumber: number) => {
      const { middle, last } = ROOTS[rootNumber] as (typeof ROOTS)[0];
      const region = regions[rootNumber]?.[regionNumber] as Region;
      const at = middle + BigInt(regionNumber * 8);
      cpu.put(
        at,
        region.large === undefined
          ? entry(last[regionNumber] as bigint, V)
          : entry(region.large.target, flags(region.large)),
      );
      for (let index = 0; index < 4; index++) {
        const leaf = region.small[index];
        cpu.put(
          (last[regionNumber] as bigint) + BigInt(index * 8),
          leaf === undefined ? 0n : entry(leaf.target, flags(leaf)),
        );
      }
    };
    /** The leaf that the tables give now. */
    const walk = (va: bigint): { leaf: Small; first: bigint; bytes: bigint } | undefined => {
      const region = regions[root]?.[Number(va >> 21n)] as Region;
      if (region.large !== undefined)
        return { leaf: region.large, first: (va >> 21n) << 21n, bytes: 1n << 21n };
      const leaf = region.small[Number((va >> 12n) & 3n)];
      return leaf === undefined ? undefined : { leaf, first: (va >> 12n) << 12n, bytes: 4096n };
    };
    satp();
    // Loads and stores of machine mode with supervisor mode's rights.
    const MPRV = encodeCsr("mstatus", { MPRV: 1, MPP: 1 });
    for (let step = 0; step < STEPS; step++) {
      const va = (BigInt(below(2)) << 21n) | (BigInt(below(4)) << 12n);
      switch (below(8)) {
        case 0: {
          const [rootNumber, regionNumber] = [below(2), below(2)];
          const region = regions[rootNumber]?.[regionNumber] as Region;
          const leaf = (target: bigint): Small => ({
            target,
            writable: below(2) === 0,
            global: below(4) === 0,
            dirty: below(2) === 0,
          });
          if (below(4) === 0) region.large = below(2) === 0 ? undefined : leaf(LARGE[below(2)] as bigint);
          else
            region.small[below(4)] =
              below(3) === 0
                ? undefined
                : leaf(below(8) === 0 ? (LARGE[below(2)] as bigint) : page(DATA[below(8)] as number));
          write(rootNumber, regionNumber);
          break;
        }
        case 1:
          if (below(2) === 0) root = below(2);
          asid = below(3);
          satp();
          break;
        case 2: {
          const [byAddress, byAsid] = [below(2) === 0, below(2) === 0];
          const wanted = below(3);
          const high = BigInt(below(2)) << 40n; // bits above the ASID are ignored
          cpu.do(
            `sfence.vma ${byAddress ? "a1" : "zero"}, ${byAsid ? "a2" : "zero"}`,
            va,
            BigInt(wanted) | high,
          );
          used = used.filter((one) => {
            const isCovered =
              (!byAddress || (one.first <= va && va < one.first + one.bytes)) &&
              (!byAsid || one.asid === wanted);
            return !isCovered;
          });
          count("fence");
          break;
        }
        default: {
          const isStore = below(4) === 0;
          const candidates = used
            .filter(
              (one) =>
                (one.asid === asid || one.asid === "all") && one.first <= va && va < one.first + one.bytes,
            )
            .sort(
              (a, b) => Number(a.bytes - b.bytes) || (a.asid === "all" ? 1 : 0) - (b.asid === "all" ? 1 : 0),
            );
          let found = candidates[0];
          const fresh = walk(va);
          if (found !== undefined && isStore && found.leaf.writable && !found.leaf.dirty && setsDirty)
            found = undefined;
          if (found !== undefined && fresh?.leaf.target !== found.leaf.target) count("stale");
          if (found !== undefined && isStale(found, fresh, isStore, setsDirty)) staleUses += 1;
          if (found === undefined && fresh !== undefined)
            found = {
              asid: fresh.leaf.global ? "all" : asid,
              first: fresh.first,
              bytes: fresh.bytes,
              leaf: { ...fresh.leaf },
            };
          const isAllowed =
            found !== undefined && (!isStore || (found.leaf.writable && (found.leaf.dirty || setsDirty)));
          cpu.set("mstatus", MPRV);
          const before = found === undefined ? 0n : found.leaf.target + (va - found.first);
          // Stores write what is there anyway, so that pages keep their names.
          const value = machine.ram.load(Number((before === 0n ? page(0) : before) - BASE), 8);
          const cause = isStore ? cpu.do("sd a2, 0(a1)", va, value) : cpu.do("ld a0, 0(a1)", va);
          const label = `seed ${seed}, step ${step}: ${isStore ? "store" : "load"} at ${va.toString(16)}`;
          if (isAllowed && found !== undefined) {
            expect(cause, label).toBe(undefined);
            if (!isStore) expect(machine.hart.read("a0"), label).toBe(value);
            if (isStore && fresh !== undefined && !found.leaf.dirty) {
              found.leaf.dirty = true;
              fresh.leaf.dirty = true;
            }
            const { asid: owner, first, bytes } = found;
            used = [
              ...used.filter((one) => !(one.asid === owner && one.first === first && one.bytes === bytes)),
              found,
            ];
            count("allowed");
          } else {
            expect(cause, label).toBe(isStore ? 15n : 13n);
            count("refused");
          }
        }
      }
    }
    expect(machine.hart.remembered?.size).toBe(used.length);
    expect(reported(), `seed ${seed}`).toBe(staleUses);
    return counts;
  }

  it("lives until a fence covers it, and no longer; with the cache and without", () => {
    const total: Record<string, number> = {};
    for (let seed = 1; seed <= SEEDS; seed++)
      for (const [what, times] of Object.entries(run(seed, seed % 2 === 0)))
        total[what] = (total[what] ?? 0) + times;
    for (const what of ["fence", "stale", "allowed", "refused"])
      expect(total[what], JSON.stringify(total)).toBeGreaterThan(20 * SEEDS);
  }, 600_000);
});

describe("both stages", () => {
  /** Guest-physical data pages 64…67 lead to pages 8…15 of RAM, which hold their own number. */
  const GUEST_DATA = [64, 65, 66, 67];
  const DATA = [8, 9, 10, 11, 12, 13, 14, 15];
  const gpa = (number: number): bigint => BigInt(number * 4096);
  /** The guest's tables are guest-physical pages 32…34, at pages 32…34 of RAM; the second stage's at 16…19, 20, 21. */
  const [GUEST_ROOT, ROOT] = [32, 16];

  interface Used {
    readonly stage: "VS" | "G";
    readonly vmid: number;
    readonly asid: number | "all";
    readonly page: number;
    readonly target: number;
  }

  function run(seed: number): Record<string, number> {
    const below = seededNumbers(seed);
    const machine = bareMachine({ ramBytes: 1 << 20, sticky: true });
    const cpu = new OneByOne(machine);
    for (const number of DATA) cpu.put(page(number), BigInt(number));
    const leaf = V | R | W | A | D;
    cpu.put(page(ROOT), entry(page(20), V));
    cpu.put(page(20), entry(page(21), V));
    for (const number of [32, 33, 34]) cpu.put(page(21) + BigInt(number * 8), entry(page(number), leaf | U));
    cpu.put(page(GUEST_ROOT), entry(gpa(33), V));
    cpu.put(page(33), entry(gpa(34), V));
    const guestMap: ({ target: number; global: boolean } | undefined)[] = [];
    const hostMap: (number | undefined)[] = [];
    let used: Used[] = [];
    let [vmid, asid] = [0, 0];
    const counts: Record<string, number> = {};
    const count = (what: string) => {
      counts[what] = (counts[what] ?? 0) + 1;
    };
    const roots = () => {
      cpu.do("csrw vsatp, a1", encodeCsr("vsatp", { MODE: 8, ASID: asid, PPN: BigInt(GUEST_ROOT) }));
      cpu.do("csrw hgatp, a1", encodeCsr("hgatp", { MODE: 8, VMID: vmid, PPN: page(ROOT) >> 12n }));
    };
    roots();
    cpu.set("hstatus", encodeCsr("hstatus", { SPVP: 1 }));
    for (let step = 0; step < STEPS; step++) {
      const number = below(4);
      const va = gpa(number);
      switch (below(8)) {
        case 0: {
          guestMap[number] =
            below(4) === 0 ? undefined : { target: GUEST_DATA[below(4)] as number, global: below(4) === 0 };
          const now = guestMap[number];
          cpu.put(
            page(34) + BigInt(number * 8),
            now === undefined ? 0n : entry(gpa(now.target), leaf | (now.global ? G : 0n)),
          );
          break;
        }
        case 1: {
          const at = GUEST_DATA[number] as number;
          hostMap[at] = below(4) === 0 ? undefined : (DATA[below(8)] as number);
          const now = hostMap[at];
          // G is ignored there.
          const flags = leaf | U | (below(2) === 0 ? G : 0n);
          cpu.put(page(21) + BigInt(at * 8), now === undefined ? 0n : entry(page(now), flags));
          break;
        }
        case 2:
          [vmid, asid] = [below(2), below(2)];
          roots();
          break;
        case 3: {
          const [byAddress, byAsid] = [below(2) === 0, below(2) === 0];
          const wanted = below(2);
          cpu.do(`hfence.vvma ${byAddress ? "a1" : "zero"}, ${byAsid ? "a2" : "zero"}`, va, BigInt(wanted));
          used = used.filter(
            (one) =>
              one.stage !== "VS" ||
              one.vmid !== vmid ||
              (byAddress && one.page !== number) ||
              (byAsid && one.asid !== wanted),
          );
          count("vvma");
          break;
        }
        case 4: {
          const [byAddress, byVmid] = [below(2) === 0, below(2) === 0];
          const [wanted, target] = [below(2), GUEST_DATA[number] as number];
          const operands = `${byAddress ? "a1" : "zero"}, ${byVmid ? "a2" : "zero"}`;
          cpu.do(`hfence.gvma ${operands}`, gpa(target) >> 2n, BigInt(wanted));
          used = used.filter(
            (one) =>
              one.stage !== "G" || (byAddress && one.page !== target) || (byVmid && one.vmid !== wanted),
          );
          count("gvma");
          break;
        }
        default: {
          const label = `seed ${seed}, step ${step}: page ${number}`;
          const cause = cpu.do("hlv.d a0, (a1)", va);
          const own = used.find(
            (one) => one.stage === "VS" && one.vmid === vmid && one.page === number && one.asid === asid,
          );
          const remembered =
            own ??
            used.find(
              (one) => one.stage === "VS" && one.vmid === vmid && one.page === number && one.asid === "all",
            );
          const mapped = guestMap[number];
          const target = remembered?.target ?? mapped?.target;
          if (remembered !== undefined && remembered.target !== mapped?.target) count("stale VS");
          if (target === undefined) {
            expect(cause, label).toBe(13n);
            count("page fault");
            break;
          }
          const second = used.find((one) => one.stage === "G" && one.vmid === vmid && one.page === target);
          const frame = second?.target ?? hostMap[target];
          if (second !== undefined && second.target !== hostMap[target]) count("stale G");
          if (frame === undefined) {
            expect(cause, label).toBe(21n);
            count("guest-page fault");
            break;
          }
          expect(cause, label).toBe(undefined);
          expect(machine.hart.read("a0"), label).toBe(BigInt(frame));
          if (remembered === undefined)
            used.push({ stage: "VS", vmid, asid: mapped?.global ? "all" : asid, page: number, target });
          if (second === undefined) used.push({ stage: "G", vmid, asid: "all", page: target, target: frame });
          count("allowed");
        }
      }
    }
    return counts;
  }

  it("are remembered apart, by VMID and ASID, each until its own fence", () => {
    const total: Record<string, number> = {};
    for (let seed = 1; seed <= SEEDS; seed++)
      for (const [what, times] of Object.entries(run(seed))) total[what] = (total[what] ?? 0) + times;
    const outcomes = ["vvma", "gvma", "stale VS", "stale G", "page fault", "guest-page fault", "allowed"];
    for (const what of outcomes) expect(total[what], JSON.stringify(total)).toBeGreaterThan(5 * SEEDS);
  }, 600_000);
});
