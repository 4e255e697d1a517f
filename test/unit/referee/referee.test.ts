/** The referee beside the reference hypervisor: silent while all is well, and it names what is planted. Each violation is made by hand. */
import { describe, expect, it } from "vitest";
import { SeededNumbers } from "../../../lib/bits/seeded-numbers.ts";
import type { HypervisorOptions } from "../../../lib/hs/hypervisor.ts";
import { type Invariant, type Referee, referee, violationText } from "../../../lib/index.ts";
import type { RefereeOptions } from "../../../lib/referee/referee.ts";
import { FrameType, VcpuState } from "../../../lib/vmm/layout.ts";
import { guestBytes, type VmmScene, vmmScene } from "../vmm/vmm-scene.ts";

const SEEDS = process.env["DOM0_TEST_FULL"] === "1" ? 200 : 4;
const PAGE = 4096n;
const BASE = 0x8000_0000n;
/** Touches thirty pages, then calls the SBI for ever. */
const GUEST = `li t0, 0x80010000\n li t1, 4096\n li t2, 30
  loop: sd t0, (t0)\n add t0, t0, t1\n addi t2, t2, -1\n bnez t2, loop
  again: li a7, 0x10\n li a6, 0\n ecall\n j again`;

interface Judged extends VmmScene {
  readonly judge: Referee;
}

/** Two guests that take turns, and a referee; run until both have their pages. */
function scene(options: RefereeOptions = {}, config = {}, hypervisor: HypervisorOptions = {}): Judged {
  const image = guestBytes(GUEST);
  const made = vmmScene({ guests: [{ image }, { image }], slice: 2_000 }, hypervisor, {
    harts: 1,
    ...config,
  });
  const judge = referee(made.board, made.vmm, options);
  made.board.run({ instructions: 50_000 });
  expect(judge.violations).toEqual([]);
  expect(judge.check()).toEqual([]);
  return { ...made, judge };
}

const load = ({ board }: VmmScene, at: bigint): bigint => board.memory.load(at, 8) as bigint;
const store = ({ board }: VmmScene, at: bigint, value: bigint): void => void board.memory.store(at, 8, value);

/** Where the entry for a guest-physical page lies, by hand. */
function leafOf(here: VmmScene, domain: number, page: bigint): bigint {
  let table: bigint = here.vmm.state.root(domain);
  for (const level of [2n, 1n]) {
    const index = (page >> (12n + 9n * level)) & (level === 2n ? 2047n : 511n);
    table = (load(here, table + 8n * index) >> 10n) << 12n;
  }
  return table + 8n * ((page >> 12n) & 511n);
}
/** The table above the lowest one. */
const middleOf = (here: VmmScene, domain: number): bigint =>
  (load(here, here.vmm.state.root(domain) + 8n * (DATA >> 30n)) >> 10n) << 12n;
const frameIn = (here: VmmScene, at: bigint): number =>
  Number(((load(here, at) >> 10n) << 12n) - BASE) / 4096;
const entryFor = (frame: number, flags: bigint): bigint => ((BASE + BigInt(frame) * PAGE) >> 2n) | flags;
const DATA = 0x8001_0000n;
const UNUSED = 0x8010_0000n;

/** What was found by looking at what has changed, behind the next events; a look at everything must agree. */
function found(here: Judged): readonly Invariant[] {
  const whole = new Set(here.judge.check().map(({ invariant }) => invariant));
  here.board.run({ instructions: 20_000 });
  const noticed = new Set(here.judge.violations.map(({ invariant }) => invariant));
  for (const invariant of whole) expect(noticed).toContain(invariant);
  return [...noticed].sort();
}

describe("a hypervisor that makes no mistake", () => {
  it("is looked at behind each trap and call, and nothing is found", () => {
    const { judge } = scene();
    expect(judge.looks.traps).toBeGreaterThan(200);
    expect(judge.looks.calls).toBeGreaterThan(200);
  });

  it("makes none where harts keep translations until a fence, either", () => {
    const { judge } = scene({}, { translations: "sticky" });
    expect(judge.check()).toEqual([]);
  });
});

