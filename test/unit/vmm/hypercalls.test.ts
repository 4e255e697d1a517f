/** Hypercalls of two guests: event channels, grants, and every call with every kind of argument. */
import { describe, expect, it } from "vitest";
import { FIRST_HYPERCALL, HYPERCALLS } from "../../../lib/vmm/hypercalls.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { DomainState } from "../../../lib/vmm/layout.ts";
import { seededNumbers } from "../../support/random.ts";
import { frameMistakes, guestBytes, type VmmScene, vmmScene } from "./vmm-scene.ts";

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
/** Prints what a register has: a letter for each nibble, `a` for 0. */
const show = (register: string, digits = 4): string =>
  Array.from(
    { length: digits },
    (_, digit) =>
      `srli a0, ${register}, ${4 * (digits - 1 - digit)}\n andi a0, a0, 15\n addi a0, a0, 97\n li a7, 1\n ecall`,
  ).join("\n");
const OFF = "off: li a7, 8\n ecall";
const letters = (value: number): string =>
  value
    .toString(16)
    .padStart(4, "0")
    .replace(/./g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 16)));

const PAGE = 0x8001_1000;
const THERE = 0x4000_0000;
const both = (first: string, second: string): VmmScene => {
  const scene = vmmScene({
    guests: [first, second].map((text) => ({ image: guestBytes(text), ramBytes: 1024 * 1024 })),
    slice: 3_000,
  });
  scene.board.run({ instructions: 2_000_000 });
  return scene;
};

describe("two guests", () => {
  const granter = `li s1, ${PAGE}\n li t0, 0x1234\n sd t0, (s1)
    ${call("grant", 2, PAGE, 1)}\n mv s2, a0\n ${call("event_allocate", 2)}\n mv s3, a0
    wait: ${call("yield")}\n ${call("event_take")}\n beqz a0, wait\n mv s4, a0
    ld s5, (s1)\n ${call("grant_revoke", "s2")}\n mv s6, a0
    again: ${call("yield")}\n ${call("grant_revoke", "s2")}\n bnez a0, again
    ${["s2", "s3", "s4", "s5", "s6"].map((register) => show(register)).join("\n")}\n ${OFF}`;
  const mapper = `la t0, handler\n csrw stvec, t0
    bind: ${call("yield")}\n ${call("event_bind", 1, 1)}\n blez a0, bind\n mv s1, a0
    ${call("grant_map", 1, 0, THERE, 1)}\n mv s2, a0\n li s3, ${THERE}\n ld s4, (s3)\n li t0, 0x5678\n sd t0, (s3)
    ${call("grant_map", 1, 0, 0x8000_4000, 1)}\n mv s5, a0
    ${call("event_send", "s1")}\n ${Array.from({ length: 6 }, () => call("yield")).join("\n")}
    ${call("grant_unmap", "s2")}\n mv s6, a0\n ld t0, (s3)\n handler: csrr s7, scause
    ${["s1", "s2", "s4", "s5", "s6", "s7"].map((register) => show(register)).join("\n")}\n ${OFF}`;

  it("share a granted page, tell each other by an event, and part again", () => {
    const scene = both(granter, mapper);
    expect(printedBy(scene.vmm, 2)).toBe([1, 0, 0x1234, 0xfff2, 0, 5].map(letters).join(""));
    expect(printedBy(scene.vmm, 1)).toBe([0, 1, 2, 0x5678, 0xfff0].map(letters).join(""));
    expect([1, 2].map((id) => scene.vmm.state.domain(id).state)).toEqual([DomainState.OFF, DomainState.OFF]);
    expect(frameMistakes(scene)).toEqual([]);
  });

  it("have bytes copied without mapping anything, and only where they may", () => {
    const scene = both(
      `li s1, ${PAGE}\n li t0, 0x4321\n sd t0, 16(s1)\n ${call("grant", 2, PAGE, 0)}\n stay: ${call("yield")}\n j stay`,
      `retry: ${call("yield")}\n ${call("grant_copy", 1, 0, PAGE + 16, 8, 0)}\n blez a0, retry\n mv s1, a0
       li t0, ${PAGE}\n ld s2, 16(t0)\n ${call("grant_copy", 1, 0, PAGE + 16, 8, 1)}\n mv s3, a0
       ${call("grant_copy", 1, 0, PAGE + 4090, 7, 0)}\n mv s4, a0
       ${["s1", "s2", "s3", "s4"].map((register) => show(register)).join("\n")}\n ${OFF}`,
    );
    expect(printedBy(scene.vmm, 2)).toBe([8, 0x4321, 0xffff, 0xffea].map(letters).join(""));
  });
});

describe("hypercalls with any arguments", () => {
  it("leave the hypervisor and its counts as they should be", () => {
    const values = [
      "0",
      "1",
      "2",
      "3",
      "7",
      "31",
      "32",
      "63",
      "64",
      "4096",
      "-1",
      `${PAGE}`,
      `${PAGE + 1}`,
      `${THERE}`,
      "0x10000000",
      "1 << 41",
      "1 << 63",
      "0x80000000",
    ];
    for (let seed = 1; seed <= (process.env["DOM0_TEST_FULL"] === "1" ? 100 : 6); seed++) {
      const number = seededNumbers(seed);
      const random = (): string =>
        Array.from({ length: 150 }, () => {
          const name = NAMES[number(NAMES.length)] ?? "";
          const args = Array.from({ length: 5 }, (_, index) => {
            const value = (number(3) === 0 ? values[number(values.length)] : values[number(4)]) ?? "0";
            const [low, shift] = value.split(" << ");
            return `li a${index}, ${low}${shift === undefined ? "" : `\n slli a${index}, a${index}, ${shift}`}`;
          });
          return `${args.join("\n")}\n${call(name)}`;
        }).join("\n");
      const program = (): string =>
        `j begin\n handler: j done\n begin: la t0, handler\n csrw stvec, t0\n ${random()}\n done: nop\n ${OFF}`;
      const scene = both(program(), program());
      expect([seed, frameMistakes(scene)]).toEqual([seed, []]);
      const states = [1, 2].map((id) => scene.vmm.state.domain(id).state);
      expect([seed, states]).toEqual([seed, [DomainState.OFF, DomainState.OFF]]);
    }
  });
});
