/** Paravirtualized guests beside others: what they share, how they take turns, and how they begin and end. */
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { hpa } from "../../../lib/hs/address.ts";
import type { HypervisorOptions } from "../../../lib/hs/hypervisor.ts";
import { referee } from "../../../lib/referee/referee.ts";
import { violationText } from "../../../lib/referee/violation.ts";
import { FIRST_HYPERCALL, HYPERCALLS } from "../../../lib/vmm/hypercalls.ts";
import { installVmm, printedBy } from "../../../lib/vmm/hypervisor.ts";
import {
  DomainFlag,
  DomainState,
  paravirtualPlaces,
  START_MAGIC,
  StartInfo,
} from "../../../lib/vmm/layout.ts";
import type { Guest } from "../../../lib/vmm/loader.ts";
import { carryOut, createGuest } from "../../../lib/vmm/operator.ts";
import { guestBytes, type VmmScene, vmmScene } from "./vmm-scene.ts";

const NAMES = Object.keys(HYPERCALLS);
/** A call by name, with numbers or registers as arguments. */
const call = (name: string, ...args: readonly (number | string)[]): string =>
  [
    ...args.map((value, index) =>
      typeof value === "number" ? `li a${index}, ${value}` : `mv a${index}, ${value}`,
    ),
    `li a7, ${FIRST_HYPERCALL + BigInt(NAMES.indexOf(name))}`,
    "ecall",
  ].join("\n");
/** Prints the low four nibbles of a register, `a` for 0. */
const show = (register: string): string =>
  Array.from(
    { length: 4 },
    (_, digit) =>
      `srli a0, ${register}, ${4 * (3 - digit)}\n andi a0, a0, 15\n addi a0, a0, 97\n li a7, 1\n ecall`,
  ).join("\n");
const shows = (...registers: readonly string[]): string => registers.map(show).join("\n");
const letters = (...values: readonly number[]): string =>
  values
    .map((value) =>
      value
        .toString(16)
        .padStart(4, "0")
        .replace(/./g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 16))),
    )
    .join("");
const OFF = "li a7, 8\n ecall";

const PAGES = 64;
const places = paravirtualPlaces(PAGES);
/** `s0`: the start page, `s1`: the list of frames. */
const BEGIN = `mv s0, a1\n ld s1, ${StartInfo.offsetOf("frames")}(s0)`;
/** Machine address of a page. */
const frame = (page: number, register: string): string =>
  `ld ${register}, ${8 * page}(s1)\n slli ${register}, ${register}, 12`;
const pv = (text: string): Guest => ({
  image: guestBytes(`${BEGIN}\n${text}`),
  begins: "paravirtual",
  ramBytes: PAGES * 4096,
});
const hvm = (text: string): Guest => ({ image: guestBytes(text), ramBytes: 1 << 20 });
const WORK = 0x8001_0000;
const WORK_PAGE = 16;
const THERE = 0x4000_0000;

interface Judged extends VmmScene {
  readonly found: readonly string[];
}
/** Runs guests to their ends, with the referee beside them. */
function run(
  guests: readonly Guest[],
  {
    instructions = 3_000_000,
    hypervisor = {},
    translations = "coherent",
  }: {
    readonly instructions?: number;
    readonly hypervisor?: HypervisorOptions;
    readonly translations?: "coherent" | "sticky";
  } = {},
): Judged {
  const scene = vmmScene({ guests, slice: 3_000 }, hypervisor, { ramBytes: 32 << 20, translations });
  const judge = referee(scene.board, scene.vmm);
  scene.board.run({ instructions });
  const all = [...judge.violations, ...judge.check()];
  return { ...scene, found: all.map((violation) => violationText(violation)) };
}
const ended = ({ vmm }: VmmScene): readonly number[] => [1, 2].map((id) => vmm.state.domain(id).state);

/** Grants a page, waits for an interrupt by an event, and looks at the page again. */
const granter = (address: string, wait: string): string => `
  li s2, ${WORK}\n li t0, 0x1234\n sd t0, (s2)\n ${address}
  ${call("grant", 2, "s3", 1)}\n mv s4, a0\n ${call("event_allocate", 2)}
  wait: ${wait}\n ${call("event_take")}\n beqz a0, wait\n mv s5, a0
  ld s6, (s2)\n ${call("grant_revoke", "s4")}\n mv s7, a0
  again: ${call("yield")}\n ${call("grant_revoke", "s4")}\n bnez a0, again
  ${shows("s4", "s5", "s6", "s7")}\n ${OFF}`;
