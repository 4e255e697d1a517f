/** Equal pages in one frame: found by hash, shared after a comparison, and everybody's own again with the first store. */
import { describe, expect, it } from "vitest";
import { SeededNumbers } from "../../../lib/bits/seeded-numbers.ts";
import { DomainState, ExitKind, FrameType } from "../../../lib/vmm/layout.ts";
import { awaitDomain, MigrationWire, migrationReport, sendDomain } from "../../../lib/vmm/migration-wire.ts";
import { carryOut, sharingReport } from "../../../lib/vmm/operator.ts";
import { scanPages } from "../../../lib/vmm/page-sharing.ts";
import { handsOn } from "./hands-on.ts";
import { ERROR, Puppets, placeOf } from "./puppets.ts";
import { vmmScene } from "./vmm-scene.ts";

const FIRST = 0x8000_4000n;
const page = (number: number): bigint => FIRST + 4096n * BigInt(number);
const isFull = process.env["DOM0_TEST_FULL"] === "1";

/** A page of numbers that its seed says. */
function fill(puppets: Puppets, domain: number, number: number, seed: number): void {
  for (let word = 0n; word < 3n; word++)
    puppets.store(domain, page(number) + 1360n * word, BigInt(seed) * 0x1_0001n + word);
}
/** Enough for every domain to have its turn. */
function scan(puppets: Puppets, pages = 300): void {
  for (let left = pages; left > 0; left -= 30)
    expect(carryOut(puppets.scene, { kind: "SCAN", words: [BigInt(Math.min(30, left))] })).toBe(0);
}
const report = (puppets: Puppets) => sharingReport(puppets.scene);
const typeOf = (puppets: Puppets, domain: number, number: number): number | undefined => {
  const found = puppets.frameOf(domain, page(number));
  return found && puppets.scene.vmm.state.frame(Number((found.at - 0x8000_0000n) >> 12n)).type;
};

