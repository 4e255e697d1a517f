/**
 * Who runs next, and for how long. Three ways, chosen at boot:
 * - round robin: a slice each, in turn
 * - credit: each period pays credit by weight, and a virtual CPU is charged for exactly what it ran; domains may have a cap
 * - tick sampling: the same, but charged is who happens to run when the tick comes, and for the whole tick. Who sleeps at the ticks
 *   pays nothing.
 */
import { VIRT_MAP } from "../board/memory-map.ts";
import { FinisherCommand } from "../devices/test-finisher.ts";
import { hpa } from "../hs/address.ts";
import { allVcpus, vcpusOf } from "./domain.ts";
import type { Host } from "./host.ts";
import { DomainState, MigrationRole, SchedulerKind, VcpuState, type VcpuView } from "./layout.ts";
import { serveMemoryWait } from "./memory-wait.ts";
import type { Turn } from "./parts.ts";
import { earlier, hostTime, NEVER } from "./time.ts";
import { currentVcpu, switchTo } from "./vcpu.ts";
import { answerTimer, armTimer, wakeTime } from "./virtual-timer.ts";

/** The exit code of a machine whose first domain has crashed. */
const CRASHED = 255n;
const HUNDRED = 100n;
/** A machine that is operated looks so often for orders. */
const ORDER_TICKS = 500n;
/** A machine with a migration looks so often into its mailboxes. */
const MAILBOX_TICKS = 200n;
const signed = (word: bigint): bigint => BigInt.asIntN(64, word);

/** Gives the hart to whoever should have it now. Called when the one that runs cannot go on, and when the alarm goes off. */
export function schedule(host: Host): void {
  const { state, context } = host;
  const now = hostTime(host);
  const pcpu = state.pcpu(context.hart);
  const current = currentVcpu(host);
  const { scheduler } = state.bootInfo;
  if (current !== undefined) account(host, current, now);
  if (scheduler === SchedulerKind.TICK_SAMPLING) sample(host, current, now);
  const vcpus = allVcpus(host);
  for (const vcpu of vcpus) {
    answerTimer(host, vcpu, now);
    if (vcpu.state === VcpuState.STARVED) serveMemoryWait(host, vcpu, now);
  }
  if (scheduler !== SchedulerKind.ROUND_ROBIN && now >= pcpu.periodEnd)
    beginPeriod(host, { vcpus, current, now });
  if (current?.state === VcpuState.RUNNING) current.state = VcpuState.READY;
  const next = chosen(host, { vcpus, current, now });
  const isNew = next?.address !== current?.address;
  if (next !== undefined) {
    if (isNew || now >= pcpu.sliceEnd) beginSlice(host, next, now);
    next.state = VcpuState.RUNNING;
    next.schedule.since = now;
  }
  if (!isAwaited(host) && vcpus.every((vcpu) => vcpu.state === VcpuState.STOPPED)) endMachine(host);
  switchTo(host, next);
  setAlarm(host, vcpus, next, now);
}

/** Whether mailboxes, or a domain that leaves, have to be looked at. */
const expectsVisits = ({ state }: Host): boolean =>
  state.migration.role !== MigrationRole.NONE || state.leaving.domain !== 0 || state.vmLog.isWaiting !== 0;

/** Whether the machine has something to do when no guest has. */
const isAwaited = (host: Host): boolean => host.state.bootInfo.operated !== 0 || expectsVisits(host);

/** Notes when the hypervisor looks next for what is not its guests': it has just done so. */
export function noteVisit(host: Host): void {
  host.state.order.lookAt = hostTime(host) + (expectsVisits(host) ? MAILBOX_TICKS : ORDER_TICKS);
}

/** Nobody is left: the machine is switched off, with the first domain's exit code. */
function endMachine({ context, state }: Host): void {
  const first = state.domain(1);
  const code = first.state === DomainState.CRASHED ? CRASHED : first.exitCode;
  const command = code === 0n ? BigInt(FinisherCommand.PASS) : (code << 16n) | BigInt(FinisherCommand.FAIL);
  context.store(hpa(BigInt(VIRT_MAP.testFinisher.base)), 4, command);
}

function beginSlice({ state, context }: Host, { schedule: own }: VcpuView, now: bigint): void {
  const pcpu = state.pcpu(context.hart);
  pcpu.turns += 1n;
  own.turn = pcpu.turns;
  pcpu.sliceEnd = now + state.bootInfo.slice;
}

/** What it ran since it was put on the hart. Exact accounting charges it. */
function account(host: Host, vcpu: VcpuView, now: bigint): void {
  const { charge } = host.parts;
  const { schedule: own } = vcpu;
  const ran = now - own.since;
  own.since = now;
  own.ran += ran;
  own.ranInPeriod += ran;
  if (charge === undefined) debit(host, vcpu, ran);
  else charge(host, vcpu, ran, () => debit(host, vcpu, ran));
}

function debit({ state }: Host, { schedule: own }: VcpuView, ran: bigint): void {
  if (state.bootInfo.scheduler === SchedulerKind.CREDIT) own.credit = BigInt.asUintN(64, own.credit - ran);
}

/** The tick: who runs now pays for all of it. */
function sample({ state, context }: Host, current: VcpuView | undefined, now: bigint): void {
  const pcpu = state.pcpu(context.hart);
  const { slice } = state.bootInfo;
  if (now < pcpu.tickEnd) return;
  pcpu.tickEnd = now - (now % slice) + slice;
  if (current === undefined) return;
  current.schedule.credit = BigInt.asUintN(64, current.schedule.credit - slice);
  current.schedule.boosted = 0n;
}

