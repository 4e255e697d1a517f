/** Missing fences: what a sticky board does without them, and what the checker says on either kind of board. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Board } from "../../../lib/board/board.ts";
import { openImage } from "../../../lib/board/open-image.ts";
import { type BoardConfig, buildBoard } from "../../../lib/board/virt.ts";
import { createReferenceEngines } from "../../../lib/engine/reference/create.ts";
import {
  parseRemembered,
  REMEMBERED_LEAVES,
  RememberedTranslations,
} from "../../../lib/hart/remembered-translations.ts";
import { explainTranslation } from "../../../lib/mmu/explain-translation.ts";
import { FenceChecker } from "../../../lib/mmu/fence-checker.ts";
import { PTE } from "../../../lib/mmu/pte.ts";
import { assembled } from "../../support/assembled.ts";
import { bareMachine, loadText } from "../../support/bare-machine.ts";
import { GUEST_ADDRESS, guestScene } from "../../support/guest-scene.ts";

const { V, R, W, X, U, G, A, D } = PTE;
const RW = V | R | W | A | D;
const BASE = 0x8000_0000n;
const ROOT = 0x8010_0000n;
const MIDDLE = 0x8010_1000n;
const LAST = 0x8010_2000n;
const ONE = 0x8010_8000n;
const TWO = 0x8010_9000n;
const pte = (address: bigint, flags: bigint): bigint => ((address >> 12n) << 10n) | flags;
/** Virtual 0x4000_0000 is page 0 of the table at LAST. */
const PLACE = 0x4000_0000n;

function board(config: BoardConfig, program: string): Board {
  const built = buildBoard(config);
  const { memory } = built;
  memory.store(ROOT + 16n, 8, pte(BASE, V | R | W | X | A | D)); // RAM where it is, 1 GiB
  memory.store(ROOT + 8n, 8, pte(MIDDLE, V));
  memory.store(MIDDLE, 8, pte(LAST, V));
  memory.store(LAST, 8, pte(ONE, RW));
  memory.store(ONE, 8, 1n);
  memory.store(TWO, 8, 2n);
  expect(built.load(assembled(program))).toBe(undefined);
  return built;
}

/** To supervisor mode with these tables and ASID 5; then the body, and sleep. Machine mode ends on any trap. */
const supervisor = (body: string): string => `
  la t0, over
  csrw mtvec, t0
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  li t0, ${(8n << 60n) | (5n << 44n) | (ROOT >> 12n)}
  csrw satp, t0
  li t0, 0x800
  csrw mstatus, t0
  la t0, start
  csrw mepc, t0
  li s0, ${PLACE}
  li s1, ${LAST}
  li s2, ${pte(TWO, RW)}
  mret
  .balign 4
over: csrw mie, zero
  wfi
  j over
start: ${body}
  ebreak`;

const remap = (fence: string): string =>
  supervisor(`
  ld a0, 0(s0)
store: sd s2, 0(s1)
  ${fence}
use: ld a1, 0(s0)
  ld a2, 0(s0)`);

const run = (built: Board): void => {
  expect(built.run({ instructions: 200_000 })).toMatchObject({ reason: "wfi" });
};

