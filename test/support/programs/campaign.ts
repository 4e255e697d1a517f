/**
 * Runs random programs on our board and on a peer, 500 to an image, and says what it found: what was executed, which known
 * differences showed, and the smallest form of what nobody knew.
 */
import { decode } from "../../../lib/isa/decode.ts";
import { floatRegisterWord } from "../float-words.ts";
import { seededNumbers } from "../random.ts";
import { type Difference, inWords, trapsOf } from "./compare.ts";
import { generate, type Kind } from "./generate.ts";
import { imageOf } from "./image.ts";
import { explain, type KnownDifference } from "./known-differences.ts";
import { CODE, CODE_BYTES, MAX_PROGRAMS, RAM_START } from "./layout.ts";
import { type Counts, type Ram, runHere } from "./machines.ts";
import { listing, type Program } from "./program.ts";
import { shrunk } from "./shrink.ts";
import { elfOf } from "./symbol-elf.ts";

/** Another machine. */
export interface Peer {
  readonly name: string;
  run(elf: Uint8Array): Promise<Ram>;
}

export interface Campaign {
  readonly kind: Kind;
  readonly peer: Peer;
  /** Our side, where it is not our board as it is. */
  readonly here?: (elf: Uint8Array, counts?: Counts) => Ram;
  readonly known: readonly KnownDifference[];
  /** Programs have the seeds from this one on. */
  readonly firstSeed: number;
  readonly programs: number;
  /** Failures after which it ends; each is shrunk. */
  readonly maxFailures?: number;
}

export interface Findings {
  /** Completed instructions by mnemonic, in the images that were counted. */
  readonly executed: ReadonlyMap<string, number>;
  /** Traps by handler and cause. */
  readonly causes: ReadonlyMap<string, number>;
  /** Programs in which a known difference showed. */
  readonly used: ReadonlyMap<string, number>;
  /** Programs of which a known difference left the rest uncompared. */
  readonly cut: number;
  readonly programs: number;
  /** Unknown differences: program, listing, both states in words. */
  readonly failures: readonly string[];
}

/** Of so many images one is executed step by step to count instructions. */
const COUNTED = 10;
/** A bug of the engine shows in many programs; the first few are shrunk. */
const MAX_FAILURES = 3;

const add = (counts: Map<string, number>, name: string, more = 1): void => {
  counts.set(name, (counts.get(name) ?? 0) + more);
};

/** What is on all pages, the same for all images. */
const fileOf = (programs: readonly Program[], withH: boolean): Uint8Array => {
  const below = seededNumbers(1);
  return elfOf(imageOf(programs, withH, () => floatRegisterWord(below)));
};

/** At most this part of a campaign's programs may be cut short. */
export const MAX_CUT = 0.1;

/** Runs a campaign to its end, or to its third failure. */
export async function runCampaign(campaign: Campaign): Promise<Findings> {
  const { kind, peer, firstSeed, programs: total, here = runHere, maxFailures = MAX_FAILURES } = campaign;
  let cut = 0;
  const [executed, causes, used] = [
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ];
  const failures: string[] = [];
  for (let done = 0; done < total && failures.length < maxFailures; done += MAX_PROGRAMS) {
    const count = Math.min(MAX_PROGRAMS, total - done);
    const programs = Array.from({ length: count }, (_, at) => generate(kind, firstSeed + done + at));
    const elf = fileOf(programs, kind.withH);
    const running = peer.run(elf);
    const counts =
      (done / MAX_PROGRAMS) % COUNTED === 0 ? new Uint32Array((count * CODE_BYTES) / 2) : undefined;
    const ours = here(elf, counts);
    if (counts !== undefined) countInstructions(executed, ours, counts);
    const theirs = await running;
    for (const [index, program] of programs.entries()) {
      for (const { handler, cause } of trapsOf(ours, index)) add(causes, causeName(handler, cause));
      const explanation = explain(program, index, { ours, theirs }, campaign.known);
      for (const id of explanation.used) add(used, id);
      if (explanation.isCut) cut++;
      if (explanation.unexplained.length > 0 && failures.length < maxFailures)
        failures.push(await failureText(campaign, program, explanation.unexplained));
    }
  }
  return { executed, causes, used, cut, programs: total, failures };
}

const HANDLER = new Map([
  [1n, "S"],
  [2n, "VS"],
  [3n, "M"],
]);
const causeName = (handler: bigint, cause: bigint): string =>
  `${HANDLER.get(handler) ?? handler} ${cause >> 63n === 1n ? "interrupt" : "exception"} ${cause & 63n}`;

function countInstructions(executed: Map<string, number>, ram: Ram, counts: Counts): void {
  const view = new DataView(ram.buffer, ram.byteOffset);
  for (const [at, count] of counts.entries()) {
    if (count === 0) continue;
    const offset = CODE - RAM_START + 2 * at;
    const mnemonic = decode(view.getUint32(offset, true))?.mnemonic;
    if (mnemonic !== undefined) add(executed, mnemonic, count);
  }
}

/** The program made small, and what differs then. */
async function failureText(
  campaign: Campaign,
  program: Program,
  found: readonly Difference[],
): Promise<string> {
  const { kind, peer, known, here = runHere } = campaign;
  const unexplained = async (programs: readonly Program[]): Promise<(readonly Difference[])[]> => {
    const elf = fileOf(programs, kind.withH);
    const running = peer.run(elf);
    const machines = { ours: here(elf), theirs: await running };
    return programs.map((each, index) => explain(each, index, machines, known).unexplained);
  };
  const name = found[0]?.name;
  const small = await shrunk(program, async (candidates) =>
    (await unexplained(candidates)).map(([first]) => first?.name === name),
  );
  const [differences = []] = await unexplained([small]);
  // A difference that needs its neighbors is shown as it was.
  const [shown, words] = differences.length > 0 ? [small, differences] : [program, found];
  return `${listing(shown)}\n${inWords(words, peer.name)}`;
}

/** The findings for a reader: counts, most frequent first. */
export function reportOf({ executed, causes, used, cut, programs }: Findings, title: string): string {
  const list = (counts: ReadonlyMap<string, number>): string =>
    [...counts]
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  return [
    title,
    `  executed, one image in ${COUNTED} counted: ${list(executed)}`,
    `  traps: ${list(causes)}`,
    `  known differences: ${used.size === 0 ? "none" : list(used)}`,
    `  cut short by them: ${cut} programs, ${((100 * cut) / programs).toFixed(1)} %`,
  ].join("\n");
}
