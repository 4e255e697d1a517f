/** Paravirtualized guests: what they are given, what they may ask for, and what they are refused. */
import { describe, expect, it } from "vitest";
import { PTE } from "../../../lib/mmu/pte.ts";
import { violationText } from "../../../lib/referee/violation.ts";
import { Fault } from "../../../lib/vmm/errors.ts";
import { HYPERCALLS } from "../../../lib/vmm/hypercalls.ts";
import { DomainState, FrameType, MOST_UPDATES, START_MAGIC } from "../../../lib/vmm/layout.ts";
import { seededNumbers } from "../../support/random.ts";
import { entryTo, FLAGS, Puppet } from "./paravirtual-scene.ts";
import { guestBytes } from "./vmm-scene.ts";

const LOAD_FAULT = { trap: 13n };
const STORE_FAULT = { trap: 15n };
const ILLEGAL = { trap: 2n };
const SV39 = 8n << 60n;
const NAMES = Object.keys(HYPERCALLS);
const [DATA, MORE] = [8, 9];

/** Nothing was found while it ran, and nothing is found by a look from nothing. */
function expectOrder({ judge }: Puppet): void {
  expect(judge.violations.map((violation) => violationText(violation))).toEqual([]);
  expect(judge.check().map((violation) => violationText(violation))).toEqual([]);
}

/** A page of zeros that the guest maps to be read alone, so that it can be a table. */
function spare(puppet: Puppet, page: number): bigint {
  const low = puppet.tables[0] ?? 0;
  expect(
    puppet.update({ at: puppet.entryAt(low, page), entry: entryTo(puppet.frame(page), FLAGS.readOnly) }),
  ).toBe(1n);
  return puppet.frame(page);
}

describe("a paravirtualized guest", () => {
  it("begins under tables of machine frames, and is told which frames it has", () => {
    const puppet = new Puppet();
    const { info, scene } = puppet;
    expect(info.magic).toBe(START_MAGIC);
    expect([info.domain, info.pages, info.lowTables]).toEqual([1, 48n, 1]);
    expect(scene.board.hart.read("s11")).toBe(puppet.virtual(43));
    expect(scene.board.hart.csr("hgatp")).toBe(0n);
    expect([info.root, info.tables]).toEqual([puppet.frame(47), puppet.virtual(45)]);
    expect(new Set(puppet.frames).size).toBe(48);
    const { state } = scene.vmm;
    const types = puppet.tables.map((page) => state.frame(puppet.frameNumber(page)).type);
    expect(types).toEqual([FrameType.PAGE_TABLE_0, FrameType.PAGE_TABLE_1, FrameType.PAGE_TABLE_2]);
    expectOrder(puppet);
  });

  it("reads its tables and cannot write them", () => {
    const puppet = new Puppet();
    for (const table of puppet.tables) {
      const at = puppet.virtual(table);
      expect(puppet.tell("load", { a0: at })).toEqual({ value: puppet.word(puppet.frame(table)) });
      expect(puppet.tell("store", { a0: at, a1: 0n })).toEqual(STORE_FAULT);
    }
  });

  it.each(["coherent", "sticky"] as const)(
    "changes its mappings, and the hart follows, where translations are %s",
    (translations) => {
      const puppet = new Puppet({ config: { translations } });
      const [low = 0] = puppet.tables;
      const at = puppet.entryAt(low, DATA);
      const address = puppet.virtual(DATA);
      const set = (page: number, flags: bigint) =>
        puppet.update({ at, entry: entryTo(puppet.frame(page), flags) });
      puppet.setWord(puppet.frame(DATA), 1n);
      puppet.setWord(puppet.frame(MORE), 2n);
      expect(puppet.tell("store", { a0: address + 8n, a1: 5n })).toEqual({ value: address + 8n });
      expect(set(MORE, FLAGS.readOnly)).toBe(1n);
      expect(puppet.tell("load", { a0: address })).toEqual({ value: 2n });
      expect(puppet.tell("store", { a0: address, a1: 5n })).toEqual(STORE_FAULT);
      expect(puppet.update({ at, entry: 0n })).toBe(1n);
      expect(puppet.tell("load", { a0: address })).toEqual(LOAD_FAULT);
      expect(set(DATA, FLAGS.readWrite)).toBe(1n);
      expect(puppet.tell("load", { a0: address })).toEqual({ value: 1n });
      expectOrder(puppet);
    },
  );
});

