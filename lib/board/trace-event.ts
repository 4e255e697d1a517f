/** Trace events as people read them. The hash never sees these: it is taken over the raw records. */
import { EVENT_WORDS, EventKind } from "../bus/event-sink.ts";
import { csrAt } from "../isa/csr-map.ts";
import { type Mode, modeName } from "../isa/mode.ts";
import { causeWords } from "../isa/trap.ts";
import type { SymbolTable } from "./symbols.ts";

/** What every event says. */
interface EventBase {
  /** Instructions that the machine had retired before the one that caused the event. */
  readonly retired: number;
  readonly hart: number;
}

/** An architectural event. Addresses and values are unsigned 64-bit. */
export type TraceEvent = EventBase &
  (
    | {
        readonly kind: "exception";
        readonly from: Mode;
        readonly to: Mode;
        readonly cause: number;
        readonly epc: bigint;
        readonly tval: bigint;
      }
    | {
        readonly kind: "interrupt";
        readonly from: Mode;
        readonly to: Mode;
        readonly cause: number;
        readonly epc: bigint;
      }
    | {
        readonly kind: "trap-return";
        readonly from: Mode;
        readonly to: Mode;
        readonly pc: bigint;
        readonly target: bigint;
      }
    | {
        readonly kind: "csr-write";
        readonly mode: Mode;
        readonly csr: number;
        readonly value: bigint;
        readonly pc: bigint;
      }
    | {
        readonly kind: "device-load" | "device-store";
        readonly width: number;
        readonly paddr: bigint;
        readonly value: bigint;
      }
    | {
        readonly kind: "dma-write";
        readonly paddr: bigint;
        readonly lengthBytes: number;
        readonly digest: bigint;
      }
    | { readonly kind: "hx-call"; readonly mode: Mode; readonly number: number; readonly pc: bigint }
    | { readonly kind: "input"; readonly byte: number }
    | { readonly kind: "state-digest"; readonly digest: bigint }
    | {
        readonly kind: "image";
        readonly paddr: bigint;
        readonly lengthBytes: number;
        readonly digest: bigint;
      }
  );

/** One record as it went into the hash. */
export interface TraceRecord extends EventBase {
  readonly kind: EventKind;
  readonly detail: number;
  readonly words: readonly [bigint, bigint, bigint];
}

/** The event that a record stands for. */
export function traceEvent({ kind, detail, words: [a, b, c], retired, hart }: TraceRecord): TraceEvent {
  const base = { retired, hart };
  // Only of some kinds is `detail` a pair of modes.
  const modesOf = () => ({ from: modeName((detail >> 4) & 7), to: modeName(detail & 7) });
  switch (kind) {
    case EventKind.EXCEPTION:
      return { ...base, kind: "exception", ...modesOf(), cause: Number(a), epc: b, tval: c };
    case EventKind.INTERRUPT:
      return { ...base, kind: "interrupt", ...modesOf(), cause: Number(a), epc: b };
    case EventKind.TRAP_RETURN:
      return { ...base, kind: "trap-return", ...modesOf(), pc: a, target: b };
    case EventKind.CSR_WRITE:
      return { ...base, kind: "csr-write", mode: modesOf().to, csr: Number(a), value: b, pc: c };
    case EventKind.DEVICE_LOAD:
    case EventKind.DEVICE_STORE:
      return { ...base, kind: EVENT_WORDS[kind][0], width: detail, paddr: a, value: b };
    case EventKind.DMA_WRITE:
    case EventKind.IMAGE:
      return { ...base, kind: EVENT_WORDS[kind][0], paddr: a, lengthBytes: Number(b), digest: c };
    case EventKind.HX_CALL:
      return { ...base, kind: "hx-call", mode: modesOf().to, number: Number(a), pc: b };
    case EventKind.INPUT:
      return { ...base, kind: "input", byte: Number(a) };
    case EventKind.STATE_DIGEST:
      return { ...base, kind: "state-digest", digest: a };
  }
}

/** An event in one line, with names for addresses where the image has them. */
export function eventText(event: TraceEvent, symbols: SymbolTable): string {
  const hart = event.hart === 0 ? "" : `hart ${event.hart} `;
  return `${String(event.retired).padStart(10)}  ${hart}${eventWords(event, symbols)}`;
}

function eventWords(event: TraceEvent, symbols: SymbolTable): string {
  const at = (address: bigint): string => symbols.nameOf(address) ?? hex(address);
  switch (event.kind) {
    case "exception": {
      const words = causeWords({ isInterrupt: false, cause: event.cause });
      return `${event.from} → ${event.to}  ${words} at ${at(event.epc)}, tval ${hex(event.tval)}`;
    }
    case "interrupt":
      return `${event.from} → ${event.to}  ${causeWords({ isInterrupt: true, cause: event.cause })} at ${at(event.epc)}`;
    case "trap-return":
      return `${event.from} → ${event.to}  return to ${at(event.target)}`;
    case "csr-write":
      return `${event.mode}  ${csrAt(event.csr) ?? `CSR ${hex(BigInt(event.csr))}`} := ${hex(event.value)} at ${at(event.pc)}`;
    case "device-load":
      return `device ${hex(event.paddr)} read: ${hex(event.value)}`;
    case "device-store":
      return `device ${hex(event.paddr)} := ${hex(event.value)}`;
    case "dma-write":
      return `DMA: ${event.lengthBytes} bytes to ${hex(event.paddr)}`;
    case "hx-call":
      return `${event.mode}  hx ${event.number} at ${at(event.pc)}`;
    case "input":
      return `typed: ${hex(BigInt(event.byte))}`;
    case "state-digest":
      return `state digest ${event.digest.toString(16).padStart(16, "0")}`;
    case "image":
      return `loaded ${event.lengthBytes} bytes at ${hex(event.paddr)}`;
  }
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
