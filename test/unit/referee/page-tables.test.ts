/** The referee's walker against a second one, the machine's own, on random tables: each address leads both to the same place. */
import { describe, expect, it } from "vitest";
import { SeededNumbers } from "../../../lib/bits/seeded-numbers.ts";
import { vaddr } from "../../../lib/isa/address.ts";
import { type Leaf, walkPageTable } from "../../../lib/mmu/page-walk.ts";
import { SCHEMES } from "../../../lib/mmu/scheme.ts";
import {
  BIT,
  composedLeavesOf,
  leavesOf,
  type MappedPage,
  type ReadWord,
  type Tables,
  walkTo,
} from "../../../lib/referee/page-tables.ts";

const PAGES = 24;
const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 400 : 40;
type Register = Tables["register"];

/** Memory of a few pages, most entries of which say something: pointers to each other, leaves of all sizes, and nonsense. */
function randomMemory(numbers: SeededNumbers): BigUint64Array {
  const words = new BigUint64Array(PAGES * 512);
  const count = numbers.between(40, 400);
  for (let each = 0; each < count; each++) {
    const page = numbers.between(0, PAGES - 1);
    const index = numbers.between(0, 7) * 64 + numbers.between(0, 3);
    words[page * 512 + index] = randomEntry(numbers);
  }
  return words;
}

function randomEntry(numbers: SeededNumbers): bigint {
  const ppn = BigInt(numbers.between(0, PAGES - 1));
  switch (numbers.between(0, 9)) {
    case 0: // any flags
      return (ppn << 10n) | BigInt(numbers.between(0, 255));
    case 1: // a large page
      return (BigInt(numbers.between(0, 3)) << 28n) | BigInt(numbers.between(1, 7) * 2 + 0xd1);
    case 2: // 64 KiB
      return (1n << 63n) | ((ppn & ~15n) << 10n) | (BigInt(numbers.between(0, 1) * 8) << 10n) | 0xdfn;
    case 3: // reserved bits
      return (1n << BigInt(numbers.between(54, 60))) | (ppn << 10n) | 0xdfn;
    case 4:
    case 5:
      return (ppn << 10n) | BigInt([0xd3, 0xd7, 0xd9, 0xdb, 0xdf][numbers.between(0, 4)] ?? 0);
    default:
      return (ppn << 10n) | BIT.V;
  }
}

const reader =
  (words: BigUint64Array): ReadWord =>
  (address) =>
    address >> 3n < BigInt(words.length) ? words[Number(address >> 3n)] : undefined;

/** The machine's walk, as user mode or as supervisor mode: whichever finds something. */
function machineWalk(register: Register, rootPpn: bigint, read: ReadWord, address: bigint) {
  const rights = { R: false, W: false, X: false };
  let leaf: Leaf | undefined;
  for (const asUser of register === "hgatp" ? [true] : [true, false])
    for (const kind of ["load", "store", "fetch"] as const) {
      const found = walkPageTable(
        {
          scheme: register === "hgatp" ? SCHEMES.Sv39x4 : SCHEMES.Sv39,
          rootPpn,
          vaddr: vaddr(address),
          kind,
          asUser,
          sum: false,
          mxr: false,
          setsAccessedDirty: true,
          allowsMemoryTypes: true,
          needsExecute: false,
        },
        (at) => read(at) ?? "pte-unreachable",
      );
      if (found.kind !== "leaf") continue;
      leaf = found;
      rights[({ load: "R", store: "W", fetch: "X" } as const)[kind]] = true;
    }
  return leaf === undefined ? undefined : { to: leaf.paddr as bigint, ...rights };
}

const seen = ({ rights }: MappedPage) => ({
  R: (rights & BIT.R) !== 0n,
  W: (rights & BIT.W) !== 0n,
  X: (rights & BIT.X) !== 0n,
});