describe("I1", () => {
  it("names a page of another domain that a guest reaches, with the walk and the trace", () => {
    const here = scene();
    const victim = frameIn(here, leafOf(here, 2, DATA));
    store(here, leafOf(here, 1, UNUSED), entryFor(victim, 0xd3n));
    expect(found(here)).toEqual(["I1", "I3"]);
    const violation = here.judge.violations.find(({ invariant }) => invariant === "I1");
    expect(violation?.sentence).toBe(
      `Domain 1 reaches frame ${victim} (0x${(BASE + BigInt(victim) * PAGE).toString(16)}) with R at guest-physical 0x80100000, and it belongs to domain 2, which has not granted it.`,
    );
    expect(violation?.walk.map(({ level }) => level)).toEqual([2, 1, 0]);
    expect(violation?.lastEvents.split("\n")).toHaveLength(20);
    expect(violationText(violation as never)).toContain("hgatp level 0");
  });

  it("is content when the page was granted with that right, and not with another", () => {
    let rights = 2n;
    const here = scene({ isGranted: (domain, _, wanted) => domain === 1 && (wanted & ~rights) === 0n });
    const victim = frameIn(here, leafOf(here, 2, DATA));
    here.vmm.state.frame(victim).refCount += 1;
    store(here, leafOf(here, 1, UNUSED), entryFor(victim, 0xd3n));
    expect(found(here)).toEqual([]);
    rights = 0n;
    expect(here.judge.check().map(({ invariant }) => invariant)).toEqual(["I1"]);
  });

  it("names the hypervisor's own memory, free frames and devices", () => {
    for (const [to, words] of [
      [0x8020_0000n, "the hypervisor's own"],
      [0x80a0_0000n, "it is free"],
      [0x1000_0000n, "where there is no RAM"],
    ] as const) {
      const here = scene();
      store(here, leafOf(here, 1, UNUSED), (to >> 2n) | 0xdfn);
      expect(found(here)).toContain("I1");
      expect(here.judge.violations.find(({ invariant }) => invariant === "I1")?.sentence).toContain(words);
    }
  });

  it.each([
    ["to be read", 0xd3n],
    ["writable", 0xd7n],
  ])("says of a page of a disk that is mapped (%s) what it is", (_, flags) => {
    const here = scene();
    const at = leafOf(here, 1, DATA);
    const frame = frameIn(here, at);
    store(here, at, entryFor(frame, flags));
    here.vmm.state.frame(frame).type = FrameType.DISK;
    expect(found(here)).toContain("I1");
    const sentences = here.judge.violations.map(({ sentence }) => sentence);
    expect(sentences.filter((each) => each.includes("page of a disk: no address leads to it"))).toHaveLength(
      1,
    );
    expect(sentences.join()).not.toContain("page tables");
  });

  it("sees what a large page covers", () => {
    const here = scene();
    const root = here.vmm.state.root(1);
    store(here, root + 8n * 3n, entryFor(0, 0xd7n));
    expect(found(here)).toContain("I1");
    const reached = here.judge.check().filter(({ invariant }) => invariant === "I1");
    expect(reached.length).toBeGreaterThan(1000);
    const own = reached.find(({ object }) => object.startsWith("frame 600 "));
    expect(own?.sentence).toContain(`guest-physical 0x${((3n << 30n) + 600n * PAGE).toString(16)}`);
  });

  it("names a guest that runs behind the tables of another, and one that will", () => {
    const here = scene();
    const [first, second] = [here.vmm.state.vcpu(0), here.vmm.state.vcpu(1)];
    const waiting = first.state === VcpuState.RUNNING ? second : first;
    const other = waiting === first ? second : first;
    waiting.vs.hgatp = other.vs.hgatp !== 0n ? other.vs.hgatp : here.board.hart.csr("hgatp");
    expect(found(here)).toContain("I1");
  });

  it("names a page that a hart remembers though it was taken away: the fence is missing", () => {
    const here = scene({}, { translations: "sticky" });
    const at = leafOf(here, 1, DATA);
    const frame = frameIn(here, at);
    store(here, at, 0n);
    const { state } = here.vmm;
    const entry = state.frame(frame);
    Object.assign(entry, {
      owner: 0,
      type: FrameType.FREE,
      flags: 1,
      typeCount: 0,
      refCount: 0,
      next: state.pool.head,
    });
    state.pool.head = frame;
    state.pool.free += 1;
    state.domain(1).frames -= 1;
    expect(found(here)).toEqual(["I1"]);
    expect(here.judge.violations[0]?.sentence).toContain("an HFENCE.GVMA is missing");
    here.board.hart.remembered?.fenceSecondStage({ address: undefined, id: undefined });
    expect(here.judge.check()).toEqual([]);
  });
});

describe("I2", () => {
  it("names a table of the second stage that its guest can write", () => {
    const here = scene();
    const table = Number(leafOf(here, 1, DATA) - BASE) >> 12;
    store(here, leafOf(here, 1, UNUSED), entryFor(table, 0xd7n));
    expect(found(here)).toEqual(["I2", "I3"]);
  });

  it("names a guest's page that serves as a table", () => {
    const here = scene();
    const page = frameIn(here, leafOf(here, 1, DATA));
    store(here, here.vmm.state.root(1) + 8n * 5n, entryFor(page, 1n));
    expect(found(here)).toContain("I2");
  });
});

