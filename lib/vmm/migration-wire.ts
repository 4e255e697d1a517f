/**
 * The operator of a migration, and the wire: outside of both machines. Orders are numbers stored in the hypervisor's RAM; the wire
 * carries bytes from one machine's outbox to the other's inbox at the end of equal turns. A run that is replayed from its start needs the same
 * operator: these stores are not among a board's recorded inputs.
 */
import type { Board } from "../board/board.ts";
import {
  Migration,
  MigrationOrder,
  MigrationPhase,
  MigrationReason,
  MigrationRole,
  type VmmState,
} from "./layout.ts";

/** A machine with the hypervisor. */
export interface Machine {
  readonly board: Board;
  readonly vmm: { readonly state: VmmState };
}

/** How to migrate. */
export interface MigrationOptions {
  readonly domain: number;
  /** Rounds while the guest runs; 30 when left out. 0: it is stopped at once. */
  readonly maxRounds?: number;
  /** So few dirty pages are left for when it is stopped; 8 when left out. */
  readonly fewPages?: number;
}

/** What happens to the wire, by number of a byte from the source: it breaks before that byte, or that byte comes changed. */
export interface WireFault {
  readonly cutAt?: number;
  readonly flipAt?: number;
}

const nameOf = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.keys(names).find((name) => names[name] === value) ?? `${value}`;

/** A machine's view of its migration. */
export interface MigrationReport {
  readonly phase: string;
  readonly reason: string;
  readonly rounds: number;
  readonly pages: number;
  readonly bytes: number;
  /** In ticks of that machine's `time`. */
  readonly stoppedAt: number;
  readonly wentOnAt: number;
}

/** How far a machine is. */
export function migrationReport({ vmm: { state } }: Machine): MigrationReport {
  const { migration } = state;
  return {
    phase: nameOf(MigrationPhase, migration.phase),
    reason: nameOf(MigrationReason, migration.reason),
    rounds: Number(migration.rounds),
    pages: Number(migration.pages),
    bytes: Number(migration.bytes),
    stoppedAt: Number(migration.stoppedAt),
    wentOnAt: Number(migration.wentOnAt),
  };
}

function begin({ board, vmm }: Machine, role: number, options: Partial<MigrationOptions>, saves = 0): void {
  const { migration } = vmm.state;
  board.memory.write(migration.address, new Uint8Array(Migration.sizeBytes));
  migration.domain = options.domain ?? 0;
  migration.maxRounds = options.maxRounds ?? 30;
  migration.fewPages = options.fewPages ?? 8;
  migration.saves = saves;
  migration.phase = MigrationPhase.WAITING;
  migration.role = role;
}

/** Tells a machine to send a domain. It begins when the scheduler's timer goes off next. */
export const sendDomain = (machine: Machine, options: MigrationOptions): void =>
  begin(machine, MigrationRole.SOURCE, options);

/** Tells a machine to wait for a domain. Told before it starts, it needs no guest of its own to stay on. */
export const awaitDomain = (machine: Machine): void => begin(machine, MigrationRole.DESTINATION, {});

/** Tells a destination that has everything, and has not heard the source's last word, what that was. */
export function settleDomain({ vmm }: Machine, order: "BEGIN" | "GIVE_UP"): void {
  vmm.state.migration.order = MigrationOrder[order];
}

/** Takes what a machine has put into its outbox. */
function collect({ vmm: { state } }: Machine): Uint8Array {
  const { outbox } = state.migration;
  const bytes = Uint8Array.from({ length: Number(outbox.length) }, (_, index) => outbox.bytes.get(index));
  outbox.length = 0n;
  return bytes;
}

/** Puts bytes into a machine's inbox, behind those that are there. */
function deliver({ board, vmm: { state } }: Machine, bytes: Uint8Array): void {
  const { inbox } = state.migration;
  board.memory.write(inbox.bytes.addressOf(Number(inbox.length)), bytes);
  inbox.length += BigInt(bytes.length);
}

