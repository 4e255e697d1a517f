/** A trap explained: who, why, where to, and which bit decided. Values; whoever shows them chooses the form. */
import { groupedHex } from "../bits/hex.ts";
import type { AccessKind } from "../hart/effective-mode.ts";
import type { Hart } from "../hart/hart.ts";
import type { Delegation, TrapEvent } from "../hart/trap-event.ts";
import { type CsrName, decodeCsr } from "../isa/csr-map.ts";
import { decode } from "../isa/decode.ts";
import { disassemble } from "../isa/disassemble.ts";
import {
  isVirtual,
  MODE_NUMBER,
  MODE_WORDS,
  type Mode,
  modeName,
  modeOf,
  type PrivilegeNumber,
} from "../isa/mode.ts";
import { PSEUDOINSTRUCTION } from "../isa/transformed.ts";
import { causeName, causeWords, type ExceptionName, type Trap } from "../isa/trap.ts";
import { explainTranslation, type TranslationExplanation } from "./explain-translation.ts";

/** An explained trap. */
export interface TrapExplanation {
  readonly isInterrupt: boolean;
  /** Code without the interrupt bit. */
  readonly cause: number;
  /** The manual's words: "load page fault". */
  readonly name: string;
  readonly from: Mode;
  readonly to: Mode;
  readonly epc: bigint;
  readonly tval: bigint;
  /** What tval means for this cause. */
  readonly tvalMeaning: string;
  /** Whether `tval` is a guest virtual address: `hstatus.GVA` or `mstatus.GVA`. */
  readonly gva: boolean;
  /** `htval` or `mtval2`: of a guest-page fault, the guest-physical address shifted right by 2. */
  readonly tval2: bigint;
  /** The guest-physical address in it; `undefined` for other causes. */
  readonly guestPhysical: bigint | undefined;
  /** `htinst` or `mtinst`. */
  readonly tinst: bigint;
  /** What it says. */
  readonly tinstMeaning: string;
  /** Why this mode took it: the delegation bit that decided. */
  readonly route: string;
  /** The whole story in one sentence. */
  readonly sentence: string;
  /** For page and access faults: the translation, as the tables are now. */
  readonly walk: TranslationExplanation | undefined;
}

/** What a page or access fault was about. */
const ACCESS_OF: { readonly [N in ExceptionName]?: AccessKind } = {
  instructionPageFault: "fetch",
  instructionAccessFault: "fetch",
  loadPageFault: "load",
  loadAccessFault: "load",
  storePageFault: "store",
  storeAccessFault: "store",
  instructionGuestPageFault: "fetch",
  loadGuestPageFault: "load",
  storeGuestPageFault: "store",
};

const GUEST_PAGE_FAULTS: ReadonlySet<string | undefined> = new Set<ExceptionName>([
  "instructionGuestPageFault",
  "loadGuestPageFault",
  "storeGuestPageFault",
]);

type Told = Pick<TrapEvent, "trap" | "from" | "to" | "epc" | "delegation" | "effectiveMode">;

/**
 * Explains a trap: one that an observer was told of, or the last one that the hart's present handler mode took.
 *
 * @param hart  The hart that took it; its tables are walked again, as they are now.
 */
export function explainTrap(hart: Hart, event: TrapEvent | undefined = undefined): TrapExplanation {
  const told: Told = event ?? lastTrap(hart);
  const { trap, from, to, epc } = told;
  const walk = walkOf(hart, told);
  const name = causeWords(trap);
  return {
    isInterrupt: trap.isInterrupt,
    cause: trap.cause,
    name,
    from,
    to,
    epc,
    tval: trap.tval,
    tvalMeaning: tvalMeaning(trap),
    gva: trap.gva,
    tval2: trap.tval2,
    guestPhysical: guestPhysicalOf(trap),
    tinst: trap.tinst,
    tinstMeaning: tinstMeaning(trap),
    route: routeWords(told.delegation, to),
    sentence: storyOf(told, name, walk, handlerNote(hart, told)),
    walk,
  };
}

