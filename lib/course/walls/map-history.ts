/**
 * Histories of a page-table builder: random requests, and an abstract model that knows pages and counts tables, but has
 * neither entries nor addresses of tables.
 */
import fc from "fast-check";
import { groupedHex } from "../../bits/hex.ts";
import type { Answer, Outcome } from "../../checks/answer.ts";
import { type Inert, member } from "../../checks/inert.ts";
import { type MappedPage, meaningOf, type Tables } from "../../referee/page-tables.ts";
import { ENDLESS_TABLES, type Listing, listTables } from "./table-listing.ts";

/** A request to map some pages in a row. */
export interface MapRequest {
  readonly va: bigint;
  readonly pa: bigint;
  readonly pages: number;
  /** R, W, X, U, A and D; V is for the builder to add. */
  readonly flags: bigint;
}

/** A history: frames to begin with, then requests one after the other. */
export interface MapPlan {
  readonly frames: number;
  readonly requests: readonly MapRequest[];
}

export const ROOT = 0x8100_0000n;
const frameAt = (index: number): bigint => ROOT + BigInt(index + 1) * 0x1000n;
const TABLES: Tables = { register: "satp", root: ROOT, levels: 3 };

/** What is in memory between two requests. */
export interface MapState {
  readonly memory: ReadonlyMap<bigint, bigint>;
  readonly free: readonly bigint[];
}

/** One request, as it was answered. */
export interface MapStep {
  readonly request: MapRequest;
  readonly before: MapState;
  readonly after: MapState;
  readonly ok: boolean;
  /** What the model says. */
  readonly shouldBe: "done" | "refused: W and X" | "refused: mapped already" | "refused: out of frames";
  /** Pages that the model knows afterwards. */
  readonly pages: ReadonlyMap<bigint, { readonly pa: bigint; readonly flags: bigint }>;
}

/** A history that came to its end, or the sentence why it did not. */
export type MapHistory = { readonly steps: readonly MapStep[]; readonly broken: string | undefined };

const RIGHTS = [0xc3n, 0xd3n, 0xc7n, 0xd7n, 0x4bn, 0x5bn, 0xcfn, 0xdfn] as const;

/** Starts near borders of tables, so that a few pages often need two. */
const starts = fc
  .record({
    edge: fc.constantFrom(0x4000_0000n, 0x4020_0000n, 0x8000_0000n, 0x1_0000n),
    offset: fc.integer({ min: -3, max: 4 }),
  })
  .map(({ edge, offset }) => edge + BigInt(offset) * 4096n);

const requests: fc.Arbitrary<MapRequest> = fc.record({
  va: starts,
  pa: fc.integer({ min: 0, max: 0xfff }).map((frame) => 0x8200_0000n + BigInt(frame) * 4096n),
  pages: fc.integer({ min: 1, max: 6 }),
  flags: fc.constantFrom(...RIGHTS),
});

/** Random histories of up to five requests. */
export const mapPlans: fc.Arbitrary<MapPlan> = fc.record({
  frames: fc.integer({ min: 0, max: 9 }),
  requests: fc.array(requests, { minLength: 1, maxLength: 5 }),
});

/** The model: pages by address, and which stretches have a table. */
class MapModel {
  readonly pages = new Map<bigint, { readonly pa: bigint; readonly flags: bigint }>();
  readonly #stretches = new Set<string>();
  #frames: number;

  constructor(frames: number) {
    this.#frames = frames;
  }