describe("a page that is mapped elsewhere without a fence", () => {
  it("is seen at once by default, and not at all on a sticky board", () => {
    const [coherent, sticky] = [board({}, remap("nop")), board({ translations: "sticky" }, remap("nop"))];
    for (const one of [coherent, sticky]) run(one);
    expect([coherent.hart.read("a0"), coherent.hart.read("a1")]).toEqual([1n, 2n]);
    expect([sticky.hart.read("a0"), sticky.hart.read("a1"), sticky.hart.read("a2")]).toEqual([1n, 1n, 1n]);
  });

  it.each(["sfence.vma", "sfence.vma s0", "li t0, 5\n sfence.vma s0, t0", "li t0, 5\n sfence.vma zero, t0"])(
    "is seen on a sticky board after %s",
    (fence) => {
      const sticky = board({ translations: "sticky" }, remap(fence));
      run(sticky);
      expect(sticky.hart.read("a1")).toBe(2n);
    },
  );

  it.each([
    ["another address", "li t0, 0x40001000\n sfence.vma t0"],
    ["another ASID", "li t0, 6\n sfence.vma zero, t0"],
    ["an instruction fence", "fence.i"],
    ["a memory fence", "fence"],
    ["a write of satp", "csrr t0, satp\n csrw satp, t0"],
  ])("is not seen after %s", (_, fence) => {
    const sticky = board({ translations: "sticky" }, remap(fence));
    run(sticky);
    expect(sticky.hart.read("a1")).toBe(1n);
  });

  it("does the same with both accelerations and with neither", () => {
    for (const fence of ["nop", "sfence.vma s0"]) {
      const hashes = [true, false].map((on) => {
        const accelerations = { decodeMemo: on, translationCache: on };
        const sticky = board({ translations: "sticky", accelerations }, remap(fence));
        run(sticky);
        return [sticky.trace.hash(), sticky.hart.read("a1")];
      });
      expect(hashes[0]).toEqual(hashes[1]);
    }
  });
});

describe("what a sticky board remembers", () => {
  it("is part of a snapshot: after a revert it is as stale as it was", () => {
    const sticky = board({ translations: "sticky" }, remap("nop"));
    const place = assembled(remap("nop")).symbols.get("use");
    sticky.run({ instructions: 10_000, until: { pc: place as bigint } });
    const snapshot = sticky.snapshot();
    const first = sticky.step();
    expect([first.text.slice(0, 2), sticky.hart.read("a1")]).toEqual(["ld", 1n]);
    sticky.hart.remembered?.forgetAll();
    sticky.revert(snapshot);
    expect(sticky.hart.remembered?.size).toBeGreaterThan(0);
    sticky.step();
    expect(sticky.hart.read("a1")).toBe(1n);
    sticky.revert(snapshot);
    sticky.hart.remembered?.forgetAll();
    sticky.hart.stateReplaced();
    sticky.step();
    expect(sticky.hart.read("a1")).toBe(2n);
    sticky.reset();
    expect(sticky.hart.remembered?.size).toBe(0);
  });

  it("is part of the trace hash at each digest, and the kind of board from the start", () => {
    const hashes = [true, false].map((forgets) => {
      const sticky = board({ translations: "sticky" }, supervisor("ld a0, 0(s0)\nloop: j loop"));
      sticky.run({ instructions: 900_000 });
      if (forgets) sticky.hart.remembered?.fenceSupervisor({ address: PLACE, id: undefined });
      sticky.run({ instructions: 200_000 });
      return sticky.trace.hash();
    });
    expect(hashes[0]).not.toBe(hashes[1]);
    expect(buildBoard().trace.hash()).not.toBe(buildBoard({ translations: "sticky" }).trace.hash());
  });

  it("is what its steps show", () => {
    const sticky = board({ translations: "sticky" }, remap("nop"));
    const { steps } = sticky.run({ instructions: 10_000, log: true });
    const loads = (steps ?? []).filter(({ text }) => text.startsWith("ld"));
    expect(loads.map(({ memory }) => [memory?.paddr, memory?.value])).toEqual([
      [ONE, 1n],
      [ONE, 1n],
      [ONE, 1n],
    ]);
  });

  it("is what explanations tell, with what memory holds now", () => {
    const sticky = board({ translations: "sticky" }, remap("nop"));
    run(sticky);
    const told = explainTranslation(sticky.hart, PLACE, "load", "S");
    expect(told).toMatchObject({
      ok: true,
      paddr: ONE,
      levels: [{ isRemembered: true, level: 0, pteAddress: LAST }],
    });
    expect(told.sentence).toBe(
      "0x4000_0000 leads to 0x8010_8000, in a 4 KiB page. The hart remembers this; the tables were not asked.",
    );
    expect(told.levels[0]?.sentence).toMatch(
      /no fence has covered it since: no table is read\. Memory has 0x.* there now\.$/,
    );
    const refused = explainTranslation(sticky.hart, PLACE, "fetch", "S");
    expect(refused).toMatchObject({ ok: false, failedBit: "X" });
    sticky.hart.remembered?.fenceSupervisor({ address: PLACE, id: 5n });
    expect(explainTranslation(sticky.hart, PLACE, "load", "S")).toMatchObject({
      paddr: TWO,
      levels: { length: 3 },
    });
  });

  it("changes where hardware had to set D: the cache that answered before forgets it", () => {
    const machine = bareMachine({ ramBytes: 8 << 20, sticky: true });
    const put = (address: bigint, word: bigint) => machine.ram.store(Number(address - BASE), 8, word);
    put(ROOT + 8n, pte(MIDDLE, V));
    put(MIDDLE, pte(0x8020_0000n, V | R | W | A)); // 2 MiB, clean
    put(LAST, pte(TWO, V | R | W | A));
    put(0x8020_0000n, 1n);
    put(TWO, 2n);
    loadText(
      machine,
      `li t0, ${(8n << 60n) | (ROOT >> 12n)}
      csrw satp, t0
      li t0, ${1n << 61n}
      csrw menvcfg, t0
      li t0, -1
      csrw pmpaddr0, t0
      li t0, 0x1f
      csrw pmpcfg0, t0
      li t0, 0x20800
      li s0, ${PLACE}
      li s1, ${MIDDLE}
      li s2, ${pte(LAST, V)}
      csrw mstatus, t0
      ld a0, 0(s0)
      csrw mstatus, zero
      sd zero, 8(s1)
      csrw mstatus, t0
      ld a0, 0(s0)
      csrw mstatus, zero
      sd s2, 0(s1)
      csrw mstatus, t0
      ld a1, 0(s0)
      sd a1, 8(s0)
      ld a2, 0(s0)
      csrw mstatus, zero
      wfi`,
    );
    expect(machine.engine.run(200)).toMatchObject({ reason: "waiting" });
    // The large page answers until a store needs its D bit, which is no longer to be had: then the small one is found.
    expect(["a0", "a1", "a2"].map((name) => machine.hart.read(name as "a0"))).toEqual([1n, 1n, 2n]);
  });
});

