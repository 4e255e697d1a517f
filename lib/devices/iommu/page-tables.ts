/**
 * The two stages of page tables behind one device.
 *
 * @spec RISC-V IOMMU 1.0, "Process to translate an IOVA", steps 17 to 19, and "IOMMU updating of PTE accessed (A) and dirty (D) updates"
 */
import { getField } from "../../bits/field.ts";
import type { DmaPort } from "../../bus/dma.ts";
import type { AccessKind } from "../../hart/effective-mode.ts";
import { paddr, vaddr } from "../../isa/address.ts";
import {
  isAccessFault,
  type Leaf,
  type ReadPte,
  type WalkFault,
  walkPageTable,
} from "../../mmu/page-walk.ts";
import { PTE_FIELDS } from "../../mmu/pte.ts";
import { guestSchemeOf, schemeOf } from "../../mmu/scheme.ts";
import type { DeviceContext } from "./contexts.ts";
import { type IommuFault, iommuFault, type Transaction } from "./fault.ts";
import { FIRST_STAGE, IOHGATP, IommuCause, TranslationControl as Tc } from "./formats.ts";
import { readWord, writeWords } from "./table-memory.ts";
import type { IoTranslation } from "./translate-transaction.ts";

const PAGE_FAULT = { fetch: 12, load: 13, store: 15 } as const satisfies Record<AccessKind, number>;
const GUEST_PAGE_FAULT = { fetch: 20, load: 21, store: 23 } as const satisfies Record<AccessKind, number>;
const ACCESS_FAULT = { fetch: 1, load: 5, store: 7 } as const satisfies Record<AccessKind, number>;

/** What the second stage was asked for: the device's own access, or an entry of its tables. Bits 1:0 of `iotval2` tell them apart. */
const PURPOSE = { access: 0n, "table-read": 1n, "table-write": 3n } as const;
type Purpose = keyof typeof PURPOSE;

/** Bits to be set in an entry, by its physical address. */
interface PteUpdate {
  readonly address: bigint;
  readonly bits: bigint;
}

/** A page, as one stage maps it. */
interface Mapped {
  readonly kind: "mapped";
  readonly address: bigint;
  readonly pageBytes: bigint;
  readonly pbmt: bigint;
}

/** As large as it gets: a stage that is Bare sets no limit. */
const BARE_PAGE_BYTES = 1n << 64n;
const SMALLEST_PAGE_BYTES = 4096n;
const PHYSICAL_END = 1n << 56n;

/** Tables of a device, for one transaction. */
export class PageTables {
  readonly #memory: DmaPort;
  readonly #device: DeviceContext;
  readonly #transaction: Transaction;
  /** What is to be set for reads of the device's tables, and for the access itself. */
  readonly #readUpdates: PteUpdate[] = [];
  readonly #updates: PteUpdate[] = [];

  constructor(memory: DmaPort, device: DeviceContext, transaction: Transaction) {
    this.#memory = memory;
    this.#device = device;
    this.#transaction = transaction;
  }

  /** Takes the address of an entry of the process directory through the second stage. */
  passDirectory(gpa: bigint): bigint | IommuFault {
    const passed = this.#secondStage(gpa, "load", "table-read", IommuCause.PDT_ACCESS_FAULT);
    return passed.kind === "mapped" ? passed.address : passed;
  }

  /** Translates the transaction's address. */
  translate(iosatp: bigint, sum: boolean): IoTranslation | IommuFault {
    const result = this.#translate(iosatp, sum);
    // The device's own tables were read, whatever became of its access.
    this.#setAccessedDirty(this.#readUpdates);
    if (result.kind === "io-translation") this.#setAccessedDirty(this.#updates);
    return result;
  }