/** Maps it, reads, writes, and gives it back. `s3`: where; `s2`: the address that then leads there. */
const mapper = (where: string): string => `
  la t0, handler\n csrw stvec, t0\n ${where}
  bind: ${call("yield")}\n ${call("event_bind", 1, 1)}\n blez a0, bind\n mv s4, a0
  ${call("grant_map", 1, 0, "s3", 1)}\n mv s5, a0\n ld s6, (s2)\n li t0, 0x5678\n sd t0, (s2)
  ${call("event_send", "s4")}\n ${Array.from({ length: 6 }, () => call("yield")).join("\n")}
  ${call("grant_unmap", "s5")}\n mv s7, a0\n ld t0, (s2)\n .align 2\n handler: csrr s8, scause
  ${shows("s4", "s5", "s6", "s7", "s8")}\n ${OFF}`;
const INTERRUPT = "li t0, 0x200\n csrw sie, t0\n wfi";

describe("a page that is granted", () => {
  const fromPv = pv(granter(frame(WORK_PAGE, "s3"), INTERRUPT));
  const fromHvm = hvm(granter("mv s3, s2", call("yield")));
  const toHvm = hvm(mapper(`li s2, ${THERE}\n mv s3, s2`));
  // Entry 100 of the lowest table.
  const toPv = pv(
    mapper(`${frame(places.tables, "s3")}\n addi s3, s3, 800\n li s2, ${0x8000_0000 + 100 * 4096}`),
  );
  const GRANTED = letters(0, 2, 0x5678, 0xfff0);
  it.each([
    ["a paravirtualized guest to one with a second stage", fromPv, toHvm, 5],
    ["a guest with a second stage to a paravirtualized one", fromHvm, toPv, 13],
    ["one paravirtualized guest to another", fromPv, toPv, 13],
  ] as const)("by %s is shared, and an event tells of it", (_, from, to, cause) => {
    for (const translations of ["coherent", "sticky"] as const) {
      const scene = run([from, to], { translations });
      expect(printedBy(scene.vmm, 1)).toBe(GRANTED);
      expect(printedBy(scene.vmm, 2)).toBe(letters(1, 0, 0x1234, 0, cause));
      expect(ended(scene)).toEqual([DomainState.OFF, DomainState.OFF]);
      expect(scene.found).toEqual([]);
    }
  });

  it("is mapped by no other call, and not twice", () => {
    const entry = 0x8000_0000 + 4096 * places.tables + 800;
    const scene = run(
      [
        hvm(`li t0, ${WORK}\n sd t0, (t0)\n ${call("grant", 2, WORK, 0)}\n stay: ${call("yield")}\n j stay`),
        pv(`${frame(places.tables, "s3")}\n addi s3, s3, 800
          retry: ${call("yield")}\n ${call("grant_map", 1, 0, "s3", 0)}\n bltz a0, retry
          li s4, ${WORK}\n sd s3, (s4)\n sd zero, 8(s4)\n ${call("pv_update", "s4", 1)}\n mv s5, a0
          addi t0, s3, 8\n sd t0, (s4)\n li t1, ${entry}\n ld t1, (t1)\n sd t1, 8(s4)
          ${call("pv_update", "s4", 1)}\n mv s6, a0
          ${call("grant_map", 1, 0, "s3", 1)}\n mv s7, a0\n ${call("grant_map", 1, 0, "s3", 0)}\n mv s8, a0
          ${shows("s5", "s6", "s7", "s8")}\n ${OFF}`),
      ],
      { instructions: 60_000 },
    );
    // Taken away: busy. Copied, or wanted writable: not permitted. A second time: busy.
    expect(printedBy(scene.vmm, 2)).toBe(letters(0xfff0, 0xffff, 0xffff, 0xfff0));
    expect(scene.found).toEqual([]);
  });
});

/** Counts up in a page of its own, prints what it has, and ends. */
const COUNTER = `li s2, ${WORK}\n li s3, 20000
  loop: ld t0, (s2)\n addi t0, t0, 1\n sd t0, (s2)\n addi s3, s3, -1\n bnez s3, loop\n ${show("t0")}\n ${OFF}`;

