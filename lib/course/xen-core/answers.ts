/** Hints and reference answers of notebook 06, as source text that a test puts in place of each stub. */
import type { Help } from "../exercises/landing-answers.ts";
import { bookOf } from "./count-references.ts";
import { HARMLESS } from "./fast-path.ts";

function count(seed: number): string {
  const { refs, writers, revoke } = bookOf(seed);
  return `const mine = { seed: SEED, refs: ${refs}, writers: ${writers}, revoke: ${revoke} };`;
}

/** Help for each exercise of notebook 06. */
export const XEN_CORE_HELP = {
  "06.1": {
    hints: [
      "Keep a list of the entries that map the frame, and begin with the owner's own. A map that was answered with a number of 0 or more adds one, an unmap takes one away, and what was refused changes nothing.",
      "refs is that list's length and one more, for the owner. writers counts those with RW. revoke asks about mappings of grant 0 alone.",
    ],
    source: count,
    because:
      "A reference is somebody who would miss the frame: its owner, and every entry that leads to it. A grant that nobody maps is only a promise.",
  },
  "06.2": {
    hints: [
      "Go through the bits V R W X U G A D, bits 8 and 9, and the page number. For each: could the change make the entry lead elsewhere, or let the guest write, or count differently?",
      "U and the bits of software and of the hart (A, D, 8, 9) do none of that. All others do.",
    ],
    source: () => `const mask = 0x${HARMLESS.toString(16)}n;`,
    because:
      "What the hypervisor has promised hangs on the frame, on W, and on whether the entry is a leaf at all. U, A, D and two bits of software's own decide about none of these.",
  },
  "06.3": {
    hints: [
      "Write a helper that finds a port and gives undefined for port 0 and for a free one. bind asks it about the other domain's port, send and mask about mine.",
      "const bit = (port: number) => 1n << BigInt(port); send sets bit(end.remotePort) in domains[end.remote].pending. take returns mine.pending & ~mine.masked and clears just that.",
    ],
    source:
      () => `function eventCall(domains: EventDomain[], me: number, call: string, a: number, b: number) {
  const mine = domains[me]!;
  const used = (domain: EventDomain | undefined, port: number) => {
    const end = port === 0 ? undefined : domain?.ports[port];
    return end?.state === "free" ? undefined : end;
  };
  const bit = (port: number) => 1n << BigInt(port);
  const done = (value: bigint) => ({ value, domains });
  if (call === "bind") {
    if (a === 0 || domains[a] === undefined) return done(-3n);
    const far = used(domains[a], b);
    if (far === undefined) return done(-2n);
    if (far.state !== "waiting" || far.remote !== me) return done(-1n);
    const port = mine.ports.findIndex(({ state }, at) => at > 0 && state === "free");
    if (port < 0) return done(-28n);
    Object.assign(far, { state: "bound", remotePort: port });
    Object.assign(mine.ports[port]!, { state: "bound", remote: a, remotePort: b });
    return done(BigInt(port));
  }
  if (call === "take") {
    const seen = mine.pending & ~mine.masked;
    mine.pending &= ~seen;
    return done(seen);
  }
  const end = used(mine, a);
  if (end === undefined || (call === "send" && end.state !== "bound")) return done(-2n);
  if (call === "send") domains[end.remote]!.pending |= bit(end.remotePort);
  else if (b > 1) return done(-22n);
  else mine.masked = b === 1 ? mine.masked | bit(a) : mine.masked & ~bit(a);
  return done(0n);
}`,
    because:
      "An event is one bit at the other end, and it stays until somebody has seen it. A mask decides who is told now, never what is kept.",
  },
  "06.4": {
    hints: [
      "One helper counts: add(frame, change, writable) changes refs, and writers if the entry is writable. map calls it with 1, unmap with -1 and what the entry that goes says.",
      "The order of refusals of map: no such grant -2; not for me, or writable where only read was granted, -1; a page that I have already -14. Only then change anything.",
    ],
    source: () => `function grantCall(office: GrantOffice, me: number, ask: GrantAsk) {
  const { frames, entries, grants, mappings } = office;
  const done = (value: number) => ({ value, office });
  const count = (frame: number, change: number, writable: boolean) => {
    const counts = frames.get(frame)!;
    counts.refs += change;
    if (writable) counts.writers += change;
  };
  if (ask.call === "grant") {
    if (frames.get(ask.frame)?.owner !== me) return done(-1);
    return done(grants.push({ from: me, to: ask.to, frame: ask.frame, writable: ask.writable, mapped: 0 }) - 1);
  }
  if (ask.call === "unmap") {
    const mapping = mappings[ask.mapping];
    if (mapping == null || mapping.domain !== me) return done(-2);
    const at = entries.findIndex(({ domain, page }) => domain === me && page === mapping.page);
    const [gone] = entries.splice(at, 1);
    count(gone!.frame, -1, gone!.writable);
    grants[mapping.grant]!.mapped -= 1;
    mappings[ask.mapping] = null;
    return done(0);
  }
  const grant = grants[ask.grant];
  if (grant == null) return done(-2);
  if (ask.call === "revoke") {
    if (grant.from !== me) return done(-2);
    if (grant.mapped > 0) return done(-16);
    grants[ask.grant] = null;
    return done(0);
  }
  if (grant.to !== me || (ask.writable && !grant.writable)) return done(-1);
  if (entries.some(({ domain, page }) => domain === me && page === ask.page)) return done(-14);
  entries.push({ domain: me, page: ask.page, frame: grant.frame, writable: ask.writable });
  count(grant.frame, 1, ask.writable);
  grant.mapped += 1;
  return done(mappings.push({ domain: me, grant: ask.grant, page: ask.page }) - 1);
}`,
    because:
      "Every entry comes with one reference and goes with one; who may write is counted by the entry and not by the grant. So a frame is given away only when nobody can reach it.",
  },
  "06.5": {
    hints: [
      "Begin with a recount: for each frame the entries whose range frame … frame + frames - 1 covers it. refs is 1 for an owner, and one for each such entry, each root that is this frame, and each mapping whose table is this frame. That alone finds five.",
      "Then rights: an entry of kind page may reach only frames of its domain's own, unless a mapping with the same table and index has a grant of that frame, to that domain, with that right. And nothing writable may reach a frame whose use is not memory.",
    ],
    source: () => `function isBroken({ frames, entries, grants, mappings, roots }: PaperMachine): boolean {
  const isGranted = (entry: FoundEntry, frame: number) => mappings.some((mapping) => {
    const grant = mapping?.table === entry.table && mapping.index === entry.index ? grants[mapping.grant] : null;
    return grant != null && grant.frame === frame && grant.to === entry.domain && (grant.writable || !entry.writable);
  });
  const wrongGrant = grants.some((grant, number) =>
    grant !== null && grant.mapped !== mappings.filter((mapping) => mapping?.grant === number).length);
  return wrongGrant || frames.some(({ frame, owner, use, refs, typed }) => {
    const uses = entries.filter((entry) => entry.frame <= frame && frame < entry.frame + entry.frames);
    const links = uses.filter(({ kind }) => kind === "link").length;
    const held = roots.filter((root) => root.frame === frame).length + mappings.filter((mapping) => mapping?.table === frame).length;
    const writers = uses.filter(({ writable }) => writable).length;
    if (refs !== (owner === 0 ? 0 : 1) + uses.length + held) return true;
    if (typed !== (use === "memory" ? writers : links + held)) return true;
    return uses.some((entry) => entry.kind === "link" ? use !== "table"
      : (entry.writable && use !== "memory") || (owner !== entry.domain && !isGranted(entry, frame)));
  });
}`,
    because:
      "Three sentences are enough: nobody reaches what is not his, nobody writes a page table, and the books are what a recount gives. A referee needs no list of known bugs.",
  },
  "06.6": {
    hints: [
      "Two samples make a line: perByte = (b.copy - a.copy) / (b.bytes - a.bytes), fixed = a.copy - perByte * a.bytes. The same for map.",
      "They cross at (mapFixed - copyFixed) / (copyPerByte - mapPerByte). From the next whole number on mapping is cheaper; never, if a copied byte is not dearer.",
    ],
    source: () => `function breakEven(samples: readonly PriceSample[]): number {
  const [a, b] = samples;
  if (a === undefined || b === undefined) return -1;
  const slope = (price: "copy" | "map") => (b[price] - a[price]) / (b.bytes - a.bytes);
  const fixed = (price: "copy" | "map") => a[price] - slope(price) * a.bytes;
  const gain = slope("copy") - slope("map");
  return gain <= 0 ? -1 : Math.max(0, Math.floor((fixed("map") - fixed("copy")) / gain) + 1);
}`,
    because:
      "Each price is a fixed part and a part for each byte. Mapping pays once for tables and fences, copying pays for every byte: somewhere they cross.",
  },
} as const satisfies Readonly<Record<string, Help>>;

/** Exercises of notebook 06. */
export type XenCoreExercise = keyof typeof XEN_CORE_HELP;