  #translate(iosatp: bigint, sum: boolean): IoTranslation | IommuFault {
    const { iova, kind } = this.#transaction;
    const first = this.#firstStage(iosatp, sum);
    if (first.kind !== "mapped") return first;
    const second = this.#secondStage(first.address, kind, "access", ACCESS_FAULT[kind]);
    if (second.kind !== "mapped") return second;
    // Nothing is addressed beyond `capabilities.PAS`.
    if (second.address >= PHYSICAL_END) return iommuFault(ACCESS_FAULT[kind]);
    const smaller = first.pageBytes < second.pageBytes ? first.pageBytes : second.pageBytes;
    const pageBytes = smaller === BARE_PAGE_BYTES ? SMALLEST_PAGE_BYTES : smaller;
    const within = pageBytes - 1n;
    return {
      kind: "io-translation",
      paddr: (second.address & ~within) | (iova & within),
      pageBytes,
      pbmt: first.pbmt === 0n ? second.pbmt : first.pbmt,
    };
  }

  /** Two notes may be about one entry, so bits are added to what is there. */
  #setAccessedDirty(updates: readonly PteUpdate[]): void {
    for (const { address, bits } of updates) {
      const pte = readWord(this.#memory, address);
      if (pte !== undefined) writeWords(this.#memory, address, [pte | bits]);
    }
  }

  #firstStage(iosatp: bigint, sum: boolean): Mapped | IommuFault {
    const { iova, kind, isPrivileged } = this.#transaction;
    const scheme = schemeOf(getField(iosatp, FIRST_STAGE.MODE));
    if (scheme === undefined) return bare(iova);
    let refusal: IommuFault | undefined;
    const readPte: ReadPte = (gpa) => {
      const passed = this.#secondStage(gpa, "load", "table-read", ACCESS_FAULT[kind]);
      if (passed.kind === "mapped") return readWord(this.#memory, passed.address) ?? "pte-unreachable";
      refusal = passed;
      return "pte-guest-fault";
    };
    const request = {
      scheme,
      rootPpn: getField(iosatp, FIRST_STAGE.PPN),
      vaddr: vaddr(iova),
      kind,
      asUser: !isPrivileged,
      sum,
      mxr: false,
      setsAccessedDirty: (this.#device.tc & Tc.SADE) !== 0n,
      allowsMemoryTypes: true,
      needsExecute: false,
    };
    const found = walkPageTable(request, readPte);
    if (found.kind === "walk-fault") return refusal ?? faultOf(found, PAGE_FAULT[kind], ACCESS_FAULT[kind]);
    return this.#mapped(found, (gpa) => this.#secondStage(gpa, "store", "table-write", ACCESS_FAULT[kind]));
  }

  /** @param unreadable  The cause when an entry of this stage cannot be read. */
  #secondStage(gpa: bigint, kind: AccessKind, purpose: Purpose, unreadable: number): Mapped | IommuFault {
    const { iohgatp, tc } = this.#device;
    const scheme = guestSchemeOf(getField(iohgatp, IOHGATP.MODE));
    if (scheme === undefined) return bare(gpa);
    const request = {
      scheme,
      rootPpn: getField(iohgatp, IOHGATP.PPN),
      vaddr: vaddr(gpa),
      kind,
      asUser: true,
      sum: false,
      mxr: false,
      setsAccessedDirty: (tc & Tc.GADE) !== 0n,
      allowsMemoryTypes: true,
      needsExecute: false,
    };
    const found = walkPageTable(request, (at) => readWord(this.#memory, at) ?? "pte-unreachable");
    if (found.kind === "walk-fault") {
      // The cause is that of the device's access, whatever the second stage was asked for.
      const cause = GUEST_PAGE_FAULT[this.#transaction.kind];
      return faultOf(found, cause, unreadable, (gpa & ~3n) | PURPOSE[purpose]);
    }
    return this.#mapped(found, bare, purpose === "table-read" ? this.#readUpdates : this.#updates);
  }

  /** Notes what hardware sets in the leaf, at its physical address. It is set when the translation has ended. */
  #mapped(
    leaf: Leaf,
    pass: (address: bigint) => Mapped | IommuFault,
    updates: PteUpdate[] = this.#updates,
  ): Mapped | IommuFault {
    if (leaf.pte !== leaf.wantedPte) {
      const at = pass(leaf.pteAddress);
      if (at.kind !== "mapped") return at;
      updates.push({ address: at.address, bits: leaf.wantedPte & ~leaf.pte });
    }
    const pbmt = getField(leaf.pte, PTE_FIELDS.PBMT);
    return { kind: "mapped", address: leaf.paddr, pageBytes: leaf.pageBytes, pbmt };
  }
}

const bare = (address: bigint): Mapped => ({
  kind: "mapped",
  address: paddr(address),
  pageBytes: BARE_PAGE_BYTES,
  pbmt: 0n,
});

const faultOf = (fault: WalkFault, pageFault: number, accessFault: number, iotval2 = 0n): IommuFault =>
  isAccessFault(fault.reason) ? iommuFault(accessFault) : iommuFault(pageFault, iotval2);
