/**
 * The translations that one hart remembers: leaves of page tables, each from its first successful use until a fence covers
 * it. Nothing else forgets one: neither a store to its entry, nor a write of `satp`, nor another hart's fence.
 *
 * The manual lets a hart remember so much and so long; real ones remember less. On a board that answers from here, a
 * missing fence shows at once and always.
 *
 * The three stages are remembered apart: what `satp` maps, by ASID; what a guest's `vsatp` maps to guest-physical
 * addresses, by VMID and ASID; what `hgatp` maps, by VMID. So each fence has one store to look through. Entries of the
 * tables above leaves are never remembered. It is state that a guest can see: part of snapshots and of state digests.
 *
 * @spec priv §"Virtual Address Translation Process"
 */

/** An entry of a page table on the way to a leaf, or the leaf itself. */
export interface RememberedStep {
  /** Where the walk read it: a physical address; for a guest's own tables a guest-physical one. */
  readonly address: bigint;
  readonly pte: bigint;
}

/** A leaf as it was when it was used. */
export interface RememberedLeaf {
  /** First address that it maps. */
  readonly start: bigint;
  /** Bytes that are remembered with it: its page. Of a 64 KiB region each of the sixteen pages is remembered by itself. */
  readonly bytes: bigint;
  readonly level: number;
  /** G=1 in it or above it. */
  readonly isGlobal: boolean;
  /** The entries that led to it, root first, itself last. */
  readonly path: readonly RememberedStep[];
}

/** The tables of `satp`, of `vsatp`, or of `hgatp`, under one identifier. */
export type Space =
  | { readonly stage: "only"; readonly asid: bigint }
  | { readonly stage: "VS"; readonly vmid: bigint; readonly asid: bigint }
  | { readonly stage: "G"; readonly vmid: bigint };

/** What a fence says: an address, or all; an address space, or all. */
export interface FenceScope {
  readonly address: bigint | undefined;
  readonly id: bigint | undefined;
}

/** What a snapshot keeps: the leaves of each space, in the order of remembering. */
export type RememberedState = readonly (readonly [space: string, leaves: readonly RememberedLeaf[]])[];

/** Bits of an ASID; all are implemented. @spec norm:asidlen */
const ASID_BITS = 16;
/** Bits of a VMID; all are implemented. @spec norm:hgatp_vmid */
const VMID_BITS = 14;
/** Sizes of pages, smallest first: the order in which an address is looked up. */
const PAGE_SHIFTS = [12n, 21n, 30n, 39n] as const;
/**
 * Pages that a hart remembers at most; the next one makes it forget all. A guest cannot fill the host's memory, and few
 * will notice: it is 1 GiB in the smallest pages.
 */
export const REMEMBERED_LEAVES = 2 ** 18;

/** Leaves by page number and size. */
type Leaves = Map<string, RememberedLeaf>;

/** What one hart remembers. */
export class RememberedTranslations {
  /** Whether translations are answered from here. If not, it is only a note of what a hart could remember, for the fence checker. */
  readonly answers: boolean;
  readonly #spaces = new Map<string, Leaves>();
  #size = 0;

  constructor(answers: boolean) {
    this.answers = answers;
  }

  /** Leaves remembered. */
  get size(): number {
    return this.#size;
  }

