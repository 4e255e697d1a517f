/**
 * Guests that execute what they should not: loads, stores, atomics and jumps at every register of every device and where nothing is; each of
 * the 4,096 CSRs read and written; every word of the SYSTEM opcode, HLV, HSV and all fences among them; calls of the hypervisor's own handlers.
 * From supervisor mode, user mode and a machine mode of their own. No invariant breaks, nothing throws, they come to their end, and so does
 * nobody else.
 */
import { describe, expect, it } from "vitest";
import { VIRT_MAP } from "../../../lib/board/memory-map.ts";
import { DomainState } from "../../../lib/vmm/layout.ts";
import { guestBytes } from "../../unit/vmm/vmm-scene.ts";
import { type Hostile, hostileScene, mistakesIn, registerOf } from "./hostile-scene.ts";

const FULL = process.env["DOM0_TEST_FULL"] === "1";
type GuestMode = "VS" | "VU" | "machine";
const MODES = ["VS", "VU", "machine"] as const satisfies readonly GuestMode[];

/** `s11` is 1 when a guest has come to its end. */
const S11 = 27;
const [T1, T2] = [6, 7];

/**
 * Goes on behind whatever traps; behind the jump, if it was one. Its timer, if wanted, is always due and never taken, so that WFI ends. The body finds the
 * vector in `s9` and the status in `s10`, for when it has overwritten them.
 */
function surviving(mode: GuestMode, body: string, isTimerDue: boolean): Uint8Array {
  const x = mode === "machine" ? "m" : "s";
  const enter =
    mode === "VU" ? "la t0, begin\n csrw sepc, t0\n li t0, 0x100\n csrc sstatus, t0\n sret" : "j begin";
  const due =
    mode === "machine"
      ? "li t0, 0x2004000\n sd zero, (t0)\n li t0, 0x80\n csrw mie, t0"
      : "csrw stimecmp, zero\n li t0, 0x20\n csrw sie, t0";
  const timer = isTimerDue && mode !== "VU" ? due : "";
  return guestBytes(`la s9, handler\n csrw ${x}tvec, s9\n ${timer}\n csrr s10, ${x}status\n ${enter}
    .align 2\n handler: csrr t0, ${x}epc\n la s8, end\n bgeu t0, s8, jumped\n la s8, begin\n bltu t0, s8, jumped\n addi t0, t0, 4\n j return
    jumped: mv t0, ra
    return: csrw ${x}epc, t0\n ${x}ret
    begin: ${body}\n li s11, 1\n end: j end`);
}

/** Two hostile guests and their neighbor; both come to their ends. What went wrong, in sentences. */
function outcomeOf(mode: GuestMode, body: string, isTimerDue = false): string[] {
  const image = surviving(mode, body, isTimerDue);
  const begins = mode === "machine" ? "machine" : "supervisor";
  const scene = hostileScene([image, image], { begins, console: "both", disk: new Uint8Array(8192) });
  return [...endOf(scene), ...mistakesIn(scene, 3)];
}

function endOf(scene: Hostile): string[] {
  const { board, vmm } = scene;
  for (let piece = 0; piece < 600; piece++) {
    const stop = board.run({ instructions: 100_000 });
    if (stop.reason !== "budget") return [`the machine stopped: ${JSON.stringify(stop)}`];
    const ended = [1, 2].find((domain) => vmm.state.domain(domain).state !== DomainState.RUNNING);
    if (ended !== undefined)
      return [`domain ${ended} has ended at 0x${vmm.state.domain(ended).crashPc.toString(16)}`];
    if ([1, 2].every((domain) => registerOf(scene, domain, S11) === 1n)) return [];
  }
  return [`the guests do not come to their ends: 0x${board.hart.pc.toString(16)}`];
}

/** The body again for each of some values in `t3`. */
const forEach = (values: readonly bigint[], body: string): string =>
  `la s2, values\n next_value: ld t3, 0(s2)\n ${body}\n addi s2, s2, 8\n la t4, values_end\n bltu s2, t4, more_values\n j past_values\n more_values: j next_value
   .balign 8\n values: ${values.map((value) => `.dword ${value}`).join("\n")}\n values_end: .dword 0\n past_values: nop`;

const hexWord = (word: number): string => `.word 0x${(word >>> 0).toString(16)}`;

