/** A whole machine at one moment, and back: the parts of a snapshot and the order in which they return. */
import type { Machine } from "./machine.ts";
import type { Snapshot } from "./snapshot.ts";

/** Everything guest-visible now. */
export function captureMachine(machine: Machine): Snapshot {
  return { ...captureParts(machine), ram: machine.versions.take() };
}

/** Everything guest-visible now but RAM. */
export function captureParts(machine: Machine): Omit<Snapshot, "ram"> {
  return {
    retired: machine.clock.retired,
    stateBlock: machine.stateBlock.slice(),
    devices: new Map(machine.bus.regions.map(({ device }) => [device.name, device.save()])),
    remembered: machine.harts.map(({ remembered }) => remembered?.save()),
    fences: machine.fenceChecker?.save(),
    unfinishedCalls: machine.harts[0].handlers.unfinished.save(),
    clock: machine.clock.save(),
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
  for (const hart of machine.harts) {
    hart.remembered?.restore(snapshot.remembered[hart.id] ?? []);
    hart.stateReplaced();
  }
  if (snapshot.fences === undefined) machine.fenceChecker?.restart();
  else machine.fenceChecker?.restore(snapshot.fences);
  machine.harts[0].handlers.unfinished.restore(snapshot.unfinishedCalls);
  machine.trace.restore(snapshot.trace);
  machine.trapLoop.restore(snapshot.trapLoop);
  machine.turns.restore(snapshot.turns);
  machine.finish = snapshot.finish;
  machine.symbols = snapshot.symbols;
}