  /**
   * The leaf that is remembered for an address: in its address space, or for all. Where several cover it, the smallest page
   * counts, and the address space's own before a global one.
   * @spec norm:sfence_vma_ordering_semantics
   */
  find(space: Space, address: bigint): RememberedLeaf | undefined {
    const own = this.#spaces.get(spaceKey(space, false));
    const global = space.stage === "G" ? undefined : this.#spaces.get(spaceKey(space, true));
    if (own === undefined && global === undefined) return undefined;
    for (const shift of PAGE_SHIFTS) {
      const key = leafKey(address, shift);
      const found = own?.get(key) ?? global?.get(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /**
   * Remembers a leaf, in place of one for the same page.
   *
   * @returns  Whether something else may now be found for an address that was remembered already.
   */
  remember(space: Space, leaf: RememberedLeaf): boolean {
    const isFull = this.#size >= REMEMBERED_LEAVES;
    if (isFull) this.forgetAll();
    const isChange = isFull || this.find(space, leaf.start) !== undefined;
    const spaceName = spaceKey(space, leaf.isGlobal && space.stage !== "G");
    const leaves: Leaves = this.#spaces.get(spaceName) ?? new Map();
    this.#spaces.set(spaceName, leaves);
    const key = leafKey(leaf.start, shiftOf(leaf.bytes));
    if (!leaves.has(key)) this.#size += 1;
    leaves.set(key, leaf);
    return isChange;
  }

  /**
   * SFENCE.VMA outside a guest. With an ASID it leaves global mappings alone; with an address it covers the pages that
   * contain it.
   * @spec norm:sfence_vma_all_asid_va
   * @spec norm:sfence_vma_asid_only
   * @spec norm:sfence_vma_va_all_asid
   * @spec norm:sfence_vma_va_asid
   * @spec norm:sfence_vma_rs2_bits
   * @spec norm:sfence_vma_v0
   */
  fenceSupervisor({ address, id }: FenceScope): void {
    const prefix = id === undefined ? "only:" : spaceKey({ stage: "only", asid: asidOf(id) }, false);
    this.#forget(prefix, id !== undefined, address);
  }

  /**
   * SFENCE.VMA in a guest, and HFENCE.VVMA for it: the guest's own tables of one virtual machine.
   * @spec norm:sfence_vma_v1
   * @spec norm:hfence-vvma_limits
   * @spec norm:hfence-vvma_asid
   */
  fenceGuest(vmid: bigint, { address, id }: FenceScope): void {
    const prefix =
      id === undefined ? `VS:${vmid}:` : spaceKey({ stage: "VS", vmid, asid: asidOf(id) }, false);
    this.#forget(prefix, id !== undefined, address);
  }

  /** HFENCE.GVMA: a guest-physical address, and a VMID. @spec norm:hfence-gvma_op @spec norm:hfence-gvma_vmid */
  fenceSecondStage({ address, id }: FenceScope): void {
    const prefix =
      id === undefined ? "G:" : spaceKey({ stage: "G", vmid: BigInt.asUintN(VMID_BITS, id) }, false);
    this.#forget(prefix, id !== undefined, address);
  }

  /** As after reset. */
  forgetAll(): void {
    this.#spaces.clear();
    this.#size = 0;
  }

  save(): RememberedState {
    return [...this.#spaces].map(([space, leaves]) => [space, [...leaves.values()]] as const);
  }

  restore(state: RememberedState): void {
    this.forgetAll();
    for (const [space, leaves] of state) {
      this.#spaces.set(
        space,
        new Map(leaves.map((leaf) => [leafKey(leaf.start, shiftOf(leaf.bytes)), leaf])),
      );
      this.#size += leaves.length;
    }
  }

  /** Everything as text, in an order that depends on the guest alone: what a state digest takes in. */
  describe(): string {
    const lines = this.save().flatMap(([space, leaves]) =>
      leaves.map(({ start, bytes, level, path }) =>
        [space, start, shiftOf(bytes), level, ...path.map(({ address, pte }) => `${address}=${pte}`)].join(
          " ",
        ),
      ),
    );
    return lines.join("\n");
  }

  /** Spaces whose name is the prefix, or begins with it; pages that contain the address, or all. */
  #forget(prefix: string, isWholeName: boolean, address: bigint | undefined): void {
    const names = isWholeName ? [prefix] : [...this.#spaces.keys()].filter((name) => name.startsWith(prefix));
    for (const name of names) this.#forgetIn(name, address);
  }

  #forgetIn(name: string, address: bigint | undefined): void {
    const leaves = this.#spaces.get(name);
    if (leaves === undefined) return;
    const before = leaves.size;
    if (address === undefined) leaves.clear();
    else for (const shift of PAGE_SHIFTS) leaves.delete(leafKey(address, shift));
    this.#size -= before - leaves.size;
    if (leaves.size === 0) this.#spaces.delete(name);
  }
}

/** What {@link RememberedTranslations.describe} said, or `undefined` for any other text. */
export function parseRemembered(text: string): RememberedState | undefined {
  const spaces = new Map<string, RememberedLeaf[]>();
  for (const line of text === "" ? [] : text.split("\n")) {
    const match = LINE.exec(line);
    const [, space = "", start = "", shift = "", level = "", steps = ""] = match ?? [];
    if (match === null || spaces.size > REMEMBERED_LEAVES) return undefined;
    const path = steps
      .trimStart()
      .split(" ")
      .map((step) => {
        const [address = "0", pte = "0"] = step.split("=");
        return { address: BigInt(address), pte: BigInt(pte) };
      });
    const isGlobal = space.endsWith("*");
    const leaf = { start: BigInt(start), bytes: 1n << BigInt(shift), level: Number(level), isGlobal, path };
    spaces.set(space, [...(spaces.get(space) ?? []), leaf]);
  }
  return [...spaces];
}

/** Space, first address, size as a power of two, level, then address and value of each entry of the path. */
const LINE =
  /^(only:(?:\d{1,5}|\*)|VS:\d{1,5}:(?:\d{1,5}|\*)|G:\d{1,5}) (\d{1,20}) (12|21|30|39) ([0-3])((?: \d{1,20}=\d{1,20}){1,4})$/;

const asidOf = (id: bigint): bigint => BigInt.asUintN(ASID_BITS, id);

/** `only:3`, `VS:1:3`, `G:1`; `*` in place of the ASID for global mappings. */
function spaceKey(space: Space, isGlobal: boolean): string {
  if (space.stage === "G") return `G:${space.vmid}`;
  const asid = isGlobal ? "*" : `${space.asid}`;
  return space.stage === "only" ? `only:${asid}` : `VS:${space.vmid}:${asid}`;
}

const shiftOf = (bytes: bigint): bigint =>
  PAGE_SHIFTS.find((shift) => bytes >> shift === 1n) ?? PAGE_SHIFTS[0];

const leafKey = (address: bigint, shift: bigint): string =>
  `${shift}:${BigInt.asUintN(64, address) >> shift}`;
