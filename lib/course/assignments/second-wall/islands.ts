/** Exercise A4.4: what does each virtual machine reach that is not its own? The referee's reading of the tables judges. */
import fc from "fast-check";
import { groupedHex } from "../../../bits/hex.ts";
import type { Answer, Outcome } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import { type Inert, member } from "../../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../../checks/property.ts";
import { leavesOf } from "../../../referee/page-tables.ts";
import { entryTo } from "../../second-wall/two-stage-machine.ts";

type Family = "pages" | "large" | "tables" | "clean";

interface Mapping {
  readonly vm: number;
  readonly slot: number;
  readonly frame: number;
  readonly isLarge: boolean;
  readonly flags: bigint;
}

/** A machine: tables of two VMs, and whose each frame is. */
interface Machine {
  readonly memory: ReadonlyMap<bigint, bigint>;
  readonly roots: ReadonlyMap<number, bigint>;
  readonly owners: ReadonlyMap<bigint, number>;
}

const ROOTS = [0n, 0x9000_0000n, 0x9000_4000n] as const;
const TABLES = 0x9001_0000n;
/** Frames that VMs have, from here; a stretch of 2 MiB that is VM 1's but for some; and one that is nobody's. */
const FRAMES = 0xa000_0000n;
const LARGE = 0xa020_0000n;
const SLOTS = [0x8000_0000n, 0x8000_1000n, 0x801f_f000n, 0x4000_0000n, 0x80_8000_0000n] as const;
/** So many of them, from the first, lie where a root of 512 entries suffices. */
const THEFT_SLOTS = 4;
const LARGE_SLOTS = [0x8040_0000n, 0x80_c020_0000n] as const;
const USABLE = [0xdfn, 0xd3n, 0xdbn, 0xd7n] as const;
/** No guest can use these. */
const USELESS = [0xdfn & ~1n, 0xdfn & ~16n, 0xd5n] as const;

const mappings = (family: Family): fc.Arbitrary<Mapping[]> =>
  fc.array(
    fc.record({
      vm: fc.integer({ min: 1, max: 2 }),
      slot: fc.nat(SLOTS.length - 1),
      frame: fc.nat(9),
      isLarge:
        family === "large" ? fc.integer({ min: 0, max: 1 }).map((draw) => draw === 1) : fc.constant(false),
      flags: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...USABLE) },
        { weight: 1, arbitrary: fc.constantFrom(...USELESS) },
      ),
    }),
    { minLength: 1, maxLength: 6 },
  );

interface Plan {
  readonly list: readonly Mapping[];
  readonly strangers: readonly number[];
  readonly table: number;
  /** "clean" alone: VM that reaches one page of the other one all the same. Whoever never finds anything is no judge of innocence. */
  readonly thief: 0 | 1 | 2;
  readonly slot: number;
  readonly frame: number;
}

const plans = (family: Family): fc.Arbitrary<Plan> =>
  fc.record({
    list: mappings(family),
    strangers: fc.uniqueArray(fc.nat(511), { maxLength: 3 }),
    table: fc.nat(5),
    thief: family === "clean" ? fc.constantFrom(0, 1, 2) : fc.constant(0 as const),
    slot: fc.nat(THEFT_SLOTS - 1),
    frame: fc.nat(3),
  });