/** A period of accounting begins: caps begin anew, and all are paid. */
function beginPeriod(host: Host, turn: Turn): void {
  const { context, parts, state } = host;
  if (parts.pay === undefined) payAll(host, turn.vcpus);
  else parts.pay(host, turn, () => payAll(host, turn.vcpus));
  for (const vcpu of turn.vcpus) vcpu.schedule.ranInPeriod = 0n;
  state.pcpu(context.hart).periodEnd = turn.now + state.bootInfo.period;
}

/** Credit for all who exist, by the weight of their domains; nobody saves up more than a period. */
function payAll(host: Host, vcpus: readonly VcpuView[]): void {
  const { state } = host;
  const { period } = state.bootInfo;
  const active = vcpus.filter((vcpu) => vcpu.state !== VcpuState.STOPPED);
  const weights = active.map((vcpu) => {
    const siblings = vcpusOf(host, vcpu.domain).filter((other) => other.state !== VcpuState.STOPPED);
    return BigInt(state.domain(vcpu.domain).weight) / BigInt(siblings.length);
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  for (const [index, { schedule: own }] of active.entries()) {
    const share = total === 0n ? 0n : (period * (weights[index] ?? 0n)) / total;
    const credit = signed(own.credit) + share;
    own.credit = BigInt.asUintN(64, credit > period ? period : credit);
  }
}

/** What a domain may still run in this period; `undefined` when it has no cap. */
function leftOfCap(host: Host, domain: number): bigint | undefined {
  const { cap } = host.state.domain(domain);
  if (cap === 0 || host.state.bootInfo.scheduler === SchedulerKind.ROUND_ROBIN) return undefined;
  const ran = vcpusOf(host, domain).reduce((sum, vcpu) => sum + vcpu.schedule.ranInPeriod, 0n);
  return (host.state.bootInfo.period * BigInt(cap)) / HUNDRED - ran;
}

/** Woken ones with credit first, then those with credit, then the others; among equals whose turn is longest ago. */
function rank(host: Host, vcpu: VcpuView): number {
  if (host.state.bootInfo.scheduler === SchedulerKind.ROUND_ROBIN) return 1;
  if (signed(vcpu.schedule.credit) <= 0n) return 2;
  return vcpu.schedule.boosted === 0n ? 1 : 0;
}

/** Who runs next. A part that chooses somebody who cannot run is told so: the machine stops. */
function chosen(host: Host, turn: Turn): VcpuView | undefined {
  const part = host.parts.choose;
  if (part === undefined) return choose(host, turn);
  let own: VcpuView | undefined;
  const next = part(host, turn, () => {
    own = choose(host, turn);
    return own;
  });
  if (next === undefined || next === own) return next;
  const found = turn.vcpus.find(({ address }) => address === next.address);
  if (found?.state === VcpuState.READY) return found;
  throw new Error(
    found === undefined
      ? "`choose` returned what is no virtual CPU"
      : `\`choose\` returned virtual CPU ${found.number} of domain ${found.domain}, which is not ready`,
  );
}

function choose(host: Host, { vcpus, current, now }: Turn): VcpuView | undefined {
  const { sliceEnd } = host.state.pcpu(host.context.hart);
  let best: { readonly vcpu: VcpuView; readonly rank: number; readonly turn: bigint } | undefined;
  for (const vcpu of vcpus) {
    if (vcpu.state !== VcpuState.READY || (leftOfCap(host, vcpu.domain) ?? 1n) <= 0n) continue;
    const goesOn = vcpu.address === current?.address && now < sliceEnd;
    const candidate = { vcpu, rank: rank(host, vcpu), turn: goesOn ? -1n : vcpu.schedule.turn };
    if (
      best === undefined ||
      candidate.rank < best.rank ||
      (candidate.rank === best.rank && candidate.turn < best.turn)
    )
      best = candidate;
  }
  if (best !== undefined) best.vcpu.schedule.boosted = 0n;
  return best?.vcpu;
}

/** A part has chosen nobody though somebody is ready: it is asked again. */
const refusesAll = ({ parts }: Host, vcpus: readonly VcpuView[]): boolean =>
  parts.choose !== undefined && vcpus.some(({ state }) => state === VcpuState.READY);

/** When the scheduler wants the hart back: the slice, a period or a cap ends, or somebody's timer goes off. */
function setAlarm(host: Host, vcpus: readonly VcpuView[], next: VcpuView | undefined, now: bigint): void {
  const { state, context } = host;
  const pcpu = state.pcpu(context.hart);
  const isRound = state.bootInfo.scheduler === SchedulerKind.ROUND_ROBIN;
  let alarm =
    next === undefined ? (refusesAll(host, vcpus) ? now + state.bootInfo.slice : NEVER) : pcpu.sliceEnd;
  if (!isRound) alarm = earlier(alarm, pcpu.periodEnd);
  if (state.bootInfo.scheduler === SchedulerKind.TICK_SAMPLING) alarm = earlier(alarm, pcpu.tickEnd);
  const left = next === undefined ? undefined : leftOfCap(host, next.domain);
  if (left !== undefined) alarm = earlier(alarm, now + left);
  for (const vcpu of vcpus) {
    if (vcpu.state === VcpuState.BLOCKED) alarm = earlier(alarm, wakeTime(vcpu));
    if (vcpu.state === VcpuState.STARVED) alarm = earlier(alarm, state.memoryWait(vcpu.address).deadline);
  }
  // Not from now on: who yields all the time would put it off for ever.
  if (isAwaited(host)) alarm = earlier(alarm, state.order.lookAt);
  pcpu.alarm = alarm;
  armTimer(host, next, now);
}