describe("the fence checker", () => {
  const kinds = [{ translations: "coherent" }, { translations: "sticky" }] as const;

  it.each(kinds)("names entry, writer and missing fence on a $translations board", ({ translations }) => {
    const built = board({ translations, checksFences: true }, remap("nop"));
    const symbols = assembled(remap("nop")).symbols;
    run(built);
    const reports = built.fenceReports();
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({
      hart: 0,
      pc: symbols.get("use"),
      mode: "S",
      access: "load",
      address: PLACE,
      space: { stage: "only", asid: 5n },
      change: "remapped",
      pteAddress: LAST,
      oldPte: pte(ONE, RW),
      newPte: pte(TWO, RW),
      writer: { hart: 0, pc: symbols.get("store"), mode: "S" },
      fence: { instruction: "sfence.vma", hart: 0, address: PLACE, id: 5n },
      isRemote: false,
      uses: 2,
    });
    expect(reports[0]?.sentence).toMatch(
      /^Hart 0 at .* used a remembered translation \(load at 0x4000_0000\); the PTE at 0x8010_2000 was .* and is .*: leads elsewhere now\. Hart 0 wrote it at .*\. Missing: sfence\.vma 0x4000_0000, 5 on hart 0\.$/,
    );
  });

  it("looks again at what the cache has answered from memory of the hart alone", () => {
    const again = supervisor(`
      ld a0, 0(s0)
      sd s2, 8(s1)
      sd s2, 8(s1)
      ld a0, 0(s0)
      sd s2, 0(s1)
      ld a1, 0(s0)`);
    const built = board({ translations: "sticky", checksFences: true }, again);
    built.run({ instructions: 10_000 });
    expect(built.fenceReports()).toMatchObject([{ pteAddress: LAST, uses: 1 }]);
  });

  it.each(["sfence.vma", "sfence.vma s0", "li t0, 5\n sfence.vma s0, t0"])("is silent after %s", (fence) => {
    for (const kind of kinds) {
      const built = board({ ...kind, checksFences: true }, remap(fence));
      run(built);
      expect(built.fenceReports({ all: true })).toEqual([]);
    }
  });

  it("changes nothing: the trace is that of a board without it", () => {
    for (const kind of kinds) {
      const hashes = [true, false].map((checksFences) => {
        const built = board({ ...kind, checksFences }, remap("nop"));
        run(built);
        return built.trace.hash();
      });
      expect(hashes[0]).toBe(hashes[1]);
    }
  });

  const LOAD = "ld a1, 0(s0)";
  const STORE = "sd zero, 8(s0)";
  const change = (old: bigint, now: bigint, use = LOAD): Board => {
    const built = board(
      { checksFences: true },
      supervisor(`
        li t0, ${old}
        sd t0, 0(s1)
        sfence.vma
        ld a0, 0(s0)
        li t0, ${now}
        sd t0, 0(s1)
        ${use}`),
    );
    built.run({ instructions: 10_000 });
    return built;
  };

  it.each([
    ["unmapped", pte(ONE, RW), 0n, LOAD],
    ["remapped", pte(ONE, RW), pte(TWO, RW), LOAD],
    ["rights-taken", pte(ONE, RW), pte(ONE, RW & ~W), STORE],
    ["accessed-dirty-cleared", pte(ONE, RW), pte(ONE, RW & ~D), STORE],
    ["attributes", pte(ONE, RW), pte(ONE, RW | U), LOAD],
  ])("says what changed: %s", (what, old, now, use) => {
    const changes = change(old, now, use)
      .fenceReports()
      .map((report) => report.change);
    expect(changes).toEqual([what]);
  });

  it("lets correct software fence later when it gave rights", () => {
    const given = change(pte(ONE, V | R | A | D), pte(ONE, RW), STORE);
    expect(given.fenceReports()).toEqual([]);
    expect(given.fenceReports({ all: true })).toMatchObject([
      { change: "rights-given", mayFenceLater: true },
    ]);
  });

  it.each([
    ["RSW, which is software's", pte(ONE, RW), pte(ONE, RW) | 0x300n, STORE],
    ["D, set by software", pte(ONE, V | R | W | A), pte(ONE, RW), LOAD],
    ["the right to write, for a load", pte(ONE, RW), pte(ONE, RW & ~W), LOAD],
    ["D, for a load", pte(ONE, RW), pte(ONE, RW & ~D), LOAD],
    ["G, in the same address space", pte(ONE, RW), pte(ONE, RW | G), LOAD],
  ])("is silent about what makes no difference to the access: %s", (_, old, now, use) => {
    expect(change(old, now, use).fenceReports({ all: true })).toEqual([]);
  });

  it("asks for a fence of all addresses when a table above the leaf, or the root, is another", () => {
    const pointer = supervisor(`
      ld a0, 0(s0)
      li t0, ${MIDDLE}
      li t1, ${pte(LAST + 0x1000n, V)}
      sd t1, 0(t0)
      ld a1, 0(s0)`);
    const built = board({ checksFences: true }, pointer);
    built.run({ instructions: 10_000 });
    expect(built.fenceReports()).toMatchObject([
      { pteAddress: MIDDLE, change: "unmapped", fence: { address: undefined, id: 5n } },
    ]);
    const root = supervisor(`
      ld a0, 0(s0)
      li t0, ${(8n << 60n) | (5n << 44n) | ((ROOT + 0x4000n) >> 12n)}
      csrw satp, t0
      ld a1, 0(s0)`);
    const other = board({ checksFences: true }, root);
    other.memory.store(ROOT + 0x4000n + 16n, 8, pte(BASE, V | R | W | X | A | D));
    other.run({ instructions: 10_000 });
    expect(other.fenceReports()).toMatchObject([
      { address: PLACE, newPte: undefined, change: "unmapped", fence: { address: undefined, id: 5n } },
    ]);
  });

  it("is silent about a table that moved and says the same", () => {
    const moved = supervisor(`
      ld a0, 0(s0)
      ld t1, 0(s1)
      li t0, ${LAST + 0x1000n}
      sd t1, 0(t0)
      li t0, ${MIDDLE}
      li t1, ${pte(LAST + 0x1000n, V)}
      sd t1, 0(t0)
      sd zero, 0(s1)
      ld a1, 0(s0)`);
    const built = board({ checksFences: true }, moved);
    built.run({ instructions: 10_000 });
    expect([built.hart.read("a1"), built.fenceReports({ all: true })]).toEqual([1n, []]);
  });

  it("reverts with its board, and refuses to answer for a board that does not check", () => {
    const built = board({ checksFences: true }, remap("nop"));
    const use = assembled(remap("nop")).symbols.get("use") as bigint;
    built.run({ instructions: 10_000, until: { pc: use } });
    const snapshot = built.snapshot();
    run(built);
    expect(built.fenceReports()).toHaveLength(1);
    built.revert(snapshot);
    expect(built.fenceReports()).toEqual([]);
    run(built);
    expect(built.fenceReports()).toMatchObject([{ writer: { hart: 0 }, uses: 2 }]);
    expect(() => buildBoard().fenceReports()).toThrow("checksFences: true");
  });
});

