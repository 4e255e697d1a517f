/** A whole machine at one moment, and back: the parts of a snapshot and the order in which they return. */
import type { Machine } from "./machine.ts";
import type { Snapshot } from "./snapshot.ts";

/** Everything guest-visible now. */
export function captureMachine(machine: Machine): Snapshot {
  return {
    retired: machine.clock.retired,
    stateBlock: machine.stateBlock.slice(),
    devices: new Map(machine.bus.regions.map(({ device }) => [device.name, device.save()])),
    clock: machine.clock.save(),
    ram: machine.versions.take(),
    trace: machine.trace.save(),
    trapLoop: machine.trapLoop.save(),
    turns: machine.turns.save(),
    consoleLength: machine.console.length,
    finish: machine.finish,
    symbols: machine.symbols,
  };
}

/** Puts the machine back to a snapshot of its own. What it prints from then on counts as a repetition. */
export function restoreMachine(machine: Machine, snapshot: Snapshot): void {
  machine.versions.goTo(snapshot.ram);
  restoreParts(machine, snapshot);
  machine.console.rewind(snapshot.consoleLength);
}

/** Everything but RAM and console. */
export function restoreParts(machine: Machine, snapshot: Omit<Snapshot, "ram">): void {
  machine.clock.restore(snapshot.clock);
  for (const { device } of machine.bus.regions) device.restore(snapshot.devices.get(device.name) ?? {});
  // After the devices, whose lines drive bits of the block.
  machine.stateBlock.set(snapshot.stateBlock);
  for (const hart of machine.harts) hart.stateReplaced();
  machine.trace.restore(snapshot.trace);
  machine.trapLoop.restore(snapshot.trapLoop);
  machine.turns.restore(snapshot.turns);
  machine.finish = snapshot.finish;
  machine.symbols = snapshot.symbols;
}
