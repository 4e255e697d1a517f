/**
 * Remus: the machine that stands ready. It holds the domain as it was at the end of the last whole epoch. What comes of the next lies
 * apart, in the domain's own second stage, far behind its RAM; when all of it is there, pages change places, and only then does the
 * primary hear of it. So a primary that dies in the middle of an epoch leaves nothing half.
 */
import { gpa } from "../hs/address.ts";
import {
  admit,
  applyPiece,
  arriving,
  beginHere,
  fillPage,
  isPage,
  isSound,
  pieceOf,
  throwAway,
} from "./arriving.ts";
import { clearLog, nextDirty, setDirty } from "./dirty-log.ts";
import { vcpusOf } from "./domain.ts";
import { disown } from "./frames.ts";
import type { Host } from "./host.ts";
import {
  APART,
  CONSOLE_BYTES,
  DomainState,
  type DomainView,
  MigrationOrder,
  MigrationPhase,
  MigrationReason,
  MigrationRole,
  PAGE_BYTES,
} from "./layout.ts";
import { piecesOf } from "./migration-pieces.ts";
import { SILENCE_TICKS } from "./migration-source.ts";
import { type Record, RecordKind, readBytes, sendAnswer, takeRecord } from "./records.ts";
import { ALL_RIGHTS, lookUp, mapPage, unmapPage } from "./second-stage.ts";
import { letOut } from "./terminal.ts";
import { hostTime } from "./time.ts";

/** The primary asks first. */
const PATIENCE = 2n * SILENCE_TICKS;
/** Pages that one visit puts in their place or takes away, and bytes that it lets out. */
const PAGES_PER_VISIT = 64;
const LET_OUT = 256n;

/** One visit: at most one record. */
export function serveBackup(host: Host): void {
  const { migration, remus } = host.state;
  const { phase } = migration;
  const now = hostTime(host);
  if (phase === MigrationPhase.DONE || phase === MigrationPhase.GIVEN_UP) return;
  if (remus.commits === 1n) commit(host, now);
  else if (migration.order === MigrationOrder.GIVE_UP) refuse(host, MigrationReason.ORDERED);
  else if (phase === MigrationPhase.ASKING) {
    if (migration.order === MigrationOrder.BEGIN) takeOver(host, now);
  } else listen(host, now);
}

function listen(host: Host, now: bigint): void {
  const { migration } = host.state;
  const record = takeRecord(host, true);
  // Whoever has heard something wrong once listens no more: its last whole epoch is good.
  const isDeaf = migration.reason !== MigrationReason.NONE;
  if (record === undefined || isDeaf) {
    waitOn(host, now);
    return;
  }
  const reason = record === "corrupted" ? MigrationReason.CORRUPTED : take(host, record);
  if (reason === MigrationReason.NONE) migration.heardAt = now;
  else if (migration.phase === MigrationPhase.PREPARED && reason !== MigrationReason.REFUSED)
    migration.reason = reason;
  else refuse(host, reason);
}

/** Nothing whole has come. Without a whole epoch there is nothing to go on with. */
function waitOn(host: Host, now: bigint): void {
  const { migration } = host.state;
  const { phase, heardAt, inbox } = migration;
  if (phase === MigrationPhase.WAITING && inbox.length === 0n) migration.heardAt = now;
  else if (now - heardAt <= PATIENCE) return;
  else if (phase === MigrationPhase.PREPARED) migration.phase = MigrationPhase.ASKING;
  else refuse(host, MigrationReason.SILENCE);
}

/** Does what a record says. Why it cannot be done, or 0. */
function take(host: Host, record: Record): number {
  const { migration } = host.state;
  const { phase } = migration;
  if (record.kind === RecordKind.GIVE_UP) return MigrationReason.REFUSED;
  if (record.kind === RecordKind.HELLO && phase === MigrationPhase.WAITING) {
    migration.phase = MigrationPhase.ROUNDS;
    const reason = admit(host, record);
    // Twice the frames: what it has, and what comes.
    if (reason === MigrationReason.NONE) arriving(host).maxFrames *= 2;
    clearLog(host);
    return reason;
  }
  if (phase !== MigrationPhase.ROUNDS && phase !== MigrationPhase.PREPARED) return MigrationReason.INVALID;
  if (record.kind === RecordKind.PAGE) return takePage(host, record);
  if (record.kind === RecordKind.STATE) return takePiece(host, record);
  return record.kind === RecordKind.EPOCH ? takeEpoch(host, record) : MigrationReason.INVALID;
}

const pageAt = ({ ramBase }: DomainView, number: bigint): bigint => ramBase + number * BigInt(PAGE_BYTES);
/** Pieces lie behind the pages. */
const pieceAt = (domain: DomainView, number: number): bigint =>
  APART + domain.ramBase + domain.ramBytes + BigInt(number * PAGE_BYTES);

function takePage(host: Host, record: Record): number {
  const domain = arriving(host);
  if (!isPage(domain, record)) return MigrationReason.INVALID;
  const number = record.word(0);
  if (!fillPage(host, domain, APART + pageAt(domain, number), record.bytesFrom(1)))
    return MigrationReason.NO_ROOM;
  setDirty(host, Number(number), true);
  host.state.migration.pages += 1n;
  return MigrationReason.NONE;
}

