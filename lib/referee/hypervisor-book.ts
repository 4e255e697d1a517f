/** All that the referee knows of one hypervisor: its text, its own page tables and, where it keeps a frame table, its frames. */
import type { Board } from "../board/board.ts";
import { PAGE_SHIFT } from "../bus/machine-memory.ts";
import type { Hart } from "../hart/hart.ts";
import { hpa } from "../hs/address.ts";
import type { HypervisorMap } from "../hs/hypervisor.ts";
import { stubLabel } from "../hs/hypervisor-vector.ts";
import { onlooker } from "../hs/onlooker.ts";
import { MODE_NUMBER } from "../isa/mode.ts";
import { DOMAINS, Domain, FOREIGN_MAPPINGS, ForeignMapping, type VmmState, vmmState } from "../vmm/layout.ts";
import type { ChangeList } from "./changed-pages.ts";
import { bothIn, rightsIn, type SpaceRights } from "./execute-rules.ts";
import { FrameBook } from "./frame-book.ts";
import { lendingOf } from "./frame-grants.ts";
import {
  conservationOf,
  countsOf,
  type FrameView,
  type IsGranted,
  isolationOf,
  outsideOf,
} from "./frame-rules.ts";
import { guestSpace, strangersIn } from "./guest-spaces.ts";
import { domainOn, guestRootOf, ownTablesOf, savedRootsOf, staleOf, vmidOf } from "./live-rules.ts";
import {
  composedLeavesOf,
  type ReadWord,
  type Step,
  type Tables,
  tablesOf,
  throughSecondStage,
  walkTo,
} from "./page-tables.ts";
import { ParavirtualBook } from "./paravirtual-book.ts";
import { rootCountsOf } from "./paravirtual-rules.ts";
import { SealedText, type Text } from "./text-rules.ts";
import type { Finding } from "./violation.ts";

/** What the hypervisor's tables do not say. */
export interface HypervisorRules {
  /** Frames and device pages that domains may use though they are not theirs. None when left out. */
  readonly isGranted: IsGranted;
  /** More code that must not change, beside the hypervisor's: a kernel's, firmware's. */
  readonly texts: readonly Text[];
}

/** A `satp` of HS-mode, and what it maps. */
interface OwnSpace {
  readonly tables: Tables;
  readonly rights: SpaceRights;
}

/** Pages of a guest among which one is looked for. */
const MOST_SEARCHED = 4096;
const PAGE_BYTES = 1 << PAGE_SHIFT;
const NO_GRANTS: IsGranted = () => false;

/** The hypervisor's code, and the table of hypercalls behind it. */
function textsOf(map: HypervisorMap): Text[] {
  const table = map.addressOf("hypercall_table");
  let hypercalls = 0n;
  while (map.symbols.has(stubLabel(Number(hypercalls)))) hypercalls += 1n;
  return [
    { name: "hypervisor's code", begin: map.base, end: table },
    { name: "hypercall table", begin: table, end: table + 8n * hypercalls },
  ];
}

/** The referee's knowledge of a board and a hypervisor. */
export class HypervisorBook {
  /** Code as it was when the referee came. */
  readonly sealed: readonly SealedText[];
  /** The reference hypervisor's structures, where it is one. */
  readonly state: VmmState | undefined;
  readonly #board: Board;
  readonly #map: HypervisorMap;
  readonly #changes: ChangeList;
  readonly #frames: FrameBook | undefined;
  readonly #view: FrameView | undefined;
  readonly #read: ReadWord;
  /** Root of each domain's second stage; 0: there is no such domain. */
  readonly #roots = new Array<bigint>(DOMAINS).fill(0n);
  readonly #spaces = new Map<bigint, OwnSpace>();
  /** Values of `hgatp` whose tables were judged, where there is no frame table, and the pages of those tables. */
  readonly #guestTables = new Map<bigint, ReadonlySet<bigint>>();
  /** Frames that were touched and not yet judged: who reaches them; what their counts say. */
  readonly #unjudged = new Set<number>();
  readonly #uncounted = new Set<number>();
  #isDirty = true;
  #areTextsDirty = false;

