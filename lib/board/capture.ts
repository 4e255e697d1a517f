/** A whole machine at one moment, and back: the parts of a snapshot and the order in which they return. */
import type { Console } from "./console.ts";
import type { Machine } from "./machine.ts";
import type { Snapshot, SnapshotParts } from "./snapshot.ts";

/** Everything guest-visible now. */
export function captureMachine(machine: Machine): Snapshot {
  const printed = consolesOf(machine).map((console) => console?.mark());
  return { ...captureParts(machine), ram: machine.versions.take(), printed };
}

const consolesOf = ({ console, peripherals }: Machine): readonly (Console | undefined)[] => [
  console,
  peripherals.virtioConsole,
];

/** Everything guest-visible now but RAM and the consoles' texts. */
export function captureParts(machine: Machine): SnapshotParts {
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
  for (const [index, console] of consolesOf(machine).entries()) {
    const mark = snapshot.printed[index];
    if (mark !== undefined) console?.goTo(mark);
  }
}

/** Everything but RAM and console. */
export function restoreParts(machine: Machine, snapshot: SnapshotParts): void {
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
