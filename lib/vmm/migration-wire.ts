/**
 * The operator of a migration, and the wire: outside of both machines. Orders are numbers stored in the hypervisor's RAM; the wire
 * carries bytes from one machine's outbox to the other's inbox at the end of equal turns. A run that is replayed from its start needs the same
 * operator: these stores are not among a board's recorded inputs.
 */
import type { Board } from "../board/board.ts";
import { INSNS_PER_TICK } from "../bus/clock.ts";
import {
  MAILBOX_BYTES,
  Migration,
  MigrationOrder,
  MigrationPhase,
  MigrationReason,
  MigrationRole,
  Remus,
  ROUNDS,
  type VmmState,
} from "./layout.ts";
import { isAsleep } from "./operator.ts";

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

/** What happens on the wire. Bytes and records are those of the source, by number. */
export interface WireFault {
  /** It breaks before this byte: from then on nothing comes, in either direction. */
  readonly cutAt?: number;
  /** This byte comes with its lowest bit changed. */
  readonly flipAt?: number;
  /** What comes in place of a record, or of an answer of the destination, which are numbered, too. */
  change?(bytes: Uint8Array, number: number, from: "source" | "destination"): readonly Uint8Array[];
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
  /** By round: pages that were dirty when it began, and when that was. The last is that of the stopped guest. */
  readonly roundPages: readonly number[];
  readonly roundBegan: readonly number[];
}

/** How far a machine is. */
export function migrationReport({ vmm: { state } }: Machine): MigrationReport {
  const { migration } = state;
  const rounds = Array.from({ length: Math.min(Number(migration.rounds) + 1, ROUNDS) }, (_, round) => round);
  return {
    phase: nameOf(MigrationPhase, migration.phase),
    reason: nameOf(MigrationReason, migration.reason),
    rounds: Number(migration.rounds),
    pages: Number(migration.pages),
    bytes: Number(migration.bytes),
    stoppedAt: Number(migration.stoppedAt),
    wentOnAt: Number(migration.wentOnAt),
    roundPages: rounds.map((round) => migration.roundPages.get(round)),
    roundBegan: rounds.map((round) => Number(migration.roundBegan.get(round))),
  };
}

/** Gives a machine a part in a migration, and forgets what was before. One that would not look for it has given up at once, with `ASLEEP`. */
export function beginRole(
  { board, vmm }: Machine,
  role: number,
  options: Partial<MigrationOptions>,
  saves = 0,
): void {
  const { migration, remus } = vmm.state;
  board.memory.write(remus.address, new Uint8Array(Remus.sizeBytes));
  board.memory.write(migration.address, new Uint8Array(Migration.sizeBytes));
  migration.domain = options.domain ?? 0;
  migration.maxRounds = options.maxRounds ?? 30;
  migration.fewPages = options.fewPages ?? 8;
  migration.saves = saves;
  if (isAsleep({ board, vmm })) {
    migration.phase = MigrationPhase.GIVEN_UP;
    migration.reason = MigrationReason.ASLEEP;
    return;
  }
  migration.phase = MigrationPhase.WAITING;
  migration.role = role;
}

/** Tells a machine to send a domain. It begins when the scheduler's timer goes off next. */
export const sendDomain = (machine: Machine, options: MigrationOptions): void =>
  beginRole(machine, MigrationRole.SOURCE, options);

/** Tells a machine to wait for a domain. Told before it starts, it needs no guest of its own to stay on. */
export const awaitDomain = (machine: Machine): void => beginRole(machine, MigrationRole.DESTINATION, {});

/** Tells a destination that has everything, and has not heard the source's last word, what that was. */
export function settleDomain({ vmm }: Machine, order: "BEGIN" | "GIVE_UP"): void {
  vmm.state.migration.order = MigrationOrder[order];
}

/** What an operator does with a destination that waits for the last word: he asks the source, who has let go or has not. */
export function settleBy(source: Machine, destination: Machine): void {
  if (destination.vmm.state.migration.phase !== MigrationPhase.PREPARED) return;
  const hasLetGo = source.vmm.state.migration.phase === MigrationPhase.DONE;
  settleDomain(destination, hasLetGo ? "BEGIN" : "GIVE_UP");
}

/** Takes what a machine has put into its outbox. */
export function collect({ board, vmm: { state } }: Machine): Uint8Array {
  const { outbox } = state.migration;
  const length = Number(outbox.length);
  if (length === 0) return new Uint8Array();
  const bytes = board.memory.bytes(outbox.bytes.addressOf(0), length);
  outbox.length = 0n;
  return bytes instanceof Uint8Array ? bytes : new Uint8Array();
}

/** Whether a machine has taken what came last. */
export const isFree = ({ vmm }: Machine): boolean => vmm.state.migration.inbox.length === 0n;

/** Puts bytes into a machine's inbox. */
export function deliver({ board, vmm: { state } }: Machine, bytes: Uint8Array): void {
  const { inbox } = state.migration;
  board.memory.write(inbox.bytes.addressOf(0), bytes.subarray(0, MAILBOX_BYTES));
  inbox.length = BigInt(Math.min(bytes.length, MAILBOX_BYTES));
}

/** Lets a machine run for so long, or sleep, as if it had been alone. */
export const runFor = ({ board }: Machine, insns: number): void =>
  void board.run({ instructions: insns, untilInsns: board.clock.now + insns });

/** Turns within which a machine takes what has come. */
const PATIENT_TURNS = 20;