/** Which CSRs tell of the last trap, by the mode that handles it. */
const TOLD_BY = {
  M: { cause: "mcause", tval: "mtval", epc: "mepc", tval2: "mtval2", tinst: "mtinst" },
  S: { cause: "scause", tval: "stval", epc: "sepc", tval2: "htval", tinst: "htinst" },
  VS: { cause: "vscause", tval: "vstval", epc: "vsepc", tval2: undefined, tinst: undefined },
} as const satisfies Record<string, Record<string, CsrName | undefined>>;

/** Reads the last trap back out of the CSRs of the mode that handles it. */
function lastTrap(hart: Hart): Told {
  const handler = hart.mode;
  const to = handler === "M" || handler === "S" ? handler : handler === "U" ? "S" : "VS";
  const names = TOLD_BY[to];
  const csr = (name: CsrName | undefined): bigint => (name === undefined ? 0n : hart.csr(name));
  const { code, interrupt } = decodeCsr("mcause", csr(names.cause));
  const isInterrupt = interrupt === 1n;
  const { from, gva } = cameFrom(hart, to);
  // A guest is told of its interrupts under supervisor mode's numbers.
  const cause = Number(code) + (to === "VS" && isInterrupt ? 1 : 0);
  const [register, further] = isInterrupt
    ? (["mideleg", "hideleg"] as const)
    : (["medeleg", "hedeleg"] as const);
  const isSet = isBitSet(hart.csr(register), cause);
  const asksHypervisor = isSet && isVirtual(MODE_NUMBER[from]);
  const toGuest = asksHypervisor
    ? { register: further, isSet: isBitSet(hart.csr(further), cause) }
    : undefined;
  return {
    trap: {
      isInterrupt,
      cause,
      tval: csr(names.tval),
      tval2: csr(names.tval2),
      tinst: csr(names.tinst),
      gva,
    },
    from,
    to,
    epc: csr(names.epc),
    delegation: { register, bit: cause, isSet, wasAsked: from !== "M", toGuest },
    effectiveMode: accessMode(hart, from, gva),
  };
}

const isBitSet = (word: bigint, bit: number): boolean => ((word >> BigInt(bit)) & 1n) === 1n;

/** The mode that was interrupted, and whether the trap value is an address of a guest. */
function cameFrom(hart: Hart, to: keyof typeof TOLD_BY): { readonly from: Mode; readonly gva: boolean } {
  const { MPP, MPV, SPP, GVA } = decodeCsr("mstatus", hart.csr("mstatus"));
  const mode = (privilege: bigint, virtual: boolean): Mode =>
    modeName(modeOf(Number(privilege) as PrivilegeNumber, virtual));
  if (to === "M") return { from: mode(MPP, MPV === 1n), gva: GVA === 1n };
  if (to === "VS") return { from: mode(decodeCsr("vsstatus", hart.csr("vsstatus")).SPP, true), gva: false };
  const { SPV, GVA: isGuests } = decodeCsr("hstatus", hart.csr("hstatus"));
  return { from: mode(SPP, SPV === 1n), gva: isGuests === 1n };
}

/** Whose rights the access had: HLV and HSV have those of the guest. */
function accessMode(hart: Hart, from: Mode, gva: boolean): Mode {
  if (!gva || isVirtual(MODE_NUMBER[from])) return from;
  return decodeCsr("hstatus", hart.csr("hstatus")).SPVP === 1n ? "VS" : "VU";
}

function walkOf(hart: Hart, { trap, from, effectiveMode }: Told): TranslationExplanation | undefined {
  const name = trap.isInterrupt ? undefined : causeName(trap);
  const access = name === undefined ? undefined : ACCESS_OF[name as ExceptionName];
  if (access === undefined) return undefined;
  const mode = access === "fetch" ? from : effectiveMode;
  return explainTranslation(hart, trap.tval, access, mode, 1, isHlvx(trap));
}

