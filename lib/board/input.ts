/**
 * What comes into a machine from outside. Everything that a host does to a machine between power-on and power-off is one of
 * these; with the moment at which each came, a run can be repeated.
 */
import { EventKind } from "../bus/event-sink.ts";
import { recordImage } from "./image-event.ts";
import type { Machine } from "./machine.ts";
import type { Moment } from "./moment.ts";

/**
 * One input.
 *
 * - `port`: bytes arrive at a device that listens to the outside: typed text, a network frame
 * - `memory`: a loader or a debugger writes RAM
 * - `state`: somebody wrote registers of a hart; all state blocks as they are then
 */
export type Input =
  | { readonly kind: "port"; readonly port: string; readonly bytes: Uint8Array }
  | { readonly kind: "memory"; readonly paddr: number; readonly bytes: Uint8Array }
  | { readonly kind: "state"; readonly block: Uint8Array };

/** An input and its moment, behind the one before: a list that several courses of events can share. */
export interface InputNode {
  readonly input: Input;
  readonly moment: Moment;
  readonly previous: InputNode | undefined;
  /** Number of inputs before it. */
  readonly index: number;
}

/**
 * Gives an input to the machine. Bytes for a port are events of the trace, and so is what is written to RAM.
 *
 * @returns  False where the machine has no such port, RAM or block: the input belongs to another machine.
 */
export function applyInput(machine: Machine, input: Input): boolean {
  const { trace, clock, ram, stateBlock } = machine;
  switch (input.kind) {
    case "port": {
      const receive = machine.ports.get(input.port);
      if (receive === undefined) return false;
      for (const byte of input.bytes)
        trace.record(EventKind.INPUT, 0, 0, clock.retired, BigInt(byte), 0n, 0n);
      receive(input.bytes);
      return true;
    }
    case "memory": {
      const offset = input.paddr - ram.base;
      if (!(offset >= 0 && offset + input.bytes.length <= ram.sizeBytes)) return false;
      ram.write(offset, input.bytes);
      recordImage(machine, input.paddr, input.bytes);
      return true;
    }
    case "state":
      if (input.block.length !== stateBlock.length) return false;
      stateBlock.set(input.block);
      for (const hart of machine.harts) hart.stateReplaced();
      return true;
  }
}