function takePiece(host: Host, record: Record): number {
  const domain = arriving(host);
  if (pieceOf(host, domain, record) === undefined) return MigrationReason.INVALID;
  const bytes = new Uint8Array(PAGE_BYTES);
  bytes.set(record.bytesFrom(1));
  return fillPage(host, domain, pieceAt(domain, Number(record.word(0))), bytes)
    ? MigrationReason.NONE
    : MigrationReason.NO_ROOM;
}

/** All of an epoch has come: it is the domain's state from now on, as soon as it is in its place. */
function takeEpoch(host: Host, record: Record): number {
  const { migration, remus } = host.state;
  const state = record.word(3);
  const states: readonly bigint[] = [DomainState.RUNNING, DomainState.OFF, DomainState.CRASHED].map(BigInt);
  if (record.word(1) !== migration.pages || record.word(2) !== remus.committed + 1n)
    return MigrationReason.INVALID;
  if (!states.includes(state)) return MigrationReason.INVALID;
  migration.sourceTime = record.word(0);
  remus.domainState = state;
  remus.exitCode = record.word(4);
  remus.commits = 1n;
  return MigrationReason.NONE;
}

function commit(host: Host, now: bigint): void {
  const { migration, remus } = host.state;
  const domain = arriving(host);
  if (!eachApart(host, domain, (page) => place(host, domain, page))) {
    // Of a large epoch this takes longer than silence may: it has no more than it had, and is there.
    sendAnswer(host, RecordKind.ACK, remus.committed);
    return;
  }
  for (const [number, piece] of piecesOf(domain, vcpusOf(host, domain.id)).entries()) {
    const at = lookUp(host, domain.id, gpa(pieceAt(domain, number)))?.at;
    if (at !== undefined) applyPiece(host, domain, piece, readBytes(host.context, at, piece.bytes));
  }
  remus.commits = 0n;
  if (!isSound(host, domain)) {
    refuse(host, MigrationReason.INVALID);
    return;
  }
  remus.committed += 1n;
  // Meanwhile it has not listened.
  migration.heardAt = now;
  migration.phase = MigrationPhase.PREPARED;
  sendAnswer(host, RecordKind.ACK, remus.committed);
}

/** Does something with the pages that lie apart, some at each visit. Whether those were all. */
function eachApart(host: Host, domain: DomainView, act: (page: bigint) => void): boolean {
  let number = nextDirty(host, domain, 0);
  for (let done = 0; number !== undefined && done < PAGES_PER_VISIT; done++) {
    setDirty(host, number, false);
    act(pageAt(domain, BigInt(number)));
    number = nextDirty(host, domain, number + 1);
  }
  return number === undefined;
}

function place(host: Host, { id }: DomainView, page: bigint): void {
  const frame = unmapPage(host, id, gpa(APART + page));
  const old = unmapPage(host, id, gpa(page));
  if (old !== undefined) disown(host, old);
  if (frame !== undefined) mapPage(host, id, gpa(page), frame, ALL_RIGHTS);
}

/** The operator lets this machine go on: with the last whole epoch, and with the first byte of the console that nobody has seen. */
function takeOver(host: Host, now: bigint): void {
  const { migration, remus } = host.state;
  const domain = arriving(host);
  if (!eachApart(host, domain, (page) => drop(host, domain, APART + page))) return;
  if (!letOutRest(host, domain)) return;
  for (const number of piecesOf(domain, vcpusOf(host, domain.id)).keys())
    drop(host, domain, pieceAt(domain, number));
  domain.maxFrames /= 2;
  beginHere(host, domain, now);
  domain.state = Number(remus.domainState);
  domain.exitCode = remus.exitCode;
  migration.phase = MigrationPhase.DONE;
  migration.role = MigrationRole.NONE;
}

function drop(host: Host, { id }: DomainView, page: bigint): void {
  const frame = unmapPage(host, id, gpa(page));
  if (frame !== undefined) disown(host, frame);
}

/** Bytes that the guest has printed in whole epochs and the primary has not let out. Whether those were all. */
function letOutRest(host: Host, domain: DomainView): boolean {
  const { remus } = host.state;
  const { written } = domain.console;
  const oldest = written > BigInt(CONSOLE_BYTES) ? written - BigInt(CONSOLE_BYTES) : 0n;
  const from = remus.shown < oldest ? oldest : remus.shown;
  const end = from + LET_OUT < written ? from + LET_OUT : written;
  letOut({ ...host, domain }, from, end);
  if (from < end) remus.shown = end;
  return end === written || from >= written;
}

/** Everything that came is thrown away. The machine stays, and can be told to stand ready again. */
function refuse(host: Host, reason: number): void {
  const { migration } = host.state;
  throwAway(host);
  migration.phase = MigrationPhase.GIVEN_UP;
  migration.reason = reason;
  migration.inbox.length = 0n;
  sendAnswer(host, RecordKind.GIVE_UP, BigInt(reason));
}
