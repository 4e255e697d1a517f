/** A guest's second stage as its hypervisor's tables say it: pages, the entry of one, and who has a frame. */
import { PTE, type PteFlag } from "../../mmu/pte.ts";
import { leavesOf, meaningOf, type ReadWord, type Tables, walkTo } from "../../referee/page-tables.ts";
import { FrameType } from "../../vmm/layout.ts";
import type { VmHost } from "../vm-host.ts";

/** A page of a guest, and where it is. */
export interface SecondPage {
  readonly gpa: bigint;
  readonly hpa: bigint;
  readonly bytes: bigint;
  /** Host-physical address of the leaf. */
  readonly at: bigint;
  readonly entry: bigint;
}

const reader =
  ({ board }: VmHost): ReadWord =>
  (paddr) => {
    const word = board.memory.load(paddr, 8);
    return typeof word === "bigint" ? word : undefined;
  };

const tablesFor = ({ state }: VmHost, vm: number): Tables => ({
  register: "hgatp",
  root: state.root(vm),
  levels: 3,
});

/** Every page that the second stage of a guest maps, by rising guest-physical address. */
export function secondStage(host: VmHost, vm: number): SecondPage[] {
  const read = reader(host);
  return [...leavesOf(tablesFor(host, vm), read)].map(({ address, to, bytes, at }) => ({
    gpa: address,
    hpa: to,
    bytes,
    at,
    entry: read(at) ?? 0n,
  }));
}

/** Frames of the tables of a guest's second stage, its root's four among them. */
export function secondTables(host: VmHost, vm: number): Set<bigint> {
  const read = reader(host);
  const tables = tablesFor(host, vm);
  const found = new Set([0n, 1n, 2n, 3n].map((page) => tables.root + (page << 12n)));
  const visit = (table: bigint, level: number): void => {
    for (let index = 0n; index < (level === 2 ? 2048n : 512n); index += 1n) {
      const meaning = meaningOf("hgatp", level, read(table + 8n * index) ?? 0n);
      if (meaning.kind !== "table" || found.has(meaning.to)) continue;
      found.add(meaning.to);
      visit(meaning.to, level - 1);
    }
  };
  visit(tables.root, 2);
  return found;
}

/**
 * Sets or clears one bit of the second stage's leaf for a guest-physical address, as a careless hypervisor could.
 *
 * @returns  The entry as it is now; `undefined` where nothing is mapped, and then nothing is changed.
 */
export function setSecondBit(
  host: VmHost,
  vm: number,
  gpa: bigint,
  flag: PteFlag,
  isSet: boolean,
): bigint | undefined {
  const read = reader(host);
  const { steps } = walkTo(tablesFor(host, vm), read, gpa);
  const last = steps.at(-1);
  const entry = last?.entry ?? 0n;
  if (last === undefined || (entry & (PTE.R | PTE.W | PTE.X)) === 0n) return undefined;
  const changed = isSet ? entry | PTE[flag] : entry & ~PTE[flag];
  host.board.memory.store(last.at, 8, changed);
  return changed;
}

/** Whose a frame of the machine is: "VM 1", "the hypervisor", "nobody" of a free one, or "no memory". */
export function ownerOf({ state, board }: VmHost, hpa: bigint): string {
  const number = Number((hpa - BigInt(board.bus.ram.base)) >> 12n);
  if (number < 0 || number >= board.bus.ram.sizeBytes / 4096) return "no memory";
  const { first, end } = state.pool;
  const { owner, type } = state.frame(number);
  if (type === FrameType.G_TABLE) return "the hypervisor";
  if (owner !== 0) return `VM ${owner}`;
  if (number < first) return "the hypervisor";
  // Behind the pool lie images that guests have not used yet, and the board's device tree.
  return number < end ? "nobody" : "the hypervisor";
}
