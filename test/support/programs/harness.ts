/**
 * The fixed part of an image: sets the hart up for each program, takes its traps, and stores what it left.
 *
 * Handlers log a trap and go on behind the instruction; an interrupt is disabled and the instruction comes again; after a
 * fetch that failed there is nothing to go on with, and the program ends, as it does at its final ECALL.
 */
import { assembled } from "../assembled.ts";
import {
  AREA,
  DESCRIPTOR_WORDS,
  DESCRIPTORS,
  FINAL_CSRS,
  FINAL_HYPERVISOR_CSRS,
  LOG_LIMIT,
  LOG_WORDS,
  PAGE_WORDS,
  RESULT,
  RESULT_WORDS,
  RESULTS,
  TABLES,
  TOHOST,
  WINDOW_PAGES,
  WORD,
} from "./layout.ts";

/** Offsets into the areas: three saved registers of each handler, then what all share. */
const SHARED = {
  log: 192,
  limit: 200,
  end: 208,
  index: 216,
  count: 224,
  result: 232,
  descriptor: 240,
  rounds: 248,
  sum: 256,
} as const;
/** Areas of the M, S and VS handlers, as offsets from `AREA`. */
const AREAS = { m: 0, s: 64, vs: 128 } as const;
type Handler = keyof typeof AREAS;

const offsetOf = (word: number): number => 8 * word;
const FS = "li t1, 0x6000\n csrs mstatus, t1";

/** CSRs and their descriptor words, in the order in which they are set. */
const SETUP: readonly (readonly [csr: string, word: number])[] = [
  ["medeleg", WORD.medeleg],
  ["mideleg", WORD.mideleg],
  ["mip", WORD.mip],
  ["mcounteren", WORD.mcounteren],
  ["scounteren", WORD.scounteren],
  ["menvcfg", WORD.menvcfg],
  ["satp", WORD.satp],
  ["sepc", WORD.end],
  ["fcsr", WORD.fcsr],
];
const HYPERVISOR_SETUP: readonly (readonly [csr: string, word: number])[] = [
  ["hstatus", WORD.hstatus],
  ["hedeleg", WORD.hedeleg],
  ["hideleg", WORD.hideleg],
  ["hvip", WORD.hvip],
  ["hcounteren", WORD.hcounteren],
  ["henvcfg", WORD.henvcfg],
  ["vsstatus", WORD.vsstatus],
  ["vsatp", WORD.vsatp],
  ["hgatp", WORD.hgatp],
  ["vsepc", WORD.end],
  ["sepc", WORD.entry],
];
const CLEARED = "scause stval mcause mtval senvcfg sip sie mie".split(" ");
const HYPERVISOR_CLEARED = "htval htinst vscause vstval hie mtval2 mtinst".split(" ");

/** What a handler of each mode logs after its own number. */
const LOGGED: Readonly<Record<Handler, readonly (readonly [csr: string, needsH: boolean])[]>> = {
  m: [
    ["mcause", false],
    ["mepc", false],
    ["mtval", false],
    ["mstatus", false],
    ["mtval2", true],
    ["mtinst", true],
    ["hstatus", true],
  ],
  s: [
    ["scause", false],
    ["sepc", false],
    ["stval", false],
    ["sstatus", false],
    ["htval", true],
    ["htinst", true],
    ["hstatus", true],
  ],
  vs: [
    ["scause", false],
    ["sepc", false],
    ["stval", false],
    ["sstatus", false],
  ],
};
const NUMBER: Readonly<Record<Handler, number>> = { m: 3, s: 1, vs: 2 };

/** Code is found by the low thirty bits of its address, whatever mapping it runs in. */
const CODE_AT_T1 = ["slli t1, t1, 34", "srli t1, t1, 34", "li t2, 0x80000000", "or t1, t1, t2"];

/** Whose end each handler has to pass on. */
const ENDED_BY: Readonly<Record<Handler, readonly Handler[]>> = { m: ["s", "vs"], s: ["vs"], vs: [] };

const logging = (handler: Handler, withH: boolean): string[] =>
  LOGGED[handler].flatMap(([csr, needsH], at) =>
    needsH && !withH ? [] : [`csrr t1, ${csr}`, `sd t1, ${offsetOf(at + 1)}(t2)`],
  );

