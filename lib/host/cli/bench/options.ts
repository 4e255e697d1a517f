/** What the command line of `npm run bench` asks for. */
import { parseArgs } from "node:util";
import { ENGINE_NAMES, type EngineName } from "../../../board/engine-choice.ts";
import { BENCH_GUESTS, type BenchGuestName } from "../../../systems/bench-guests.ts";
import type { ContestSize } from "./guest-contest.ts";
import { OTHER_BENCHES } from "./other-benches.ts";

/** How long the guests run, by the name of the option. */
export const SIZES = {
  short: { peerSeconds: 0.5, turns: 1 },
  quick: { peerSeconds: 2, shortSeconds: 0.5, turns: 2 },
  long: { peerSeconds: 8, shortSeconds: 0.5, turns: 3 },
} as const satisfies Record<string, ContestSize>;
/** Name of a size. */
export type SizeName = keyof typeof SIZES;

/** The names that stand for no guest and no other benchmark. */
const OWN_NAMES = ["guests", "linux", "start-up", "all"];

/** All names that may be given. */
export const BENCH_NAMES: readonly string[] = [
  ...OWN_NAMES,
  ...Object.keys(BENCH_GUESTS),
  ...Object.keys(OTHER_BENCHES),
];

/** What to measure and where to write it. */
export interface BenchPlan {
  readonly engine: EngineName;
  readonly sizeName: SizeName;
  readonly guests: readonly BenchGuestName[];
  readonly linux: boolean;
  readonly startUp: boolean;
  /** Minutes; 0: not at all. */
  readonly soakMinutes: number;
  readonly others: readonly string[];
  readonly jsonPath?: string;
  readonly figurePath?: string;
  /** Guest, or `linux`, to show the insides of; nothing else is done then. */
  readonly profile?: BenchGuestName | "linux";
}

const isGuest = (name: string): name is BenchGuestName => Object.hasOwn(BENCH_GUESTS, name);

const OPTIONS = {
  guests: { type: "string" },
  engine: { type: "string", default: "translator" },
  short: { type: "boolean" },
  quick: { type: "boolean" },
  long: { type: "boolean" },
  soak: { type: "string", default: "0" },
  json: { type: "string" },
  figure: { type: "string" },
  profile: { type: "string" },
} as const;

/** The plan, or what is wrong with the arguments, in one line. */
export function benchPlan(args: readonly string[]): BenchPlan | { readonly problem: string } {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  const { values, positionals } = parsed;
  const listed = values.guests?.split(",").filter((name) => name !== "") ?? [];
  const strange = listed.find((name) => !isGuest(name));
  if (strange !== undefined) return { problem: `there is no guest "${strange}"` };
  const unknown = positionals.find((name) => !BENCH_NAMES.includes(name));
  if (unknown !== undefined)
    return { problem: `there is no benchmark "${unknown}"; there are ${BENCH_NAMES.join(", ")}` };
  const engine = ENGINE_NAMES.find((name) => name === values.engine);
  if (engine === undefined) return { problem: `there is no engine "${values.engine}"` };
  const soakMinutes = Number(values.soak);
  if (!(soakMinutes >= 0)) return { problem: `--soak wants minutes, not "${values.soak}"` };
  const { profile } = values;
  if (profile !== undefined && profile !== "linux" && !isGuest(profile))
    return { problem: `there is no guest "${profile}" to profile` };
  return {
    engine,
    sizeName: values.long ? "long" : values.short ? "short" : "quick",
    soakMinutes,
    ...chosen([...positionals, ...listed], soakMinutes > 0),
    ...(values.json === undefined ? {} : { jsonPath: values.json }),
    ...(values.figure === undefined ? {} : { figurePath: values.figure }),
    ...(profile === undefined ? {} : { profile }),
  };
}

const parse = (args: readonly string[]) =>
  parseArgs({ args: args.filter((each) => each !== "--"), options: OPTIONS, allowPositionals: true });

/** What the names stand for; none: the fast engine's figures, unless only a soak was asked for. */
function chosen(
  names: readonly string[],
  soaks: boolean,
): Pick<BenchPlan, "guests" | "linux" | "startUp" | "others"> {
  const all = names.includes("all");
  const usual = all || (names.length === 0 && !soaks);
  return {
    guests:
      usual || names.includes("guests")
        ? (Object.keys(BENCH_GUESTS) as BenchGuestName[])
        : names.filter(isGuest),
    linux: usual || names.includes("linux"),
    startUp: usual || names.includes("start-up"),
    others: all ? Object.keys(OTHER_BENCHES) : names.filter((name) => Object.hasOwn(OTHER_BENCHES, name)),
  };
}