/** A wire between two machines. */
export class MigrationWire {
  readonly #source: Machine;
  readonly #destination: Machine;
  readonly #fault: WireFault;
  readonly #turnInsns: number;
  /** Bytes that the source has sent. */
  sent = 0;

  constructor(source: Machine, destination: Machine, fault: WireFault = {}, turnInsns = 3_000) {
    this.#source = source;
    this.#destination = destination;
    this.#fault = fault;
    this.#turnInsns = turnInsns;
  }

  /** Runs both machines for so many turns at most, or until neither has a migration any more. */
  run(turns: number): void {
    for (let turn = 0; turn < turns && !this.isOver; turn++) {
      for (const { board } of [this.#source, this.#destination])
        board.run({ instructions: this.#turnInsns, untilInsns: board.clock.now + this.#turnInsns });
      this.#carry();
    }
  }

  /** Whether both have come to an end, a good or a bad one. */
  get isOver(): boolean {
    const over: readonly number[] = [MigrationPhase.DONE, MigrationPhase.GIVEN_UP];
    return [this.#source, this.#destination].every(
      ({ vmm }) => over.includes(vmm.state.migration.phase) && vmm.state.migration.outbox.length === 0n,
    );
  }

  #carry(): void {
    const { cutAt = Number.POSITIVE_INFINITY, flipAt = -1 } = this.#fault;
    const isFree = ({ vmm }: Machine): boolean => vmm.state.migration.inbox.length === 0n;
    if (this.sent < cutAt && isFree(this.#destination)) {
      const bytes = collect(this.#source);
      const place = flipAt - this.sent;
      if (place >= 0 && place < bytes.length) bytes[place] = (bytes[place] ?? 0) ^ 1;
      deliver(this.#destination, bytes.subarray(0, Math.max(0, cutAt - this.sent)));
      this.sent += bytes.length;
    }
    // A wire that is cut carries nothing the other way either.
    if (this.sent <= cutAt && isFree(this.#source)) deliver(this.#source, collect(this.#destination));
  }
}

/** A domain as bytes, or why there are none. */
export type SavedDomain =
  | { readonly kind: "saved-domain"; readonly bytes: Uint8Array }
  | { readonly kind: "not-saved"; readonly reason: string };

/** Saves a domain: stopped, written down and let go on. The machine runs meanwhile. */
export function saveDomain(machine: Machine, domain: number, turns = 10_000): SavedDomain {
  begin(machine, MigrationRole.SOURCE, { domain, maxRounds: 0 }, 1);
  const pieces: Uint8Array[] = [];
  for (let turn = 0; turn < turns; turn++) {
    machine.board.run({ instructions: 1_000, untilInsns: machine.board.clock.now + 1_000 });
    pieces.push(collect(machine));
    const { phase, reason } = migrationReport(machine);
    if (phase === "GIVEN_UP") return { kind: "not-saved", reason };
    if (phase === "DONE") return { kind: "saved-domain", bytes: joined(pieces) };
  }
  return { kind: "not-saved", reason: "SILENCE" };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Gives a saved domain to a machine that awaits one. Why it was refused, or "NONE". */
export function restoreDomain(machine: Machine, bytes: Uint8Array, turns = 10_000): string {
  let at = 0;
  for (let turn = 0; turn < turns; turn++) {
    const { inbox } = machine.vmm.state.migration;
    const { phase, reason } = migrationReport(machine);
    if (phase === "DONE" || phase === "GIVEN_UP") return reason;
    if (inbox.length === 0n && at < bytes.length) {
      const length = recordLength(bytes, at);
      deliver(machine, bytes.subarray(at, at + length));
      at += length;
    }
    machine.board.run({ instructions: 1_000, untilInsns: machine.board.clock.now + 1_000 });
  }
  return "SILENCE";
}

/** What fits into the mailbox, cut where the next record begins. */
function recordLength(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const claimed = at + 16 > bytes.length ? 0 : view.getUint32(at + 12, true) + 24;
  return Math.min(claimed, 4608, bytes.length - at) || bytes.length - at;
}