/** A trap handler. `letter` is that of its CSRs; the guest's are called like the supervisor's. */
function handlerText(handler: Handler, withH: boolean): string {
  const letter = handler === "m" ? "m" : "s";
  const shared = (name: keyof typeof SHARED): string => `${SHARED[name] - AREAS[handler]}(t0)`;
  const restore = ["ld t1, 8(t0)", "ld t2, 16(t0)", "ld t0, 0(t0)"];
  const finish =
    handler === "m" ? ["j finish"] : [...restore, `${handler}_finish: ecall`, `j ${handler}_finish`];
  return [
    ".balign 64",
    `${handler}_handler: csrrw t0, ${letter}scratch, t0`,
    "sd t1, 8(t0)",
    "sd t2, 16(t0)",
    `csrr t1, ${letter}scratch`,
    "sd t1, 0(t0)",
    `csrw ${letter}scratch, t0`,
    `ld t2, ${shared("log")}`,
    `li t1, ${NUMBER[handler]}`,
    "sd t1, 0(t2)",
    ...logging(handler, withH),
    `addi t2, t2, ${8 * LOG_WORDS}`,
    `sd t2, ${shared("log")}`,
    // The end of the program, or of what it may log, or of another handler.
    `ld t1, ${shared("limit")}`,
    `bgeu t2, t1, ${handler}_end`,
    `csrr t1, ${letter}cause`,
    `bltz t1, ${handler}_interrupt`,
    ...[1, 12, 20].flatMap((cause) => [`addi t2, t1, -${cause}`, `beqz t2, ${handler}_end`]),
    `csrr t1, ${letter}epc`,
    ...ENDED_BY[handler].flatMap((other) => [`la t2, ${other}_finish`, `beq t1, t2, ${handler}_end`]),
    ...CODE_AT_T1,
    `ld t2, ${shared("end")}`,
    `beq t1, t2, ${handler}_end`,
    "lhu t1, 0(t1)",
    "andi t1, t1, 3",
    "addi t1, t1, -3",
    "seqz t1, t1",
    "slli t1, t1, 1",
    "addi t1, t1, 2",
    `csrr t2, ${letter}epc`,
    "add t2, t2, t1",
    `csrw ${letter}epc, t2`,
    `${handler}_return:`,
    ...restore,
    `${letter}ret`,
    // A return that traps comes here: the registers are restored already.
    ...(handler === "m" ? [] : [`j ${handler}_finish`]),
    `${handler}_end:`,
    ...finish,
    `${handler}_interrupt:`,
    "andi t1, t1, 63",
    "li t2, 1",
    "sll t2, t2, t1",
    `csrc ${letter}ie, t2`,
    `j ${handler}_return`,
  ].join("\n");
}

/** Copies the entries of one stage from the descriptor at t0 to its tables. */
const copyEntries = (tables: { middle: number; lowest: number }, word: number): string[] => [
  `li t2, ${tables.lowest}`,
  ...Array.from(
    { length: WINDOW_PAGES },
    (_, at) => `ld t1, ${offsetOf(word + at)}(t0)\n sd t1, ${8 * at}(t2)`,
  ),
  `li t2, ${tables.middle}`,
  `ld t1, ${offsetOf(word + WINDOW_PAGES)}(t0)\n sd t1, 8(t2)`,
  `ld t1, ${offsetOf(word + WINDOW_PAGES + 1)}(t0)\n sd t1, 0(t2)`,
];

/** Stores the entries of one stage as they are now into the result at t2. */
const storeEntries = (tables: { middle: number; lowest: number }, place: number): string[] => [
  `li t0, ${tables.lowest}`,
  ...Array.from(
    { length: WINDOW_PAGES },
    (_, at) => `ld t1, ${8 * at}(t0)\n sd t1, ${offsetOf(RESULT.pages + place * PAGE_WORDS + at)}(t2)`,
  ),
  `li t0, ${tables.middle}`,
  `ld t1, 8(t0)\n sd t1, ${offsetOf(RESULT.pages + place * PAGE_WORDS + WINDOW_PAGES)}(t2)`,
];

const integers = (except: readonly number[]): number[] =>
  Array.from({ length: 31 }, (_, at) => at + 1).filter((number) => !except.includes(number));
const FLOATS = Array.from({ length: 32 }, (_, at) => at);