describe.each([["satp"], ["hgatp"]] as const)("leaves that %s maps", (register) => {
  const tables: Tables = { register, root: 0n, levels: 3 };

  it("lead where the machine's walk leads, with the same rights", () => {
    let pages = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const numbers = new SeededNumbers(seed);
      const read = reader(randomMemory(numbers));
      for (const page of leavesOf(tables, read)) {
        if (pages++ % 7 !== 0) continue;
        const offset = BigInt(numbers.between(0, 4095)) % page.bytes;
        const there = machineWalk(register, 0n, read, page.address + offset);
        expect([seed, page.address, there]).toEqual([
          seed,
          page.address,
          { to: page.to + offset, ...seen(page) },
        ]);
      }
    }
    expect(pages).toBeGreaterThan(1000);
  });

  it("are all that there is: any other address leads nowhere, and each walk finds what the list has", () => {
    for (let seed = 1; seed <= RUNS; seed++) {
      const numbers = new SeededNumbers(seed);
      const read = reader(randomMemory(numbers));
      const list = [...leavesOf(tables, read)];
      for (let probe = 0; probe < 200; probe++) {
        const near = list[numbers.between(0, Math.max(0, list.length - 1))]?.address ?? 0n;
        const index = (): bigint => BigInt(numbers.between(0, 7) * 64 + numbers.between(0, 3));
        const made = (index() << 30n) | (index() << 21n) | (index() << 12n);
        const raw = probe % 2 === 0 ? near + BigInt(numbers.between(0, 3) * 4096) : made;
        const address = register === "satp" ? BigInt.asUintN(64, BigInt.asIntN(39, raw)) : raw;
        const listed = list.find((page) => address >= page.address && address < page.address + page.bytes);
        const there = machineWalk(register, 0n, read, address);
        const expected =
          listed === undefined ? undefined : { to: listed.to + (address - listed.address), ...seen(listed) };
        expect([seed, address, there]).toEqual([seed, address, expected]);
        const { page } = walkTo(tables, read, address);
        expect(page === undefined ? undefined : page.to + (address - page.address)).toBe(expected?.to);
      }
    }
  });
});

describe("leaves of both stages together", () => {
  it("lead where one walk behind the other leads", () => {
    let pages = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const numbers = new SeededNumbers(seed);
      const words = randomMemory(numbers);
      // The second stage maps the low pages of the guest to a shuffled half of memory, so that the guest has tables to read.
      const second: Tables = { register: "hgatp", root: 0n, levels: 3 };
      words.fill(0n, 0, 5 * 512);
      words[0] = (4n << 10n) | BIT.V;
      words[4 * 512] = (5n << 10n) | BIT.V;
      words.fill(0n, 5 * 512, 6 * 512);
      for (let page = 0; page < PAGES; page++)
        words[5 * 512 + page] =
          (BigInt(6 + ((page * 7) % (PAGES - 6))) << 10n) | BigInt([0xdf, 0xd3, 0xd7, 0xdf][page % 4] ?? 0);
      const read = reader(words);
      const first: Tables = { register: "vsatp", root: 0x3000n, levels: 3 };
      const through: ReadWord = (at) => {
        const host = machineWalk("hgatp", 0n, read, at);
        return host?.R ? read(host.to) : undefined;
      };
      for (const page of composedLeavesOf(first, second, read)) {
        if (pages++ % 3 !== 0) continue;
        const own = machineWalk("vsatp", 3n, through, page.address);
        const host = own === undefined ? undefined : machineWalk("hgatp", 0n, read, own.to);
        expect([seed, page.address, page.to]).toEqual([seed, page.address, host?.to]);
        const both = (right: "R" | "W" | "X"): boolean => own?.[right] === true && host?.[right] === true;
        expect(seen(page)).toEqual({ R: both("R"), W: both("W"), X: both("X") });
      }
    }
    expect(pages).toBeGreaterThan(300);
  });
});

describe("tables without end", () => {
  it("are listed as far as anybody would, and the list says that it is not whole", () => {
    const words = new BigUint64Array(4 * 512).fill(BIT.V);
    const list = leavesOf({ register: "satp", root: 0n, levels: 3 }, reader(words));
    expect(list.next()).toEqual({ done: true, value: false });
  });
});
