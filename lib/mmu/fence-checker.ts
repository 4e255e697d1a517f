/**
 * The fence checker: reports each use of a translation whose page tables have changed since, without a fence that covers it.
 *
 * It needs what the harts remember (`RememberedTranslations`): a board that answers from there uses stale translations, and
 * one that does not would use them if it were another hart. What counts is the outcome: whether the tables as they are now
 * would lead this access elsewhere, or refuse it. Looking changes nothing of the machine.
 */
import type { Bus } from "../bus/bus.ts";
import { PAGE_SHIFT } from "../bus/machine-memory.ts";
import { PageFlag } from "../bus/ram.ts";
import type { Hart } from "../hart/hart.ts";
import type { RememberedLeaf, RememberedStep, Space } from "../hart/remembered-translations.ts";
import type { HartState } from "../hart/state.ts";
import { type Paddr, paddr } from "../isa/address.ts";
import type { Mode } from "../isa/mode.ts";
import { type FenceReport, fenceReport, type MissingFence, type PteWriter } from "./fence-report.ts";
import { judgeLeaf, type ReadPte, type WalkRequest, walkPageTable } from "./page-walk.ts";
import { changeForUse } from "./pte-change.ts";
import { pteReader, type RememberedUse } from "./translation.ts";
import { presentSecondStage } from "./two-stage.ts";

/** Different reports that are kept; the first ones count. */
const REPORTS = 1000;
/** Entries whose writers are noted at most; then all notes are dropped. */
const WATCHED_ENTRIES = 2 ** 18;

/** What a snapshot keeps. */
export interface FenceCheckerState {
  readonly reports: readonly FenceReport[];
  readonly writers: readonly (readonly [ramOffset: number, writer: PteWriter | undefined])[];
}

/** An entry that a walk has just read, and where in physical memory. */
interface FreshStep extends RememberedStep {
  readonly paddr: Paddr | undefined;
  readonly level: number;
  readonly isLeaf: boolean;
}

/** The checker of a board, for all its harts. */
export class FenceChecker {
  readonly #bus: Bus;
  readonly #harts: readonly Hart[];
  readonly #reports = new Map<string, FenceReport>();
  /** By offset in RAM of an entry that translations were read from: who wrote it last, if since then anybody did. */
  readonly #writers = new Map<number, PteWriter | undefined>();
  readonly #listeners: (() => void)[] = [];