describe("guests of both kinds", () => {
  const guests = [pv(COUNTER), hvm(COUNTER), pv(COUNTER)];
  it.each(["coherent", "sticky"] as const)(
    "take turns and keep apart where translations are %s",
    (translations) => {
      const scene = run(guests, { translations });
      expect([1, 2, 3].map((id) => printedBy(scene.vmm, id))).toEqual(Array(3).fill(letters(20000)));
      expect(Number(scene.vmm.state.pcpu(0).switches)).toBeGreaterThan(10);
      expect(scene.found).toEqual([]);
    },
  );

  it("leave the same trace when the hypervisor's handlers forget everything between traps", () => {
    const [ordinary, forgetful] = [{}, { handlers: { amnesia: { seed: 3 } } }].map((hypervisor) =>
      run(guests, { hypervisor }),
    );
    expect(forgetful?.board.trace.hash()).toBe(ordinary?.board.trace.hash());
  });
});

describe("a paravirtualized guest", () => {
  it("starts a second virtual CPU under its own root, and both have address spaces of their own", () => {
    const scene = run([
      {
        ...pv(`li a7, 0x48534d\n li a6, 0\n li a0, 1\n la a1, other\n li a2, 77\n ecall\n mv s4, a0
          li s2, ${WORK}\n wait: ${call("yield")}\n ld s5, (s2)\n beqz s5, wait\n ${shows("s4", "s5")}\n ${OFF}
          other: li s2, ${WORK}\n add t0, a0, a1\n sd t0, (s2)\n stay: ${call("yield")}\n j stay`),
        vcpus: 2,
      },
    ]);
    expect(printedBy(scene.vmm, 1)).toBe(letters(0, 78));
    const asids = [0, 1].map((index) => (scene.vmm.state.vcpu(index).vs.vsatp >> 44n) & 0xffffn);
    expect(new Set(asids).size).toBe(2);
    expect(scene.found).toEqual([]);
  });

  it("prints from a page that it names by its machine address, and from no other's", () => {
    const dbcn = (register: string): string =>
      `li a7, 0x4442434e\n li a6, 0\n li a0, 2\n mv a1, ${register}\n li a2, 0\n ecall\n mv s4, a0`;
    const scene = run([
      pv(`li s2, ${WORK}\n li t0, 0x6968\n sd t0, (s2)\n ${frame(WORK_PAGE, "s3")}\n ${dbcn("s3")}
        ${frame(places.tables, "s3")}\n ${dbcn("s3")}\n ${show("s4")}\n li s3, 0x80200000\n ${dbcn("s3")}\n ${show("s4")}\n ${OFF}`),
    ]);
    expect(printedBy(scene.vmm, 1)).toBe(`hi${letters(0xfffd, 0xfffd)}`);
  });

  it("has user programs, whose satp is nobody's business", () => {
    const scene = run([
      pv(`la t0, handler\n csrw stvec, t0
        li s2, ${WORK}\n ${frame(places.tables, "s3")}\n addi t0, s3, ${8 * 17}\n sd t0, (s2)
        ${frame(17, "t0")}\n srli t0, t0, 2\n ori t0, t0, 0xdb\n sd t0, 8(s2)
        li t1, 0x80011000\n la t2, user\n ld t3, (t2)\n sd t3, (t1)\n ${call("pv_update", "s2", 1)}
        li t0, 0x80011000\n csrw sepc, t0\n li t0, 0x100\n csrc sstatus, t0\n ld a1, 8(s2)\n sret
        .align 3\n user: csrw satp, a1\n ebreak
        .align 2\n handler: csrr s4, scause\n csrr s5, sepc\n ${shows("s4", "s5")}\n ${OFF}`),
    ]);
    expect(printedBy(scene.vmm, 1)).toBe(letters(2, 0x1000));
    expect(scene.found).toEqual([]);
  });

  it("goes on from a snapshot as if nothing had been", () => {
    const scene = vmmScene({ guests: [pv(COUNTER), hvm(COUNTER)], slice: 3_000 }, {}, { ramBytes: 32 << 20 });
    scene.board.run({ instructions: 60_000 });
    const snapshot = scene.board.snapshot();
    scene.board.run({ instructions: 3_000_000 });
    const hash = scene.board.trace.hash();
    scene.board.revert(snapshot);
    scene.board.run({ instructions: 3_000_000 });
    expect(scene.board.trace.hash()).toBe(hash);
    expect(printedBy(scene.vmm, 1)).toBe(letters(20000));
  });
});

