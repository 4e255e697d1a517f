/** Memory that guests give back and take again, and what happens when there is none. */
import { describe, expect, it } from "vitest";
import { DomainState, VcpuState } from "../../../lib/vmm/layout.ts";
import { MEMORY_TICKS } from "../../../lib/vmm/memory-wait.ts";
import { awaitDomain, MigrationWire, migrationReport, sendDomain } from "../../../lib/vmm/migration-wire.ts";
import { carryOut } from "../../../lib/vmm/operator.ts";
import { ERROR, Puppets, placeOf } from "./puppets.ts";
import { vmmScene } from "./vmm-scene.ts";

const FIRST = 0x8000_4000n;
const PAGE = 4096n;
const page = (number: number): bigint => FIRST + PAGE * BigInt(number);
const SECRET = 0x5ec2_e75e_c2e7n;
const [LOAD, STORE] = [1n, 2n];
const isFull = process.env["DOM0_TEST_FULL"] === "1";

describe("a guest that gives pages back", () => {
  it.each(["coherent", "sticky"] as const)(
    "loses what was in them, and the frames are the pool's (%s)",
    (translations) => {
      const puppets = new Puppets([{}], {}, { translations });
      for (let number = 0; number < 8; number++) puppets.store(1, page(number), SECRET + BigInt(number));
      const before = puppets.free;
      expect(puppets.call(1, "balloon_give", page(2), 4)).toBe(4);
      expect(puppets.free).toBe(before + 4);
      expect(puppets.mistakes()).toEqual([]);
      expect([0, 1, 2, 3, 4, 5, 6, 7].map((number) => puppets.load(1, page(number)))).toEqual(
        [0, 1, 2, 3, 4, 5, 6, 7].map((number) => (number >= 2 && number < 6 ? 0n : SECRET + BigInt(number))),
      );
      expect(puppets.free).toBe(before);
      expect(puppets.scene.vmm.state.balloon(1).given).toBe(4);
      expect(puppets.mistakes()).toEqual([]);
    },
  );

  it("may give what it has never used, and its own program's image only once", () => {
    const puppets = new Puppets([{}]);
    expect(puppets.call(1, "balloon_give", page(0), 2)).toBe(2);
    const tree = puppets.scene.vmm.state.domain(1).tree;
    puppets.load(1, tree);
    expect(puppets.call(1, "balloon_give", tree & ~0xfffn, 1)).toBe(1);
    // The loader's page is in the pool now: it is not given to the guest a second time.
    expect(puppets.load(1, tree)).toBe(0n);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("is refused what is not RAM, too much, or granted", () => {
    const puppets = new Puppets([{}, {}]);
    const give = (...args: readonly (bigint | number)[]) => puppets.call(1, "balloon_give", ...args);
    expect(give(page(0) + 8n, 1)).toBe(ERROR.INVALID);
    expect(give(0x1000_0000n, 1)).toBe(ERROR.INVALID);
    expect(give(page(0), 0)).toBe(ERROR.INVALID);
    expect(give(page(0), 65)).toBe(ERROR.INVALID);
    expect(give(0x8001_f000n, 2)).toBe(ERROR.INVALID);
    expect(puppets.call(1, "grant", 2, page(1), 1)).toBe(0);
    expect(give(page(1), 1)).toBe(ERROR.BUSY);
    expect(give(page(0), 3)).toBe(1);
    expect(puppets.call(1, "grant_revoke", 0)).toBe(0);
    expect(give(page(1), 1)).toBe(1);
    expect(puppets.mistakes()).toEqual([]);
  });
});

/** Guest 1 takes all frames that there are; in some of its pages is a secret. So many pages. */
function useUp(puppets: Puppets): number {
  let pages = 0;
  for (let got = 64; got === 64; pages += got)
    got = Math.max(0, puppets.call(1, "balloon_take", page(pages), 64));
  for (let number = 0; number < 40; number++) puppets.store(1, page(number), SECRET + BigInt(number));
  return pages;
}

describe("two guests", () => {
  it("one gives and the other grows by it, and sees nothing of what was there", () => {
    const puppets = new Puppets(
      [{ ramBytes: 1024 * 4096 }, { ramBytes: 1024 * 4096 }],
      {},
      { ramBytes: 8 * 1024 * 1024 },
    );
    const used = useUp(puppets);
    expect(puppets.call(2, "balloon_take", page(10), 64)).toBe(ERROR.NO_MEMORY);
    const pages = isFull ? 8 * Math.floor(used / 8) : 24;
    for (let done = 0; done < pages; done += 8)
      expect(puppets.call(1, "balloon_give", page(done), 8)).toBe(8);
    for (let number = 10; number < 10 + pages - 2; number++)
      for (const offset of [0n, 8n, 2048n, 4088n]) expect(puppets.load(2, page(number) + offset)).toBe(0n);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("are told of a new target by an event, and can read it", () => {
    const puppets = new Puppets([{}, {}]);
    expect(puppets.call(1, "balloon_target")).toBe(0);
    expect(puppets.call(1, "event_take")).toBe(0);
    expect(carryOut(puppets.scene, { kind: "TARGET", domain: 1, words: [40n] })).toBe(0);
    expect(puppets.scene.vmm.state.domain(1).plic.level).not.toBe(0n);
    expect(puppets.call(1, "event_take")).toBe(1);
    expect(puppets.scene.vmm.state.domain(1).plic.level).toBe(0n);
    expect(puppets.call(1, "balloon_target")).toBe(40);
    expect(puppets.call(2, "balloon_target")).toBe(0);
    expect(puppets.call(1, "balloon_frames")).toBe(puppets.scene.vmm.state.domain(1).frames);
    expect(carryOut(puppets.scene, { kind: "TARGET", domain: 5, words: [40n] })).toBe(ERROR.NO_DOMAIN);
  });

  it("are told of no target that is more than frames have numbers", () => {
    const puppets = new Puppets([{ privileged: true }, {}]);
    for (const frames of [2n ** 32n, 2n ** 32n + 40n, 2n ** 64n - 1n]) {
      expect(carryOut(puppets.scene, { kind: "TARGET", domain: 2, words: [frames] })).toBe(ERROR.INVALID);
      expect(puppets.call(1, "domain_target", 2, frames)).toBe(ERROR.INVALID);
    }
    expect([puppets.call(2, "balloon_target"), puppets.call(2, "event_take")]).toEqual([0, 0]);
    expect(puppets.call(1, "domain_target", 2, 2n ** 32n - 1n)).toBe(0);
    expect(puppets.call(2, "balloon_target")).toBe(2 ** 32 - 1);
  });
});

describe("a machine whose memory is used up", () => {
  /** Guest 1 has all frames but a few; guest 2 is about to store to a page that it has not used. */
  function exhausted(): Puppets {
    const puppets = new Puppets(
      [{ ramBytes: 2048 * 4096 }, { ramBytes: 2048 * 4096 }],
      {},
      { ramBytes: 8 * 1024 * 1024 },
    );
    useUp(puppets);
    puppets.tell(2, STORE, [page(3), 77n]);
    puppets.run(30_000);
    return puppets;
  }

  it("lets a guest wait until another gives some back", () => {
    const puppets = exhausted();
    const { state } = puppets.scene.vmm;
    expect(state.vcpu(1).state).toBe(VcpuState.STARVED);
    expect(puppets.answer(2)).toBeUndefined();
    expect(puppets.call(1, "balloon_give", page(0), 2)).toBe(2);
    puppets.run();
    // Two are too few: a page may need two tables.
    expect(state.vcpu(1).state).toBe(VcpuState.STARVED);
    expect(puppets.call(1, "balloon_give", page(2), 1)).toBe(1);
    puppets.run();
    expect(puppets.answer(2)).toBe(0n);
    expect(puppets.load(2, page(3))).toBe(77n);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("stops a guest that waits too long, and says for what", () => {
    const puppets = exhausted();
    const { state } = puppets.scene.vmm;
    puppets.run(10 * Number(MEMORY_TICKS) + 20_000);
    const domain = state.domain(2);
    expect([domain.state, domain.crashCause, domain.crashValue]).toEqual([DomainState.CRASHED, 23n, page(3)]);
    expect(puppets.load(1, page(3))).toBe(SECRET + 3n);
    // Its frames stay its own until somebody destroys it.
    expect(puppets.destroy(2)).toBe(0);
    expect(puppets.free).toBeGreaterThan(0);
    expect(puppets.mistakes()).toEqual([]);
  });

  /** Guest 1 has all frames; guest 2 has not looked at its device tree, for which it has no table yet. */
  function withoutTable(): { readonly puppets: Puppets; readonly tree: bigint } {
    const ram = { ramBytes: 2048 * 4096 };
    const puppets = new Puppets([ram, ram], {}, { ramBytes: 8 * 1024 * 1024 });
    useUp(puppets);
    const { tree } = puppets.scene.vmm.state.domain(2);
    expect([puppets.free, puppets.frameOf(2, tree)]).toEqual([0, undefined]);
    return { puppets, tree };
  }
  /** The first word of a device tree. */
  const MAGIC = 0xedfe_0dd0n;

  it("keeps what the loader has left for a guest until there are tables to map it", () => {
    const { puppets, tree } = withoutTable();
    puppets.tell(2, LOAD, [tree]);
    puppets.run(30_000);
    expect(puppets.scene.vmm.state.vcpu(1).state).toBe(VcpuState.STARVED);
    expect(puppets.call(1, "balloon_give", page(0), 8)).toBe(8);
    puppets.run();
    expect(BigInt.asUintN(32, puppets.answer(2) ?? 0n)).toBe(MAGIC);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("sends it with a guest that moves away, though no frame is left for a table", () => {
    const { puppets, tree } = withoutTable();
    const to = vmmScene({ guests: [], operated: true }, {}, { ramBytes: 32 * 1024 * 1024 });
    awaitDomain(to);
    sendDomain(puppets.scene, { domain: 2, maxRounds: 1 });
    new MigrationWire(puppets.scene, to).run(500);
    expect(migrationReport(to)).toMatchObject({ phase: "DONE", reason: "NONE" });
    const { at = 0n } = placeOf(to, 1, tree) ?? {};
    expect(BigInt.asUintN(32, to.board.memory.load(at, 8) as bigint)).toBe(MAGIC);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("does not let a guest wait that may not have more", () => {
    const puppets = exhausted();
    const { state } = puppets.scene.vmm;
    expect(state.vcpu(1).state).toBe(VcpuState.STARVED);
    carryOut(puppets.scene, { kind: "LIMIT", domain: 1, words: [0n] });
    puppets.tell(1, STORE, [0x8070_0000n, 1n]);
    puppets.run();
    expect(state.domain(1).state).toBe(DomainState.CRASHED);
  });

  it("stops a guest at once that has all that it may have", () => {
    const puppets = new Puppets([{}, {}]);
    const { state } = puppets.scene.vmm;
    const frames = BigInt(state.domain(2).frames);
    expect(carryOut(puppets.scene, { kind: "LIMIT", domain: 2, words: [frames + 1n] })).toBe(0);
    puppets.store(2, page(1), 1n);
    expect(puppets.call(2, "balloon_take", page(2), 1)).toBe(ERROR.NO_MEMORY);
    puppets.tell(2, STORE, [page(2), 1n]);
    puppets.run();
    expect(state.domain(2).state).toBe(DomainState.CRASHED);
    expect(puppets.mistakes()).toEqual([]);
  });
});
