/**
 * Why an interrupt is taken next, or why it is not: question by question, in the order in which the hart asks. Values;
 * whoever shows them chooses the form. Looking changes nothing.
 */
import { MODE_WORDS, type Mode } from "../isa/mode.ts";
import { causeWords, INTERRUPT, type InterruptName, interrupt } from "../isa/trap.ts";
import type { Hart } from "./hart.ts";
import { hypervisorField } from "./hypervisor-status.ts";
import { INTERRUPT_PRIORITY, interruptToTake, pendingBits } from "./interrupts.ts";
import type { HartState } from "./state.ts";
import { statusBit } from "./status.ts";
import { isGuestTimerOn, isTimerOn } from "./supervisor-timer.ts";

/** One of the hart's questions, and its answer. */
export interface InterruptQuestion {
  readonly question: "pending" | "enabled" | "route" | "mode" | "first";
  /** Whether it goes on. The route is no obstacle. */
  readonly ok: boolean;
  /** Names the register and the bit. */
  readonly sentence: string;
}

/** An explained interrupt. */
export interface InterruptExplanation {
  readonly name: InterruptName;
  /** Its bit in `mip` and `mie`, and its code in `mcause`. */
  readonly code: number;
  readonly isPending: boolean;
  readonly isEnabled: boolean;
  /** The mode that would take it. */
  readonly to: "M" | "S" | "VS";
  /** Whether that mode's interrupts are taken now. */
  readonly isOpen: boolean;
  /** The interrupt that is taken before it. */
  readonly after: InterruptName | undefined;
  /** Whether it is taken before the next instruction. */
  readonly isTaken: boolean;
  /** Whether it ends a WFI: pending and enabled is enough. */
  readonly wakes: boolean;
  readonly questions: readonly InterruptQuestion[];
  /** Why it is not taken, or that it is: the first answer that stands in its way. */
  readonly sentence: string;
}

/** Names of the bits in `mip`, without the P. */
const BIT = {
  supervisorSoftware: "SSI",
  virtualSupervisorSoftware: "VSSI",
  machineSoftware: "MSI",
  supervisorTimer: "STI",
  virtualSupervisorTimer: "VSTI",
  machineTimer: "MTI",
  supervisorExternal: "SEI",
  virtualSupervisorExternal: "VSEI",
  machineExternal: "MEI",
  supervisorGuestExternal: "SGEI",
} as const satisfies Record<InterruptName, string>;

const bitOf = (word: bigint, code: number): number => Number((word >> BigInt(code)) & 1n);

/** Explains one interrupt with the registers as they are now. */
export function explainInterrupt(hart: Hart, name: InterruptName): InterruptExplanation {
  const { state } = hart;
  const code = INTERRUPT[name];
  const isPending = bitOf(pendingBits(state), code) === 1;
  const isEnabled = bitOf(state.stored("mie"), code) === 1;
  const to = takerOf(state, code);
  const mode = modeAnswer(state, to);
  const next = interruptToTake(state);
  const isTaken = next === code;
  const isFirst = isTaken || !(isPending && isEnabled && mode.ok);
  const after = isFirst ? undefined : INTERRUPT_PRIORITY.find((other) => INTERRUPT[other] === next);
  const questions: InterruptQuestion[] = [
    { question: "pending", ok: isPending, sentence: pendingSentence(hart, name, isPending) },
    { question: "enabled", ok: isEnabled, sentence: enabledSentence(name, isEnabled, to) },
    { question: "route", ok: true, sentence: routeSentence(state, code, to) },
    { question: "mode", ...mode },
    { question: "first", ok: after === undefined, sentence: firstSentence(after) },
  ];
  const words = causeWords(interrupt(code));
  const obstacle = questions.find(({ ok }) => !ok);
  return {
    name,
    code,
    isPending,
    isEnabled,
    to,
    isOpen: mode.ok,
    after,
    isTaken,
    wakes: isPending && isEnabled,
    questions,
    sentence:
      obstacle === undefined
        ? `The ${words} is taken before the next instruction, by ${MODE_WORDS[to]}.`
        : `The ${words} is not taken: ${obstacle.sentence}`,
  };
}

/** Explains all interrupts, in the order of their priority. */
export const explainInterrupts = (hart: Hart): InterruptExplanation[] =>
  INTERRUPT_PRIORITY.map((name) => explainInterrupt(hart, name));

/** @spec norm:hideleg_op */
function takerOf(state: HartState, code: number): InterruptExplanation["to"] {
  if (bitOf(state.stored("mideleg"), code) === 0) return "M";
  return bitOf(state.stored("hideleg"), code) === 1 ? "VS" : "S";
}

function routeSentence(state: HartState, code: number, to: InterruptExplanation["to"]): string {
  const [first, second] = [bitOf(state.stored("mideleg"), code), bitOf(state.stored("hideleg"), code)];
  const passedOn = first === 1 ? ` and of hideleg ${second}` : "";
  const renumbered = to === "VS" ? `, which sees it under number ${code - 1}` : "";
  return `Bit ${code} of mideleg is ${first}${passedOn}, so it goes to ${MODE_WORDS[to]}${renumbered}.`;
}