describe("I3", () => {
  it.each([
    ["refCount", 1],
    ["refCount", -1],
    ["typeCount", 1],
    ["typeCount", -1],
  ] as const)("names a frame whose %s is wrong by %i", (count, by) => {
    const here = scene();
    const frame = frameIn(here, leafOf(here, 1, DATA));
    here.vmm.state.frame(frame)[count] += by;
    expect(found(here)).toEqual(["I3"]);
    expect(here.judge.violations[0]?.sentence).toContain(`frame ${frame} `);
    expect(here.judge.violations[0]?.sentence).toContain(count);
  });

  it("names an entry that was forgotten in the count when it went", () => {
    const here = scene();
    store(here, leafOf(here, 1, DATA), 0n);
    expect(here.judge.check().map(({ invariant }) => invariant)).toEqual(["I3", "I3"]);
  });
});

/** What random hands plant, and often put right again: entries of tables, counts, owners, types, links, the pool. */
function plantAtRandom(here: Judged, numbers: SeededNumbers, undo: (() => void)[]): void {
  const { state } = here.vmm;
  const frame = numbers.between(0, 4095);
  const own = frameIn(here, leafOf(here, 1 + numbers.between(0, 1), DATA));
  const entries = [
    leafOf(here, 1, UNUSED),
    leafOf(here, 2, UNUSED) + 8n,
    state.root(1) + 8n * 9n,
    // The level above leaves.
    middleOf(here, 1) + 8n * 77n,
    middleOf(here, 1) + 8n * 78n,
    leafOf(here, 1, UNUSED + 4096n),
  ];
  const at = entries[numbers.between(0, entries.length - 1)] ?? 0n;
  // Another domain's table, whose entries then count twice; or a page with any flags.
  const table = Number(leafOf(here, 2, DATA) - BASE) >> 12;
  const flags = BigInt([0, 1, 0xd3, 0xd7, 0xdf][numbers.between(0, 4)] ?? 0);
  const noFrame = 70_000;
  const target = [own, frame, noFrame][numbers.between(0, 2)] ?? own;
  const value = numbers.between(0, 1) === 0 ? entryFor(table, 1n) : entryFor(target, flags);
  const view = state.frame(numbers.between(0, 2) === 0 ? frame : own);
  const field = (["owner", "type", "typeCount", "refCount"] as const)[numbers.between(0, 3)] ?? "owner";
  const [before, count] = [load(here, at), view[field]];
  switch (numbers.between(0, 3)) {
    case 0:
      undo.pop()?.();
      return;
    case 1:
      view[field] = numbers.between(0, 3);
      undo.push(() => {
        view[field] = count;
      });
      return;
    default:
      store(here, at, value);
      undo.push(() => store(here, at, before));
  }
}

describe("what has changed and a look from nothing", () => {
  it("say the same, whatever is planted and put right", () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const here = scene();
      const numbers = new SeededNumbers(seed);
      const undo: (() => void)[] = [];
      for (let step = 0; step < 24; step++) {
        plantAtRandom(here, numbers, undo);
        const whole = here.judge.check().map(({ invariant, object }) => `${invariant} ${object}`);
        const changed = here.judge
          .check({ fresh: false })
          .map(({ invariant, object }) => `${invariant} ${object}`);
        expect([seed, step, changed.sort()]).toEqual([seed, step, whole.sort()]);
      }
    }
  });
});

describe("I4", () => {
  it("names the word of the hypervisor's code that has changed", () => {
    const here = scene();
    const nested = here.vmm.map.addressOf("nested") & ~7n;
    store(here, nested, load(here, nested) ^ 1n);
    expect(found(here)).toEqual(["I4"]);
    expect(here.judge.violations[0]?.sentence).toContain(`0x${nested.toString(16)}`);
  });

  it("guards other code that it was told of", () => {
    const here = scene({ texts: [{ name: "kernel", begin: 0x80a0_0000n, end: 0x8160_1000n }] });
    store(here, 0x80a0_0ff8n, 1n);
    expect(found(here)).toEqual(["I4"]);
    expect(here.judge.violations[0]?.object).toBe("kernel");
  });
});