  /** Does the request if it can be done whole. */
  take({ va, pa, pages, flags }: MapRequest): MapStep["shouldBe"] {
    if ((flags & 0xcn) === 0xcn) return "refused: W and X";
    const addresses = Array.from({ length: pages }, (_, index) => va + BigInt(index) * 4096n);
    if (addresses.some((address) => this.pages.has(address))) return "refused: mapped already";
    const needed = new Set(
      addresses
        .flatMap((address) => [`1 ${address >> 30n}`, `0 ${address >> 21n}`])
        .filter((name) => !this.#stretches.has(name)),
    );
    if (needed.size > this.#frames) return "refused: out of frames";
    this.#frames -= needed.size;
    for (const name of needed) this.#stretches.add(name);
    for (const [index, address] of addresses.entries())
      this.pages.set(address, { pa: pa + BigInt(index) * 4096n, flags: flags | 1n });
    return "done";
  }
}

function stateOf(value: Inert): MapState | undefined {
  const memory = member(value, "memory");
  const free = member(value, "free");
  if (!(memory instanceof Map) || !Array.isArray(free)) return undefined;
  for (const [at, entry] of memory)
    if (typeof at !== "bigint" || typeof entry !== "bigint" || entry < 0n || entry >> 64n !== 0n)
      return undefined;
  return free.every((frame) => typeof frame === "bigint")
    ? { memory, free: free as readonly bigint[] }
    : undefined;
}

const BAD_SHAPE =
  "Return { ok, memory, free }: a boolean, the map of entries (64-bit, never negative), and the frames that are left.";

/** Plays many histories side by side: one message for each round of requests. */
export function playMaps(answer: Answer, plans: readonly MapPlan[]): MapHistory[] {
  const runs = plans.map(({ frames }) => {
    const free = Array.from({ length: frames }, (_, index) => frameAt(index));
    const state: MapState = { memory: new Map(), free };
    return {
      state,
      model: new MapModel(frames),
      steps: [] as MapStep[],
      broken: undefined as string | undefined,
    };
  });
  const longest = Math.max(0, ...plans.map((plan) => plan.requests.length));
  for (let round = 0; round < longest; round += 1) {
    const live = runs.flatMap((run, index) => {
      const request = plans[index]?.requests[round];
      return request === undefined || run.broken !== undefined ? [] : [{ run, request }];
    });
    const outcomes: readonly Outcome[] = answer.callEach(
      live.map(({ run: { state }, request: { va, pa, pages, flags } }) => [
        state.memory,
        ROOT,
        va,
        pa,
        pages,
        flags,
        state.free,
      ]),
    );
    for (const [index, { run, request }] of live.entries()) {
      const outcome = outcomes[index];
      const shouldBe = run.model.take(request);
      const after = outcome?.ok === true ? stateOf(outcome.value) : undefined;
      const ok = outcome?.ok === true ? member(outcome.value, "ok") : undefined;
      if (after === undefined || typeof ok !== "boolean") {
        run.broken =
          outcome?.ok === true ? BAD_SHAPE : `Your function ${outcome?.category ?? "did not answer"}.`;
        continue;
      }
      run.broken = endless(after.memory);
      if (run.broken !== undefined) continue;
      run.steps.push({ request, before: run.state, after, ok, shouldBe, pages: new Map(run.model.pages) });
      // After a wrong yes or no, or a refusal that leaves traces, the model and the tables have parted.
      if (ok !== (shouldBe === "done") || (!ok && !sameState(run.state, after))) run.broken = "";
      run.state = after;
    }
  }
  return runs.map(({ steps, broken }) => ({ steps, broken }));
}

/** Entries that say something, compared; and the lists of frames. */
export function sameState(left: MapState, right: MapState): boolean {
  return sameEntries(left.memory, right.memory) && left.free.length === right.free.length;
}

/** Whether two maps hold the same entries; 0 is as good as none. */
export function sameEntries(left: ReadonlyMap<bigint, bigint>, right: ReadonlyMap<bigint, bigint>): boolean {
  const meant = (map: ReadonlyMap<bigint, bigint>) => [...map].filter(([, entry]) => entry !== 0n);
  const [first, second] = [meant(left), meant(right)];
  return first.length === second.length && first.every(([at, entry]) => right.get(at) === entry);
}

/** What tables in a memory map: read once, asked for by several properties. */
function listing(memory: MapState["memory"]): Listing {
  const known = LISTINGS.get(memory);
  if (known !== undefined) return known;
  const made = listTables(TABLES, (at) => memory.get(at) ?? 0n);
  LISTINGS.set(memory, made);
  return made;
}
const LISTINGS = new WeakMap<MapState["memory"], Listing>();

/** What is wrong with tables that map more pages than any exercise asks for, or the same ones again and again. */
export const endless = (memory: MapState["memory"]): string | undefined =>
  listing(memory).isWhole ? undefined : ENDLESS_TABLES;

/** Every page that a state maps. */
export const pagesIn = ({ memory }: MapState): readonly MappedPage[] => listing(memory).pages;

/** Every table that the root leads to, the root itself left out. */
export function tablesIn(state: MapState): Set<bigint> {
  const found = new Set<bigint>();
  const visit = (table: bigint, level: number): void => {
    for (let index = 0n; index < 512n; index += 1n) {
      const meaning = meaningOf("satp", level, state.memory.get(table + index * 8n) ?? 0n);
      if (meaning.kind !== "table" || found.has(meaning.to) || meaning.to === ROOT) continue;
      found.add(meaning.to);
      visit(meaning.to, level - 1);
    }
  };
  visit(ROOT, 2);
  return found;
}

const rightsText = (flags: bigint): string =>
  [..."RWXU"].filter((_, index) => (flags & (2n << BigInt(index))) !== 0n).join("");

/** A history in words. */
export const mapWords = (steps: readonly MapStep[]): string =>
  steps
    .map(
      ({ request: { va, pages, flags }, ok }) =>
        `mapRange(${pages} ${pages === 1 ? "page" : "pages"} at ${groupedHex(va, 8)}, ${rightsText(flags)})${ok ? "" : " (refused)"}`,
    )
    .join("; ");