/** Whether a mode's interrupts are taken in the present mode. @spec norm:mstatus_xie_intr_en_dis */
function modeAnswer(
  state: HartState,
  to: InterruptExplanation["to"],
): { readonly ok: boolean; readonly sentence: string } {
  const { mode } = state;
  if (mode === to) {
    const [register, field] = ENABLE[to];
    const ok = statusBit(state.stored(register), field);
    return {
      ok,
      sentence: `The hart is in ${MODE_WORDS[to]}, where ${register}.${field} decides: it is ${ok ? 1 : 0}.`,
    };
  }
  const ok = INTERRUPTS[to].includes(mode);
  const here = `The hart is in ${MODE_WORDS[mode]}`;
  if (ok)
    return { ok, sentence: `${here}, which ${MODE_WORDS[to]} interrupts whatever the global enables say.` };
  return {
    ok,
    sentence:
      to === "VS"
        ? `${here}, and an interrupt of the guest waits until the guest runs.`
        : `${here}, which is never interrupted by a less privileged mode.`,
  };
}

const ENABLE = {
  M: ["mstatus", "MIE"],
  S: ["mstatus", "SIE"],
  VS: ["vsstatus", "SIE"],
} as const;

/** The less privileged modes that a mode interrupts. */
const INTERRUPTS = {
  M: ["S", "U", "VS", "VU"],
  S: ["U", "VS", "VU"],
  VS: ["VU"],
} as const satisfies Record<InterruptExplanation["to"], readonly Mode[]> as Readonly<
  Record<InterruptExplanation["to"], readonly Mode[]>
>;

/** Where each mode finds the enable bit. */
function enabledSentence(name: InterruptName, isEnabled: boolean, to: InterruptExplanation["to"]): string {
  const bit = `${BIT[name]}E`;
  const seenAs = bit.startsWith("V") || name === "supervisorGuestExternal" ? `hie.${bit}` : `sie.${bit}`;
  const own = to === "VS" ? `, in the guest sie.${bit.slice(1)}` : "";
  const aliases = bit.startsWith("M") ? "" : ` (${seenAs}${own})`;
  return `mie.${bit}${aliases} is ${isEnabled ? 1 : 0}.`;
}

function firstSentence(after: InterruptName | undefined): string {
  return after === undefined
    ? "No other interrupt comes before it."
    : `The ${causeWords(interrupt(INTERRUPT[after]))} is taken first.`;
}

/** Who makes it pending; or who could. */
function pendingSentence(hart: Hart, name: InterruptName, isPending: boolean): string {
  const bit = `mip.${BIT[name]}P`;
  const why = isPending ? pendingBecause(hart, name) : notPendingBecause(hart, name);
  return `${bit} is ${isPending ? 1 : 0}: ${why}.`;
}

function pendingBecause({ state }: Hart, name: InterruptName): string {
  const code = INTERRUPT[name];
  const reasons = [
    ...(bitOf(state.wiresPending, code) === 1 ? [WIRE_WORDS[name]] : []),
    ...(bitOf(state.softwarePending, code) === 1
      ? [BIT[name].startsWith("V") ? `hvip.${BIT[name]}P is set` : "software has set it"]
      : []),
    ...lineReasons(state, name),
  ];
  return reasons.join(", and ");
}

/** What drives each bit, besides software. */
const WIRE_WORDS = {
  machineSoftware: "the CLINT's msip asserts it",
  machineTimer: "the CLINT's mtimecmp has come",
  machineExternal: "the PLIC asserts it",
  supervisorSoftware: "a wire asserts it",
  supervisorTimer: "time has reached stimecmp",
  supervisorExternal: "the PLIC asserts it",
  virtualSupervisorSoftware: "a wire asserts it",
  virtualSupervisorTimer: "the guest's time has reached vstimecmp",
  virtualSupervisorExternal: "a wire asserts it",
  supervisorGuestExternal: "a wire asserts it",
} as const satisfies Record<InterruptName, string>;

/** Guest external lines. @spec norm:hip_sgeip_sgeie_acc_op @spec norm:hip_vseip_vseie_op */
function lineReasons(state: HartState, name: InterruptName): string[] {
  const lines = state.guestExternal;
  const line = hypervisorField(state, "VGEIN");
  if (name === "supervisorGuestExternal" && (lines & state.stored("hgeie")) !== 0n)
    return ["a line is set in hgeip that is enabled in hgeie"];
  if (name === "virtualSupervisorExternal" && line !== 0n && ((lines >> line) & 1n) === 1n)
    return [`hstatus.VGEIN chooses line ${line} of hgeip, which is 1`];
  return [];
}

function notPendingBecause({ state }: Hart, name: InterruptName): string {
  const line = hypervisorField(state, "VGEIN");
  switch (name) {
    case "supervisorTimer":
      return isTimerOn(state)
        ? "time has not reached stimecmp"
        : "menvcfg.STCE is 0, so machine mode would have to set it";
    case "virtualSupervisorTimer":
      return isGuestTimerOn(state)
        ? "hvip.VSTIP is 0, and the guest's time has not reached vstimecmp"
        : "hvip.VSTIP is 0, and the guest has no timer: STCE is 0 in henvcfg or menvcfg";
    case "virtualSupervisorExternal":
      return line === 0n
        ? "hvip.VSEIP is 0, and hstatus.VGEIN is 0, which chooses no line of hgeip"
        : `hvip.VSEIP is 0, and so is line ${line} of hgeip, which hstatus.VGEIN chooses`;
    case "supervisorGuestExternal":
      return state.guestExternal === 0n
        ? "no line of hgeip is set"
        : "hgeie enables none of the lines that are set in hgeip";
    case "virtualSupervisorSoftware":
      return "hvip.VSSIP is 0";
    default:
      return "nobody asserts it";
  }
}