describe("a paravirtualized guest that is destroyed", () => {
  const map = (): string =>
    `retry: ${call("yield")}\n ${call("grant_map", 1, 0, "s3", 1)}\n bltz a0, retry\n mv s5, a0
     li s4, ${WORK}\n sd zero, 8(s4)
     stay: ${call("yield")}\n ld t0, 8(s4)\n beqz t0, stay\n ld s6, (s2)\n ${call("grant_unmap", "s5")}\n ${show("s6")}\n ${OFF}`;
  const lend = (text: string): string =>
    `li s2, ${WORK}\n li t0, 0x1234\n sd t0, (s2)\n ${text}\n ${call("grant", 2, "s3", 1)}\n stay: ${call("yield")}\n j stay`;
  const toHvm = hvm(`li s2, ${THERE}\n mv s3, s2\n ${map()}`);
  const toPv = pv(
    `${frame(places.tables, "s3")}\n addi s3, s3, 800\n li s2, ${0x8000_0000 + 100 * 4096}\n ${map()}`,
  );
  const lender = pv(lend(frame(WORK_PAGE, "s3")));

  function begin(guests: readonly Guest[], translations: "coherent" | "sticky") {
    const scene = vmmScene(
      { guests, slice: 3_000, operated: true },
      {},
      { ramBytes: 32 << 20, translations },
    );
    const judge = referee(scene.board, scene.vmm);
    scene.board.run({ instructions: 150_000 });
    const expectOrder = (): void =>
      expect([...judge.violations, ...judge.check()].map((violation) => violationText(violation))).toEqual(
        [],
      );
    expect(scene.vmm.state.foreign(0).mapper).toBe(2);
    expectOrder();
    return { ...scene, expectOrder };
  }
  /** Tells the guest with a mapping to go on to its end. */
  function tell({ vmm, board }: VmmScene, page: bigint): void {
    board.memory.store(page + 8n, 8, 1n);
    board.run({ instructions: 150_000 });
    expect(printedBy(vmm, 2)).toBe(letters(0x1234));
  }
  /** Where a paravirtualized guest's page lies: its list is in its last pages. */
  function pageOf({ vmm, board }: VmmScene, domain: number): bigint {
    const { state } = vmm;
    let number = state.bootInfo.poolEnd as bigint;
    for (; state.frame(state.frameNumber(hpa(number))).owner !== domain; ) number += 4096n;
    for (; ; number += 4096n)
      if (
        board.memory.load(number, 8) === START_MAGIC &&
        board.memory.load(number + 8n, 4) === BigInt(domain)
      )
        return (board.memory.load(number + 4096n + BigInt(8 * WORK_PAGE), 8) as bigint) << 12n;
  }

  it.each(["coherent", "sticky"] as const)(
    "leaves its granted page to those who map it, and all else (%s)",
    (translations) => {
      const scene = begin([lender, toPv], translations);
      const { state } = scene.vmm;
      const told = pageOf(scene, 2);
      expect(carryOut(scene, { kind: "DESTROY", domain: 1 })).toBe(0);
      expect([state.domain(1).state, state.domain(1).frames]).toEqual([DomainState.DYING, 1]);
      scene.expectOrder();
      tell(scene, told);
      expect(state.domain(1).state).toBe(DomainState.NONE);
      scene.expectOrder();
    },
  );

  it("gives back what it has mapped of others'", () => {
    for (const second of [toPv, toHvm]) {
      const scene = begin([second === toPv ? hvm(lend("mv s3, s2")) : lender, second], "sticky");
      expect(carryOut(scene, { kind: "DESTROY", domain: 2 })).toBe(0);
      scene.board.run({ instructions: 50_000 });
      const { state } = scene.vmm;
      expect([state.domain(2).state, state.foreign(0).mapper]).toEqual([DomainState.NONE, 0]);
      expect(state.domain(1).grants.get(0).mapped).toBe(0);
      scene.expectOrder();
    }
  });

  it("is not made by an order: nobody but the domain builder makes first tables", () => {
    const scene = vmmScene({ guests: [hvm("again: j again")], operated: true }, {}, { ramBytes: 32 << 20 });
    expect(
      createGuest(scene, { image: guestBytes("nop"), ramBytes: 65536, flags: DomainFlag.PARAVIRTUAL }),
    ).toBe(-22);
  });
});

describe("a paravirtualized guest cannot have", () => {
  it.each([
    ["virtio devices", { disk: new Uint8Array(512) }, "reaches no registers"],
    ["as much memory as one handler cannot give it", { ramBytes: 9 << 20 }, "8388608 at most"],
    ["less than it is told in", { ramBytes: 4096 }, "more than its 4096 bytes"],
    ["half a page", { ramBytes: 65536 + 8 }, "whole pages"],
  ] as const)("%s", (_, options, message) => {
    const board = buildBoard({ ramBytes: 32 << 20 });
    const made = installVmm(board, { guests: [{ ...pv("nop"), ...options }] });
    expect(made).toMatchObject({ kind: "load-error", message: expect.stringContaining(message) });
  });
});
