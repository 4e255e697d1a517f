/** The event that says what a loader or a debugger wrote to RAM. */
import { digestWord } from "../bus/digest-word.ts";
import { EventKind } from "../bus/event-sink.ts";
import type { Machine } from "./machine.ts";

/** Records bytes that came into RAM from outside. */
export function recordImage({ trace, clock }: Machine, paddr: number, bytes: Uint8Array): void {
  const [place, length] = [BigInt(paddr), BigInt(bytes.length)];
  trace.record(EventKind.IMAGE, 0, 0, clock.retired, place, length, digestWord(bytes));
}
