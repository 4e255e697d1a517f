/** Where the time of a guest goes: by kind of code, by region, and what the engine counted. */

import type { EngineName } from "../../../board/engine-choice.ts";
import type { BenchGuestName } from "../../../systems/bench-guests.ts";
import { exitsByReason, type LeftRegion, regionLines } from "./region-exits.ts";
import { alignedLines, shown } from "./report.ts";
import { timedScript } from "./timed-process.ts";

/** What to run. */
export interface ProfileOrder {
  readonly guest: BenchGuestName | "linux";
  readonly engine: EngineName;
}

/** A function of the host that the processor was seen in, on the main thread. */
export interface SampledFunction {
  readonly name: string;
  /** File or module; of generated code it begins with `wasm:`. */
  readonly url: string;
  readonly milliseconds: number;
  /** For generated code with an address in its name: the guest's own name of the place. */
  readonly symbol?: string;
}

/** How often something was made, and how long that took. */
export interface MadeCount {
  readonly count: number;
  readonly milliseconds: number;
}

/** What was seen. */
export interface ProfileAnswer {
  readonly retired: number;
  readonly wallMs: number;
  /** All threads. */
  readonly processorMs: number;
  readonly functions: readonly SampledFunction[];
  readonly modules: MadeCount & { readonly bytes: number };
  readonly instances: MadeCount;
  /** Regions that were left for other code, and why. */
  readonly regions: readonly LeftRegion[];
  /** What the engine counts about itself; lists are by name. */
  readonly counters: Readonly<Record<string, number | Readonly<Record<string, number>>>>;
}

const LIMIT_MS = 10 * 60_000;
const SHOWN_FUNCTIONS = 30;
const SHOWN_REASONS = 12;
/** What the names of translated regions begin with. */
const REGION = "region";
const REGION_NAME = /^region ([0-9a-f]+)$/;

const KINDS: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [/^wasm:.* region/, "translated regions"],
  [/^wasm:/, "cold tier"],
  [/\/engine\/translator\//, "the translator's own TypeScript"],
  [/\/engine\/reference\/|\/(hart|mmu|isa|bus|bits)\//, "slow path: the reference engine and what it calls"],
  [/\/(devices|board)\//, "devices and board"],
];

/** Which kind of code a function belongs to. */
export function kindOf({ name, url }: Pick<SampledFunction, "name" | "url">): string {
  const place = `${url} ${name}`;
  if (/^ \((garbage collector)\)/.test(place)) return "garbage collector";
  return KINDS.find(([pattern]) => pattern.test(place))?.[1] ?? "other: Node and V8";
}

const fileOf = (url: string): string => /\/(?:lib\/dist|lib)\/(.*)$/.exec(url)?.[1] ?? url;

function kindLines({ functions }: ProfileAnswer): string[] {
  const total = functions.reduce((sum, each) => sum + each.milliseconds, 0);
  const kinds = new Map<string, number>();
  for (const each of functions) kinds.set(kindOf(each), (kinds.get(kindOf(each)) ?? 0) + each.milliseconds);
  const rows = [...kinds].sort(([, left], [, right]) => right - left);
  return alignedLines(
    rows.map(([kind, ms]) => [kind, `${((100 * ms) / total).toFixed(1)} %`, `${Math.round(ms)} ms`]),
  );
}

function functionLines({ functions }: ProfileAnswer): string[] {
  const total = functions.reduce((sum, each) => sum + each.milliseconds, 0);
  return alignedLines(
    functions
      .slice(0, SHOWN_FUNCTIONS)
      .map(({ name, url, milliseconds, symbol }) => [
        name || "(anonymous)",
        `${((100 * milliseconds) / total).toFixed(1)} %`,
        name.startsWith(REGION) ? (symbol ?? "") : fileOf(url),
      ]),
  );
}

/** Milliseconds in each region, by its address. */
function regionTimes({ functions }: ProfileAnswer): Map<string, number> {
  const times = new Map<string, number>();
  for (const { name, milliseconds } of functions) {
    const address = REGION_NAME.exec(name)?.[1];
    if (address !== undefined) times.set(address, (times.get(address) ?? 0) + milliseconds);
  }
  return times;
}

function counterLines({ counters }: Pick<ProfileAnswer, "counters">): string[] {
  const numbers = Object.entries(counters).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  const lines = alignedLines(numbers.map(([name, value]) => [name, value.toLocaleString("en"), ""]));
  for (const [name, value] of Object.entries(counters)) {
    if (typeof value === "number") continue;
    const most = Object.entries(value).sort(([, left], [, right]) => right - left);
    if (most.length === 0) continue;
    const hidden = most.length - SHOWN_REASONS;
    lines.push(
      "",
      `${name}:`,
      ...alignedLines(
        most.slice(0, SHOWN_REASONS).map(([what, count]) => [what, count.toLocaleString("en"), ""]),
      ),
      ...(hidden > 0 ? [`and ${hidden} more`] : []),
    );
  }
  return lines;
}

/** The answer as text. */
export function profileLines(order: ProfileOrder, answer: ProfileAnswer): string[] {
  const { retired, processorMs, wallMs, modules, instances } = answer;
  const speed = shown(retired / processorMs / 1e3);
  return [
    `${order.guest} on the ${order.engine}: ${retired.toLocaleString("en")} instructions, ${Math.round(processorMs)} ms of processor time on all threads, ${Math.round(wallMs)} ms on the wall, ${speed} MIPS`,
    "",
    "Main thread, by kind of code:",
    ...kindLines(answer),
    `of which new WebAssembly.Module: ${modules.count} (${modules.bytes.toLocaleString("en")} bytes) in ${Math.round(modules.milliseconds)} ms; Instance: ${instances.count} in ${Math.round(instances.milliseconds)} ms`,
    "",
    "By function:",
    ...functionLines(answer),
    "",
    "Regions, how often they were left for other code, and why; calls and returns are not counted:",
    ...regionLines(answer.regions, regionTimes(answer)),
    "",
    "The engine counted:",
    ...counterLines({
      counters: { ...answer.counters, "regions were left because": exitsByReason(answer.regions) },
    }),
  ];
}

/** Runs the guest under a sampling profiler and says what was seen. */
export function profileText(guest: ProfileOrder["guest"], engine: EngineName): string {
  const order: ProfileOrder = { guest, engine };
  const { answer } = timedScript<ProfileAnswer>("profile-child", order, LIMIT_MS);
  return `${profileLines(order, answer).join("\n")}\n`;
}
