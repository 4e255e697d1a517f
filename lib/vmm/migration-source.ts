/** The machine that a domain leaves: rounds of pages while the guest runs, then the rest while it does not. */
import { clearLog, dirtyCount, fillLog, fitsLog } from "./dirty-log.ts";
import { vcpusOf } from "./domain.ts";
import { runningDomain } from "./errors.ts";
import type { Host } from "./host.ts";
import {
  DomainFlag,
  DomainState,
  type DomainView,
  LogRole,
  MigrationPhase,
  MigrationReason,
  MigrationRole,
  ROUNDS,
  TYPED_BYTES,
} from "./layout.ts";
import { goOnHere, letGo, sendNextPage, sendNextPiece, shares, standStill } from "./migration-pages.ts";
import { MOVABLE } from "./migration-pieces.ts";
import { RecordKind, sendAnswer, sendRecord, takeRecord } from "./records.ts";
import { hostTime } from "./time.ts";
import { beginLog } from "./vm-log.ts";

/** Ticks of `time` without a word from the other side: it is not there any more. */
export const SILENCE_TICKS = 20_000n;

/** One visit: at most one record. */
export function serveSource(host: Host): void {
  const { migration } = host.state;
  const { phase } = migration;
  const now = hostTime(host);
  if (phase === MigrationPhase.WAITING) begin(host, now);
  else if (phase === MigrationPhase.DONE) rest(host, now);
  else if (phase !== MigrationPhase.IDLE && phase !== MigrationPhase.GIVEN_UP) goOn(host, now);
}

/** What stands in the way of moving a domain; 0: nothing. */
export function obstacle(host: Host, domain: DomainView | undefined): number {
  if (domain === undefined) return MigrationReason.NO_DOMAIN;
  if ((domain.flags & DomainFlag.PARAVIRTUAL) !== 0) return MigrationReason.KIND;
  if (!fitsLog(host, domain)) return MigrationReason.TOO_LARGE;
  return shares(host, domain) ? MigrationReason.SHARES : MigrationReason.NONE;
}

function begin(host: Host, now: bigint): void {
  const { migration } = host.state;
  const domain = runningDomain(host, BigInt(migration.domain));
  migration.heardAt = now;
  const reason = obstacle(host, domain);
  if (domain === undefined || reason !== MigrationReason.NONE) {
    end(host, MigrationPhase.GIVEN_UP, reason);
    return;
  }
  fillLog(host, domain);
  sendHello(host, domain);
  migration.phase = MigrationPhase.ROUNDS;
  noteRound(host, dirtyCount(host, domain), now);
  if (migration.maxRounds === 0) standStill(host, domain, now);
}

/** What the domain is like. */
export function sendHello(host: Host, domain: DomainView): void {
  sendRecord(host, RecordKind.HELLO, [
    domain.ramBytes,
    BigInt(domain.flags & MOVABLE),
    domain.entry,
    domain.tree,
    BigInt(domain.weight),
    BigInt(domain.cap),
    BigInt(vcpusOf(host, domain.id).length),
    BigInt(host.state.migration.saves),
    domain.virtio.diskBytes,
  ]);
}

function goOn(host: Host, now: bigint): void {
  const { migration } = host.state;
  const domain = host.state.domain(migration.domain);
  const answer = takeRecord(host, false);
  if (domain.state !== DomainState.RUNNING) giveUp(host, domain, MigrationReason.ENDED);
  else if (answer === "corrupted") giveUp(host, domain, MigrationReason.CORRUPTED);
  else if (answer?.kind === RecordKind.GIVE_UP) giveUp(host, domain, MigrationReason.REFUSED);
  else if (answer?.kind === RecordKind.READY) hear(host, domain, answer.word(0), now);
  else if (migration.outbox.length !== 0n) {
    if (now - migration.heardAt > SILENCE_TICKS) giveUp(host, domain, MigrationReason.SILENCE);
  } else sendNext(host, domain, now);
}

function sendNext(host: Host, domain: DomainView, now: bigint): void {
  const { migration } = host.state;
  const { phase } = migration;
  if (phase === MigrationPhase.PREPARED) {
    if (migration.saves === 1) {
      goOnHere(host, domain, now);
      if (host.state.vmLog.role === LogRole.RECORD_NEXT) beginLog(host, domain, LogRole.RECORDING);
      end(host, MigrationPhase.DONE, MigrationReason.NONE);
    } else if (now - migration.heardAt > SILENCE_TICKS) giveUp(host, domain, MigrationReason.SILENCE);
    return;
  }
  migration.heardAt = now;
  if (sendNextPage(host, domain)) return;
  if (phase === MigrationPhase.ROUNDS) endRound(host, domain, now);
  else if (!sendNextPiece(host, domain)) sendEnd(host, domain);
}

/** All pages that were dirty when the round came to them have been sent. Those that are dirty now are the next round's. */
function endRound(host: Host, domain: DomainView, now: bigint): void {
  const { migration } = host.state;
  migration.rounds += 1n;
  migration.cursor = 0n;
  const dirty = dirtyCount(host, domain);
  migration.dirty = BigInt(dirty);
  noteRound(host, dirty, now);
  if (dirty <= migration.fewPages || migration.rounds >= migration.maxRounds) standStill(host, domain, now);
}

/** For whoever wants to know how it went. */
function noteRound({ state: { migration } }: Host, dirty: number, now: bigint): void {
  const round = Math.min(Number(migration.rounds), ROUNDS - 1);
  migration.roundPages.set(round, dirty);
  migration.roundBegan.set(round, now);
}

function sendEnd(host: Host, domain: DomainView): void {
  const { migration } = host.state;
  if (shares(host, domain)) giveUp(host, domain, MigrationReason.SHARES);
  else {
    sendRecord(host, RecordKind.END, [migration.stoppedAt, migration.pages, migration.digest]);
    migration.phase = MigrationPhase.PREPARED;
  }
}

/** All has come, says the other side. If it means the same by "all", the domain is its from now on. */
function hear(host: Host, domain: DomainView, digest: bigint, now: bigint): void {
  const { migration } = host.state;
  if (migration.phase !== MigrationPhase.PREPARED || digest !== migration.digest) {
    giveUp(host, domain, MigrationReason.CORRUPTED);
    return;
  }
  letGo(host, domain);
  migration.phase = MigrationPhase.DONE;
  migration.heardAt = now;
  sendLastWord(host, domain);
}

/** That the domain is the other machine's, and what was typed to it while it stood still. */
function sendLastWord(host: Host, { uart }: DomainView): void {
  const from = Number(host.state.migration.typed);
  const count = uart.typed - from;
  const body = new Uint8Array(8 * Math.ceil(count / 8));
  for (let index = 0; index < count; index++) body[index] = uart.received.get((from + index) % TYPED_BYTES);
  sendRecord(host, RecordKind.GO, [BigInt(count)], body);
}

/** The last word is out, or will never be. */
function rest({ state: { migration } }: Host, now: bigint): void {
  if (migration.outbox.length === 0n || now - migration.heardAt > SILENCE_TICKS)
    migration.role = MigrationRole.NONE;
}

function giveUp(host: Host, domain: DomainView, reason: number): void {
  goOnHere(host, domain, hostTime(host));
  sendAnswer(host, RecordKind.GIVE_UP, BigInt(reason));
  end(host, MigrationPhase.GIVEN_UP, reason);
}

function end(host: Host, phase: number, reason: number): void {
  const { migration } = host.state;
  migration.phase = phase;
  migration.reason = reason;
  migration.role = MigrationRole.NONE;
  clearLog(host);
}
