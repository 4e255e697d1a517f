/**
 * One stage's walks for one translation: from what the hart remembers, if it does, else from the tables; and a note of
 * what there is to remember once the access is allowed.
 */
import type { RememberedTranslations, Space } from "../hart/remembered-translations.ts";
import { paddr } from "../isa/address.ts";
import {
  judgeLeaf,
  type Leaf,
  type ReadPte,
  type WalkFault,
  type WalkRequest,
  type WalkStep,
  walkPageTable,
} from "./page-walk.ts";
import { mayFenceLater, pteChange } from "./pte-change.ts";
import { pageBytesAt } from "./scheme.ts";
import type { RememberedUse, WalkObserver } from "./translation.ts";

/** A leaf that a walk has found in the tables. */
interface Find {
  readonly space: Space;
  readonly address: bigint;
  readonly leaf: Leaf;
  readonly path: readonly WalkStep[];
  /** Whether hardware had to read it anew to set A or D, and so knows it in place of what it remembered. */
  readonly isReread: boolean;
}

/** Walks for one translation. */
export class StageWalker {
  readonly #remembered: RememberedTranslations | undefined;
  readonly #observer: WalkObserver;
  readonly #finds: Find[] = [];
  #isRereading = false;
  /** The remembered leaf that answered in place of the last walk. */
  lastUse: RememberedUse | undefined;

  constructor(remembered: RememberedTranslations | undefined, observer: WalkObserver) {
    this.#remembered = remembered;
    this.#observer = observer;
  }

  /** @param record  Hears of each entry that is read from the tables, and of none when the leaf is remembered. */
  walk(
    space: Space,
    request: WalkRequest,
    readPte: ReadPte,
    record: ((step: WalkStep) => void) | undefined,
  ): Leaf | WalkFault {
    if (this.#remembered === undefined) return walkPageTable(request, readPte, record);
    this.lastUse = undefined;
    this.#isRereading = false;
    const known = this.#useRemembered(this.#remembered, space, request);
    if (known !== undefined) return known;
    const path: WalkStep[] = [];
    const found = walkPageTable(request, readPte, (step) => {
      path.push(step);
      record?.(step);
    });
    if (found.kind === "leaf")
      this.#finds.push({ space, address: request.vaddr, leaf: found, path, isReread: this.#isRereading });
    return found;
  }

  /**
   * What a remembered leaf says, which may be no. Rights, SUM and MXR are those of now; an A or D bit is set in memory
   * alone, so a leaf that lacks one is read anew.
   * @spec norm:sfence_vma_sum_mxr_effect
   * @spec priv §"Virtual Address Translation Process"
   */
  #useRemembered(
    remembered: RememberedTranslations,
    space: Space,
    request: WalkRequest,
  ): Leaf | WalkFault | undefined {
    const leaf = remembered.find(space, request.vaddr);
    if (leaf === undefined) return undefined;
    const last = leaf.path.at(-1);
    if (last === undefined) return undefined;
    const entry = {
      pte: last.pte,
      level: leaf.level,
      pteAddress: paddr(last.address),
      isGlobal: leaf.isGlobal,
    };
    const judged = judgeLeaf(request, entry);
    this.#isRereading = judged.kind === "leaf" && judged.pte !== judged.wantedPte;
    if (this.#isRereading) return undefined;
    const use: RememberedUse = { space, address: request.vaddr, access: request.kind, leaf, request, judged };
    this.#observer.remembered?.(use);
    if (!remembered.answers) return undefined;
    this.lastUse = use;
    this.#observer.answered?.(use);
    return judged;
  }

  /**
   * Remembers what was found: the access is allowed.
   *
   * @returns  Whether an address that was remembered already may now lead elsewhere.
   */
  keep(): boolean {
    let isChange = false;
    for (const find of this.#finds) if (this.#keepOne(find)) isChange = true;
    return isChange;
  }

  #keepOne({ space, address, leaf, path, isReread }: Find): boolean {
    const remembered = this.#remembered;
    if (remembered === undefined) return false;
    if (!isReread && this.#isStale(remembered, space, address, leaf)) return false;
    // A 64 KiB region is remembered by its small pages.
    const bytes = pageBytesAt(leaf.level);
    const steps = path.map(({ pteAddress, pte = 0n }) => ({ address: pteAddress as bigint, pte }));
    // As hardware leaves it.
    steps[steps.length - 1] = { address: leaf.pteAddress, pte: leaf.wantedPte };
    const { level, isGlobal } = leaf;
    const start = BigInt.asUintN(64, address & -bytes);
    const isChange = remembered.remember(space, { start, bytes, level, isGlobal, path: steps });
    return isChange && remembered.answers;
  }

  /** A note of what a hart could remember keeps what is stale until a fence comes, although the board has walked anew. */
  #isStale(remembered: RememberedTranslations, space: Space, address: bigint, now: Leaf): boolean {
    const known = remembered.answers ? undefined : remembered.find(space, address);
    const last = known?.path.at(-1);
    if (known === undefined || last === undefined) return false;
    return !mayFenceLater(pteChange({ pte: last.pte, level: known.level }, now));
  }
}
