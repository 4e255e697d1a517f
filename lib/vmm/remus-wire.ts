/**
 * Two machines of which one protects a domain of the other, the wire between them, and the operator, who keeps one from going on while
 * the other does: he lets one go on, once, and takes the other's permission away before. A machine that is off needs no forbidding.
 */
import { MigrationOrder, MigrationPhase, MigrationRole } from "./layout.ts";
import { beginRole, collect, deliver, isFree, type Machine, runFor } from "./migration-wire.ts";

/** How to protect. */
export interface ProtectionOptions {
  readonly domain: number;
  /**
   * Length of an epoch in ticks of `time`: 20,000 at most. Between epochs the primary says nothing, and after twice as long (`PATIENCE`) the
   * backup takes it for gone.
   */
  readonly epochTicks: number;
  /** Instructions that both machines run between two looks at the wire; 3000 when left out. */
  readonly turnInsns?: number;
}

export type ProtectionSide = "primary" | "backup";
const OTHER = { primary: "backup", backup: "primary" } as const;

/** What the operator knows from the beginning. */
interface Plan {
  readonly machines: Readonly<Record<ProtectionSide, Machine>>;
  readonly turnInsns: number;
  /** Number of the byte of the domain's console that is the first on the primary's serial port. */
  readonly firstByte: number;
}

/** Gives both machines their orders. The primary begins when its scheduler's timer goes off next. */
export function protect(primary: Machine, backup: Machine, options: ProtectionOptions): Protection {
  const { domain, epochTicks, turnInsns = 3_000 } = options;
  const firstByte = Number(primary.vmm.state.domain(domain).console.written) - seenFrom(primary);
  beginRole(primary, MigrationRole.PRIMARY, { domain });
  beginRole(backup, MigrationRole.BACKUP, {});
  primary.vmm.state.remus.epochTicks = BigInt(epochTicks);
  return new Protection({ machines: { primary, backup }, turnInsns, firstByte });
}

/** A protected domain, from outside. `protect` makes one. */
export class Protection {
  readonly #plan: Plan;
  readonly #off = new Set<ProtectionSide>();
  readonly #offAt: Record<ProtectionSide, number> = {
    primary: Number.POSITIVE_INFINITY,
    backup: Number.POSITIVE_INFINITY,
  };
  #isCut = false;
  #chosen: ProtectionSide | undefined;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** The same operator once more, who knows of nothing that happened since: for machines that are put back to where they were. */
  again(): Protection {
    return new Protection(this.#plan);
  }

  /** Which machine was let go on alone; `undefined`: none had to. */
  get chosen(): ProtectionSide | undefined {
    return this.#chosen;
  }

  /** Switches a machine off, when its clock shows so many instruction times; at once when left out. */
  switchOff(side: ProtectionSide, atInsns = 0): void {
    this.#offAt[side] = atInsns;
  }

  /** From now on nothing comes through. */
  cut(): void {
    this.#isCut = true;
  }

  /** What somebody has seen who looks at both serial ports. */
  get shown(): string {
    return this.#plan.machines.primary.board.console.text + this.#plan.machines.backup.board.console.text;
  }

  /** Lets both machines run for some turns. */
  run(turns: number): void {
    for (let turn = 0; turn < turns; turn++) this.turn();
  }

  /** Lets those that are on run for a turn, carries what there is, and decides if one asks. */
  turn(): void {
    for (const side of ["primary", "backup"] as const) this.#run(side);
    for (const side of ["primary", "backup"] as const) {
      if (this.#off.has(side)) continue;
      if (!this.#isCut) this.#carry(side);
      this.#decide(side);
    }
  }

  #run(side: ProtectionSide): void {
    if (this.#off.has(side)) return;
    const machine = this.#plan.machines[side];
    const left = this.#offAt[side] - machine.board.clock.now;
    if (left > 0) runFor(machine, Math.min(this.#plan.turnInsns, left));
    if (left <= this.#plan.turnInsns) this.#off.add(side);
  }

  #carry(side: ProtectionSide): void {
    const [from, to] = [this.#plan.machines[side], this.#plan.machines[OTHER[side]]];
    if (!isFree(to)) return;
    const bytes = collect(from);
    if (bytes.length > 0) deliver(to, bytes);
  }

  #decide(side: ProtectionSide): void {
    const { migration } = this.#plan.machines[side].vmm.state;
    if (migration.phase !== MigrationPhase.ASKING || migration.order !== MigrationOrder.NONE) return;
    this.#chosen ??= side;
    if (this.#chosen !== side) {
      migration.order = MigrationOrder.GIVE_UP;
      return;
    }
    this.#plan.machines[OTHER[side]].vmm.state.migration.order = MigrationOrder.GIVE_UP;
    const seen = this.#plan.firstByte + seenFrom(this.#plan.machines.primary);
    this.#plan.machines.backup.vmm.state.remus.shown = BigInt(seen);
    migration.order = MigrationOrder.BEGIN;
  }
}

/** Bytes that came out of a machine's serial port. */
const seenFrom = ({ board }: Machine): number => new TextEncoder().encode(board.console.text).length;
