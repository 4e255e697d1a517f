/** The referee of the paper hypervisor: I1, I2 and I3 by a recount of all tables. It shares nothing with the hypervisor but what is to see. */
import { type FoundEntry, frameName, type PaperFrame, type PaperMachine } from "./paper.ts";

/** Frames that an entry speaks of. */
const framesOf = ({ frame, frames }: FoundEntry): number[] =>
  Array.from({ length: frames }, (_, index) => frame + index);

/** Sentences about what is wrong; none is what a hypervisor wants. */
export function paperMistakes(machine: PaperMachine): string[] {
  const found: string[] = [];
  const uses = new Map<number, FoundEntry[]>();
  for (const entry of machine.entries)
    for (const frame of framesOf(entry)) uses.set(frame, [...(uses.get(frame) ?? []), entry]);
  for (const frame of machine.frames) {
    const own = uses.get(frame.frame) ?? [];
    found.push(...reachMistakes(machine, frame, own), ...countMistakes(machine, frame, own));
  }
  for (const [number, grant] of machine.grants.entries()) {
    if (grant === null) continue;
    const mapped = machine.mappings.filter((mapping) => mapping?.grant === number).length;
    if (mapped !== grant.mapped)
      found.push(`I3: grant ${number} counts ${times(grant.mapped, "mapping")}, and there are ${mapped}`);
  }
  return found;
}

const times = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

function reachMistakes(machine: PaperMachine, frame: PaperFrame, uses: readonly FoundEntry[]): string[] {
  return uses.flatMap((entry) => {
    if (entry.kind === "link")
      return frame.use === "table"
        ? []
        : [`I2: ${placeOf(entry)} leads to ${frameName(frame.frame)}, which is no table`];
    const who = `${placeOf(entry)} lets dom${entry.domain} ${entry.writable ? "write" : "read"} frame ${frameName(frame.frame)}`;
    if (frame.owner !== entry.domain && !isGranted(machine, entry, frame.frame))
      return [
        `I1: ${who}, which is ${frame.owner === 0 ? "nobody's" : `dom${frame.owner}'s`} and not granted so`,
      ];
    return entry.writable && frame.use !== "memory" ? [`I2: ${who}, and that is a page table`] : [];
  });
}

const placeOf = ({ table, index }: FoundEntry): string => `${frameName(table)}[${index}]`;

const isGranted = ({ mappings, grants }: PaperMachine, entry: FoundEntry, frame: number): boolean =>
  mappings.some((mapping) => {
    if (mapping === null || mapping.table !== entry.table || mapping.index !== entry.index) return false;
    const grant = grants[mapping.grant];
    return (
      grant !== undefined &&
      grant !== null &&
      grant.frame === frame &&
      grant.to === entry.domain &&
      (grant.writable || !entry.writable)
    );
  });

function countMistakes(machine: PaperMachine, frame: PaperFrame, uses: readonly FoundEntry[]): string[] {
  const { owner, use, refs, typed } = frame;
  const roots = machine.roots.filter((root) => root.frame === frame.frame).length;
  // A granted page in a table keeps it a table.
  const held = machine.mappings.filter((mapping) => mapping?.table === frame.frame).length;
  const wantedRefs = (owner === 0 ? 0 : 1) + uses.length + roots + held;
  const wantedTyped =
    use === "memory"
      ? uses.filter(({ writable }) => writable).length
      : use === "free"
        ? 0
        : uses.filter(({ kind }) => kind === "link").length + roots + held;
  const name = `frame ${frameName(frame.frame)}`;
  const found: string[] = [];
  if (refs !== wantedRefs)
    found.push(
      `I3: ${name} counts ${times(refs, "reference")}, but it has ${wantedRefs}: ${owner === 0 ? "" : "its owner, "}${times(uses.length, "entry").replace("entrys", "entries")}`,
    );
  if (typed !== wantedTyped)
    found.push(
      `I3: ${name} counts ${times(typed, use === "memory" ? "writer" : "use")} as ${use}, but it has ${wantedTyped}`,
    );
  return found;
}