  constructor(harts: readonly Hart[], bus: Bus) {
    this.#harts = harts;
    this.#bus = bus;
    bus.ram.onStore(PageFlag.HOLDS_CHECKED_ENTRIES, (_, offset, length) => this.#beforeStore(offset, length));
  }

  /** What was found so far, in the order of first use. */
  get reports(): readonly FenceReport[] {
    return [...this.#reports.values()];
  }

  /** Asks to be told when an entry changes: uses that a cache has answered so far must be looked at again. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Forgets everything, as at power-on. */
  restart(): void {
    this.#reports.clear();
    this.#writers.clear();
  }

  save(): FenceCheckerState {
    return { reports: this.reports, writers: [...this.#writers] };
  }

  restore({ reports, writers }: FenceCheckerState): void {
    this.#reports.clear();
    for (const report of reports) this.#reports.set(keyOf(report), report);
    this.#writers.clear();
    for (const [offset, writer] of writers) this.#watch(offset, writer);
  }

  /** Notes from now on who writes these entries, by their offsets in RAM. */
  watch(offsets: readonly number[]): void {
    for (const offset of offsets) if (!this.#writers.has(offset)) this.#watch(offset, undefined);
  }

  /**
   * Looks at one use.
   *
   * @returns  Whether it is stale.
   */
  check(hart: Hart, use: RememberedUse): boolean {
    const fresh = this.#walk(hart.state, use);
    const { base } = this.#bus.ram;
    this.watch(fresh.flatMap(({ paddr: at }) => (at === undefined ? [] : [Number(at) - base])));
    const before = leafOf(use.leaf);
    const last = fresh.at(-1);
    const now = last?.isLeaf ? last : undefined;
    const found = now === undefined ? undefined : judgeLeaf(use.request, entryOf(now));
    const change = changeForUse(before, use.judged, now, found);
    if (change === "none") return false;
    const { path } = use.leaf;
    const at = path.findIndex(({ address, pte }, index) => {
      const now = fresh[index];
      return now === undefined || now.address !== address || differs(pte, now.pte);
    });
    this.#report(hart, use, path, fresh, Math.max(0, at), change);
    return true;
  }

  #report(
    hart: Hart,
    use: RememberedUse,
    path: readonly RememberedStep[],
    fresh: readonly FreshStep[],
    at: number,
    change: FenceReport["change"],
  ): void {
    const old = path[at];
    const now = fresh[at];
    if (old === undefined) return;
    const isOtherTable = now !== undefined && now.address !== old.address;
    const writer = now?.paddr === undefined || isOtherTable ? undefined : this.#writerOf(now.paddr);
    const isLeaf = at === path.length - 1;
    const report = fenceReport({
      hart: hart.id,
      retired: hart.clock.retired,
      pc: hart.pc,
      mode: hart.mode,
      access: use.access,
      address: use.address,
      space: use.space,
      change,
      pteAddress: old.address,
      oldPte: old.pte,
      newPte: isOtherTable ? undefined : now?.pte,
      writer,
      fence: missingFence(hart, use.space, use.leaf, isLeaf && !isOtherTable ? use.address : undefined),
    });
    const key = keyOf(report);
    const known = this.#reports.get(key);
    if (known !== undefined) this.#reports.set(key, { ...known, uses: known.uses + 1 });
    else if (this.#reports.size < REPORTS) this.#reports.set(key, report);
  }

  /** The entries that a walk of the tables reads now, whatever the hart remembers. */
  #walk(state: HartState, { space, request }: RememberedUse): readonly FreshStep[] {
    const steps: FreshStep[] = [];
    let place: Paddr | undefined;
    const read = pteReader(state, this.#bus, {
      entry: (address) => {
        place = address;
      },
    });
    const throughSecond: ReadPte = (gpa) => {
      const passed = presentSecondStage(state, this.#bus, gpa);
      return passed === undefined ? "pte-guest-fault" : read(passed);
    };
    walkPageTable(withoutRights(request), space.stage === "VS" ? throughSecond : read, (step) => {
      const isLeaf = step.verdict === "leaf";
      steps.push({ address: step.pteAddress, pte: step.pte ?? 0n, level: step.level, paddr: place, isLeaf });
      place = undefined;
    });
    return steps;
  }

  #watch(offset: number, writer: PteWriter | undefined): void {
    if (this.#writers.size >= WATCHED_ENTRIES) this.#writers.clear();
    this.#writers.set(offset, writer);
    this.#bus.ram.flagPage(offset >>> PAGE_SHIFT, PageFlag.HOLDS_CHECKED_ENTRIES);
  }

  #writerOf(address: Paddr): PteWriter | undefined {
    return this.#writers.get(Number(address) - this.#bus.ram.base);
  }

  /** A store to a page with watched entries: notes who makes it. */
  #beforeStore(offset: number, length: number): void {
    let isWatched = false;
    const writer = this.#presentWriter();
    for (let entry = offset & ~7; entry < offset + length; entry += 8) {
      if (!this.#writers.has(entry)) continue;
      isWatched = true;
      this.#writers.set(entry, writer);
    }
    if (isWatched) for (const listener of this.#listeners) listener();
  }

  /** The hart whose instruction is storing; `undefined`: a device or a loader. */
  #presentWriter(): PteWriter | undefined {
    const hart = this.#harts.find(({ state, reservations }) => reservations.storing === state);
    if (hart === undefined) return undefined;
    return { hart: hart.id, pc: hart.pc, mode: hart.mode as Mode, retired: hart.clock.retired };
  }
}

const entryOf = ({ address, pte, level }: FreshStep) => ({
  pte,
  level,
  pteAddress: paddr(address),
  isGlobal: false,
});

const leafOf = ({ path, level }: RememberedLeaf) => ({ pte: path.at(-1)?.pte ?? 0n, level });

/** Bits that a walk looks at: not RSW, A or D. */
const differs = (left: bigint, right: bigint): boolean => ((left ^ right) & ~0x3c0n) !== 0n;

/** To find the leaf, whatever it allows. */
const withoutRights = (request: WalkRequest): WalkRequest => ({
  ...request,
  kind: "load",
  asUser: false,
  sum: true,
  mxr: true,
  needsExecute: false,
  setsAccessedDirty: true,
  allowsMemoryTypes: true,
});

const keyOf = ({ hart, space, address, change, pteAddress, oldPte, newPte }: FenceReport): string =>
  [hart, space.stage, address >> 12n, change, pteAddress, oldPte, newPte].join(" ");

/** The narrowest fence that would have done. An entry above the leaf, or another root, needs one for all addresses. */
function missingFence(
  hart: Hart,
  space: Space,
  { isGlobal }: RememberedLeaf,
  address: bigint | undefined,
): MissingFence {
  switch (space.stage) {
    case "only":
      return { instruction: "sfence.vma", hart: hart.id, address, id: isGlobal ? undefined : space.asid };
    case "VS":
      return { instruction: "hfence.vvma", hart: hart.id, address, id: isGlobal ? undefined : space.asid };
    case "G":
      return { instruction: "hfence.gvma", hart: hart.id, address, id: space.vmid };
  }
}