/** A wire between two machines. */
export class MigrationWire {
  readonly #source: Machine;
  readonly #destination: Machine;
  readonly #fault: WireFault;
  readonly #turnInsns: number;
  /** Changed records that have not come yet. */
  readonly #onTheirWay = { source: [] as Uint8Array[], destination: [] as Uint8Array[] };
  readonly #records = { source: 0, destination: 0 };
  /** Both machines' times when this wire was laid: turns are equally long on both. */
  readonly #began: readonly (readonly [machine: Machine, now: number])[];
  /** How long it has been there, in instruction times. */
  #time = 0;
  /** Turns since something was carried. */
  #quietTurns = 0;
  /** Bytes that the source has sent. */
  sent: number;

  /** @param sent  Bytes that went before: for a wire that takes the place of another. */
  constructor(source: Machine, destination: Machine, fault: WireFault = {}, turnInsns = 3_000, sent = 0) {
    this.#source = source;
    this.#destination = destination;
    this.#fault = fault;
    this.#turnInsns = turnInsns;
    this.#began = [source, destination].map((machine) => [machine, machine.board.clock.now]);
    this.sent = sent;
  }

  /** How long the guest stood still when it has moved, in ticks. */
  get downtimeTicks(): number {
    const { stoppedAt } = migrationReport(this.#source);
    const { wentOnAt } = migrationReport(this.#destination);
    const [source = 0, destination = 0] = this.#began.map(([, now]) => now);
    return wentOnAt - stoppedAt + Math.round((source - destination) / INSNS_PER_TICK);
  }

  /** Runs both machines for so many turns at most, or until neither has a migration any more. */
  run(turns: number): void {
    for (let turn = 0; turn < turns && !this.isOver; turn++) this.turn();
  }

  /** Runs both machines for a turn, and carries what there is. */
  turn(): void {
    this.#time += this.#turnInsns;
    for (const [{ board }, began] of this.#began)
      board.run({ instructions: 2 * this.#turnInsns, untilInsns: began + this.#time });
    this.carry();
  }

  /** Whether nothing more will happen by itself: a destination that has all may still wait for the operator. */
  get isOver(): boolean {
    const [source, destination] = [this.#source.vmm.state, this.#destination.vmm.state];
    const isCut = this.sent >= (this.#fault.cutAt ?? Number.POSITIVE_INFINITY);
    // Who waits for the last word and has got half of it will wait for ever.
    const isTaken = isFree(this.#destination) || this.#quietTurns > PATIENT_TURNS;
    const isEmpty = isTaken && this.#onTheirWay.source.length === 0;
    const isMoving = !isCut && isOpen(destination) && !(isEmpty && source.migration.outbox.length === 0n);
    const { phase } = destination.migration;
    const isDecided =
      !isOpen(destination) ||
      phase === MigrationPhase.PREPARED ||
      (phase === MigrationPhase.WAITING && isFree(this.#destination));
    const isLeft = source.migration.role === MigrationRole.NONE && source.leaving.domain === 0;
    return isLeft && destination.leaving.domain === 0 && !isMoving && isDecided;
  }

  /** Carries what is in the outboxes, as far as the other side has taken what came before. */
  carry(): void {
    this.#quietTurns += 1;
    const { cutAt = Number.POSITIVE_INFINITY } = this.#fault;
    if (this.sent < cutAt) this.#pass("source", this.#source, this.#destination);
    // A wire that is cut carries nothing the other way either.
    if (this.sent <= cutAt) this.#pass("destination", this.#destination, this.#source);
  }

  #pass(side: "source" | "destination", from: Machine, to: Machine): void {
    if (!isFree(to)) return;
    const waiting = this.#onTheirWay[side];
    if (waiting.length === 0) {
      const bytes = collect(from);
      if (bytes.length === 0) return;
      waiting.push(...this.#changed(bytes, side));
      this.#records[side] += 1;
    }
    const next = waiting.shift();
    if (next === undefined) return;
    deliver(to, next);
    this.#quietTurns = 0;
  }

  /** What comes in place of a record. */
  #changed(bytes: Uint8Array, side: "source" | "destination"): readonly Uint8Array[] {
    const { cutAt = Number.POSITIVE_INFINITY, flipAt = -1, change } = this.#fault;
    if (change !== undefined) return change(bytes, this.#records[side], side);
    if (side === "destination") return [bytes];
    const place = flipAt - this.sent;
    if (place >= 0 && place < bytes.length) bytes[place] = (bytes[place] ?? 0) ^ 1;
    const left = Math.max(0, cutAt - this.sent);
    this.sent += bytes.length;
    return [bytes.subarray(0, left)];
  }
}

/** Whether a machine still listens. */
const isOpen = ({ migration: { phase } }: VmmState): boolean =>
  phase !== MigrationPhase.DONE && phase !== MigrationPhase.GIVEN_UP;

/** A domain as bytes, or why there are none. */
export type SavedDomain =
  | { readonly kind: "saved-domain"; readonly bytes: Uint8Array }
  | { readonly kind: "not-saved"; readonly reason: string };

/** Saves a domain: stopped, written down and let go on. The machine runs meanwhile. */
export function saveDomain(machine: Machine, domain: number, turns = 10_000): SavedDomain {
  beginRole(machine, MigrationRole.SOURCE, { domain, maxRounds: 0 }, 1);
  const pieces: Uint8Array[] = [];
  for (let turn = 0; turn < turns; turn++) {
    runFor(machine, 1_000);
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
    runFor(machine, 1_000);
  }
  return "SILENCE";
}

/** What fits into the mailbox, cut where the next record begins. */
function recordLength(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const claimed = at + 16 > bytes.length ? 0 : view.getUint32(at + 12, true) + 24;
  return Math.min(claimed, MAILBOX_BYTES, bytes.length - at) || bytes.length - at;
}
