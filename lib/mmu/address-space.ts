/** A hart's view of memory: translation, and the cache in front of it. */
import type { Bus } from "../bus/bus.ts";
import { PAGE_BYTES } from "../bus/machine-memory.ts";
import { type AccessKind, effectiveMode } from "../hart/effective-mode.ts";
import type { Hart } from "../hart/hart.ts";
import { type Paddr, paddr, type Vaddr } from "../isa/address.ts";
import type { ModeNumber } from "../isa/mode.ts";
import type { Trap } from "../isa/trap.ts";
import type { AccessWatch } from "./access-watch.ts";
import type { FenceChecker } from "./fence-checker.ts";
import { isPmpUniform } from "./pmp.ts";
import { QuickWalk } from "./quick-walk.ts";
import { StageWalker } from "./stage-walker.ts";
import {
  accessFault,
  type Rights,
  resolve,
  type Translation,
  type TranslationFault,
  translate,
  trapOf,
} from "./translate.ts";
import type { RememberedUse } from "./translation.ts";
import type { TranslationMemory } from "./translation-memory.ts";

/** Where an access goes. */
export type Found = Pick<Translation, "kind" | "paddr">;

const NOWHERE = -1;
/** What a fetch reads at once. */
const FETCH_BYTES = 2;

/** Translates accesses and lets the cache remember what it may. */
export class AddressSpace {
  readonly cache: TranslationMemory;
  #watch: AccessWatch | undefined;
  readonly #hart: Hart;
  readonly #bus: Bus;
  readonly #checker: FenceChecker | undefined;
  readonly #quick: QuickWalk;
  readonly #isQuick: boolean;
  /** Whether the present translation has used a stale leaf: the checker wants to hear of each use. */
  #isStale = false;
  /** Offsets in RAM of the entries that the present walk has read. */
  readonly #sources: number[] = [];
  readonly #observer = {
    entry: (address: Paddr): void => {
      this.#sources.push(Number(address) - this.#bus.ram.base);
    },
    remembered: (use: RememberedUse): void => {
      if (this.#checker?.check(this.#hart, use)) this.#isStale = true;
    },
  };

  constructor(hart: Hart, bus: Bus, cache: TranslationMemory, checker?: FenceChecker) {
    this.#hart = hart;
    this.#bus = bus;
    this.cache = cache;
    this.#checker = checker;
    this.#quick = new QuickWalk(hart.state, bus.ram);
    this.#isQuick = cache.isEnabled && checker === undefined && hart.remembered === undefined;
    checker?.onChange(() => cache.forget());
  }

  /** Whom to tell of accesses. Set anew whenever the pages that it covers change. */
  set watch(watch: AccessWatch | undefined) {
    this.#watch = watch;
    this.cache.forget();
  }

  /** Whether the instruction that was just fetched is not to be executed: a breakpoint. */
  stopsHere(): boolean {
    return this.#watch?.takeStop() ?? false;
  }

  /** Forgets all that follows from rules about pages: PMP, or what translation may do, has changed. */
  forget(): void {
    this.#quick.forget();
    this.cache.forget();
  }

  /** Translates an access that stays inside a page, with the rights that the hart has now. */
  translate(vaddr: Vaddr, kind: AccessKind, lengthBytes: number): Found | TranslationFault {
    return (
      this.#translateQuickly(vaddr, kind, lengthBytes) ?? this.#translateAndRemember(vaddr, kind, lengthBytes)
    );
  }

  /** The ordinary case, where nobody wants to hear of the walk; undefined: it is another. */
  #translateQuickly(vaddr: Vaddr, kind: AccessKind, lengthBytes: number): Found | undefined {
    if (!this.#isQuick || this.#watch !== undefined) return undefined;
    const offset = this.lookUp(vaddr, kind);
    const address =
      offset < 0 ? this.#quick.findDevice(vaddr, kind, lengthBytes) : this.#bus.ram.base + offset;
    return address < 0 ? undefined : { kind: "translation", paddr: paddr(BigInt(address)) };
  }

