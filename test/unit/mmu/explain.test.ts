/** Explanations name the bit that said no. */
import { beforeEach, describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import type { TrapEvent } from "../../../lib/hart/trap-event.ts";
import { type CsrName, encodeCsr } from "../../../lib/isa/csr-map.ts";
import { MODE_NUMBER, type Mode } from "../../../lib/isa/mode.ts";
import { explainTranslation } from "../../../lib/mmu/explain-translation.ts";
import { explainTrap } from "../../../lib/mmu/explain-trap.ts";
import { PTE } from "../../../lib/mmu/pte.ts";
import { type BareMachine, bareMachine, loadText } from "../../support/bare-machine.ts";

const { V, R, W, X, U, A, D } = PTE;
const ALL = V | R | W | X | U | A | D;
const pte = (address: bigint, flags: bigint): bigint => ((address >> 12n) << 10n) | flags;
let machine: BareMachine;
const set = (name: CsrName, value: bigint): void => writeCsr(machine.hart, name, value);
const put = (address: bigint, entry: bigint): void =>
  machine.ram.store(Number(address) - machine.ram.base, 8, entry);

/** Tables at 0x8000_4000; 0x4000_0000 leads to RAM's first page through `leaf`. */
beforeEach(() => {
  machine = bareMachine();
  set("pmpaddr0", 2n ** 54n - 1n);
  set("pmpcfg0", 0x1fn);
  set("satp", encodeCsr("satp", { MODE: 8, ASID: 7, PPN: 0x80004n }));
  put(0x8000_4008n, pte(0x8000_5000n, V));
  put(0x8000_5000n, pte(0x8000_6000n, V));
});

const map = (flags: bigint): void => put(0x8000_6000n, pte(0x8000_0000n, flags));
const enter = (mode: Mode): void => {
  machine.hart.state.modeNumber = MODE_NUMBER[mode];
  machine.hart.stateReplaced();
};

describe("explainTranslation", () => {
  it("shows every level down to the page", () => {
    map(ALL);
    const told = explainTranslation(machine.hart, 0x4000_0123n, "load", "U");
    expect(told).toMatchObject({
      ok: true,
      paddr: 0x8000_0123n,
      pageBytes: 4096n,
      failedBit: undefined,
      mode: "U",
    });
    expect(told.satp).toEqual({ MODE: "Sv39", ASID: 7n, PPN: 0x80004n });
    expect(told.levels.map((level) => level.sentence)).toEqual([
      "PTE 2 at 0x8000_4008 points to the next table, at 0x8000_5000.",
      "PTE 1 at 0x8000_5000 points to the next table, at 0x8000_6000.",
      "PTE 0 at 0x8000_6000 is a leaf: DA-UXWRV, the page at 0x8000_0000.",
    ]);
    expect(told.levels[2]).toMatchObject({
      level: 0,
      vpnIndex: 0,
      ppn: 0x80000n,
      flagsText: "DA-UXWRV",
      flags: { V: true, G: false },
    });
    expect(told.sentence).toBe("0x4000_0123 leads to 0x8000_0123, in a 4 KiB page.");
    expect(told.pmp).toEqual({
      allowed: true,
      entry: 0,
      sentence: "PMP entry 0 (NAPOT, -XWR) allows 0x8000_0123 to user mode (load).",
    });
  });

  it("knows 64 KiB pages and memory types, in words and values", () => {
    set("menvcfg", 1n << 62n);
    put(0x8000_6000n, pte(0x8000_8000n, ALL) | (1n << 63n) | (2n << 61n));
    const told = explainTranslation(machine.hart, 0x4000_0123n, "load", "U");
    expect(told).toMatchObject({ ok: true, paddr: 0x8000_0123n, pageBytes: 0x1_0000n, memoryType: "IO" });
    expect(told.levels[2]).toMatchObject({ isNapot: true, memoryType: "IO" });
    expect(told.levels[2]?.sentence).toBe(
      "PTE 0 at 0x8000_6000 is a leaf: DA-UXWRV, memory type IO, with N=1 for the 64 KiB at 0x8000_0000.",
    );
    expect(told.sentence).toBe("0x4000_0123 leads to 0x8000_0123, in a 64 KiB page.");
  });

  it.each([
    [0n, 1n << 61n, "PBMT", /has PBMT \(bits 62–61\) = 1: while menvcfg\.PBMTE is 0, they must be zero/],
    [1n << 62n, 3n << 61n, "PBMT", /has PBMT \(bits 62–61\) = 3: this memory type is reserved/],
    [
      0n,
      1n << 63n,
      "N",
      /has N \(bit 63\) = 1 and a PPN that ends in 0000: only 1000, which is 64 KiB, is defined/,
    ],
  ])("names bits 63 to 61 (menvcfg %s, bits %s)", (menvcfg, bits, failedBit, sentence) => {
    set("menvcfg", menvcfg);
    put(0x8000_6000n, pte(0x8000_0000n, ALL) | bits);
    const told = explainTranslation(machine.hart, 0x4000_0123n, "load", "U");
    expect(told).toMatchObject({ ok: false, failedBit });
    expect(told.sentence).toMatch(sentence);
  });

  it("walks four levels under Sv48, and says which bits of an address must repeat", () => {
    set("satp", encodeCsr("satp", { MODE: 9, PPN: 0x80003n }));
    put(0x8000_3000n, pte(0x8000_4000n, V));
    map(ALL);
    const told = explainTranslation(machine.hart, 0x4000_0123n, "load", "U");
    expect([told.satp.MODE, told.levels.map(({ level }) => level)]).toEqual(["Sv48", [3, 2, 1, 0]]);
    expect(told.paddr).toBe(0x8000_0123n);
    const outside = explainTranslation(machine.hart, 1n << 47n, "load", "U");
    expect(outside.sentence).toBe("0x8000_0000_0000 is no Sv48 address: bits 63–48 must all equal bit 47.");
  });

  it.each([
    [
      "U",
      "load",
      ALL & ~U,
      "U",
      "PTE 0 at 0x8000_6000 has U=0: user mode may not use this page (mode U, load).",
    ],
    [
      "S",
      "load",
      ALL,
      "U",
      "PTE 0 at 0x8000_6000 has U=1: supervisor mode may not use a user page while mstatus.SUM is 0 (mode S, load).",
    ],
    [
      "S",
      "fetch",
      ALL,
      "U",
      "PTE 0 at 0x8000_6000 has U=1: supervisor mode never executes a user page, whatever SUM says (mode S, fetch).",
    ],
    [
      "U",
      "store",
      ALL & ~W,
      "W",
      "PTE 0 at 0x8000_6000 has W=0: the page may not be written (mode U, store).",
    ],
    [
      "U",
      "fetch",
      ALL & ~X,
      "X",
      "PTE 0 at 0x8000_6000 has X=0: the page may not be executed (mode U, fetch).",
    ],
    [
      "U",
      "load",
      ALL & ~R & ~W,
      "R",
      "PTE 0 at 0x8000_6000 has R=0: it may be executed, but not read while mstatus.MXR is 0 (mode U, load).",
    ],
    [
      "U",
      "load",
      0n,
      "V",
      "PTE 0 at 0x8000_6000 has V=0: it is not valid, nothing is mapped here (mode U, load).",
    ],
    [
      "U",
      "load",
      ALL & ~A,
      "A",
      "PTE 0 at 0x8000_6000 has A=0: while menvcfg.ADUE is 0, software must set it before the first use (mode U, load).",
    ],
    [
      "U",
      "store",
      ALL & ~D,
      "D",
      "PTE 0 at 0x8000_6000 has D=0: while menvcfg.ADUE is 0, software must set it before the first store (mode U, store).",
    ],
  ] as const)("for %s %s says which bit refused", (mode, access, flags, failedBit, sentence) => {
    map(flags);
    expect(explainTranslation(machine.hart, 0x4000_0000n, access, mode)).toMatchObject({
      ok: false,
      failedBit,
      sentence,
      paddr: undefined,
    });
  });

  it("tells a hole in the address space, an unmapped table and PMP apart", () => {
    expect(explainTranslation(machine.hart, 0x0080_0000_0000_0000n, "load", "S")).toMatchObject({
      failedBit: "address",
      levels: [],
    });
    expect(explainTranslation(machine.hart, 0x8000_0000n, "load", "S").levels).toMatchObject([
      { level: 2, verdict: "invalid" },
    ]);
    map(ALL);
    set("pmpaddr0", 0x8000_0000n >> 2n);
    set("pmpaddr1", (0x8000_1000n >> 2n) | 0x1ffn);
    set("pmpaddr2", 2n ** 54n - 1n);
    set("pmpcfg0", 0x1f_19_09n);
    expect(explainTranslation(machine.hart, 0x4000_0000n, "load", "U").ok).toBe(true);
    set("pmpaddr1", (0x8000_0000n >> 2n) | 0x1ffn);
    const refused = explainTranslation(machine.hart, 0x4000_0000n, "store", "U");
    expect(refused).toMatchObject({ ok: false, failedBit: "PMP", paddr: 0x8000_0000n });
    expect(refused.sentence).toBe(
      "PMP entry 1 (NAPOT, ---R) matches 0x8000_0000 with W=0: user mode (store) is refused.",
    );
  });

  it("says when a PMP entry splits an access", () => {
    map(ALL);
    set("pmpaddr0", 0x8000_0000n >> 2n);
    set("pmpaddr1", 2n ** 54n - 1n);
    set("pmpcfg0", 0x1f_17n);
    expect(explainTranslation(machine.hart, 0x4000_0000n, "load", "U", 4).ok).toBe(true);
    const split = explainTranslation(machine.hart, 0x4000_0000n, "load", "U", 8);
    expect(split).toMatchObject({ ok: false, failedBit: "PMP" });
    expect(split.sentence).toBe(
      "PMP entry 0 (NA4, -XWR) contains only some of the 8 bytes at 0x8000_0000: the access is refused.",
    );
  });

  it("says why machine mode's addresses are physical", () => {
    expect(explainTranslation(machine.hart, 0x8000_0000n, "load")).toMatchObject({
      ok: true,
      mode: "M",
      levels: [],
      paddr: 0x8000_0000n,
    });
  });

  it("says who answers at the physical address, or that nobody does", () => {
    expect(explainTranslation(machine.hart, 0x8000_0000n, "load").reaches).toBe("RAM");
    put(0x8000_6000n, pte(0x4000_0000n, ALL));
    expect(explainTranslation(machine.hart, 0x4000_0000n, "load", "U")).toMatchObject({
      ok: false,
      failedBit: "bus",
      paddr: 0x4000_0000n,
      sentence: "0x4000_0000 leads to 0x4000_0000, in a 4 KiB page. Neither RAM nor a device answers there.",
    });
  });

  it("changes nothing, even under ADUE", () => {
    map(ALL & ~A & ~D);
    set("menvcfg", 1n << 61n);
    expect(explainTranslation(machine.hart, 0x4000_0000n, "store", "U").ok).toBe(true);
    expect(machine.ram.load(0x6000, 8)).toBe(pte(0x8000_0000n, ALL & ~A & ~D));
  });
});

describe("explainTrap", () => {
  const trapOf = (mode: Mode, line: string): TrapEvent => {
    const events: TrapEvent[] = [];
    loadText(machine, line);
    machine.hart.pc = 0x4000_0000n;
    const stop = machine.hart.onTrap((event) => events.push(event));
    enter(mode);
    machine.engine.step();
    stop();
    const [event] = events;
    if (event === undefined) throw new Error("no trap");
    return event;
  };

  it("tells a page fault's story with the walk and the delegation bit", () => {
    map(ALL);
    set("medeleg", 1n << 13n);
    const event = trapOf("U", "ld a0, 0(zero)");
    const told = explainTrap(machine.hart, event);
    expect(told).toMatchObject({
      name: "load page fault",
      cause: 13,
      from: "U",
      to: "S",
      epc: 0x4000_0000n,
      tval: 0n,
      tvalMeaning: "the virtual address of the access",
    });
    expect(told.route).toBe("bit 13 of medeleg is 1, so supervisor mode handles it");
    expect(told.walk).toMatchObject({ ok: false, failedBit: "V", mode: "U" });
    expect(told.sentence).toBe(
      "User mode trapped at 0x4000_0000: load page fault. PTE 2 at 0x8000_4000 has V=0: it is not valid, nothing is mapped here (mode U, load). Bit 13 of medeleg is 1, so supervisor mode handles it.",
    );
  });

  it("reads the last trap out of the CSRs when there is no event", () => {
    map(ALL);
    const event = trapOf("U", "ecall");
    expect(explainTrap(machine.hart)).toEqual(explainTrap(machine.hart, event));
  });

  it("shows the instruction that was illegal", () => {
    map(ALL);
    const told = explainTrap(machine.hart, trapOf("U", "csrr a0, mstatus"));
    expect(told.tvalMeaning).toBe("the instruction word: csrrs a0, mstatus, zero");
    expect(told.route).toBe("bit 2 of medeleg is 0, so machine mode handles it");
  });

  it("says that machine mode's traps are not delegated", () => {
    loadText(machine, "ecall");
    const events: TrapEvent[] = [];
    machine.hart.onTrap((event) => events.push(event));
    machine.engine.step();
    expect(explainTrap(machine.hart, events[0]).route).toContain("medeleg is not asked");
  });
});
