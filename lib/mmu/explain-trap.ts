/** A trap explained: who, why, where to, and which bit decided. Values; whoever shows them chooses the form. */
import { groupedHex } from "../bits/hex.ts";
import type { AccessKind } from "../hart/effective-mode.ts";
import type { Hart } from "../hart/hart.ts";
import type { Delegation, TrapEvent } from "../hart/trap-event.ts";
import { type CsrName, decodeCsr } from "../isa/csr-map.ts";
import { disassemble } from "../isa/disassemble.ts";
import { MODE_WORDS, type Mode, modeName } from "../isa/mode.ts";
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
};

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
    route: routeWords(told.delegation, to),
    sentence: storyOf(told, name, walk),
    walk,
  };
}

/** Reads the last trap back out of the CSRs of the mode that handles it. */
function lastTrap(hart: Hart): Told {
  const to = hart.mode === "M" ? "M" : "S";
  const csr = (machine: CsrName, supervisor: CsrName): bigint => hart.csr(to === "M" ? machine : supervisor);
  const { code, interrupt } = decodeCsr("mcause", csr("mcause", "scause"));
  const isInterrupt = interrupt === 1n;
  const cause = Number(code);
  const { MPP, SPP } = decodeCsr("mstatus", hart.csr("mstatus"));
  const from = modeName(Number(to === "M" ? MPP : SPP));
  const register = isInterrupt ? "mideleg" : "medeleg";
  const isSet = ((hart.csr(register) >> BigInt(cause)) & 1n) === 1n;
  return {
    trap: { isInterrupt, cause, tval: csr("mtval", "stval"), tval2: 0n, tinst: 0n },
    from,
    to,
    epc: csr("mepc", "sepc"),
    delegation: { register, bit: cause, isSet, wasAsked: from !== "M" },
    effectiveMode: from,
  };
}

function walkOf(hart: Hart, { trap, from, effectiveMode }: Told): TranslationExplanation | undefined {
  const name = trap.isInterrupt ? undefined : causeName(trap);
  const access = name === undefined ? undefined : ACCESS_OF[name as ExceptionName];
  if (access === undefined) return undefined;
  return explainTranslation(hart, trap.tval, access, access === "fetch" ? from : effectiveMode);
}

function tvalMeaning(trap: Trap): string {
  const name = trap.isInterrupt ? undefined : causeName(trap);
  if (name === "illegalInstruction")
    return `the instruction word: ${disassemble(Number(BigInt.asIntN(32, trap.tval)))}`;
  if (name === "breakpoint") return "the address of the breakpoint";
  if (name === "instructionAddressMisaligned") return "the misaligned target of the jump";
  if (name !== undefined && ACCESS_OF[name as ExceptionName] !== undefined)
    return "the virtual address of the access";
  return "not used by this cause";
}

function routeWords({ register, bit, isSet, wasAsked }: Delegation, to: Mode): string {
  if (!wasAsked)
    return `it came in machine mode, and a trap never goes to a less privileged mode: ${register} is not asked`;
  return `bit ${bit} of ${register} is ${isSet ? 1 : 0}, so ${MODE_WORDS[to]} handles it`;
}

function storyOf(
  { trap, from, to, epc, delegation }: Told,
  name: string,
  walk: TranslationExplanation | undefined,
): string {
  const where = groupedHex(epc, 8);
  const what = trap.isInterrupt
    ? `${capital(MODE_WORDS[from])} was interrupted before ${where}`
    : `${capital(MODE_WORDS[from])} trapped at ${where}`;
  const why = walk === undefined || walk.ok ? "" : ` ${walk.sentence}`;
  return `${what}: ${name}.${why} ${capital(routeWords(delegation, to))}.`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
