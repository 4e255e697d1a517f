/**
 * Guests that send every hypercall and every SBI call with every kind of argument: from supervisor mode, from user mode, two of them in turns.
 * No invariant breaks, nothing throws, every call comes back, and a neighbor prints what it prints alone. The calls are those of the table: new
 * ones are included by themselves.
 */
import { describe, expect, it } from "vitest";
import { HYPERCALLS } from "../../../lib/vmm/hypercalls.ts";
import { ExitKind, VcpuState } from "../../../lib/vmm/layout.ts";
import { seededNumbers } from "../../support/random.ts";
import {
  type Call,
  caller,
  finish,
  hostileScene,
  mistakesIn,
  numberOf,
  OWN_PAGE,
  VALUES,
} from "./hostile-scene.ts";

const FULL = process.env["DOM0_TEST_FULL"] === "1";
/** Random argument lists of each call, beside those in which each argument takes each value once. */
const RANDOM = FULL ? 400 : 12;
const SEEDS = FULL ? 20 : 1;
const ARGUMENTS = 5;

type Numbers = (limit: number) => number;
type Named = Pick<Call, "name" | "a6" | "a7">;

/** Mostly small numbers and pages of one's own: most calls succeed only with them. */
const ordinary = (number: Numbers): bigint =>
  number(4) === 0 ? OWN_PAGE + BigInt(4096 * number(8)) : BigInt(number(5));
const anyValue = (number: Numbers): bigint => VALUES[number(VALUES.length)] ?? 0n;

/** Each of the first arguments takes each value, the others being ordinary; then some lists at random. */
function callsOf(named: Named, places: number, number: Numbers): Call[] {
  const list = (place: number, value: bigint): Call => ({
    ...named,
    args: Array.from({ length: ARGUMENTS }, (_, index) => (index === place ? value : ordinary(number))),
  });
  const systematic = Array.from({ length: places }, (_, place) => VALUES.map((value) => list(place, value)));
  const random = Array.from({ length: RANDOM }, () => ({
    ...named,
    args: Array.from({ length: ARGUMENTS }, () => (number(2) === 0 ? ordinary(number) : anyValue(number))),
  }));
  return [...systematic.flat(), ...random];
}

const shuffled = (calls: readonly Call[], number: Numbers): Call[] =>
  calls
    .map((call) => [number(2 ** 30), call] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, call]) => call);

const hypercalls: readonly Named[] = Object.keys(HYPERCALLS).map((name) => ({
  name,
  a6: 0n,
  a7: numberOf(name),
}));

/** Extensions of the SBI, the legacy ones, some that nobody has; of each the functions that exist and some more. */
const EXTENSIONS = [
  0x10n,
  0x5449_4d45n,
  0x73_5049n,
  0x5246_4e43n,
  0x48_534dn,
  0x5352_5354n,
  0x4442_434en,
  0x50_4d55n,
  0x4e41_434cn,
  0xffff_ffff_ffff_ffffn,
];
const FUNCTIONS = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 2n ** 32n, 2n ** 64n - 1n];
const sbiCalls: readonly Named[] = [
  ...EXTENSIONS.flatMap((a7) => FUNCTIONS.map((a6) => ({ name: `SBI 0x${a7.toString(16)} ${a6}`, a6, a7 }))),
  ...Array.from({ length: 16 }, (_, number) => ({
    name: `legacy SBI ${number}`,
    a6: 0n,
    a7: BigInt(number),
  })),
];
/** These end the caller, as they should: each is made in a scene of its own. */
const ENDING = new Map<string, readonly bigint[]>([
  ["SBI 0x48534d 1", []],
  ["SBI 0x53525354 0", [0n, 0n]],
  ["legacy SBI 8", []],
]);

/** Lists of random order, one for each of two callers. */
const twoLists = (kinds: readonly Named[], places: number, seed: number): Call[][] => {
  const number = seededNumbers(seed);
  return [1, 2].map(() =>
    shuffled(
      kinds.flatMap((each) => callsOf(each, places, number)),
      number,
    ),
  );
};

/** A longer table would not end below the pages that callers give away. */
const MOST_CALLS = 4_000;
/** Lists in parts, part for part: a scene each. */
const inScenes = (lists: readonly (readonly Call[])[]): (readonly Call[])[][] =>
  Array.from({ length: Math.ceil(Math.max(...lists.map(({ length }) => length)) / MOST_CALLS) }, (_, part) =>
    lists.map((calls) => calls.slice(part * MOST_CALLS, (part + 1) * MOST_CALLS)),
  );

/** Two callers with lists of their own. What went wrong, in sentences. */
const together = (lists: readonly (readonly Call[])[]): string[] =>
  inScenes(lists).flatMap((part) => {
    const scene = hostileScene(part.map((calls) => caller(calls, "VS")));
    return [...finish(scene, part), ...mistakesIn(scene, 3)];
  });
const pieces = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );

describe("every hypercall with every kind of argument", () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))(
    "from two guests in turns, seed %i",
    (seed) => {
      expect(together(twoLists(hypercalls, ARGUMENTS, seed))).toEqual([]);
    },
    600_000,
  );

  it("from a guest that may create and destroy domains, whatever becomes of the others", () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const [all = []] = twoLists(hypercalls, ARGUMENTS, seed);
      for (const [calls = []] of inScenes([all])) {
        const scene = hostileScene([caller(calls, "VS"), caller([], "VS")], { privileged: true });
        expect([...finish(scene, [calls]), ...mistakesIn(scene, 3, false)]).toEqual([]);
      }
    }
  }, 600_000);
});

describe("every SBI call with every kind of argument", () => {
  it("from two guests in turns", () => {
    const staying = sbiCalls.filter(({ name }) => !ENDING.has(name));
    for (const [index, kinds] of pieces(staying, 60).entries())
      expect(together(twoLists(kinds, FULL ? ARGUMENTS : 1, 1 + index))).toEqual([]);
  }, 600_000);

  it.each([...ENDING])("%s ends its caller, and nobody else", (name, args) => {
    const named = sbiCalls.find((each) => each.name === name);
    const last: Call[] = named === undefined ? [] : [{ ...named, args }];
    const scene = hostileScene([caller(last, "VS"), caller([], "VS")]);
    scene.board.run({ instructions: 200_000 });
    expect(mistakesIn(scene, 3)).toEqual([]);
    const { state } = scene.vmm;
    expect([1, 2, 3].map((domain) => state.vcpu(domain - 1).state === VcpuState.STOPPED)).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("calls from user mode", () => {
  it("are the guest's own affair: the hypervisor hears of none", () => {
    for (const lists of inScenes(twoLists([...hypercalls, ...sbiCalls], 0, 1))) {
      const scene = hostileScene(lists.map((calls) => caller(calls, "VU")));
      expect(finish(scene, lists)).toEqual([]);
      expect(mistakesIn(scene, 3)).toEqual([]);
      for (const vcpu of [0, 1].map((index) => scene.vmm.state.vcpu(index)))
        expect([ExitKind.HYPERCALL, ExitKind.SBI_CALL].map((kind) => vcpu.exits.get(kind))).toEqual([0n, 0n]);
    }
  }, 600_000);
});