describe("a guest", () => {
  /** HS-mode reads the guest's memory at 0x4000_3123 through both stages, changes something, and reads again. */
  function twice(change: (put: (address: bigint, word: bigint) => void) => void, fence: string) {
    const hart = guestScene({ sticky: true });
    const checker = new FenceChecker([hart], hart.bus);
    const engine = createReferenceEngines([hart], hart.bus, {}, checker)[0];
    const put = (address: bigint, word: bigint) => hart.bus.ram.store(Number(address - BASE), 8, word);
    put(0x8002_0120n, 1n);
    put(0x8003_0120n, 2n);
    hart.write("a1", GUEST_ADDRESS & ~7n);
    const execute = (text: string) => {
      hart.bus.ram.write(0x200, assembled(text).bytes);
      hart.pc = BASE + 0x200n;
      return engine?.step();
    };
    expect(execute("hlv.d a0, (a1)")).toBe(undefined);
    change(put);
    execute(fence);
    expect(execute("hlv.d a2, (a1)")).toBe(undefined);
    expect(hart.read("a0")).toBe(1n);
    return { read: hart.read("a2"), reports: checker.reports };
  }
  const guestEntry = (put: (address: bigint, word: bigint) => void) => put(0x8001_2018n, pte(0x5000n, 0xdfn));
  const otherFrame = (put: (address: bigint, word: bigint) => void) => {
    put(0x8001_3120n, 3n); // guest-physical page 5
    guestEntry(put);
  };
  const hostEntry = (put: (address: bigint, word: bigint) => void) =>
    put(0x8000_e020n, pte(0x8003_0000n, 0xdfn));

  it("sees its own tables of before, and HFENCE.VVMA of its VMID is what is missing", () => {
    const { read, reports } = twice(otherFrame, "nop");
    expect(read).toBe(1n);
    expect(reports).toMatchObject([
      {
        space: { stage: "VS", vmid: 3n, asid: 2n },
        pteAddress: 0x3018n,
        change: "remapped",
        fence: { instruction: "hfence.vvma", address: GUEST_ADDRESS & ~7n, id: 2n },
      },
    ]);
    expect(twice(otherFrame, "hfence.vvma")).toMatchObject({ read: 3n, reports: [] });
    expect(twice(otherFrame, "hfence.gvma").read).toBe(1n);
  });

  it("sees its hypervisor's tables of before, and HFENCE.GVMA is what is missing", () => {
    const { read, reports } = twice(hostEntry, "nop");
    expect(read).toBe(1n);
    expect(reports).toMatchObject([
      {
        space: { stage: "G", vmid: 3n },
        address: 0x4120n,
        pteAddress: 0x8000_e020n,
        fence: { instruction: "hfence.gvma", address: 0x4120n, id: 3n },
      },
    ]);
    expect(reports[0]?.sentence).toContain("Missing: hfence.gvma 0x0000_1048, 3 on hart 0.");
    expect(twice(hostEntry, "hfence.gvma")).toMatchObject({ read: 2n, reports: [] });
    expect(twice(hostEntry, "hfence.vvma").read).toBe(1n);
  });

  it("whose table moved to another frame has nothing to fear when its hypervisor fences", () => {
    const moved = (put: (address: bigint, word: bigint) => void) => {
      put(0x8004_0018n, pte(0x4000n, 0xdfn));
      put(0x8000_e018n, pte(0x8004_0000n, 0xdfn));
      put(0x8001_2018n, 0n); // the old frame is used for something else
    };
    expect(twice(moved, "hfence.gvma")).toMatchObject({ read: 1n, reports: [] });
  });
});