describe("devices, and addresses where nothing is", () => {
  const range = (count: number, step: number): number[] =>
    Array.from({ length: count }, (_, index) => index * step);
  const OFFSETS = [
    ...range(FULL ? 24 : 6, 1),
    ...range(FULL ? 256 : 16, 4),
    0xffc,
    0xfff,
    0x1000,
    0x2000,
    0x2080,
    0xbff8,
    0xbffc,
    0x20_0000,
    0x20_0004,
    0x20_1000,
    0x3ff_fffc,
  ];
  const BASES = [
    ...["uart", "plic", "testFinisher", "clint"].map((name) => VIRT_MAP[name as "uart"].base),
    ...range(8, 0x1000).map((offset) => 0x1000_1000 + offset),
    ...[0, 0x10_1000, 0x3000_0000, 0x4000_0000, 0x8010_0000, 0x1ff_ffff_f000, 0x200_0000_0000],
  ];
  const addresses = BASES.flatMap((base) => OFFSETS.map((offset) => BigInt(base) + BigInt(offset)));
  const ACCESSES = [
    "lb t2, (t1)",
    "lbu t2, (t1)",
    "lh t2, (t1)",
    "lhu t2, (t1)",
    "lw t2, (t1)",
    "lwu t2, (t1)",
    "ld t2, (t1)",
    "sb t3, (t1)",
    "sh t3, (t1)",
    "sw t3, (t1)",
    "sd t3, (t1)",
    "amoadd.w t2, t3, (t1)",
    "amoswap.d t2, t3, (t1)",
    "lr.w t2, (t1)",
    "sc.d t2, t3, (t1)",
    "flw ft0, (t1)",
    "fsd ft0, (t1)",
    "jalr ra, t1, 0",
  ];
  /** What the finisher takes for an order to switch off is not among them. */
  const STORED = [0n, 1n, 0x8000_8001n, 2n ** 64n - 1n];
  const body = forEach(
    FULL ? STORED : STORED.slice(2, 3),
    `la s3, addresses\n next_address: ld t1, 0(s3)\n ${ACCESSES.join("\n")}\n addi s3, s3, 8
     la t4, addresses_end\n bltu s3, t4, more_addresses\n j past_addresses\n more_addresses: j next_address
     .balign 8\n addresses: ${addresses.map((address) => `.dword ${address}`).join("\n")}\n addresses_end: .dword 0\n past_addresses: nop`,
  );

  it.each(MODES)(
    "in all widths and ways, from %s",
    (mode) => {
      expect(outcomeOf(mode, body)).toEqual([]);
    },
    600_000,
  );
});

describe("all CSRs", () => {
  const NUMBERS = Array.from({ length: 4096 }, (_, number) => number);
  /** Puts right what the guest needs to survive. */
  const RESTORE: Readonly<Record<number, string>> = {
    256: "csrw sstatus, s10",
    260: "csrw sie, zero",
    261: "csrw stvec, s9",
    768: "csrw mstatus, s10",
    772: "csrw mie, zero",
    773: "csrw mtvec, s9",
  };
  /** CSRRW, CSRRS, CSRRC and their immediate forms. */
  const OPERATIONS = FULL ? [1, 2, 3, 5, 6, 7] : [1, 2];
  const words = OPERATIONS.flatMap((operation) =>
    NUMBERS.map((number) => {
      const word = number * 2 ** 20 + (T1 << 15) + (operation << 12) + (T2 << 7) + 0x73;
      return `${hexWord(word)}\n ${RESTORE[number] ?? ""}`;
    }),
  ).join("\n");
  // No mode of `satp` among them: who translates by garbage has lost his own way.
  const WRITTEN = [2n ** 64n - 1n, 0x5555_5555_5555_5555n, 0n];
  const body = forEach(FULL ? WRITTEN : WRITTEN.slice(0, 1), `mv t1, t3\n ${words}`);

  it.each(MODES)(
    "read and written from %s",
    (mode) => {
      expect(outcomeOf(mode, body)).toEqual([]);
    },
    600_000,
  );
});

describe("all words of the SYSTEM opcode, and calls of handlers", () => {
  const ECALL = 0;
  const SRET = (8 << 5) | 2;
  const MRET = (0x18 << 5) | 2;
  const SYSTEM = [0, 4].flatMap((funct3) =>
    Array.from({ length: 4096 }, (_, number) => number)
      // Calls have tests of their own, and returns go where the guest was before.
      .filter((number) => funct3 !== 0 || ![ECALL, SRET, MRET].includes(number))
      .map((number) => number * 2 ** 20 + (T1 << 15) + (funct3 << 12) + (T2 << 7) + 0x73),
  );
  /** The same with no register at all, as WFI and the returns are written. */
  const BARE = Array.from({ length: 4096 }, (_, number) => number * 2 ** 20 + 0x73).filter(
    (word) => ![ECALL, SRET, MRET].includes(word >>> 20),
  );
  const HANDLERS = Array.from({ length: FULL ? 4096 : 128 }, (_, number) => number * 2 ** 20 + 0x0b);
  const words = [...SYSTEM, ...BARE, ...HANDLERS].map(hexWord).join("\n");
  const body = forEach(
    [0n, 0x8008_0000n, 2n ** 64n - 1n].slice(FULL ? 0 : 1, FULL ? 3 : 2),
    `mv t1, t3\n ${words}`,
  );

  it.each(MODES)(
    "from %s",
    (mode) => {
      expect(outcomeOf(mode, body, true)).toEqual([]);
    },
    600_000,
  );
});