describe("equal pages", () => {
  it.each(["coherent", "sticky"] as const)(
    "come to lie in one frame, within a guest and between guests (%s)",
    (translations) => {
      const puppets = new Puppets([{}, {}, {}], {}, { translations });
      for (const [domain, number, seed] of [
        [1, 0, 7],
        [2, 3, 7],
        [3, 5, 7],
        [3, 6, 7],
        [1, 1, 8],
        [2, 1, 8],
        [2, 2, 9],
      ] as const)
        fill(puppets, domain, number, seed);
      const unshared = puppets.free;
      scan(puppets);
      const before = puppets.free;
      const { frames, pages, saved } = report(puppets);
      // The three programs are equal, too.
      expect([frames, pages, saved]).toEqual([3, 9, 6]);
      expect(before - unshared).toBe(saved);
      expect(puppets.frameOf(1, page(0))?.at).toBe(puppets.frameOf(3, page(6))?.at);
      expect(typeOf(puppets, 2, 2)).toBe(FrameType.RAM);
      expect(puppets.mistakes()).toEqual([]);

      // Who stores has its own again, and nobody else sees it. That it was read before must not be remembered.
      expect(puppets.load(3, page(5) + 8n)).toBe(0n);
      puppets.store(3, page(5) + 8n, 99n);
      expect(puppets.scene.vmm.state.vcpu(2).exits.get(ExitKind.COPY_ON_WRITE)).toBe(1n);
      expect(
        [3, 3, 1, 2].map((domain, index) => puppets.load(domain, page([5, 6, 0, 3][index] ?? 0) + 8n)),
      ).toEqual([99n, 0n, 0n, 0n]);
      expect(puppets.load(3, page(5))).toBe(puppets.load(1, page(0)));
      expect(puppets.free).toBe(before - 1);
      expect(report(puppets)).toMatchObject({ frames: 3, pages: 8, broken: 1 });
      expect(puppets.mistakes()).toEqual([]);
    },
  );

  it("the last who shares a frame keeps it when it stores", () => {
    const puppets = new Puppets([{}, {}]);
    fill(puppets, 1, 0, 5);
    fill(puppets, 2, 0, 5);
    scan(puppets);
    const { at } = puppets.frameOf(2, page(0)) ?? {};
    puppets.store(1, page(0), 1n);
    expect(typeOf(puppets, 2, 0)).toBe(FrameType.SHARED);
    puppets.store(2, page(0), 2n);
    expect(puppets.frameOf(2, page(0))?.at).toBe(at);
    expect([typeOf(puppets, 2, 0), puppets.load(1, page(0)), puppets.load(2, page(0))]).toEqual([
      FrameType.RAM,
      1n,
      2n,
    ]);
    expect(puppets.mistakes()).toEqual([]);
  });

  it.each([
    ["copied", 1],
    ["kept", 2],
  ])("is %s by nobody who has all the frames that he may have", (_, sharers) => {
    const puppets = new Puppets([{}, {}]);
    fill(puppets, 1, 0, 5);
    fill(puppets, 2, 0, 5);
    scan(puppets);
    if (sharers === 2) puppets.store(1, page(0), 1n);
    const { state } = puppets.scene.vmm;
    carryOut(puppets.scene, { kind: "LIMIT", domain: 2, words: [BigInt(state.domain(2).frames)] });
    puppets.tell(2, 2n, [page(0), 2n]);
    puppets.run();
    expect(state.domain(2).state).toBe(DomainState.CRASHED);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("are found by the way, so many with each timer interrupt", () => {
    const puppets = new Puppets([{}, {}]);
    fill(puppets, 1, 0, 5);
    fill(puppets, 2, 0, 5);
    carryOut(puppets.scene, { kind: "SHARE", words: [4n] });
    for (let waited = 0; waited < 200 && report(puppets).merged < 3; waited++) puppets.run(10_000);
    expect(report(puppets)).toMatchObject({ frames: 2, saved: 2 });
    expect(puppets.mistakes()).toEqual([]);
  });

  it("of a large page split it, and only then", () => {
    const guest = { ramBytes: 6 * 1024 * 1024, largePages: true };
    const puppets = new Puppets([guest, {}], {}, { ramBytes: 16 * 1024 * 1024 });
    puppets.store(1, 0x8020_3000n, 77n);
    puppets.store(1, 0x8020_4000n, 78n);
    puppets.store(2, page(0), 77n);
    expect(puppets.frameOf(1, 0x8020_3000n)?.level).toBe(1);
    scan(puppets, 1900);
    expect(puppets.frameOf(1, 0x8020_3000n)).toMatchObject({ level: 0, at: puppets.frameOf(2, page(0))?.at });
    expect([puppets.load(1, 0x8020_3000n), puppets.load(1, 0x8020_4000n)]).toEqual([77n, 78n]);
    // All pages that were never stored to are equal.
    expect(report(puppets).saved).toBeGreaterThan(500);
    expect(puppets.mistakes()).toEqual([]);
  });
});

describe("pages whose hashes are equal and whose bytes are not", () => {
  it("are not shared, and may be stored to as before", () => {
    const puppets = new Puppets([{}, {}]);
    // One bit: half of all pages collide.
    carryOut(puppets.scene, { kind: "SHARE", words: [0n, 1n] });
    for (let number = 0; number < 8; number++) {
      fill(puppets, 1, number, number);
      fill(puppets, 2, number, 100 + number);
    }
    fill(puppets, 1, 9, 3);
    scan(puppets, 500);
    expect(report(puppets).collisions).toBeGreaterThan(8);
    for (let number = 0; number < 8; number++) {
      expect(puppets.load(1, page(number))).toBe(BigInt(number) * 0x1_0001n);
      expect(puppets.load(2, page(number))).toBe(BigInt(100 + number) * 0x1_0001n);
      const { exits } = puppets.scene.vmm.state.vcpu(1);
      const faults = (): bigint => exits.get(ExitKind.FAULT) + exits.get(ExitKind.DIRTY_PAGE);
      const before = faults();
      puppets.store(2, page(number), 1n);
      expect(faults()).toBe(before);
    }
    expect(puppets.mistakes()).toEqual([]);
  });
});

describe("a hint that is old", () => {
  it("leads nowhere, though the frame that it names still has these bytes", () => {
    const puppets = new Puppets([{}, {}]);
    fill(puppets, 1, 0, 5);
    puppets.store(1, page(9), 1n);
    scan(puppets);
    // The frame is free, and the page lies in another.
    for (const number of [0, 9]) puppets.call(1, "balloon_give", page(number), 1);
    puppets.store(1, page(0), 1n);
    fill(puppets, 2, 0, 5);
    scan(puppets);
    expect(typeOf(puppets, 2, 0)).toBe(FrameType.RAM);
    expect(puppets.mistakes()).toEqual([]);
  });
});

describe("a hint that leads to a domain which does not run", () => {
  it.each(["ARRIVING", "DYING"] as const)("(%s) is not followed: others work on its pages", (name) => {
    const puppets = new Puppets([{}, {}]);
    for (const domain of [1, 2]) fill(puppets, domain, 0, 5);
    const { state } = puppets.scene.vmm;
    const { host } = handsOn(puppets.scene);
    while (state.pageSharing.domain < 2) scanPages(host, 1);
    // Its number is another's now, whose page of this address has the same bytes and by chance the same frame.
    state.domain(1).state = DomainState[name];
    scanPages(host, 40);
    expect([typeOf(puppets, 1, 0), typeOf(puppets, 2, 0)]).toEqual([FrameType.RAM, FrameType.RAM]);
    state.domain(1).state = DomainState.RUNNING;
    expect(puppets.mistakes()).toEqual([]);
  });
});

describe("pages that are not to be shared", () => {
  it("are those that are granted; and one that is shared is granted as the granter's own", () => {
    const puppets = new Puppets([{}, {}]);
    for (const number of [0, 1]) {
      fill(puppets, 1, number, 5);
      fill(puppets, 2, number, 5);
    }
    expect(puppets.call(1, "grant", 2, page(0), 1)).toBe(0);
    scan(puppets);
    expect([typeOf(puppets, 1, 0), typeOf(puppets, 1, 1)]).toEqual([FrameType.RAM, FrameType.SHARED]);
    expect(puppets.call(1, "grant", 2, page(1), 1)).toBe(1);
    expect(typeOf(puppets, 1, 1)).toBe(FrameType.RAM);
    expect(puppets.call(2, "grant_map", 1, 1, 0x4000_0000n, 1)).toBe(0);
    puppets.store(2, 0x4000_0000n, 4n);
    scan(puppets);
    expect([puppets.load(1, page(1)), puppets.load(1, page(0)), puppets.load(2, page(0))]).toEqual([
      4n,
      0x5_0005n,
      0x5_0005n,
    ]);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("are given back like any other, and the frame lives on for the others", () => {
    const puppets = new Puppets([{}, {}]);
    fill(puppets, 1, 0, 5);
    fill(puppets, 2, 0, 5);
    scan(puppets);
    expect(puppets.call(1, "balloon_give", page(0), 1)).toBe(1);
    expect([puppets.load(1, page(0)), puppets.load(2, page(0))]).toEqual([0n, 0x5_0005n]);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("are an own page again before the hypervisor stores to it for the guest", () => {
    const puppets = new Puppets([{}, {}]);
    fill(puppets, 1, 0, 5);
    fill(puppets, 2, 0, 5);
    puppets.store(1, page(1), 0x4142n);
    puppets.call(1, "grant", 2, page(1), 0);
    scan(puppets);
    expect(puppets.call(2, "grant_copy", 1, 0, page(0), 8, 0)).toBe(8);
    expect([puppets.load(2, page(0)), puppets.load(1, page(0))]).toEqual([0x4142n, 0x5_0005n]);
    expect(puppets.mistakes()).toEqual([]);
  });
});

describe("a guest that stores while its page is compared", () => {
  /** A second hart could do so between any two of the hypervisor's loads and stores. */
  it("loses no store, whenever it makes it", () => {
    const numbers = new SeededNumbers(5);
    for (let round = 0; round < (isFull ? 600 : 25); round++) {
      const puppets = new Puppets([{}, {}]);
      fill(puppets, 1, 0, 5);
      fill(puppets, 2, 0, 5);
      const { board } = puppets.scene;
      const when = numbers.between(0, 5_000);
      const [domain, value] = [1 + numbers.between(0, 1), BigInt(numbers.between(1, 1 << 30))];
      const word = 8n * BigInt(numbers.between(0, 511));
      let [operations, stored] = [0, false];
      const { host } = handsOn(puppets.scene, () => {
        if (operations++ < when || stored) return;
        const found = puppets.frameOf(domain, page(0));
        // A store to a page that may not be stored to would trap, and wait for the hypervisor.
        if (found === undefined || (found.entry & 4n) === 0n) return;
        board.memory.store(found.at + word, 8, value);
        stored = true;
      });
      host.state.pageSharing.domain = 1;
      host.state.pageSharing.page = 4;
      scanPages(host, 34);
      const expected = (own: number): bigint => {
        if (stored && own === domain) return value;
        return word % 1360n === 0n && word < 4080n ? 0x5_0005n + word / 1360n : 0n;
      };
      for (const own of [1, 2])
        expect([round, puppets.load(own, page(0) + word)]).toEqual([round, expected(own)]);
      expect(puppets.mistakes()).toEqual([]);
    }
  });
});

describe("a domain that moves", () => {
  it("takes its shared pages along, and leaves the others' as they are", () => {
    const puppets = new Puppets([{}, {}], { slice: 500 });
    for (const number of [0, 1, 2]) {
      fill(puppets, 1, number, 5);
      fill(puppets, 2, number, 5);
    }
    scan(puppets);
    const there = vmmScene({ guests: [] });
    awaitDomain(there);
    sendDomain(puppets.scene, { domain: 1, maxRounds: 30, fewPages: 0 });
    const wire = new MigrationWire(puppets.scene, there);
    // The image, the mailbox and the three pages have been sent when it stores to one of them: it is sent again, as the own page that it is.
    while (migrationReport(puppets.scene).pages < 5) wire.run(1);
    puppets.tell(1, 2n, [page(1), 42n]);
    wire.run(2_000);
    expect(puppets.scene.vmm.state.vcpu(0).exits.get(ExitKind.COPY_ON_WRITE)).toBe(1n);
    expect(migrationReport(there)).toMatchObject({ phase: "DONE", reason: "NONE" });
    const moved = [0, 1, 2].map((number) =>
      there.board.memory.load(placeOf(there, 1, page(number))?.at ?? 0n, 8),
    );
    expect(moved).toEqual([0x5_0005n, 42n, 0x5_0005n]);
    expect(puppets.load(2, page(1))).toBe(0x5_0005n);
    expect(puppets.mistakes()).toEqual([]);
    expect(puppets.call(2, "grant", 1, page(0), 1)).toBe(ERROR.NO_DOMAIN);
  });
});