function tvalMeaning(trap: Trap): string {
  const name = trap.isInterrupt ? undefined : causeName(trap);
  if (name === "illegalInstruction" || name === "virtualInstruction")
    return `the instruction word: ${disassemble(Number(BigInt.asIntN(32, trap.tval)))}`;
  if (name === "breakpoint") return "the address of the breakpoint";
  if (name === "instructionAddressMisaligned") return "the misaligned target of the jump";
  if (name !== undefined && ACCESS_OF[name as ExceptionName] !== undefined)
    return trap.gva ? "the guest's virtual address of the access" : "the virtual address of the access";
  return "not used by this cause";
}

/** The guest-physical address of a guest-page fault; its two lowest bits are those of `tval`, or 0 for a table's entry. */
function guestPhysicalOf(trap: Trap): bigint | undefined {
  const name = trap.isInterrupt ? undefined : causeName(trap);
  if (!GUEST_PAGE_FAULTS.has(name)) return undefined;
  return (trap.tval2 << 2n) | (isImplicit(trap) ? 0n : trap.tval & 3n);
}

/** HLVX tells itself in `tinst`. */
const isHlvx = ({ tinst }: Trap): boolean => /^hlvx/.test(disassemble(Number(BigInt.asIntN(32, tinst))));

const isImplicit = ({ tinst }: Trap): boolean =>
  tinst === PSEUDOINSTRUCTION.read || tinst === PSEUDOINSTRUCTION.write;

function tinstMeaning({ tinst }: Trap): string {
  if (tinst === 0n) return "nothing is told";
  if (tinst === PSEUDOINSTRUCTION.read) return "the hart was reading an entry of the guest's page tables";
  if (tinst === PSEUDOINSTRUCTION.write) return "the hart was setting A or D in the guest's page tables";
  // Bit 1 is clear where a compressed instruction stands behind it.
  const word = disassemble(Number(BigInt.asIntN(32, tinst | 2n)));
  return `the instruction with its address taken out: ${word}`;
}

function routeWords({ register, bit, isSet, wasAsked, toGuest }: Delegation, to: Mode): string {
  if (!wasAsked)
    return `it came in machine mode, and a trap never goes to a less privileged mode: ${register} is not asked`;
  const first = `bit ${bit} of ${register} is ${isSet ? 1 : 0}`;
  const second = toGuest === undefined ? "" : ` and that of ${toGuest.register} is ${toGuest.isSet ? 1 : 0}`;
  return `${first}${second}, so ${MODE_WORDS[to]} handles it`;
}

function storyOf(
  { trap, from, to, epc, delegation }: Told,
  name: string,
  walk: TranslationExplanation | undefined,
  note: string,
): string {
  const where = groupedHex(epc, 8);
  const what = trap.isInterrupt
    ? `${capital(MODE_WORDS[from])} was interrupted before ${where}`
    : `${capital(MODE_WORDS[from])} trapped at ${where}`;
  const why = walk === undefined || walk.ok ? "" : ` ${walk.sentence}`;
  return `${what}: ${name}.${why}${note} ${capital(routeWords(delegation, to))}.`;
}

/** Why `hx` was an illegal instruction; nothing about other traps. */
function handlerNote({ handlers }: Hart, { trap, from }: Told): string {
  if (trap.isInterrupt || causeName(trap) !== "illegalInstruction") return "";
  const insn = decode(Number(BigInt.asIntN(32, trap.tval)));
  if (insn?.mnemonic !== "hx") return "";
  if (from !== "M" && from !== "S")
    return ` Only machine mode and HS-mode may call handlers, not ${MODE_WORDS[from]}.`;
  const known = handlers.numbers.join(", ");
  return ` No handler has number ${insn.imm}; the board knows ${known === "" ? "none" : known}.`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