/** Once: protection open, timers far away, scratch registers, handlers. */
const beginning = (withH: boolean): string[] => [
  "li t0, -1\n srli t0, t0, 10\n csrw pmpaddr0, t0\n li t0, 0x1f\n csrw pmpcfg0, t0",
  "li t0, 0x02004000\n li t1, -1\n sd t1, 0(t0)",
  "li t1, 1\n slli t1, t1, 63\n csrw menvcfg, t1\n li t1, -1\n csrw stimecmp, t1",
  ...(withH ? ["csrw henvcfg, t1\n csrw vstimecmp, t1"] : []),
  `li t0, ${AREA}\n csrw mscratch, t0`,
  "la t1, m_handler\n csrw mtvec, t1",
  "la t1, s_handler\n csrw stvec, t1",
  ...(withH ? ["la t1, vs_handler\n csrw vstvec, t1"] : []),
];

/**
 * A guest is entered by SRET with `hstatus.SPV`, not by MRET with `mstatus.MPV`: QEMU 10.0 ignores MPV in CSR writes. Only t0,
 * with the descriptor's address, is still free, and the flag is in the sign of a word there.
 */
const GUEST_ENTRY = [
  `ld t0, ${offsetOf(WORD.isGuest)}(t0)`,
  "bltz t0, enter",
  `csrr t0, mscratch\n ld t0, ${SHARED.descriptor}(t0)\n j plain`,
  `enter: csrr t0, mscratch\n ld t0, ${SHARED.descriptor}(t0)`,
  `ld t0, ${offsetOf(WORD.integers + 5)}(t0)`,
  "sret",
  "plain:",
];

/** Before each program, with the descriptor's address in t0. */
const setup = (withH: boolean): string[] => [
  "next: csrw mie, zero\n csrw satp, zero",
  // MRET from M to M clears MPV, which QEMU 10.0 does not let CSR writes do.
  "li t2, 0x1800\n csrw mstatus, t2\n la t2, from_m\n csrw mepc, t2\n mret\n from_m: csrw mstatus, zero",
  `li t2, ${AREA}`,
  `ld t1, ${SHARED.index}(t2)\n ld t0, ${SHARED.count}(t2)\n bgeu t1, t0, power`,
  "addi t0, t1, 1",
  `sd t0, ${SHARED.index}(t2)`,
  "sc.d t0, t0, (t2)", // no reservation outlives a program
  `li t0, ${RESULT_WORDS * 8}\n mul t0, t0, t1\n li a0, ${RESULTS}\n add t0, t0, a0`,
  `sd t0, ${SHARED.result}(t2)`,
  `addi t0, t0, ${offsetOf(RESULT.log)}\n sd t0, ${SHARED.log}(t2)`,
  `addi t0, t0, ${LOG_LIMIT * LOG_WORDS * 8}\n sd t0, ${SHARED.limit}(t2)`,
  `slli t0, t1, ${Math.log2(DESCRIPTOR_WORDS * 8)}\n li a0, ${DESCRIPTORS}\n add t0, t0, a0`,
  `ld t1, ${offsetOf(WORD.end)}(t0)\n sd t1, ${SHARED.end}(t2)`,
  `sd t0, ${SHARED.descriptor}(t2)`,
  `addi t1, t2, ${AREAS.s}\n csrw sscratch, t1`,
  ...(withH ? [`addi t1, t2, ${AREAS.vs}\n csrw vsscratch, t1`] : []),
  ...copyEntries(TABLES.own, WORD.ownPages),
  ...(withH
    ? [...copyEntries(TABLES.guest, WORD.guestPages), ...copyEntries(TABLES.second, WORD.secondPages)]
    : []),
  FS,
  ...[...CLEARED, ...(withH ? HYPERVISOR_CLEARED : [])].map((csr) => `csrw ${csr}, zero`),
  ...[...SETUP, ...(withH ? HYPERVISOR_SETUP : [])].map(
    ([csr, word]) => `ld t1, ${offsetOf(word)}(t0)\n csrw ${csr}, t1`,
  ),
  `ld t1, ${offsetOf(WORD.entry)}(t0)\n csrw mepc, t1`,
  `ld t1, ${offsetOf(WORD.mie)}(t0)\n csrw mie, t1`,
  "sfence.vma",
  ...(withH ? ["hfence.gvma", "hfence.vvma"] : []),
  ...FLOATS.map((number) => `fld f${number}, ${offsetOf(WORD.floats + number)}(t0)`),
  `ld t1, ${offsetOf(WORD.mstatus)}(t0)\n csrw mstatus, t1`,
  ...integers([5]).map((number) => `ld x${number}, ${offsetOf(WORD.integers + number)}(t0)`),
  ...(withH ? GUEST_ENTRY : []),
  `ld t0, ${offsetOf(WORD.integers + 5)}(t0)`,
  "mret",
];

