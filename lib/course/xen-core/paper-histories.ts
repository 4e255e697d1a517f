/** Random histories for the paper hypervisor: what two domains ask for, mostly of what exists. */
import { seededWords } from "../../checks/seed.ts";
import {
  DOMAINS,
  ENTRIES,
  FRAMES,
  firstFrameOf,
  type MistakeName,
  type PaperEntry,
  PaperHypervisor,
  type PaperMachine,
  type PaperOp,
} from "./paper.ts";
import { paperMistakes } from "./paper-referee.ts";

/** One step of a history: what was asked, what was answered, and the machine behind it. */
export interface PaperStep {
  readonly op: PaperOp;
  readonly value: number;
  readonly machine: PaperMachine;
}

/**
 * Draws a request of a machine as it is. Frames, grants and mappings are mostly such that the request can be granted, so that domains meet
 * often.
 */
export function drawOp(
  word: () => number,
  { grants, mappings }: Pick<PaperMachine, "grants" | "mappings">,
): PaperOp {
  const pick = (count: number): number => (word() >>> 8) % count;
  const one = <Value>(list: readonly Value[]): Value | undefined => list[pick(Math.max(1, list.length))];
  const isWild = pick(8) === 0;
  const domain = DOMAINS[pick(2)] ?? 1;
  const own = firstFrameOf(domain);
  const writable = pick(2) === 0;
  const liveGrants = [...grants.entries()].filter(([, grant]) => grant !== null);
  const liveMappings = [...mappings.entries()].filter(([, mapping]) => mapping !== null);
  switch (pick(13)) {
    case 0:
    case 1:
      return { op: "grant", domain, to: 3 - domain, frame: own + 2 + pick(4), writable };
    case 2:
    case 3:
    case 4:
    case 5: {
      const [grant, found] = one(liveGrants) ?? [pick(3), null];
      const mapper = isWild ? domain : (found?.to ?? domain);
      const wanted = isWild || pick(4) === 0 ? writable : writable && found?.writable === true;
      return {
        op: "map",
        domain: mapper,
        grant,
        table: firstFrameOf(mapper) + 1,
        index: 2 + pick(2),
        writable: wanted,
      };
    }
    case 6:
    case 7: {
      const [mapping, found] = one(liveMappings) ?? [pick(3), null];
      return { op: "unmap", domain: isWild ? domain : (found?.domain ?? domain), mapping };
    }
    case 8: {
      const [grant, found] = one(liveGrants) ?? [pick(3), null];
      return { op: "revoke", domain: isWild ? domain : (found?.from ?? domain), grant };
    }
    case 9:
      return { op: "release", domain, frame: own + 2 + pick(6) };
    case 10:
      return { op: "claim", domain };
    default: {
      const table = own + (pick(4) === 0 ? pick(FRAMES) : pick(2));
      const frame = (): number => (isWild ? firstFrameOf(3 - domain) : own) + pick(FRAMES);
      return {
        op: "update",
        domain,
        table,
        index: pick(ENTRIES),
        entry: drawEntry(pick, frame, writable, table === own, own),
      };
    }
  }
}

function drawEntry(
  pick: (count: number) => number,
  frame: () => number,
  writable: boolean,
  isRoot: boolean,
  own: number,
): PaperEntry | null {
  const kind = pick(6);
  if (kind === 0) return null;
  if (isRoot && kind < 3) return { kind: "link", frame: own + 2 + pick(6), writable: false };
  if (isRoot && kind < 5) return { kind: "page", frame: own + 4 * pick(2), writable };
  return { kind: "page", frame: frame(), writable };
}

/** What a hypervisor makes of requests. */
export function play(ops: readonly PaperOp[], mistake?: MistakeName): PaperStep[] {
  const hypervisor = new PaperHypervisor(mistake);
  return ops.map((op) => ({ op, value: hypervisor.do(op), machine: hypervisor.look() }));
}

/** The same up to the first step behind which the machine is wrong; `undefined`: it never is. */
export function playUntilWrong(
  ops: readonly PaperOp[],
  mistake?: MistakeName,
): readonly PaperStep[] | undefined {
  const hypervisor = new PaperHypervisor(mistake);
  const steps: PaperStep[] = [];
  for (const op of ops) {
    const step = { op, value: hypervisor.do(op), machine: hypervisor.look() };
    steps.push(step);
    if (paperMistakes(step.machine).length > 0) return steps;
  }
  return undefined;
}

/** Requests of a seed: each is drawn of what a hypervisor without mistakes has made of those before. */
export function drawHistory(seed: number, length: number): PaperOp[] {
  const word = seededWords(seed);
  const hypervisor = new PaperHypervisor();
  return Array.from({ length }, () => {
    const op = drawOp(word, hypervisor.lent);
    hypervisor.do(op);
    return op;
  });
}

/** The first step behind which the machine is wrong; -1: none. */
export const firstWrong = (steps: readonly PaperStep[]): number =>
  steps.findIndex(({ machine }) => paperMistakes(machine).length > 0);