  /** @param sealed  Code as it was; taken from RAM when left out. */
  constructor(
    board: Board,
    map: HypervisorMap,
    { isGranted = NO_GRANTS, texts = [] }: Partial<HypervisorRules>,
    changes: ChangeList,
    sealed?: readonly SealedText[],
  ) {
    const { ram } = board.bus;
    this.#board = board;
    this.#map = map;
    this.#changes = changes;
    this.#read = (address) => {
      const offset = Number(address) - ram.base;
      if (offset < 0 || offset + 8 > ram.sizeBytes) return undefined;
      return BigInt.asUintN(64, ram.i64[offset >>> 3] ?? 0n);
    };
    this.sealed = sealed ?? [...textsOf(map), ...texts].map((text) => new SealedText(ram, text));
    for (const { text } of this.sealed) this.#watch(text.begin, text.end);
    if (!map.symbols.has("frame_table")) return;
    const state = vmmState(onlooker(board), map);
    this.state = state;
    const domains = map.addressOf("domains");
    this.#watch(domains, domains + BigInt(DOMAINS * Domain.sizeBytes));
    this.#watch(map.addressOf("frame_pool"), map.addressOf("frame_pool") + 1n);
    const mappings = map.addressOf("foreign_mappings");
    this.#watch(mappings, mappings + BigInt(FOREIGN_MAPPINGS * ForeignMapping.sizeBytes));
    const book = new FrameBook(ram, Number(map.addressOf("frame_table")) - ram.base, this.#changes);
    this.#frames = book;
    this.#view = {
      book,
      paravirtual: new ParavirtualBook(ram, this.#changes),
      harts: board.harts,
      state,
      read: this.#read,
      isGranted,
      lent: new Set(),
      secondStage: (domain) => {
        const root = this.#roots[domain] ?? 0n;
        return root === 0n ? undefined : { register: "hgatp", root, levels: 3 };
      },
    };
    this.#followRoots();
    this.#takeTouched();
  }

