/** What domains lend each other, and what pages share, as the referee reads it out of the hypervisor's tables. Each mistake is planted. */
import { describe, expect, it } from "vitest";
import { FrameType, GrantFlag } from "../../../lib/vmm/layout.ts";
import { carryOut } from "../../../lib/vmm/operator.ts";
import { Puppets } from "../vmm/puppets.ts";

const PAGE = 0x8000_4000n;
const THERE = 0x4000_0000n;

/** Guest 1 has granted a page to guest 2, which maps it. */
function lent(writable = 1): Puppets {
  const puppets = new Puppets([{}, {}, {}]);
  puppets.store(1, PAGE, 0x1234n);
  expect(puppets.call(1, "grant", 2, PAGE, writable)).toBe(0);
  expect(puppets.call(2, "grant_map", 1, 0, THERE, writable)).toBe(0);
  expect(puppets.mistakes()).toEqual([]);
  return puppets;
}

/** What was noticed behind the next event, and what a look at everything finds. */
function found(puppets: Puppets): { readonly noticed: string[]; readonly sentences: string } {
  puppets.run();
  const whole = puppets.judge.check();
  const noticed = puppets.judge.violations;
  expect(new Set(whole.map(({ invariant }) => invariant))).toEqual(
    new Set(noticed.map(({ invariant }) => invariant)),
  );
  return {
    noticed: noticed.map(({ invariant }) => invariant),
    sentences: noticed.map(({ sentence }) => sentence).join("\n"),
  };
}

/** Address of the entry that maps a page, by hand. */
function entryAt({ scene: { board, vmm } }: Puppets, domain: number, page: bigint): bigint {
  let table: bigint = vmm.state.root(domain);
  for (const level of [2n, 1n]) {
    const index = (page >> (12n + 9n * level)) & (level === 2n ? 2047n : 511n);
    table = ((board.memory.load(table + 8n * index, 8) as bigint) >> 10n) << 12n;
  }
  return table + 8n * ((page >> 12n) & 511n);
}

