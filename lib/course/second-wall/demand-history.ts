/** Histories of demand paging: guest-page faults one after the other, and a model that knows pages and counts tables. */
import fc from "fast-check";
import { groupedHex } from "../../bits/hex.ts";
import type { Answer } from "../../checks/answer.ts";
import { type Inert, member } from "../../checks/inert.ts";
import { type MappedPage, meaningOf, type Tables, walkTo } from "../../referee/page-tables.ts";
import { ENDLESS_TABLES, type Listing, listTables } from "../walls/table-listing.ts";

/** A virtual machine, as its hypervisor knows it. */
export interface GuestMemory {
  /** Host-physical address of the second stage's root. */
  readonly root: bigint;
  readonly ramBase: bigint;
  readonly ramBytes: bigint;
}

/** What the hart says of a guest-page fault. */
export interface GuestFault {
  /** 20 fetch, 21 load, 23 store. */
  readonly cause: number;
  readonly stval: bigint;
  readonly htval: bigint;
}

/** What a handler says it has done. */
export type FaultOutcome = "mapped" | "device" | "refused";

/** A history to be played. */
export interface FaultPlan {
  readonly frames: number;
  /** Guest-physical addresses, as the guest touches them. */
  readonly touches: readonly bigint[];
  /** The guest's RAM begins here. */
  readonly ramBase: bigint;
  readonly ramPages: number;
}

/** Memory and free frames between two faults. */
export interface FaultState {
  readonly memory: ReadonlyMap<bigint, bigint>;
  readonly free: readonly bigint[];
}

/** One fault, as it was answered. */
export interface FaultStep {
  readonly gpa: bigint;
  readonly before: FaultState;
  readonly after: FaultState;
  readonly outcome: Inert;
  readonly shouldBe: FaultOutcome;
  /** Pages that the guest has had touched by now, where the model says "mapped". */
  readonly pages: ReadonlySet<bigint>;
}

/** A history that came to its end, or the sentence why it did not. */
export interface FaultHistory {
  readonly vm: GuestMemory;
  readonly steps: readonly FaultStep[];
  readonly broken: string | undefined;
}

export const ROOT = 0x8100_0000n;
const FIRST_FRAME = 0x8101_0000n;
/** Frames are free because somebody else had them: this is what he left there, at the places where it hurts. */
export const LEFTOVER = ((0x8400_0000n >> 12n) << 10n) | 0xdfn;
const LEFTOVER_AT = [0n, 8n, 0x208n, 0xff8n] as const;

export const frameAt = (index: number): bigint => FIRST_FRAME + BigInt(index) * 0x1000n;

const TABLES: Tables = { register: "hgatp", root: ROOT, levels: 3 };

/** Random histories: touches near the borders of RAM, of tables, and of what a careless mask cuts off. */
export const faultPlans: fc.Arbitrary<FaultPlan> = fc
  .record({
    frames: fc.integer({ min: 0, max: 12 }),
    // 512 GiB up the root's wide index is needed.
    ramBase: fc.constantFrom(0x8000_0000n, 0x801f_d000n, 0x80_401f_e000n),
    ramPages: fc.integer({ min: 2, max: 9 }),
    places: fc.array(fc.record({ page: fc.integer({ min: -1, max: 9 }), offset: fc.nat(4095) }), {
      minLength: 1,
      maxLength: 5,
    }),
  })
  .map(({ frames, ramBase, ramPages, places }) => ({
    frames,
    ramBase,
    ramPages,
    touches: places.map(
      ({ page, offset }) => ramBase + BigInt(Math.min(page, ramPages)) * 4096n + BigInt(offset),
    ),
  }));

/** The model: pages by number, and which stretches have a table. */
class FaultModel {
  readonly pages = new Set<bigint>();
  readonly #stretches = new Set<string>();
  readonly #plan: FaultPlan;
  #frames: number;

  constructor(plan: FaultPlan) {
    this.#plan = plan;
    this.#frames = plan.frames;
  }

