/** The machine that a domain comes to. */
import {
  admit,
  applyPiece,
  arriving,
  beginHere,
  fillNumbered,
  isPage,
  isSound,
  pieceOf,
  throwAway,
} from "./arriving.ts";
import type { Host } from "./host.ts";
import { LogRole, MigrationOrder, MigrationPhase, MigrationReason, MigrationRole } from "./layout.ts";
import { SILENCE_TICKS } from "./migration-source.ts";
import { type Record, RecordKind, sendAnswer, takeRecord } from "./records.ts";
import { typeTo } from "./terminal.ts";
import { hostTime } from "./time.ts";
import { beginLog } from "./vm-log.ts";

/** One visit: at most one record. */
export function serveDestination(host: Host): void {
  const { migration } = host.state;
  const { phase, order } = migration;
  const now = hostTime(host);
  if (phase === MigrationPhase.DONE || phase === MigrationPhase.GIVEN_UP || phase === MigrationPhase.IDLE)
    return;
  const isPrepared = phase === MigrationPhase.PREPARED;
  if (isPrepared && order !== MigrationOrder.NONE) {
    if (order === MigrationOrder.BEGIN) run(host, now);
    else refuse(host, MigrationReason.ORDERED);
    return;
  }
  const record = takeRecord(host, true);
  if (record === undefined) waitOn(host, now);
  else if (record === "corrupted") {
    // Whoever has said that all has come cannot take that back: the source may have let go.
    if (isPrepared) migration.reason = MigrationReason.CORRUPTED;
    else refuse(host, MigrationReason.CORRUPTED);
  } else {
    migration.heardAt = now;
    const reason = take(host, record, now);
    if (reason !== MigrationReason.NONE) refuse(host, reason);
  }
}

/** Nothing whole has come. Before the first byte, and when all has come, there is no hurry. */
function waitOn(host: Host, now: bigint): void {
  const { phase, heardAt, inbox } = host.state.migration;
  const isPatient =
    phase === MigrationPhase.PREPARED || (phase === MigrationPhase.WAITING && inbox.length === 0n);
  if (isPatient) host.state.migration.heardAt = now;
  else if (now - heardAt > SILENCE_TICKS) refuse(host, MigrationReason.SILENCE);
}

/** Does what a record says. Why it cannot be done, or 0. */
function take(host: Host, record: Record, now: bigint): number {
  const { migration } = host.state;
  const { phase } = migration;
  const isOpen = phase === MigrationPhase.ROUNDS;
  if (record.kind === RecordKind.GIVE_UP) return MigrationReason.REFUSED;
  if (record.kind === RecordKind.HELLO && phase === MigrationPhase.WAITING) {
    migration.phase = MigrationPhase.ROUNDS;
    return admit(host, record);
  }
  if (record.kind === RecordKind.PAGE && isOpen) return takePage(host, record);
  if (record.kind === RecordKind.STATE && isOpen) return takePiece(host, record);
  if (record.kind === RecordKind.END && isOpen) return prepare(host, record, now);
  if (record.kind === RecordKind.GO && phase === MigrationPhase.PREPARED) {
    for (const byte of record.bytesFrom(1).subarray(0, Number(record.word(0)))) typeTo(arriving(host), byte);
    run(host, now);
    return MigrationReason.NONE;
  }
  // Out of turn. What was promised stays promised.
  return phase === MigrationPhase.PREPARED ? MigrationReason.NONE : MigrationReason.INVALID;
}

function takePage(host: Host, record: Record): number {
  const domain = arriving(host);
  if (!isPage(domain, record)) return MigrationReason.INVALID;
  if (!fillNumbered(host, domain, record.word(0), record.bytesFrom(1))) return MigrationReason.NO_ROOM;
  host.state.migration.pages += 1n;
  return MigrationReason.NONE;
}

function takePiece(host: Host, record: Record): number {
  const domain = arriving(host);
  const piece = pieceOf(host, domain, record);
  if (piece === undefined) return MigrationReason.INVALID;
  applyPiece(host, domain, piece, record.bytesFrom(1));
  return MigrationReason.NONE;
}

/** All has come. */
function prepare(host: Host, record: Record, now: bigint): number {
  const { migration } = host.state;
  if (record.word(1) !== migration.pages || !isSound(host, arriving(host))) return MigrationReason.INVALID;
  migration.sourceTime = record.word(0);
  migration.phase = MigrationPhase.PREPARED;
  if (migration.isSaved === 1n) run(host, now);
  else sendAnswer(host, RecordKind.READY, migration.digest);
  return MigrationReason.NONE;
}

function run(host: Host, now: bigint): void {
  const { migration } = host.state;
  beginHere(host, arriving(host), now);
  if (host.state.vmLog.role === LogRole.REPLAY_NEXT) beginLog(host, arriving(host), LogRole.REPLAYING);
  migration.phase = MigrationPhase.DONE;
  migration.role = MigrationRole.NONE;
}

/** Everything that came is thrown away. The machine stays, and can be told to wait for another. */
function refuse(host: Host, reason: number): void {
  const { migration } = host.state;
  throwAway(host);
  migration.phase = MigrationPhase.GIVEN_UP;
  migration.reason = reason;
  migration.inbox.length = 0n;
  sendAnswer(host, RecordKind.GIVE_UP, BigInt(reason));
}