/** Lays the tables. Frame n is VM 1's if n is even, VM 2's if odd; 8 and 9 are nobody's. */
function machineFor(
  family: Family,
  { list, strangers, table, thief, slot: place, frame: loot }: Plan,
): Machine {
  const memory = new Map<bigint, bigint>();
  const owners = new Map<bigint, number>();
  let next = TABLES;
  for (let frame = 0; frame < 8; frame += 1) owners.set(FRAMES + BigInt(frame) * 4096n, 1 + (frame % 2));
  for (let frame = 0; frame < 512; frame += 1)
    owners.set(LARGE + BigInt(frame) * 4096n, strangers.includes(frame) ? 2 : 1);
  for (const vm of [1, 2])
    for (let page = 0n; page < 4n; page += 1n) owners.set((ROOTS[vm] ?? 0n) + page * 4096n, 0);
  const leafAt = (vm: number, gpa: bigint, level: number): bigint => {
    let at = (ROOTS[vm] ?? 0n) + 8n * ((gpa >> 30n) & 2047n);
    for (let below = 1; below >= level; below -= 1) {
      if (!memory.has(at)) {
        memory.set(at, entryTo(next, 1n));
        owners.set(next, 0);
        next += 4096n;
      }
      const to = ((memory.get(at) ?? 0n) >> 10n) << 12n;
      at = to + 8n * ((gpa >> BigInt(12 + 9 * below)) & 511n);
    }
    return at;
  };
  const own = (vm: number, frame: number): bigint => {
    const number = family === "clean" ? 2 * (frame % 4) + (vm - 1) : frame;
    return FRAMES + BigInt(number) * 4096n;
  };
  for (const { vm, slot, frame, isLarge, flags } of list) {
    if (isLarge) memory.set(leafAt(vm, LARGE_SLOTS[slot % 2] ?? 0n, 1), entryTo(LARGE, flags));
    else memory.set(leafAt(vm, SLOTS[slot] ?? 0n, 0), entryTo(own(vm, frame), flags));
  }
  // Last, so that nothing else is laid over it. VM 1 has the even frames.
  if (thief !== 0)
    memory.set(
      leafAt(thief, SLOTS[place] ?? 0n, 0),
      entryTo(FRAMES + BigInt(2 * loot + (2 - thief)) * 4096n, 0xdfn),
    );
  if (family === "tables") {
    const frames = [...owners].filter(([, owner]) => owner === 0).map(([frame]) => frame);
    memory.set(leafAt(1, 0x8000_3000n, 0), entryTo(frames[table % frames.length] ?? TABLES, 0xdfn));
  }
  return { memory, roots: new Map([1, 2].map((vm) => [vm, ROOTS[vm] ?? 0n])), owners };
}

/** The leaks: pages of 4 KiB that a VM can use and whose frame is not its own. */
function leaksOf({ memory, roots, owners }: Machine): string[] {
  const found = [...roots].flatMap(([vm, root]) =>
    [...leavesOf({ register: "hgatp", root, levels: 3 }, (at) => memory.get(at) ?? 0n)].flatMap(
      ({ address, to, bytes }) =>
        Array.from({ length: Number(bytes >> 12n) }, (_, page) => BigInt(page) << 12n)
          .filter((offset) => owners.get(to + offset) !== vm)
          .map((offset) => leakText(vm, address + offset)),
    ),
  );
  return found.sort();
}

const leakText = (vm: number, gpa: bigint): string => `VM ${vm} ${groupedHex(gpa, 8)}`;

/** More pages than two VMs can reach in any of these machines. */
const MOST_LISTED = 4_096;

/** The pages that an answer names, or what is wrong with its list. */
function listed(value: Inert): ReadonlySet<string> | Broken {
  const bad = (hint: string): Broken => ({ hint, detail: "" });
  if (!Array.isArray(value)) return bad("leaks must return a list of { vm, gpa }: a number and a bigint.");
  if (value.length > MOST_LISTED)
    return bad(
      `leaks names ${value.length} pages, more than there are: at most ${MOST_LISTED}, and each once.`,
    );
  const found = new Set<string>();
  for (const each of value as readonly Inert[]) {
    const [vm, gpa] = [member(each, "vm"), member(each, "gpa")];
    if (typeof vm !== "number" || typeof gpa !== "bigint" || BigInt.asUintN(64, gpa) !== gpa)
      return bad("leaks must return a list of { vm, gpa }: a number and a bigint, an address.");
    found.add(leakText(vm, gpa));
  }
  return found;
}

/** A list in words, cut where it is long. */
const shorten = (list: readonly string[]): string =>
  list.length > 6 ? `${list.slice(0, 6).join(", ")} and ${list.length - 6} more` : list.join(", ") || "none";

