/** Why a walk failed, in sentences that name the bit. */
import { getField } from "../bits/field.ts";
import { groupedHex } from "../bits/hex.ts";
import type { AccessKind } from "../hart/effective-mode.ts";
import { MODE_WORDS, type Mode } from "../isa/mode.ts";
import type { WalkFaultReason, WalkStep } from "./page-walk.ts";
import { PTE_FIELDS, pteHas } from "./pte.ts";
import type { Scheme } from "./scheme.ts";

/** What said no: a PTE bit, a group of bits, the address itself, or PMP. */
export type FailedBit =
  | "V"
  | "R"
  | "W"
  | "X"
  | "U"
  | "A"
  | "D"
  | "PPN"
  | "PBMT"
  | "N"
  | "reserved"
  | "address"
  | "PMP"
  | "bus"
  | "G-stage";

const FAILED_BIT = {
  "not-canonical": "address",
  "beyond-guest-space": "address",
  "pte-guest-fault": "G-stage",
  "pte-access-denied": "PMP",
  "pte-unreachable": "bus",
  invalid: "V",
  "write-without-read": "R",
  "reserved-bits": "reserved",
  "memory-type-disabled": "PBMT",
  "memory-type-reserved": "PBMT",
  "napot-size-reserved": "N",
  "napot-superpage": "N",
  "pointer-with-leaf-bits": "reserved",
  "pointer-with-napot": "N",
  "pointer-with-memory-type": "PBMT",
  "pointer-at-last-level": "R",
  "misaligned-superpage": "PPN",
  "supervisor-page": "U",
  "user-page": "U",
  "user-page-fetch": "U",
  "not-readable": "R",
  "not-writable": "W",
  "not-executable": "X",
  "not-accessed": "A",
  "not-dirty": "D",
} as const satisfies Record<WalkFaultReason, FailedBit>;

/** The bit behind a reason. */
export const failedBitOf = (reason: WalkFaultReason): FailedBit => FAILED_BIT[reason];

/** Who wanted what. */
export interface Wish {
  readonly mode: Mode;
  readonly access: AccessKind;
  readonly vaddr: bigint;
  /** The only stage, a guest's own, or the one for guest-physical addresses. */
  readonly stage: Stage;
  /** By which the stage translates; `undefined`: not at all. */
  readonly scheme: Scheme | undefined;
}

/** Which tables a walk goes through: those of `satp`, `vsatp` or `hgatp`. */
export type Stage = "only" | "VS" | "G";

const STATUS = { only: "mstatus", VS: "vsstatus", G: "mstatus" } as const satisfies Record<Stage, string>;
const ENVIRONMENT = { only: "menvcfg", VS: "henvcfg", G: "menvcfg" } as const satisfies Record<Stage, string>;

/** "PTE 2 at 0x8000_2010", with the stage where there are two. */
export const entryWords = ({ level, pteAddress }: WalkStep, stage: Stage): string =>
  `${stage === "only" ? "" : `${stage}-stage `}PTE ${level} at ${groupedHex(pteAddress, 8)}`;

const memoryTypeBits = (pte: bigint): bigint => getField(pte, PTE_FIELDS.PBMT);
const napotBits = (pte: bigint): string => getField(pte, PTE_FIELDS.napot).toString(2).padStart(4, "0");

/** What follows "PTE 0 at 0x8000_2008 ". */
const WORDS: Readonly<
  Record<
    Exclude<WalkFaultReason, "not-canonical" | "beyond-guest-space">,
    (wish: Wish, step: WalkStep) => string
  >
> = {
  "pte-guest-fault": () => "cannot be read: the second stage refuses its guest-physical address",
  "pte-access-denied": () => "cannot be read: PMP refuses it to supervisor mode, whose rights a walk has",
  "pte-unreachable": () => "cannot be read: there is no RAM",
  invalid: () => "has V=0: it is not valid, nothing is mapped here",
  "write-without-read": () => "has W=1 and R=0: this combination is reserved",
  "reserved-bits": () => "has a reserved bit among 60–54 set",
  "memory-type-disabled": ({ stage }, { pte = 0n }) =>
    `has PBMT (bits 62–61) = ${memoryTypeBits(pte)}: while ${ENVIRONMENT[stage]}.PBMTE is 0, they must be zero`,
  "memory-type-reserved": () => "has PBMT (bits 62–61) = 3: this memory type is reserved",
  "napot-size-reserved": (_, { pte = 0n }) =>
    `has N (bit 63) = 1 and a PPN that ends in ${napotBits(pte)}: only 1000, which is 64 KiB, is defined`,
  "napot-superpage": (_, { level }) =>
    `is a leaf at level ${level} with N (bit 63) = 1: only leaves at level 0 may have it`,
  "pointer-with-napot": () => "is a pointer (R=W=X=0) with N (bit 63) = 1, which is reserved in pointers",
  "pointer-with-memory-type": (_, { pte = 0n }) =>
    `is a pointer (R=W=X=0) with PBMT (bits 62–61) = ${memoryTypeBits(pte)}, which is reserved in pointers`,
  "pointer-with-leaf-bits": () => "is a pointer (R=W=X=0) with A, D or U set, which are reserved in pointers",
  "pointer-at-last-level": () => "has R=W=X=0: it points to another table, but this is the last level",
  "misaligned-superpage": (_, { level }) =>
    `is a leaf at level ${level}, but its PPN is not aligned to such a page`,
  "supervisor-page": ({ mode, stage }) =>
    stage === "G"
      ? "has U=0: to the second stage every access of a guest is user mode's"
      : `has U=0: ${MODE_WORDS[mode]} may not use this page`,
  "user-page": ({ mode, stage }) =>
    `has U=1: ${MODE_WORDS[mode]} may not use a user page while ${STATUS[stage]}.SUM is 0`,
  "user-page-fetch": ({ mode }) =>
    `has U=1: ${MODE_WORDS[mode]} never executes a user page, whatever SUM says`,
  "not-readable": ({ stage }, { pte = 0n }) =>
    pteHas(pte, "X")
      ? `has R=0: it may be executed, but not read while ${STATUS[stage]}.MXR is 0`
      : "has R=0: the page may not be read",
  "not-writable": () => "has W=0: the page may not be written",
  "not-executable": () => "has X=0: the page may not be executed",
  "not-accessed": ({ stage }) =>
    `has A=0: while ${ENVIRONMENT[stage]}.ADUE is 0, software must set it before the first use`,
  "not-dirty": ({ stage }) =>
    `has D=0: while ${ENVIRONMENT[stage]}.ADUE is 0, software must set it before the first store`,
};

/** The sentence for a refusal at an entry, or before any entry was read. */
export function reasonSentence(reason: WalkFaultReason, step: WalkStep | undefined, wish: Wish): string {
  if (reason === "beyond-guest-space" || reason === "not-canonical" || step === undefined)
    return placeSentence(wish);
  return `${entryWords(step, wish.stage)} ${WORDS[reason](wish, step)} (mode ${wish.mode}, ${wish.access}).`;
}

/** Why an address has no place in the tables. */
function placeSentence({ vaddr, scheme }: Wish): string {
  const name = scheme?.name ?? "translated";
  const width = scheme?.addressBits ?? 0;
  const rule = scheme?.isGuestPhysical
    ? `a guest-physical address has ${width} bits`
    : `bits 63–${width} must all equal bit ${width - 1}`;
  return `${groupedHex(vaddr)} is no ${name} address: ${rule}.`;
}