  take(gpa: bigint): FaultOutcome {
    const { ramBase, ramPages } = this.#plan;
    if (gpa < ramBase || gpa >= ramBase + BigInt(ramPages) * 4096n) return "device";
    const page = gpa >> 12n;
    if (this.pages.has(page)) return "refused";
    const needed = [`1 ${gpa >> 30n}`, `0 ${gpa >> 21n}`].filter((name) => !this.#stretches.has(name));
    if (needed.length + 1 > this.#frames) return "refused";
    this.#frames -= needed.length + 1;
    for (const name of needed) this.#stretches.add(name);
    this.pages.add(page);
    return "mapped";
  }
}

function stateOf(value: Inert): FaultState | undefined {
  const [memory, free] = [member(value, "memory"), member(value, "free")];
  if (!(memory instanceof Map) || !Array.isArray(free)) return undefined;
  for (const [at, entry] of memory)
    if (typeof at !== "bigint" || typeof entry !== "bigint" || entry < 0n || entry >> 64n !== 0n)
      return undefined;
  // A word that is 0 is as good as none, and need not cross the wall again.
  const words = new Map([...(memory as ReadonlyMap<bigint, bigint>)].filter(([, word]) => word !== 0n));
  return free.every((frame) => typeof frame === "bigint")
    ? { memory: words, free: free as readonly bigint[] }
    : undefined;
}

const BAD_SHAPE =
  'Return { outcome, memory, free }: "mapped", "device" or "refused", the map of words (64-bit, never negative), and the frames that are left.';

function firstState({ frames }: FaultPlan): FaultState {
  const free = Array.from({ length: frames }, (_, index) => frameAt(index));
  const memory = new Map(free.flatMap((frame) => LEFTOVER_AT.map((at) => [frame + at, LEFTOVER] as const)));
  return { memory, free };
}

/** What the hart would put into `stval` and `htval`: the guest's own address, and the guest-physical one shifted right by 2. */
const faultFor = (gpa: bigint, index: number): GuestFault => ({
  cause: [20, 21, 23][index % 3] ?? 21,
  stval: (0x4000_0000n + BigInt(index) * 0x5000n) | (gpa & 0xfffn),
  htval: gpa >> 2n,
});

/** Plays many histories side by side: one message for each round of faults. */
export function playFaults(answer: Answer, plans: readonly FaultPlan[]): FaultHistory[] {
  const runs = plans.map((plan) => ({
    plan,
    vm: { root: ROOT, ramBase: plan.ramBase, ramBytes: BigInt(plan.ramPages) * 4096n } as GuestMemory,
    state: firstState(plan),
    model: new FaultModel(plan),
    steps: [] as FaultStep[],
    broken: undefined as string | undefined,
  }));
  const longest = Math.max(0, ...plans.map(({ touches }) => touches.length));
  for (let round = 0; round < longest; round += 1) {
    const live = runs.flatMap((run) => {
      const gpa = run.plan.touches[round];
      return gpa === undefined || run.broken !== undefined ? [] : [{ run, gpa }];
    });
    const outcomes = answer.callEach(
      live.map(({ run, gpa }) => [
        { ...run.vm },
        { ...faultFor(gpa, round) },
        run.state.memory,
        [...run.state.free],
      ]),
    );
    for (const [index, { run, gpa }] of live.entries()) {
      const result = outcomes[index];
      const shouldBe = run.model.take(gpa);
      const after = result?.ok === true ? stateOf(result.value) : undefined;
      const outcome = result?.ok === true ? member(result.value, "outcome") : undefined;
      if (after === undefined || typeof outcome !== "string") {
        run.broken =
          result?.ok === true ? BAD_SHAPE : `Your function ${result?.category ?? "did not answer"}.`;
        continue;
      }
      if (!listing(after).isWhole) {
        run.broken = ENDLESS_TABLES;
        continue;
      }
      run.steps.push({ gpa, before: run.state, after, outcome, shouldBe, pages: new Set(run.model.pages) });
      // After a wrong outcome the model and the tables have parted.
      if (outcome !== shouldBe) run.broken = "";
      run.state = after;
    }
  }
  return runs.map(({ vm, steps, broken }) => ({ vm, steps, broken }));
}

/** What the second stage maps: read once, asked for by several properties. */
function listing(state: FaultState): Listing {
  const known = LISTINGS.get(state);
  if (known !== undefined) return known;
  const made = listTables(TABLES, (at) => state.memory.get(at) ?? 0n);
  LISTINGS.set(state, made);
  return made;
}
const LISTINGS = new WeakMap<FaultState, Listing>();

/** Every page that the guest can reach. */
export const reached = (state: FaultState): readonly MappedPage[] => listing(state).pages;

/** Why a walk for an address ends without a page. */
export const whyNothing = ({ memory }: FaultState, gpa: bigint): string => {
  const last = walkTo(TABLES, (at) => memory.get(at) ?? 0n, gpa).steps.at(-1)?.meaning;
  return last?.kind === "nothing" ? last.why : "";
};

/** Every table below the root. */
export function tablesOfState({ memory }: FaultState): Set<bigint> {
  const found = new Set<bigint>();
  const visit = (table: bigint, level: number): void => {
    const entries = level === 2 ? 2048n : 512n;
    for (let index = 0n; index < entries; index += 1n) {
      const meaning = meaningOf("hgatp", level, memory.get(table + index * 8n) ?? 0n);
      if (meaning.kind !== "table" || found.has(meaning.to) || meaning.to === ROOT) continue;
      found.add(meaning.to);
      visit(meaning.to, level - 1);
    }
  };
  visit(ROOT, 2);
  return found;
}

/** Words that are not zero, in a frame. */
export const leftIn = ({ memory }: FaultState, frame: bigint): bigint | undefined =>
  [...memory].find(([at, word]) => at >= frame && at < frame + 4096n && word !== 0n)?.[0];

/** A history in words. */
export const faultWords = ({ vm, steps }: FaultHistory): string =>
  `RAM from ${groupedHex(vm.ramBase, 8)}, ${vm.ramBytes >> 12n} pages, ${steps[0]?.before.free.length ?? 0} frames free; touched: ${steps
    .map(({ gpa, outcome }) => `${groupedHex(gpa, 8)} (${String(outcome)})`)
    .join(", ")}`;