function compare(machine: Machine, value: Inert, family: Family): Broken | undefined {
  const got = listed(value);
  if ("hint" in got) return got;
  const wanted = leaksOf(machine);
  const missing = wanted.find((each) => !got.has(each));
  if (wanted.length === got.size && missing === undefined) return undefined;
  const detail = `leaks are ${shorten(wanted)}; you say ${shorten([...got].sort())}`;
  if (missing === undefined)
    return {
      hint: "A page is accused that leaks nothing. A leaf that no guest can use (V or U clear, W without R) reaches nothing, and a frame of its own is a VM's right.",
      detail,
    };
  if (family === "tables")
    return {
      hint: "A guest that reaches a table writes the next one itself. Frames of the hypervisor have owner 0, and are nobody's to use.",
      detail,
    };
  if (family === "large" && got.size < wanted.length)
    return {
      hint: "A leaf of level 1 maps 512 frames: look at the owner of each, and name each page that leaks.",
      detail,
    };
  return {
    hint: "A page leaks and was not found: its frame is another VM's, the hypervisor's (0), or in nobody's list. The root has 2,048 entries.",
    detail,
  };
}

function judge(answer: Answer, run: CheckRun, family: Family, salt: number): Finding {
  if (!answer.isFunction) return fails("leaks must be a function.");
  if (family === "clean") {
    // Whoever never finds anything is not praised for finding nothing.
    const list: Mapping[] = [{ vm: 1, slot: 0, frame: 1, isLarge: false, flags: 0xdfn }];
    const { memory, roots, owners } = machineFor("pages", {
      list,
      strangers: [],
      table: 0,
      thief: 0,
      slot: 0,
      frame: 0,
    });
    const outcome = answer.call(memory, roots, owners);
    if (!outcome.ok) return fails(`leaks ${outcome.category}.`, outcome.message);
    if (!Array.isArray(outcome.value) || outcome.value.length === 0)
      return fails(
        "VM 1 reaches a frame of VM 2, and it was not found: whoever never finds anything says nothing.",
      );
  }
  let isTooLong = false;
  return forAllAtOnce(plans(family), run, salt, (batch) => {
    // An answer that lists without end is not asked for its smallest counterexample: each call would cost as much again.
    if (isTooLong && batch.length === 1) return [undefined];
    const found: (Broken | undefined)[] = [];
    // One machine, then two, four, eight: an answer that always lists without end is found out by the first.
    for (let from = 0; from < batch.length && !isTooLong; from = found.length) {
      const machines = batch
        .slice(from, from + Math.min(from + 1, ASKED_AT_ONCE))
        .map((plan) => machineFor(family, plan));
      const outcomes = answer.callEach(machines.map(({ memory, roots, owners }) => [memory, roots, owners]));
      isTooLong = outcomes.some(isLong);
      found.push(
        ...machines.map((machine, index): Broken | undefined => {
          const outcome = outcomes[index];
          return outcome?.ok === true
            ? compare(machine, outcome.value, family)
            : { hint: `leaks ${outcome?.category ?? "did not answer"}.`, detail: outcome?.message ?? "" };
        }),
      );
    }
    return found;
  });
}

const isLong = (outcome: Outcome): boolean =>
  outcome.ok && Array.isArray(outcome.value) && outcome.value.length > MOST_LISTED;

/** Machines in one message at most: no more long lists are read before the first is refused. */
const ASKED_AT_ONCE = 8;

const property = (id: Family, says: string, salt: number): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, id, salt),
});

/** Check of exercise A4.4. */
export const islandsCheck: Check = defineCheck({
  id: "A4.4",
  title: "Two islands",
  points: 4,
  properties: [
    property("pages", "pages whose frame is another's, or nobody's, are found", 31),
    property("large", "every such frame of a large page is found", 32),
    property("tables", "tables that a guest reaches are found", 33),
    property("clean", "nothing innocent is accused", 34),
  ],
});
