/**
 * Remus: the machine that runs a domain for which another stands ready. Time goes in epochs. At the end of one the guest stands still
 * while the pages that it has changed, and its virtual CPUs and devices, go to the backup in the records of a migration; then it goes
 * on. What it prints is held until the backup has said that it has the epoch in which it was printed: nobody outside ever sees
 * anything that the backup could not go on from.
 *
 * When no answer comes, the guest stands still and this machine asks. Silence does not tell a machine that died from a wire that broke, so
 * neither of the two may decide alone: the operator lets one go on, once, and forbids the other first.
 */
import { clearLog, fillLog } from "./dirty-log.ts";
import { runningDomain } from "./errors.ts";
import type { Host } from "./host.ts";
import {
  CONSOLE_BYTES,
  DomainFlag,
  DomainState,
  type DomainView,
  MigrationOrder,
  MigrationPhase,
  MigrationReason,
  MigrationRole,
} from "./layout.ts";
import { goOnHere, letGo, sendNextPage, sendNextPiece, shares, standStill } from "./migration-pages.ts";
import { obstacle, SILENCE_TICKS, sendHello } from "./migration-source.ts";
import { RecordKind, sendAnswer, sendRecord, takeRecord } from "./records.ts";
import { letOut } from "./terminal.ts";
import { hostTime } from "./time.ts";

/** Bytes of the console that one visit lets out. */
const LET_OUT = 256n;
/** So many held bytes end an epoch before its time: the console's ring has no more. */
const MOST_HELD = BigInt(CONSOLE_BYTES) - 4096n;

/** One visit: at most one record. */
export function servePrimary(host: Host): void {
  const { migration } = host.state;
  const now = hostTime(host);
  const domain = host.state.domain(migration.domain);
  if (migration.phase === MigrationPhase.WAITING) begin(host, now);
  else if (migration.order !== MigrationOrder.NONE) obey(host, domain, now);
  else if (migration.phase !== MigrationPhase.ASKING) goOn(host, domain, now);
}

function begin(host: Host, now: bigint): void {
  const { migration, remus } = host.state;
  const domain = runningDomain(host, BigInt(migration.domain));
  const reason = domain?.virtio.diskBytes ? MigrationReason.KIND : obstacle(host, domain);
  if (domain === undefined || reason !== MigrationReason.NONE) {
    end(host, MigrationPhase.GIVEN_UP, reason);
    return;
  }
  fillLog(host, domain);
  domain.flags |= DomainFlag.HOLDS_OUTPUT;
  remus.released = domain.console.written;
  remus.releasable = remus.released;
  migration.heardAt = now;
  sendHello(host, domain);
  standStill(host, domain, now);
}

function goOn(host: Host, domain: DomainView, now: bigint): void {
  const { migration, remus } = host.state;
  const answer = takeRecord(host, false);
  if (answer !== undefined && answer !== "corrupted") {
    if (answer.kind === RecordKind.GIVE_UP) {
      goAlone(host, domain, MigrationReason.REFUSED, now);
      return;
    }
    if (answer.kind === RecordKind.ACK) acknowledge(host, answer.word(0), now);
  }
  release(host, domain);
  const isAnswered = remus.acknowledged === remus.sent;
  const isTaken = migration.outbox.length === 0n;
  if (now - migration.heardAt > SILENCE_TICKS && !(isAnswered && isTaken)) ask(host, domain, now);
  else if (migration.phase === MigrationPhase.ROUNDS) watch(host, domain, now);
  else if (migration.phase === MigrationPhase.PREPARED) finish(host, domain);
  else if (isTaken && isAnswered) sendNext(host, domain, now);
}

/** The backup is there. When it has the epoch, what was printed in that may be seen. */
function acknowledge({ state: { migration, remus } }: Host, epoch: bigint, now: bigint): void {
  migration.heardAt = now;
  if (epoch !== remus.sent) return;
  remus.acknowledged = remus.sent;
  remus.releasable = remus.written;
}

function release(host: Host, domain: DomainView): void {
  const { remus } = host.state;
  const { released, releasable } = remus;
  const end = releasable - released > LET_OUT ? released + LET_OUT : releasable;
  letOut({ ...host, domain }, released, end);
  remus.released = end;
}

/** The guest runs. Its epoch ends in time, when it has ended itself, or when it has printed all that can be held. */
function watch(host: Host, domain: DomainView, now: bigint): void {
  const { remus } = host.state;
  const isOver = domain.state !== DomainState.RUNNING;
  const isFull = domain.console.written - remus.released > MOST_HELD;
  const isDue = now >= remus.endsAt && remus.acknowledged === remus.sent;
  if (shares(host, domain)) goAlone(host, domain, MigrationReason.SHARES, now);
  else if (isOver || isFull || isDue) standStill(host, domain, now);
}

/** The guest stands still: pages, pieces, and that this was the epoch. */
function sendNext(host: Host, domain: DomainView, now: bigint): void {
  const { migration, remus } = host.state;
  migration.heardAt = now;
  if (sendNextPage(host, domain) || sendNextPiece(host, domain)) return;
  remus.sent += 1n;
  remus.written = domain.console.written;
  sendRecord(host, RecordKind.EPOCH, [
    migration.stoppedAt,
    migration.pages,
    remus.sent,
    BigInt(domain.state),
    domain.exitCode,
  ]);
  goOnHere(host, domain, now);
  remus.endsAt = now + remus.epochTicks;
  migration.phase = domain.state === DomainState.RUNNING ? MigrationPhase.ROUNDS : MigrationPhase.PREPARED;
}

/** The guest has ended. When all that it printed is out, nobody has to stand ready any more. */
function finish(host: Host, domain: DomainView): void {
  const { remus } = host.state;
  if (remus.acknowledged !== remus.sent || remus.released !== domain.console.written) return;
  domain.flags &= ~DomainFlag.HOLDS_OUTPUT;
  sendAnswer(host, RecordKind.GIVE_UP, BigInt(MigrationReason.ENDED));
  end(host, MigrationPhase.DONE, MigrationReason.ENDED);
}

/** Nothing is heard. Until somebody has decided, the guest stands still. */
function ask(host: Host, domain: DomainView, now: bigint): void {
  standStill(host, domain, now);
  host.state.migration.phase = MigrationPhase.ASKING;
  host.state.migration.reason = MigrationReason.SILENCE;
}

/** The operator has decided. What he forbids he forbids at any time. */
function obey(host: Host, domain: DomainView, now: bigint): void {
  const { migration } = host.state;
  const { order } = migration;
  migration.order = MigrationOrder.NONE;
  if (order === MigrationOrder.GIVE_UP) {
    letGo(host, domain);
    end(host, MigrationPhase.GIVEN_UP, MigrationReason.ORDERED);
  } else if (migration.phase === MigrationPhase.ASKING) goAlone(host, domain, MigrationReason.SILENCE, now);
}

/** Nobody stands ready any more, and nothing is held. */
function goAlone(host: Host, domain: DomainView, reason: number, now: bigint): void {
  const { remus } = host.state;
  letOut({ ...host, domain }, remus.released, domain.console.written);
  remus.released = domain.console.written;
  domain.flags &= ~DomainFlag.HOLDS_OUTPUT;
  goOnHere(host, domain, now);
  sendAnswer(host, RecordKind.GIVE_UP, BigInt(reason));
  end(host, MigrationPhase.DONE, reason);
}

function end(host: Host, phase: number, reason: number): void {
  const { migration } = host.state;
  migration.phase = phase;
  migration.reason = reason;
  migration.role = MigrationRole.NONE;
  clearLog(host);
}
