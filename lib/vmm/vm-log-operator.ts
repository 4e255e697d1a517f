/** The operator of a recording: takes the log out of one machine's RAM, keeps it, and brings it to another. */
import { LOG_ENTRIES, LogKind, LogRole, VmLog } from "./layout.ts";
import { awaitDomain, type Machine, restoreDomain, runFor, saveDomain } from "./migration-wire.ts";

/** One entry of a log. */
export interface Logged {
  readonly count: bigint;
  readonly kind: bigint;
  readonly value: bigint;
}

/** A recorded piece of a domain's life. */
export interface VmRecording {
  readonly kind: "vm-recording";
  /** The domain as it was at the beginning. */
  readonly image: Uint8Array;
  readonly log: readonly Logged[];
}

/** Why there is none, or why a replay came to no good end. */
export interface NotRecorded {
  readonly kind: "not-recorded";
  readonly reason: string;
}

/** Instructions between two looks at the log. */
const TURN_INSNS = 20_000;

function order({ board, vmm }: Machine, role: number): void {
  const { vmLog } = vmm.state;
  board.memory.write(vmLog.address, new Uint8Array(VmLog.sizeBytes));
  vmLog.role = role;
}

/** Takes what is in the ring. */
function take({ vmm: { state } }: Machine): Logged[] {
  const { vmLog } = state;
  const taken: Logged[] = [];
  for (let number = vmLog.taken; number < vmLog.written; number += 1n) {
    const { count, kind, value } = vmLog.entries.get(Number(number % BigInt(LOG_ENTRIES)));
    taken.push({ count, kind, value });
  }
  vmLog.taken = vmLog.written;
  return taken;
}

/**
 * Records a domain from now on, for so many instructions of the machine, or until it ends. Behind that it stands still where the
 * recording ends, until the machine runs again.
 *
 * @param during  Called at each look at the log: to type something, for example.
 */
export function recordDomain(
  machine: Machine,
  domain: number,
  insns: number,
  during: (insns: number) => void = () => {},
): VmRecording | NotRecorded {
  order(machine, LogRole.RECORD_NEXT);
  const saved = saveDomain(machine, domain);
  const { vmLog } = machine.vmm.state;
  if (saved.kind !== "saved-domain") {
    // Else the next one that is saved would be recorded.
    vmLog.role = LogRole.NONE;
    return { kind: "not-recorded", reason: saved.reason };
  }
  const log: Logged[] = [];
  const isOver = (): boolean => log.at(-1)?.kind === BigInt(LogKind.END);
  for (let done = 0; !isOver() && vmLog.role !== LogRole.REFUSED && done < 2 * insns; done += TURN_INSNS) {
    if (done >= insns) vmLog.ends = 1;
    during(done);
    runFor(machine, TURN_INSNS);
    log.push(...take(machine));
  }
  if (!isOver()) return { kind: "not-recorded", reason: "REFUSED" };
  return { kind: "vm-recording", image: saved.bytes, log };
}

/** How a replay ended. */
export interface Replayed {
  readonly kind: "repeated" | "diverged" | "not-repeated";
  /** Entries of the log that were used, and instructions that the domain has retired. */
  readonly used: number;
  readonly count: bigint;
}

/** Lets a recorded domain do the same again, on a machine that has not begun, or that runs others. */
export function replayDomain(machine: Machine, { image, log }: VmRecording, insns = 50_000_000): Replayed {
  order(machine, LogRole.REPLAY_NEXT);
  awaitDomain(machine);
  const { vmLog } = machine.vmm.state;
  const reason = restoreDomain(machine, image);
  let brought = 0;
  for (
    let done = 0;
    reason === "NONE" && done < insns && vmLog.role === LogRole.REPLAYING;
    done += TURN_INSNS
  ) {
    for (; brought < log.length && Number(vmLog.written - vmLog.taken) < LOG_ENTRIES; brought++) {
      const entry = vmLog.entries.get(brought % LOG_ENTRIES);
      Object.assign(entry, log[brought]);
      vmLog.written += 1n;
    }
    runFor(machine, TURN_INSNS);
  }
  const { role, taken, count } = vmLog;
  const kind =
    role === LogRole.REPEATED ? "repeated" : role === LogRole.DIVERGED ? "diverged" : "not-repeated";
  return { kind, used: Number(taken), count };
}