describe("a 64 KiB page", () => {
  it("is remembered by its sixteen small ones: a fence of one leaves the others", () => {
    const napot = pte(0x8011_8000n, RW) | (1n << 63n);
    const changed = supervisor(`
      ld a0, 0(s0)
      li s3, ${PLACE + 0x1000n}
      ld a1, 0(s3)
      li t0, ${LAST}
      li t1, ${pte(TWO, RW)}
      sd t1, 0(t0)
      sd t1, 8(t0)
      sfence.vma s0
      ld a0, 0(s0)
      ld a1, 0(s3)`);
    const built = board({ translations: "sticky" }, changed);
    for (let index = 0n; index < 16n; index++) built.memory.store(LAST + index * 8n, 8, napot);
    built.memory.store(0x8011_1000n, 8, 7n);
    run(built);
    expect([built.hart.read("a0"), built.hart.read("a1")]).toEqual([2n, 7n]);
  });
});

describe("a file", () => {
  it("of a sticky board holds what it remembers: the board from it is as stale", () => {
    const sticky = board({ translations: "sticky" }, remap("nop"));
    const use = assembled(remap("nop")).symbols.get("use") as bigint;
    sticky.run({ instructions: 10_000, until: { pc: use } });
    const other = openImage(sticky.saveImage());
    if (!(other instanceof Board)) throw new Error(other.message);
    run(other);
    run(sticky);
    expect([other.hart.read("a1"), other.trace.hash()]).toEqual([1n, sticky.trace.hash()]);
  });

  it("says what a hart remembers in lines that come back the same, and takes no others", () => {
    const sticky = board({ translations: "sticky" }, remap("nop"));
    run(sticky);
    const text = sticky.hart.remembered?.describe() ?? "";
    const copy = new RememberedTranslations(true);
    copy.restore(parseRemembered(text) ?? []);
    expect(text.split("\n").length).toBeGreaterThan(1);
    expect(copy.describe()).toBe(text);
    for (const wrong of [
      "x",
      "only:1 2 12 0",
      "only:1 2 13 0 1=2",
      "only:1 2 12 4 1=2",
      "G:* 2 12 0 1=2",
      `${text}\n`,
    ])
      expect(parseRemembered(wrong), wrong).toBe(undefined);
  });

  it("cannot be made large by a guest: after 262,144 leaves the hart forgets all", () => {
    const remembered = new RememberedTranslations(true);
    const path = [{ address: 0n, pte: 1n }];
    const leaf = (page: number) => ({
      start: BigInt(page) << 12n,
      bytes: 4096n,
      level: 0,
      isGlobal: false,
      path,
    });
    for (let page = 0; page < REMEMBERED_LEAVES; page++)
      remembered.remember({ stage: "only", asid: 0n }, leaf(page));
    expect(remembered.size).toBe(REMEMBERED_LEAVES);
    expect(remembered.remember({ stage: "only", asid: 0n }, leaf(REMEMBERED_LEAVES))).toBe(true);
    expect([remembered.size, remembered.find({ stage: "only", asid: 0n }, 0n)]).toEqual([1, undefined]);
  });
});