describe("an entry", () => {
  const puppet = new Puppet({
    others: [{ image: guestBytes("again: j again"), begins: "paravirtual", ramBytes: 65536 }],
  });
  const { state, map } = puppet.scene.vmm;
  const [low = 0, middle = 0, root = 0] = puppet.tables;
  const refused = (table: number, entry: bigint, fault: bigint): void => {
    const at = puppet.entryAt(table, 100);
    expect(puppet.update({ at, entry })).toBe(fault);
    expect(puppet.word(at)).toBe(0n);
    expectOrder(puppet);
  };
  const own = (flags: bigint): bigint => entryTo(puppet.frame(DATA), flags);

  it("above level 0 maps nothing: neither 2 MiB nor 1 GiB", () => {
    for (const table of [middle, root])
      for (const to of [0x8000_0000n, puppet.frame(DATA)])
        refused(table, entryTo(to, FLAGS.readOnly), Fault.INVALID);
  });

  it.each([
    ["is global", FLAGS.readOnly | PTE.G],
    ["is one of sixteen", FLAGS.readOnly | (1n << 63n)],
    ["has a memory type", FLAGS.readOnly | (1n << 61n)],
    ["has reserved bits", FLAGS.readOnly | (1n << 54n)],
    ["may be written and not read", PTE.V | PTE.W],
    ["leads to a table below level 0", FLAGS.table],
  ])("that %s is refused", (_, flags) => refused(low, own(flags), Fault.INVALID));

  it.each([
    ["U", PTE.U],
    ["A", PTE.A],
    ["D", PTE.D],
    ["G", PTE.G],
  ])("that leads to a table has no %s", (_, flag) =>
    refused(root, entryTo(puppet.frame(middle), FLAGS.table | flag), Fault.INVALID),
  );

  it("leads to frames of the guest's own and to no others, whatever for", () => {
    let neighbor = 0;
    while (state.frame(neighbor).owner !== 2) neighbor += 1;
    for (const to of [map.addressOf("frame_table"), state.frameAddress(neighbor), 0x1000_0000n, 1n << 55n])
      for (const flags of [FLAGS.readOnly, FLAGS.readWrite, FLAGS.execute])
        refused(low, entryTo(to, flags), Fault.NOT_PERMITTED);
  });

  it("maps no table to be written", () => {
    for (const table of puppet.tables)
      refused(low, entryTo(puppet.frame(table), FLAGS.readWrite), Fault.BUSY);
  });

  it("leads to a table of the level below and to no other: not to its own, and to no loop", () => {
    refused(root, entryTo(puppet.frame(root), FLAGS.table), Fault.BUSY);
    refused(root, entryTo(puppet.frame(low), FLAGS.table), Fault.BUSY);
    refused(middle, entryTo(puppet.frame(middle), FLAGS.table), Fault.BUSY);
    refused(middle, entryTo(puppet.frame(root), FLAGS.table), Fault.BUSY);
  });

  it("is in a table: the guest's memory is its own to write, and others' tables are not its business", () => {
    expect(puppet.update({ at: puppet.frame(DATA), entry: 0n })).toBe(Fault.INVALID);
    expect(puppet.update({ at: puppet.frame(low) + 4n, entry: 0n })).toBe(Fault.INVALID);
    expect(puppet.update({ at: state.root(1), entry: 0n })).toBe(Fault.NOT_PERMITTED);
    expect(puppet.update({ at: 0n, entry: 0n })).toBe(Fault.NOT_PERMITTED);
  });
});