describe("a page that was granted", () => {
  it("may be used while the grant lasts, without anybody telling the referee", () => {
    const puppets = lent();
    puppets.store(2, THERE, 5n);
    expect(puppets.load(1, PAGE)).toBe(5n);
    expect(puppets.call(2, "grant_unmap", 0)).toBe(0);
    expect(puppets.call(1, "grant_revoke", 0)).toBe(0);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("is named when its mapping outlives the grant", () => {
    const puppets = lent();
    puppets.scene.vmm.state.domain(1).grants.get(0).flags = 0;
    const { noticed, sentences } = found(puppets);
    expect(noticed).toContain("I1");
    expect(sentences).toMatch(
      /Domain 2 reaches frame .* at guest-physical 0x40000000, .* mapping 0 by grant 0 of domain 1 outlives its grant/,
    );
  });

  it("is named when no mapping is in the table", () => {
    const puppets = lent();
    puppets.scene.vmm.state.foreign(0).mapper = 0;
    const { noticed, sentences } = found(puppets);
    expect(noticed).toContain("I1");
    expect(noticed).toContain("I3");
    expect(sentences).toContain("belongs to domain 1, which has not granted it");
    expect(sentences).toContain("Grant 0 of domain 1 believes in 1 mappings, and there are 0.");
  });

  it.each([
    [
      "was granted to somebody else",
      "is by a grant to domain 3",
      ({ scene }: Puppets) => (scene.vmm.state.domain(1).grants.get(0).to = 3),
    ],
    [
      "is written and was granted to be read",
      "was granted to be read",
      ({ scene }: Puppets) => (scene.vmm.state.domain(1).grants.get(0).flags = GrantFlag.VALID),
    ],
    [
      "is another of the granter's pages",
      "is of a page that lies at",
      (puppets: Puppets) =>
        (puppets.scene.vmm.state.domain(1).grants.get(0).page = (PAGE - 0x4000n) as never),
    ],
  ])("is named when it %s", (_, words, plant) => {
    const puppets = lent();
    plant(puppets);
    expect(found(puppets).sentences).toContain(words);
  });

  it("is named when its entry lets it be written, and the grant does not; or be executed", () => {
    for (const bit of [4n, 8n]) {
      const puppets = lent(0);
      const at = entryAt(puppets, 2, THERE);
      const { memory } = puppets.scene.board;
      memory.store(at, 8, (memory.load(at, 8) as bigint) | bit);
      expect(found(puppets).noticed).toContain("I1");
    }
  });

  it("is counted: a grant that believes in another number of mappings is named", () => {
    const puppets = lent();
    puppets.scene.vmm.state.domain(1).grants.get(0).mapped = 2;
    expect(found(puppets).sentences).toContain(
      "Grant 0 of domain 1 believes in 2 mappings, and there are 1.",
    );
  });

  it("is named when the table has a mapping where nothing is mapped", () => {
    const puppets = lent();
    puppets.scene.vmm.state.foreign(0).page = (THERE + 0x1000n) as never;
    expect(found(puppets).sentences).toContain("is in the table, and nothing is mapped there");
  });
});

describe("a frame that pages share", () => {
  function shared(): Puppets {
    const puppets = new Puppets([{}, {}]);
    for (const domain of [1, 2]) puppets.store(domain, PAGE, 7n);
    for (let order = 0; order < 5; order++) carryOut(puppets.scene, { kind: "SCAN", words: [30n] });
    expect(puppets.frameOf(1, PAGE)?.at).toBe(puppets.frameOf(2, PAGE)?.at);
    expect(puppets.mistakes()).toEqual([]);
    return puppets;
  }
  const frameOf = (puppets: Puppets) =>
    puppets.scene.vmm.state.frame(Number(((puppets.frameOf(1, PAGE)?.at ?? 0n) - 0x8000_0000n) >> 12n));

  it("is named when one of the entries lets it be written", () => {
    const puppets = shared();
    const at = entryAt(puppets, 2, PAGE);
    const { memory } = puppets.scene.board;
    memory.store(at, 8, (memory.load(at, 8) as bigint) | 4n);
    const { noticed, sentences } = found(puppets);
    expect(noticed).toEqual(["I1", "I3"]);
    expect(sentences).toContain("pages share it: nobody may write it");
  });

  it("is named when its count is wrong, or the hypervisor's of such frames, or it is somebody's", () => {
    const counted = shared();
    frameOf(counted).refCount += 1;
    expect(found(counted).noticed).toEqual(["I3"]);
    const believed = shared();
    believed.scene.vmm.state.domain(0).frames += 1;
    expect(found(believed).sentences).toMatch(/The hypervisor believes in \d+ frames/);
    const owned = shared();
    frameOf(owned).type = FrameType.RAM;
    expect(found(owned).noticed).toContain("I1");
  });
});

describe("a large page", () => {
  it("whose entry has an address that is no multiple of 2 MiB counts for nothing: its frames' counts are wrong", () => {
    const puppets = new Puppets(
      [{ ramBytes: 6 * 1024 * 1024, largePages: true }],
      {},
      { ramBytes: 16 * 1024 * 1024 },
    );
    puppets.store(1, 0x8020_0000n, 1n);
    const { board, vmm } = puppets.scene;
    const middle = ((board.memory.load(vmm.state.root(1) + 16n, 8) as bigint) >> 10n) << 12n;
    const at = middle + 8n;
    board.memory.store(at, 8, (board.memory.load(at, 8) as bigint) + (1n << 10n));
    expect(puppets.judge.check().map(({ invariant }) => invariant)).toContain("I3");
  });

  it("of which a frame is somebody else's is named for that frame", () => {
    const puppets = new Puppets(
      [{ ramBytes: 6 * 1024 * 1024, largePages: true }, {}],
      {},
      { ramBytes: 16 * 1024 * 1024 },
    );
    puppets.store(1, 0x8020_0000n, 1n);
    const first = Number(((puppets.frameOf(1, 0x8020_0000n)?.at ?? 0n) - 0x8000_0000n) >> 12n);
    puppets.scene.vmm.state.frame(first + 300).owner = 2;
    expect(found(puppets).sentences).toContain(
      `at guest-physical 0x${(0x8020_0000 + 300 * 4096).toString(16)}`,
    );
  });
});