describe("the mini kernel", () => {
  it("prints the same on a sticky board, and the checker finds nothing to say", () => {
    const image = readFileSync(new URL("../../../lib/systems/images/mini-kernel.elf", import.meta.url));
    const consoles = [{}, { translations: "sticky" }].map((config) => {
      const built = buildBoard({ ...(config as BoardConfig), checksFences: true });
      expect(built.loadElf(image).kind).toBe("elf");
      expect(built.run({ instructions: 2_000_000 })).toMatchObject({ reason: "poweroff", exitCode: 0 });
      expect(built.fenceReports({ all: true })).toEqual([]);
      return built.console.text;
    });
    expect(consoles[0]).toBe(consoles[1]);
    expect(consoles[0]).not.toBe("");
  });
});

describe("two harts", () => {
  /** Hart 1 reads the page and waits for hart 0, which maps it elsewhere, fences itself, and tells hart 1. */
  const shootdown = (remoteFence: string): string => `
    csrr t0, mhartid
    la t1, over
    csrw mtvec, t1
    li t1, -1
    csrw pmpaddr0, t1
    li t1, 0x1f
    csrw pmpcfg0, t1
    li t1, ${(8n << 60n) | (5n << 44n) | (ROOT >> 12n)}
    csrw satp, t1
    li t1, 0x800
    csrw mstatus, t1
    li s0, ${PLACE}
    li s1, ${LAST}
    li s2, ${pte(TWO, RW)}
    li s3, 0x80100ff0
    la t1, first
    beqz t0, go
    la t1, second
  go: csrw mepc, t1
    mret
    .balign 4
  over: csrw mie, zero
    wfi
    j over
  first: ld t0, 0(s3)
    beqz t0, first
    sd s2, 0(s1)
    sfence.vma s0
    ld a1, 0(s0)
    sd zero, 0(s3)
    ebreak
  second: ld a0, 0(s0)
    li t0, 1
    sd t0, 0(s3)
  wait: ld t0, 0(s3)
    bnez t0, wait
    ${remoteFence}
    ld a1, 0(s0)
    ebreak`;

  it("each remember by themselves: another hart's fence covers nothing here, and the checker says so", () => {
    for (const translations of ["coherent", "sticky"] as const) {
      const built = board({ harts: 2, translations, checksFences: true }, shootdown("nop"));
      run(built);
      const [first, second] = built.harts;
      expect([first?.read("a1"), second?.read("a0")]).toEqual([2n, 1n]);
      expect(second?.read("a1")).toBe(translations === "sticky" ? 1n : 2n);
      expect(built.fenceReports()).toMatchObject([
        { hart: 1, isRemote: true, writer: { hart: 0 }, fence: { instruction: "sfence.vma", hart: 1 } },
      ]);
      expect(built.fenceReports()[0]?.sentence).toContain("which the writing hart must ask for");
    }
  });

  it("are silent after a shootdown", () => {
    const built = board({ harts: 2, translations: "sticky", checksFences: true }, shootdown("sfence.vma s0"));
    run(built);
    expect([built.harts[1]?.read("a1"), built.fenceReports({ all: true })]).toEqual([2n, []]);
  });
});