/** After each program, with `AREA` in t0: t0, t1, t2 are there, all else is where the program left it. */
const dump = (withH: boolean): string[] => [
  `finish: ld t2, ${SHARED.result}(t0)`,
  ...integers([5, 6, 7]).map((number) => `sd x${number}, ${offsetOf(RESULT.integers + number)}(t2)`),
  ...[0, 1, 2].map((at) => `ld t1, ${8 * at}(t0)\n sd t1, ${offsetOf(RESULT.integers + 5 + at)}(t2)`),
  "li t1, 0x20000\n csrc mstatus, t1", // MPRV
  `ld t1, ${SHARED.log}(t0)\n sub t1, t1, t2\n sd t1, ${offsetOf(RESULT.logCount)}(t2)`,
  ...[...FINAL_CSRS, ...(withH ? FINAL_HYPERVISOR_CSRS : [])].map(
    (csr, at) => `csrr t1, ${csr}\n sd t1, ${offsetOf(RESULT.csrs + at)}(t2)`,
  ),
  ...storeEntries(TABLES.own, 0),
  ...(withH ? [...storeEntries(TABLES.guest, 1), ...storeEntries(TABLES.second, 2)] : []),
  FS,
  ...FLOATS.map((number) => `fsd f${number}, ${offsetOf(RESULT.floats + number)}(t2)`),
  `csrr t1, fcsr\n sd t1, ${offsetOf(RESULT.fcsr)}(t2)`,
];

/** Adds all words of the result at t2 to a sum that outlives the programs: what one round had wrong, no later round heals. */
const SUM = [
  `ld s0, ${SHARED.sum}(t0)\n li t1, ${RESULT_WORDS / 4}`,
  "sum: ld a0, 0(t2)\n ld a1, 8(t2)\n ld a2, 16(t2)\n ld a3, 24(t2)\n addi t2, t2, 32",
  "slli s1, s0, 5\n xor s0, s0, s1\n srli s1, s0, 9\n add s0, s0, s1",
  "xor s0, s0, a0\n add s0, s0, a1\n xor s0, s0, a2\n add s0, s0, a3",
  `addi t1, t1, -1\n bnez t1, sum\n sd s0, ${SHARED.sum}(t0)`,
];

/**
 * After the last program: all of them again, or the end. A machine with a `tohost` word looks at it now and then, and ends; one
 * with a test finisher ends by it a moment later.
 */
const POWER = [
  `power: ld t0, ${SHARED.rounds}(t2)\n addi t0, t0, -1\n sd t0, ${SHARED.rounds}(t2)`,
  `blez t0, off\n sd zero, ${SHARED.index}(t2)\n j next`,
  `off: li t0, ${TOHOST}\n li t1, 1\n sd t1, 0(t0)`,
  "li t1, 100000\n wait: addi t1, t1, -1\n bnez t1, wait",
  "li t0, 0x100000\n li t1, 0x5555\n sw t1, 0(t0)\n stop: j stop",
];

/** The fixed part as bytes for `HARNESS`. With `sums`, results are added up over programs and rounds. */
export function harness(withH: boolean, sums: boolean): Uint8Array {
  const handlers = (["m", "s", "vs"] as const).map((handler) => handlerText(handler, withH));
  const afterProgram = [...dump(withH), ...(sums ? ["csrr t0, mscratch", ...SUM] : []), "j next"];
  return assembled([...beginning(withH), ...setup(withH), ...afterProgram, ...POWER, ...handlers].join("\n"))
    .bytes;
}

/** The shared words of `AREA` that the image brings along. */
export const areaWords = (
  count: number,
  rounds: number,
): readonly (readonly [address: number, value: bigint])[] => [
  [AREA + SHARED.count, BigInt(count)],
  [AREA + SHARED.rounds, BigInt(rounds)],
];
