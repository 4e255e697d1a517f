/** The machine that a domain leaves: rounds of pages while the guest runs, then the rest while it does not. */
import { gpa } from "../hs/address.ts";
import { clearLog, dirtyCount, endLog, fitsLog, nextDirty, setDirty, takeDirty } from "./dirty-log.ts";
import { loadedPage, populate, vcpusOf } from "./domain.ts";
import { runningDomain } from "./errors.ts";
import type { Host } from "./host.ts";
import {
  BOOT_PIECES,
  DomainState,
  type DomainView,
  FOREIGN_MAPPINGS,
  GRANTS,
  GrantFlag,
  MigrationPhase,
  MigrationReason,
  MigrationRole,
  PAGE_BYTES,
  PORTS,
  PortState,
  VcpuState,
} from "./layout.ts";
import { piecesOf } from "./migration-pieces.ts";
import { RecordKind, readBytes, sendAnswer, sendRecord, takeRecord } from "./records.ts";
import { hostTime } from "./scheduler.ts";
import { dismantle, lookUp } from "./second-stage.ts";

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
function obstacle(host: Host, domain: DomainView | undefined): number {
  if (domain === undefined) return MigrationReason.NO_DOMAIN;
  if (!fitsLog(host, domain)) return MigrationReason.TOO_LARGE;
  return shares(host, domain) ? MigrationReason.SHARES : MigrationReason.NONE;
}

/** Whether it has to do with other domains: they would stay. */
function shares({ state }: Host, { id, ports, grants }: DomainView): boolean {
  for (let port = 1; port < PORTS; port++) if (ports.get(port).state !== PortState.FREE) return true;
  for (let number = 0; number < GRANTS; number++)
    if ((grants.get(number).flags & GrantFlag.VALID) !== 0) return true;
  for (let index = 0; index < FOREIGN_MAPPINGS; index++) if (state.foreign(index).mapper === id) return true;
  return false;
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
  clearLog(host);
  for (let page = 0; page * PAGE_BYTES < domain.ramBytes; page++)
    if (hasPage(host, domain, page)) setDirty(host, page, true);
  const vcpus = vcpusOf(host, domain.id);
  sendRecord(host, RecordKind.HELLO, [
    domain.ramBytes,
    BigInt(domain.flags),
    domain.entry,
    domain.tree,
    BigInt(domain.weight),
    BigInt(domain.cap),
    BigInt(vcpus.length),
    BigInt(migration.saves),
  ]);
  migration.phase = MigrationPhase.ROUNDS;
  if (migration.maxRounds === 0) stop(host, domain, now);
}

/** Whether a page has bytes: it is mapped, or the loader has left it. */
function hasPage(host: Host, domain: DomainView, number: number): boolean {
  const page = gpa(domain.ramBase + BigInt(number * PAGE_BYTES));
  if (lookUp(host, domain.id, page) !== undefined) return true;
  return loadedPage(host, domain.id, page) !== undefined && populate(host, domain, page) !== undefined;
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
      resume(host, domain, now);
      end(host, MigrationPhase.DONE, MigrationReason.NONE);
    } else if (now - migration.heardAt > SILENCE_TICKS) giveUp(host, domain, MigrationReason.SILENCE);
    return;
  }
  migration.heardAt = now;
  const from = phase === MigrationPhase.ROUNDS ? Number(migration.cursor) : 0;
  const page = nextDirty(host, domain, from);
  if (page !== undefined) {
    sendPage(host, domain, page);
    if (phase === MigrationPhase.ROUNDS) migration.cursor = BigInt(page + 1);
  } else if (phase === MigrationPhase.ROUNDS) endRound(host, domain, now);
  else sendPiece(host, domain);
}

function sendPage(host: Host, domain: DomainView, number: number): void {
  const mapped = lookUp(host, domain.id, takeDirty(host, domain, number));
  if (mapped === undefined) return;
  const bytes = readBytes(host.context, mapped.at, PAGE_BYTES);
  const isZero = bytes.every((byte) => byte === 0);
  host.state.migration.pages += 1n;
  sendRecord(host, RecordKind.PAGE, [BigInt(number)], isZero ? new Uint8Array() : bytes);
}

/** All pages that were dirty when the round came to them have been sent. Those that are dirty now are the next round's. */
function endRound(host: Host, domain: DomainView, now: bigint): void {
  const { migration } = host.state;
  migration.rounds += 1n;
  migration.cursor = 0n;
  const dirty = dirtyCount(host, domain);
  migration.dirty = BigInt(dirty);
  if (dirty <= migration.fewPages || migration.rounds >= migration.maxRounds) stop(host, domain, now);
}

/** From here on the guest does not run. The hart still holds its state, which comes to RAM when the scheduler has chosen another. */
function stop(host: Host, domain: DomainView, now: bigint): void {
  const { migration } = host.state;
  for (const vcpu of vcpusOf(host, domain.id)) {
    vcpu.paused = vcpu.state === VcpuState.RUNNING ? VcpuState.READY : vcpu.state;
    vcpu.state = VcpuState.PAUSED;
  }
  migration.phase = MigrationPhase.STOPPED;
  migration.cursor = 0n;
  migration.stoppedAt = now;
}

function sendPiece(host: Host, domain: DomainView): void {
  const { migration } = host.state;
  const number = Number(migration.cursor);
  const piece = piecesOf(domain, vcpusOf(host, domain.id))[number];
  migration.cursor += 1n;
  if (piece === undefined) {
    if (shares(host, domain)) giveUp(host, domain, MigrationReason.SHARES);
    else {
      sendRecord(host, RecordKind.END, [migration.stoppedAt, migration.pages, migration.digest]);
      migration.phase = MigrationPhase.PREPARED;
    }
    return;
  }
  const bytes = readBytes(host.context, piece.at, piece.bytes);
  sendRecord(host, RecordKind.STATE, [BigInt(number)], bytes);
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
  sendRecord(host, RecordKind.GO, []);
}

function letGo(host: Host, domain: DomainView): void {
  const { state } = host;
  for (const vcpu of vcpusOf(host, domain.id)) vcpu.state = VcpuState.NONE;
  domain.state = DomainState.MOVED;
  const { pieces } = state.bootInfo.domain.get(domain.id - 1);
  for (let index = 0; index < BOOT_PIECES; index++) pieces.get(index).bytes = 0n;
  dismantle(host, domain.id);
  clearLog(host);
}

/** The last word is out, or will never be. */
function rest({ state: { migration } }: Host, now: bigint): void {
  if (migration.outbox.length === 0n || now - migration.heardAt > SILENCE_TICKS)
    migration.role = MigrationRole.NONE;
}

function resume(host: Host, domain: DomainView, now: bigint): void {
  endLog(host, domain);
  for (const vcpu of vcpusOf(host, domain.id))
    if (vcpu.state === VcpuState.PAUSED) {
      vcpu.state = vcpu.paused;
      host.state.migration.wentOnAt = now;
    }
}

function giveUp(host: Host, domain: DomainView, reason: number): void {
  resume(host, domain, hostTime(host));
  sendAnswer(host, RecordKind.GIVE_UP, BigInt(reason));
  end(host, MigrationPhase.GIVEN_UP, reason);
}

function end({ state: { migration } }: Host, phase: number, reason: number): void {
  migration.phase = phase;
  migration.reason = reason;
  migration.role = MigrationRole.NONE;
}