describe("a list of updates", () => {
  it("is done up to the first that is refused, and the guest learns how far", () => {
    const puppet = new Puppet();
    const [low = 0] = puppet.tables;
    const good = { at: puppet.entryAt(low, 100), entry: entryTo(puppet.frame(DATA), FLAGS.readOnly) };
    expect(puppet.update(good, good, { ...good, entry: 0n }, { ...good, at: 0n }, good)).toBe(
      Fault.NOT_PERMITTED,
    );
    expect(puppet.scene.board.hart.read("a1")).toBe(3n);
    expect(puppet.word(good.at)).toBe(0n);
  });

  it("is done in pieces, and read with the guest's rights alone", () => {
    const puppet = new Puppet();
    const many = BigInt(MOST_UPDATES) + 5n;
    const at = puppet.entryAt(puppet.tables[0] ?? 0, 100);
    puppet.update(...Array.from({ length: 100 }, () => ({ at, entry: 0n })));
    expect(puppet.call("pv_update", puppet.virtual(1), many)).toBe(BigInt(MOST_UPDATES));
    expect(puppet.call("pv_update", puppet.virtual(1), -1n)).toBe(BigInt(MOST_UPDATES));
    expect(puppet.call("pv_update", puppet.virtual(1), 0n)).toBe(0n);
    const hypervisors = puppet.scene.vmm.map.addressOf("domains");
    for (const list of [0n, 8n, hypervisors, -8n, puppet.virtual(48) - 8n])
      expect(puppet.call("pv_update", BigInt.asUintN(64, list), 1n)).toBe(Fault.BAD_ADDRESS);
    expectOrder(puppet);
  });
});

describe("a table", () => {
  it("is made of memory that nobody can write, and is memory again when it is wanted as such", () => {
    const puppet = new Puppet();
    const [low = 0] = puppet.tables;
    const entry = { at: puppet.entryAt(low, DATA), entry: entryTo(puppet.frame(DATA), FLAGS.readWrite) };
    expect(puppet.call("pv_pin", puppet.frame(DATA), 0n)).toBe(Fault.BUSY);
    const frame = spare(puppet, DATA);
    puppet.setWord(frame + 800n, entryTo(puppet.frame(MORE), FLAGS.readOnly));
    expect(puppet.call("pv_pin", frame, 0n)).toBe(0n);
    expect(puppet.call("pv_pin", frame, 0n)).toBe(Fault.BUSY);
    expect(puppet.update(entry)).toBe(Fault.BUSY);
    expect(puppet.call("pv_pin", frame, 1n)).toBe(Fault.BUSY);
    const view = puppet.scene.vmm.state.frame(puppet.frameNumber(MORE));
    expect(view.refCount).toBe(3);
    expect(puppet.call("pv_unpin", frame)).toBe(0n);
    expect(puppet.call("pv_unpin", frame)).toBe(Fault.NO_ENTRY);
    expect(view.refCount).toBe(3);
    expect(puppet.update(entry)).toBe(1n);
    expect(view.refCount).toBe(2);
    expect(puppet.tell("store", { a0: puppet.virtual(DATA), a1: 1n })).toEqual({
      value: puppet.virtual(DATA),
    });
    expectOrder(puppet);
  });

  it("that leads to itself is none, on any level", () => {
    const puppet = new Puppet();
    const frame = spare(puppet, DATA);
    for (const [level, flags] of [
      [0n, FLAGS.readWrite],
      [1n, FLAGS.table],
      [2n, FLAGS.table],
    ] as const) {
      puppet.setWord(frame + 8n, entryTo(frame, flags));
      expect(puppet.call("pv_pin", frame, level)).toBe(Fault.BUSY);
      expect(puppet.scene.vmm.state.frame(puppet.frameNumber(DATA))).toMatchObject({
        type: FrameType.RAM,
        typeCount: 0,
        refCount: 2,
      });
    }
    expectOrder(puppet);
  });

  it("may be checked together with those below it, a few in one call; to ask again gets further", () => {
    const puppet = new Puppet();
    const pages = Array.from({ length: 12 }, (_, index) => 10 + index);
    const frames = pages.map((page) => spare(puppet, page));
    const top = spare(puppet, DATA);
    for (const [index, frame] of frames.entries())
      puppet.setWord(top + 8n * BigInt(index), entryTo(frame, FLAGS.table));
    expect(puppet.call("pv_pin", top, 1n)).toBe(Fault.TOO_MUCH);
    expect(puppet.call("pv_pin", top, 1n)).toBe(0n);
    expectOrder(puppet);
  });

  it("is named by a page of the guest's, and has a level", () => {
    const puppet = new Puppet();
    const strangers = [0n, 0x8020_0000n, 0x1000_0000n, 1n << 60n];
    for (const frame of strangers) expect(puppet.call("pv_pin", frame, 0n)).toBe(Fault.NOT_PERMITTED);
    for (const frame of strangers) expect(puppet.call("pv_set_root", frame)).toBe(Fault.NOT_PERMITTED);
    for (const frame of strangers) expect(puppet.call("pv_unpin", frame)).toBe(Fault.NO_ENTRY);
    expect(puppet.call("pv_pin", puppet.frame(DATA) + 8n, 0n)).toBe(Fault.INVALID);
    expect(puppet.call("pv_pin", puppet.frame(DATA), 3n)).toBe(Fault.INVALID);
    expect(puppet.call("pv_set_root", puppet.frame(47) + 8n)).toBe(Fault.INVALID);
    expect(puppet.call("pv_fence", 0n, 2n)).toBe(Fault.INVALID);
  });
});

