/** Walks through both stages as the machine does them: tables go into a board's RAM, and the board is asked. */
import type { Board } from "../../board/board.ts";
import { buildBoard } from "../../board/virt.ts";
import { writeCsr } from "../../hart/csr-write.ts";
import { encodeCsr, SV39 } from "../../isa/csr-map.ts";
import { explainTranslation, type TranslationExplanation } from "../../mmu/explain-translation.ts";
import type { Access } from "../walls/walk-cases.ts";

/** A guest's access, and the tables of both stages. */
export interface TwoStageCase {
  /** Entries by physical address; whatever is not there is 0. */
  readonly memory: ReadonlyMap<bigint, bigint>;
  readonly vsatp: bigint;
  readonly hgatp: bigint;
  readonly gva: bigint;
  /** `user`: VU-mode, otherwise VS-mode; `sum` and `mxr` are the guest's own. */
  readonly access: Access;
}

/** What becomes of an access. */
export interface TwoStageOutcome {
  readonly explanation: TranslationExplanation;
  /** Where it leads; `undefined`: a fault. */
  readonly paddr: bigint | undefined;
  /** 0, or the code of the fault. */
  readonly cause: number;
  /** Of a guest-page fault: the guest-physical address that found no page. */
  readonly gpa: bigint | undefined;
  /** Entries that were read, of both stages. */
  readonly reads: number;
}

const PAGE_FAULTS = { fetch: 12, load: 13, store: 15 } as const;
const GUEST_PAGE_FAULTS = { fetch: 20, load: 21, store: 23 } as const;
const RAM_BYTES = 16 * 1024 * 1024;

/** Address of a root and Sv39 (or Sv39x4) as a value of `vsatp`. */
export const vsatpFor = (root: bigint): bigint => encodeCsr("vsatp", { MODE: SV39, PPN: root >> 12n });
/** The same for `hgatp`, with a VMID. */
export const hgatpFor = (root: bigint, vmid: number): bigint =>
  encodeCsr("hgatp", { MODE: SV39, VMID: vmid, PPN: root >> 12n });

/** An entry that points to an address, with its flags. */
export const entryTo = (paddr: bigint, flags: bigint): bigint => ((paddr >> 12n) << 10n) | flags;

/** A board that walks: the same for many cases, each of which finds empty RAM. */
export class TwoStageMachine {
  readonly board: Board = buildBoard({ ramBytes: RAM_BYTES });

  constructor() {
    writeCsr(this.board.hart, "pmpaddr0", (1n << 54n) - 1n);
    writeCsr(this.board.hart, "pmpcfg0", 0x1fn);
  }

  /** Lays the tables, asks, and clears RAM again. */
  ask({ memory, vsatp, hgatp, gva, access }: TwoStageCase): TwoStageOutcome {
    const { board } = this;
    const { hart } = board;
    for (const [at, entry] of memory) board.memory.store(at, 8, entry);
    writeCsr(hart, "vsatp", vsatp);
    writeCsr(hart, "hgatp", hgatp);
    writeCsr(hart, "vsstatus", (access.sum ? 1n << 18n : 0n) | (access.mxr ? 1n << 19n : 0n));
    const outcome = outcomeOf(explainTranslation(hart, gva, access.kind, access.user ? "VU" : "VS"));
    for (const at of memory.keys()) board.memory.store(at, 8, 0n);
    return outcome;
  }
}

/** An explanation as a result. Whether somebody answers at the physical address is no matter of the tables. */
export function outcomeOf(explanation: TranslationExplanation): TwoStageOutcome {
  const { paddr, access, failedStage, guest } = explanation;
  const isSecond = failedStage === "G";
  const refused = [...explanation.levels.map(({ gStage }) => gStage), guest?.access].find(
    (walk) => walk?.ok === false,
  );
  return {
    explanation,
    paddr,
    cause: paddr !== undefined ? 0 : (isSecond ? GUEST_PAGE_FAULTS : PAGE_FAULTS)[access],
    gpa: isSecond ? refused?.gpa : undefined,
    reads: readsOf(explanation),
  };
}

/** Verdicts about entries that were not read. */
const UNREAD: ReadonlySet<string> = new Set(["pte-guest-fault", "pte-access-denied", "pte-unreachable"]);

/** How many entries of both stages a translation reads. */
export function readsOf({ levels, guest }: TranslationExplanation): number {
  const second = [...levels.map(({ gStage }) => gStage), guest?.access].flatMap((walk) => walk?.levels ?? []);
  return [...levels, ...second].filter(({ isRemembered, verdict }) => !isRemembered && !UNREAD.has(verdict))
    .length;
}