  /** Reads what has changed since the last time. How many pages that was. */
  refresh(): number {
    const changed = this.#changes.take();
    if (changed.size === 0) return 0;
    this.#isDirty = true;
    for (const page of changed) {
      this.#frames?.lookAt(page);
      this.#view?.paravirtual.lookAt(page);
      this.#areTextsDirty ||= this.sealed.some(({ text }) => this.#isIn(page, text));
      const number = BigInt(this.#board.bus.ram.base / PAGE_BYTES + page);
      for (const [satp, { rights }] of this.#spaces)
        if (rights.tablePages.has(number)) this.#spaces.delete(satp);
      for (const [hgatp, tablePages] of this.#guestTables)
        if (tablePages.has(number)) this.#guestTables.delete(hgatp);
    }
    this.#followRoots();
    this.#takeTouched();
    return changed.size;
  }

  /** Frames whose uses, or entry in the frame table, have changed: they are to be judged. */
  #takeTouched(): void {
    const view = this.#view;
    if (view === undefined) return;
    const { book, paravirtual } = view;
    const touched = [...book.takeTouched()];
    for (const frame of touched) paravirtual.follow(frame, book.entryOf(frame));
    for (const frame of [...touched, ...paravirtual.takeTouched()]) {
      this.#unjudged.add(frame);
      this.#uncounted.add(frame);
    }
  }

  /**
   * What is wrong with what has changed.
   *
   * @param isSettled  No handler works: counts must agree.
   */
  *changed(isSettled: boolean): Generator<Finding> {
    if (this.#areTextsDirty) {
      this.#areTextsDirty = false;
      for (const text of this.sealed) yield* text.changes();
    }
    yield* this.#ownSpaces();
    const view = this.#view;
    if (view === undefined) {
      yield* this.#guestSpaces();
      return;
    }
    yield* savedRootsOf(view);
    if (!this.#isDirty) return;
    // What harts remember was right when they learned it; it becomes wrong when a frame does.
    if (this.#unjudged.size > 0) yield* staleOf(view, this.#board.harts);
    for (const frame of view.lent) this.#unjudged.add(frame);
    view.lent.clear();
    const frames = [...this.#unjudged];
    this.#unjudged.clear();
    for (const frame of frames) yield* isolationOf(view, frame);
    yield* outsideOf(view);
    if (!isSettled) return;
    this.#isDirty = false;
    const uncounted = [...this.#uncounted];
    this.#uncounted.clear();
    for (const frame of uncounted) yield* countsOf(view, frame);
    yield* rootCountsOf(view);
    yield* conservationOf(view);
    yield* lendingOf(view);
  }

  /** What is wrong at all. */
  *everything(isSettled: boolean): Generator<Finding> {
    for (const text of this.sealed) yield* text.changes();
    this.#spaces.clear();
    yield* this.#ownSpaces();
    const view = this.#view;
    if (view === undefined) {
      this.#guestTables.clear();
      yield* this.#guestSpaces();
      return;
    }
    for (const hart of this.#board.harts) yield* guestRootOf(view, hart, hart.mode);
    yield* savedRootsOf(view);
    yield* staleOf(view, this.#board.harts);
    for (let frame = 0; frame < view.book.frameCount; frame++) yield* isolationOf(view, frame);
    yield* outsideOf(view);
    if (!isSettled) return;
    for (let frame = 0; frame < view.book.frameCount; frame++) yield* countsOf(view, frame);
    yield* conservationOf(view);
    yield* lendingOf(view);
  }

  /** I1: a hart has just come from a guest. */
  *guestOf(hart: Hart, mode: Hart["mode"]): Generator<Finding> {
    if (this.#view !== undefined) yield* guestRootOf(this.#view, hart, mode);
  }

  /** The domain whose guest a hart runs, if it runs one: by the hypervisor's tables, or, where the referee knows none, by VMID. */
  domainOn(hart: Hart): number | undefined {
    if (this.#view === undefined) return vmidOf(hart.state.stored("hgatp"));
    const domain = domainOn(this.#view, hart);
    return domain === 0 ? undefined : domain;
  }

  /** How a guest's own tables, those that it uses now, come by an entry of its second stage; empty if they do not. */
  guestWalkTo({ domain, at }: NonNullable<Finding["entry"]>): readonly Step[] {
    const view = this.#view;
    const second = view?.secondStage(domain);
    const own = view === undefined ? undefined : ownTablesOf(view, this.#board.harts, domain);
    if (second === undefined || own === undefined) return [];
    let left = MOST_SEARCHED;
    for (const page of composedLeavesOf(own, second, this.#read)) {
      if (page.at === at) return walkTo(own, throughSecondStage(second, this.#read), page.address).steps;
      if (--left === 0) break;
    }
    return [];
  }

  /** I5. */
  *#ownSpaces(): Generator<Finding> {
    for (const hart of this.#board.harts) {
      const satp = hart.state.stored("satp");
      const tables = tablesOf("satp", satp);
      if (tables === undefined) {
        if (hart.state.modeNumber !== MODE_NUMBER.S) continue;
        const sentence = `Hart ${hart.id} is in HS-mode and satp says Bare, so that all memory can be written and executed.`;
        yield { invariant: "I5", object: `satp of hart ${hart.id}`, sentence };
      } else if (!this.#spaces.has(satp)) {
        const rights = rightsIn(tables, this.#read);
        this.#spaces.set(satp, { tables, rights });
        this.#watchPages(rights.tablePages);
        yield* bothIn(tables, this.#read, rights);
      }
    }
  }

  /** I1 and I2 where there is no frame table: what the second stages map that harts use now. */
  *#guestSpaces(): Generator<Finding> {
    for (const hart of this.#board.harts) {
      const hgatp = hart.state.stored("hgatp");
      const tables = tablesOf("hgatp", hgatp);
      if (tables === undefined || this.#guestTables.has(hgatp)) continue;
      const space = guestSpace(tables, this.#read);
      this.#guestTables.set(hgatp, space.tablePages);
      this.#watchPages(space.tablePages);
      yield* strangersIn(space, this.#map, this.#read);
    }
  }

  /** Domains come and go. */
  #followRoots(): void {
    const { state } = this;
    if (state === undefined) return;
    for (let id = 1; id < DOMAINS; id++) {
      const domain = state.domain(id);
      const root: bigint = domain.id === 0 ? 0n : domain.root;
      const known = this.#roots[id] ?? 0n;
      if (root === known) continue;
      if (known !== 0n) this.#frames?.removeRoot(id, state.frameNumber(hpa(known)));
      if (root !== 0n) this.#frames?.addRoot(id, state.frameNumber(hpa(root)));
      this.#roots[id] = root;
    }
  }

  #watchPages(numbers: Iterable<bigint>): void {
    for (const number of numbers)
      this.#watch(number << BigInt(PAGE_SHIFT), (number + 1n) << BigInt(PAGE_SHIFT));
  }

  #watch(begin: bigint, end: bigint): void {
    const { base, sizeBytes } = this.#board.bus.ram;
    const first = (Number(begin) - base) >>> PAGE_SHIFT;
    if (Number(begin) < base || Number(begin) >= base + sizeBytes || end <= begin) return;
    this.#changes.watch(first, ((Number(end) - 1 - base) >>> PAGE_SHIFT) - first + 1);
  }

  #isIn(page: number, { begin, end }: Text): boolean {
    const at = BigInt(this.#board.bus.ram.base + page * PAGE_BYTES);
    return at < end && at + BigInt(PAGE_BYTES) > begin;
  }
}