describe("I5", () => {
  it("names memory that the hypervisor can write and execute, where W^X is switched off", () => {
    const image = guestBytes(GUEST);
    const made = vmmScene({ guests: [{ image }] }, { guards: { wx: false } });
    const judge = referee(made.board, made.vmm);
    made.board.run({ instructions: 10_000 });
    expect(judge.violations.map(({ invariant }) => invariant)).toContain("I5");
  });

  it("sees it also where one address writes and another executes", () => {
    const here = scene();
    const tables = here.vmm.map.addressOf("page_tables");
    store(here, tables + 8n * 100n, ((0x8000_0000n >> 12n) << 10n) | 0xcbn);
    expect(found(here)).toEqual(["I5"]);
    const [violation] = here.judge.violations;
    expect(violation?.sentence).toMatch(/can be executed at 0x19\w+ and written at 0x8/);
    expect(new Set(violation?.walk.map(({ register }) => register))).toEqual(new Set(["satp"]));
  });
});

describe("I9", () => {
  it.each([
    [
      "believes in more free frames than there are",
      (here: Judged): void => {
        here.vmm.state.pool.free += 1;
      },
    ],
    [
      "gives a domain a frame too few",
      (here: Judged): void => {
        here.vmm.state.domain(1).frames -= 1;
      },
    ],
    [
      "loses a frame that it takes away",
      (here: Judged) => {
        const at = leafOf(here, 1, DATA);
        const frame = frameIn(here, at);
        store(here, at, 0n);
        Object.assign(here.vmm.state.frame(frame), { owner: 0, type: 0, typeCount: 0, refCount: 0 });
        here.vmm.state.domain(1).frames -= 1;
      },
    ],
    [
      "puts a frame on its list that somebody has",
      (here: Judged) => {
        const { pool } = here.vmm.state;
        pool.head = frameIn(here, leafOf(here, 1, DATA));
        pool.free += 1;
      },
    ],
  ] as const)("names a hypervisor that %s", (_, plant) => {
    const here = scene();
    plant(here);
    expect(here.judge.check().map(({ invariant }) => invariant)).toContain("I9");
  });

  it("does not hang on a list that bites its own tail", () => {
    const here = scene();
    const { pool } = here.vmm.state;
    const free = pool.end - 1;
    here.vmm.state.frame(free).next = free;
    pool.head = free;
    expect(
      here.judge
        .check()
        .map(({ sentence }) => sentence)
        .join(),
    ).toContain("twice");
  });
});

describe("I11", () => {
  it("names a virtual CPU whose interrupt nobody delivers", () => {
    const here = scene({ deliveredWithin: 10_000 });
    const { state } = here.vmm;
    const current = state.pcpu(0).current;
    const waiting = [state.vcpu(0), state.vcpu(1)].find(({ address }) => (address as bigint) !== current);
    if (waiting === undefined) throw new Error("both run");
    const own = waiting.vs;
    Object.assign(own, { hvip: 4n, hie: 4n, hideleg: 0x444n, vsstatus: own.vsstatus | 2n });
    waiting.state = VcpuState.BLOCKED;
    here.board.run({ instructions: 40_000 });
    expect(here.judge.violations.map(({ invariant }) => invariant)).toEqual(["I11"]);
    expect(here.judge.violations[0]?.sentence).toContain("was not delivered");
  });
});

describe("the referee", () => {
  it("changes nothing: the trace is that of a board without it", () => {
    const image = guestBytes(GUEST);
    const hashes = [false, true].map((isWatched) => {
      const made = vmmScene({ guests: [{ image }, { image }], slice: 2_000 });
      if (isWatched) referee(made.board, made.vmm);
      made.board.run({ instructions: 150_000 });
      return made.board.trace.hash();
    });
    expect(hashes[0]).toBe(hashes[1]);
  });

  it("reports each object once, and nothing more when it was sent away", () => {
    const here = scene();
    here.vmm.state.frame(frameIn(here, leafOf(here, 1, DATA))).refCount += 1;
    here.board.run({ instructions: 20_000 });
    here.board.run({ instructions: 20_000 });
    expect(here.judge.violations).toHaveLength(1);
    here.judge.stop();
    here.vmm.state.frame(frameIn(here, leafOf(here, 2, DATA))).refCount += 1;
    here.board.run({ instructions: 20_000 });
    expect(here.judge.violations).toHaveLength(1);
    expect(here.judge.check()).toHaveLength(2);
  });

  it("sees what was put right again", () => {
    const here = scene();
    const at = leafOf(here, 1, UNUSED);
    store(here, at, (0x8020_0000n >> 2n) | 0xdfn);
    expect(here.judge.check()).not.toEqual([]);
    store(here, at, 0n);
    expect(here.judge.check()).toEqual([]);
  });
});