describe("the root", () => {
  it("is what CSRW to satp says, if it is one; never none", () => {
    const puppet = new Puppet();
    const [, middle = 0, root = 0] = puppet.tables;
    const satp = (page: number): bigint => SV39 | (puppet.frame(page) >> 12n);
    const frame = spare(puppet, DATA);
    puppet.setWord(frame + 16n, puppet.word(puppet.entryAt(root, 2)));
    const { hart } = puppet.scene.board;
    for (const value of [
      0n,
      puppet.frame(root) >> 12n,
      (9n << 60n) | (frame >> 12n),
      SV39,
      satp(middle),
      satp(MORE),
    ])
      expect(puppet.tell("satp", { a0: value })).toEqual(ILLEGAL);
    expect(puppet.tell("satp", { a0: satp(DATA) })).toEqual({ value: satp(DATA) });
    expect(hart.csr("vsatp") & ((1n << 44n) - 1n)).toBe(frame >> 12n);
    expect(puppet.call("pv_set_root", puppet.frame(root))).toBe(0n);
    expect(puppet.tell("fence", {})).toEqual({ value: 0n });
    expectOrder(puppet);
  });
});

describe("a paravirtualized guest that asks for anything", () => {
  it("breaks no rule, and the hypervisor goes on", () => {
    for (let seed = 1; seed <= (process.env["DOM0_TEST_FULL"] === "1" ? 60 : 4); seed++) {
      const number = seededNumbers(seed);
      const puppet = new Puppet({ others: [{ image: guestBytes("again: wfi\n j again"), ramBytes: 65536 }] });
      const { tables, pages } = puppet;
      const values = (): bigint =>
        [
          ...[
            0n,
            1n,
            2n,
            3n,
            31n,
            64n,
            4096n,
            2n ** 64n - 1n,
            1n << 41n,
            1n << 63n,
            0x8020_0000n,
            0x1000_0000n,
          ],
          ...[
            puppet.frame(8 + number(pages - 12)),
            puppet.frame(tables[number(3)] ?? 0),
            puppet.virtual(number(pages)),
          ],
          puppet.entryAt(tables[number(3)] ?? 0, 100 + number(8)),
        ][number(16)] ?? 0n;
      for (let call = 0; call < 120; call++) {
        const name = NAMES[number(NAMES.length)] ?? "";
        // What a page of its own holds is its own business, but not that of the page with its code.
        const list = number(2) === 0 ? puppet.virtual(1) : values();
        puppet.call(name, list, values(), values(), values());
      }
      expectOrder(puppet);
      expect(puppet.scene.vmm.state.domain(1).state).toBe(DomainState.RUNNING);
    }
  });
});