  /**
   * Lets the cache remember the page of an access that is ordinary and changes nothing.
   *
   * @returns  Offset in RAM; negative: it is not ordinary, or somebody wants to hear of it.
   */
  lookUp(vaddr: Vaddr, kind: AccessKind): number {
    if (!this.#isQuick || this.#watch !== undefined) return NOWHERE;
    this.#sources.length = 0;
    const offset = this.#quick.find(vaddr, kind, this.#sources);
    if (offset >= 0) this.cache.remember(kind, vaddr, offset, this.#sources);
    return offset;
  }

  #translateAndRemember(vaddr: Vaddr, kind: AccessKind, lengthBytes: number): Translation | TranslationFault {
    const result = this.#translate(vaddr, kind, lengthBytes, undefined);
    if (result.kind !== "translation") return result;
    if (this.#watch?.covers(kind, vaddr, result.paddr))
      this.#watch.access(kind, vaddr, result.paddr, lengthBytes);
    else if (this.cache.isEnabled && !this.#isStale) this.#remember(vaddr, kind, result.paddr);
    return result;
  }

  /** Translates an access with rights of its own, which the cache does not know. */
  translateAs(rights: Rights, vaddr: Vaddr, kind: AccessKind, lengthBytes: number): Found | TranslationFault {
    const result = this.#translate(vaddr, kind, lengthBytes, rights);
    if (result.kind === "translation" && this.#watch?.covers(kind, vaddr, result.paddr))
      this.#watch.access(kind, vaddr, result.paddr, lengthBytes);
    return result;
  }

  #translate(
    vaddr: Vaddr,
    kind: AccessKind,
    lengthBytes: number,
    rights: Rights | undefined,
  ): Translation | TranslationFault {
    this.#sources.length = 0;
    this.#isStale = false;
    const { state, remembered } = this.#hart;
    const walker = new StageWalker(remembered, this.#observer);
    const result = translate(state, this.#bus, vaddr, kind, lengthBytes, rights, this.#observer, walker);
    if (result.kind === "translation" && walker.keep()) this.cache.forget();
    this.#checker?.watch(this.#sources);
    return result;
  }

  /**
   * Lets the cache remember the page of an instruction that nobody has fetched yet. It does nothing where a guest or somebody
   * outside could see it: where a bit of an entry is to be set, where translations outlive their entries, where somebody watches.
   */
  foresee(vaddr: Vaddr): void {
    const { state, remembered } = this.#hart;
    if (remembered !== undefined) return;
    this.#sources.length = 0;
    const result = resolve(state, this.#bus, vaddr, "fetch", FETCH_BYTES, undefined, this.#observer);
    if (result.kind !== "translation" || (result.updates?.length ?? 0) > 0) return;
    if (!this.#watch?.covers("fetch", vaddr, result.paddr)) this.#remember(vaddr, "fetch", result.paddr);
  }

  /** The trap of an access that was refused: by the translation, or (`undefined`) by whoever should answer. */
  refusal(
    fault: TranslationFault | undefined,
    kind: AccessKind,
    vaddr: bigint,
    mode: ModeNumber = effectiveMode(this.#hart.state, kind),
  ): Trap {
    return fault === undefined ? accessFault(kind, vaddr, mode) : trapOf(fault, kind, vaddr, mode);
  }

  /** Only pages of RAM, and only those about which PMP says the same everywhere. */
  #remember(vaddr: Vaddr, kind: AccessKind, address: Paddr): void {
    const { ram } = this.#bus;
    const offset = Number(address) - ram.base;
    if (offset < 0 || offset >= ram.sizeBytes) return;
    const page = paddr(address & -BigInt(PAGE_BYTES));
    if (isPmpUniform(this.#hart.state, page, PAGE_BYTES))
      this.cache.remember(kind, vaddr, offset, this.#sources);
  }
}
