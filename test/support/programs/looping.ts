/**
 * Random programs that loop for ever: functions that call each other, nested loops, jumps through tables, stores to code, changes
 * of page tables and of address spaces, interrupts, and everything of the instruction set between. What an engine that
 * translates hot code has to get right; the bounded programs of `generate.ts` are over before anything is hot.
 */

import { assemble } from "../../../lib/isa/assembler/text.ts";
import { decode } from "../../../lib/isa/decode.ts";
import { EXTENSIONS, type Mnemonic } from "../../../lib/isa/instructions.ts";
import type { Mode } from "../../../lib/isa/mode.ts";
import { floatRegisterWord } from "../float-words.ts";
import { seededNumbers } from "../random.ts";
import { type Below, randomWord } from "./words.ts";

/** What a program of this kind is like. */
export interface LoopingProgram {
  readonly seed: number;
  readonly mode: Mode;
  /** Whether addresses are translated: by `satp`, or in a guest by `vsatp` and `hgatp`. */
  readonly isTranslated: boolean;
  readonly harts: number;
  /** Mostly floating-point arithmetic. */
  readonly isFloating?: boolean;
}

const RAM = 0x8000_0000;
/** Words of each hart that handlers save registers in. */
const AREA = RAM + 0x10_0000;
const TABLES = RAM + 0x11_0000;
const STACKS = RAM + 0x18_0000;
/** Eight pages that all harts store to, with room around them. */
export const DATA = RAM + 0x20_0000;
const DATA_PAGES = 8;
/** Where the same pages are seen through entries of their own, in an order that changes. */
/** Counters of what is done only now and then. */
const SELDOM = RAM + 0x1f_0000;
const WINDOW = 0xc010_0000;
/** Index of its first entry in the lowest table. */
const WINDOW_ENTRY = 256;
/** Where code is seen through entries of its own: each page is that of the program, or of a copy that differs a little. */
const CODE_WINDOW = 0xc000_0000;
const CODE_COPY = RAM + 0x8_0000;
const CODE_PAGES = 32;
/** What an entry of the code window differs by from the one for the other copy. */
const COPY_BIT = 0x8_0000 >>> 2;
/** An immediate that is another one in the copy. */
const [MARK, OTHER_MARK] = [0x155, 0x2aa];
const USER_ALIAS = 0x1_0000_0000;
const CLINT = 0x0200_0000;
const UART = 0x1000_0000;

const [V, R, W, X, U, A, D] = [1n, 2n, 4n, 8n, 16n, 64n, 128n];
const ALL = V | R | W | X | A | D;
const leaf = (address: number, flags: bigint): bigint => ((BigInt(address) >> 12n) << 10n) | flags;

/** Registers that random words do not write: return address, three pointers, stack, and counters of loops. */
const KEPT = new Set([1, 2, 3, 4, 8, 9, 18, 30, 31]);
const COUNTERS = ["s1", "s2", "tp"] as const;
const POINTERS = ["sp", "s0", "t5"] as const;

const mnemonicsOf = (...names: (keyof typeof EXTENSIONS)[]): Mnemonic[] =>
  names.flatMap((name) => Object.keys(EXTENSIONS[name]) as Mnemonic[]);
const JUMPS = /^(c\.)?(j|jal|jalr|jr|b[a-z]+|beqz|bnez|ebreak)$|^(ecall|fence|auipc)/;
const straight = (names: readonly Mnemonic[]): Mnemonic[] => names.filter((name) => !JUMPS.test(name));
const INTEGER = straight(mnemonicsOf("rv64i", "m", "c", "zba", "zbb", "zbs", "zicond"));
const MEMORY = INTEGER.filter((name) => /^(c\.)?(l[bhwd]u?|s[bhwd])(sp)?$/.test(name));
const FLOATING = straight(mnemonicsOf("f", "d"));
const ARITHMETIC = FLOATING.filter((name) => /^f(add|sub|mul|div|sqrt|n?madd|n?msub)\./.test(name));
const ATOMIC = mnemonicsOf("a");
const HYPERVISOR = mnemonicsOf("h");

const pick = <T>(below: Below, list: readonly T[]): T => list[below(list.length)] as T;

/** A word that keeps what programs stand on. */
function keepingWord(below: Below, mnemonics: readonly Mnemonic[]): number {
  for (;;) {
    const word = randomWord(below, pick(below, mnemonics));
    const decoded = decode(word);
    if (decoded !== undefined && !KEPT.has(decoded.rd)) return word;
  }
}

const directive = (word: number): string =>
  (word & 3) === 3 ? `.word 0x${word.toString(16)}` : `.half 0x${(word & 0xffff).toString(16)}`;

/** Writes one program. */
class Writer {
  readonly #below: Below;
  readonly #program: LoopingProgram;
  readonly lines: string[] = [];
  #label = 0;
  #seldoms = 0;

  constructor(program: LoopingProgram) {
    this.#program = program;
    this.#below = seededNumbers(program.seed);
    for (let turn = 0; turn < 8; turn++) this.#below(2);
  }

  get below(): Below {
    return this.#below;
  }

  put(...lines: string[]): void {
    this.lines.push(...lines);
  }

  newLabel(): string {
    return `label${this.#label++}`;
  }

  /** Instructions one after the other. */
  run(least: number, more: number): void {
    const below = this.#below;
    for (let left = least + below(more); left > 0; left--) {
      if (below(16) === 0) this.put(`addi a${below(6)}, a${below(6)}, ${MARK}`);
      const kind = below(20);
      const isFloat = this.#program.isFloating === true ? kind < 14 : kind < 4;
      const floats = this.#program.isFloating === true && below(2) === 0 ? ARITHMETIC : FLOATING;
      const pool = isFloat ? floats : kind === 19 ? ATOMIC : kind > 15 ? MEMORY : INTEGER;
      this.put(directive(keepingWord(below, pool)));
    }
  }

  /** A loop that ends. */
  loop(depth: number, functions: readonly string[]): void {
    const counter = COUNTERS[depth];
    if (counter === undefined) {
      this.run(3, 8);
      return;
    }
    const again = this.newLabel();
    this.put(`li ${counter}, ${2 + this.#below(depth === 2 ? 12 : 4)}`);
    // A loop that is entered in its middle, now and then.
    const isEnteredBelow = this.#below(4) === 0;
    if (isEnteredBelow) this.put(`j ${again}_middle`);
    this.put(`${again}:`);
    if (isEnteredBelow) {
      this.run(2, 5);
      this.put(`${again}_middle:`);
    }
    this.block(depth + 1, 1 + this.#below(3), functions);
    this.put(`addi ${counter}, ${counter}, -1`, `bgtz ${counter}, ${again}`);
  }

  #branch(depth: number, functions: readonly string[]): void {
    const [other, end] = [this.newLabel(), this.newLabel()];
    const [left, right] = [5 + this.#below(3), 10 + this.#below(8)];
    const condition = pick(this.#below, ["beq", "bne", "blt", "bge", "bltu", "bgeu"]);
    this.put(`andi t0, x${right}, ${1 + this.#below(7)}`, `${condition} x${left}, t0, ${other}`);
    this.block(depth, 1 + this.#below(2), functions);
    if (this.#below(2) === 0) this.put(`${other}:`);
    else {
      this.put(`j ${end}`, `${other}:`);
      this.block(depth, 1, functions);
    }
    this.put(`${end}:`);
  }

  #call(functions: readonly string[]): void {
    const kind = this.#below(5);
    if (functions.length === 0) {
      this.run(2, 4);
      return;
    }
    const target = pick(this.#below, functions);
    // A call must not lose the counters of the loops that it is in.
    const saved = COUNTERS.map((counter, at) => [counter, 8 * (at + 1)] as const);
    this.put("addi gp, gp, -32", ...saved.map(([counter, offset]) => `sd ${counter}, ${offset}(gp)`));
    if (kind === 0) this.put(`call ${target}`);
    else if (kind === 1) this.put(`la t0, ${target}`, "jalr ra, 0(t0)");
    else if (kind === 2)
      this.put(`li s1, ${2 + this.#below(this.#below(3) === 0 ? 200 : 12)}`, "call recursive");
    else if (kind === 3) this.put(`call ${pick(this.#below, TRICKS)}`, ".word 0x00150513");
    else {
      const table = this.newLabel();
      const targets = Array.from({ length: 4 }, () => pick(this.#below, functions));
      this.put(`j ${table}_go`, `${table}:`, ...targets.map((name) => `j ${name}`));
      this.put(`${table}_go: andi t0, x${10 + this.#below(8)}, 3`, "slli t0, t0, 2");
      this.put(`la t1, ${table}`, "add t0, t0, t1", "jalr ra, 0(t0)");
    }
    this.put(...saved.map(([counter, offset]) => `ld ${counter}, ${offset}(gp)`), "addi gp, gp, 32");
  }

  /** Points a pointer somewhere else: mostly into a page, sometimes to where two pages meet. */
  #move(): void {
    const isSeenTwice = this.#program.isTranslated && this.#program.mode !== "M";
    const where = this.#below(16);
    const page = 4096 * (1 + this.#below(DATA_PAGES - 2));
    const inPage = where < 8 ? 8 * this.#below(512) : pick(this.#below, [0, 0, 2044, 2048, 4, 1, 4095]);
    const base = isSeenTwice && this.#below(2) === 0 ? WINDOW : baseOf(this.#program) + DATA - RAM;
    this.put(`li ${pick(this.#below, POINTERS)}, 0x${(base + page + inPage).toString(16)}`);
  }

  /** Something that is done each time, or each 16th time, or so seldom that the code around it is hot in between. */
  #seldom(work: () => void): void {
    const times = pick(this.#below, [1, 16, 256, 1024, 4096]);
    if (times === 1) {
      work();
      return;
    }
    const skip = this.newLabel();
    const counter = baseOf(this.#program) - RAM + SELDOM + 8 * this.#seldoms++;
    this.put(`li t0, 0x${counter.toString(16)}`, "lw t1, 0(t0)", "addi t1, t1, 1", "sw t1, 0(t0)");
    this.put(`li t2, ${times - 1}`, "and t1, t1, t2", `bnez t1, ${skip}`);
    work();
    this.put(`${skip}:`);
  }

  /** Ordinary numbers for some registers: arithmetic at random soon has nothing but infinities and NaNs. */
  #numbers(): void {
    this.put("la t0, floats");
    for (let left = 3 + this.#below(6); left > 0; left--)
      this.put(`fld f${this.#below(32)}, ${8 * this.#below(FLOATS)}(t0)`);
    if (this.#below(4) === 0) this.put("csrwi fcsr, 1");
  }

  /** Changes an instruction of the program, before or behind, with a fence or without. */
  #patch(): void {
    const site = this.newLabel();
    const isBehind = this.#below(2) === 0;
    const variants = ["addi a0, a0, 1", "xori a0, a0, 5", "add a0, a0, a1", "ebreak"];
    const other =
      this.#below(4) === 0 ? directive(keepingWord(this.#below, FLOATING)) : variants[this.#below(4)];
    const copy = `${site}_copy`;
    this.put(`j ${copy}_end`, ".balign 4", `${copy}: ${other}`, ".balign 4", `${copy}_end:`);
    const isAligned = this.#below(2) === 0;
    const move = isAligned
      ? ["lw t2, 0(t1)", ...(this.#below(2) === 0 ? ["lw a5, 0(t0)", "sw a5, 0(t1)"] : []), "sw t2, 0(t0)"]
      : ["lhu t2, 0(t1)", "sh t2, 0(t0)", "lhu t2, 2(t1)", "sh t2, 2(t0)"];
    const fence = this.#below(2) === 0 ? ["fence.i"] : [];
    const write = (): void =>
      this.#seldom(() => this.put(`la t0, ${site}`, `la t1, ${copy}`, ...move, ...fence));
    if (isBehind) write();
    this.put(...(isAligned ? [`j ${site}`, ".balign 4"] : []), `${site}: .word 0x00150513`);
    if (!isBehind) write();
  }

  /** Swaps two entries of the window's table. Any mode sees the tables as memory. */
  #remap(): void {
    const [one, other] = [1 + this.#below(6), 1 + this.#below(6)];
    const base = baseOf(this.#program) - RAM;
    const table = base + (isGuest(this.#program) ? GUEST.lowest : OWN.lowest);
    const entry = (index: number): string => `li t0, 0x${(table + 8 * index).toString(16)}`;
    if (hasCodeWindow(this.#program) && this.#below(2) === 0)
      this.put(entry(this.#below(4)), "ld t1, 0(t0)", `li t2, ${COPY_BIT}`, "xor t1, t1, t2", "sd t1, 0(t0)");
    else {
      this.put(entry(WINDOW_ENTRY), `ld t1, ${8 * one}(t0)`, `ld t2, ${8 * other}(t0)`);
      this.put(`sd t1, ${8 * other}(t0)`, `sd t2, ${8 * one}(t0)`);
    }
    if (this.#below(3) !== 0) this.put(this.#below(2) === 0 ? "sfence.vma" : "sfence.vma t5, zero");
  }

  /** Privileged things; where the mode does not allow them they trap, and that is tested too. */
  #privileged(): void {
    const below = this.#below;
    const register = `a${below(6)}`;
    const csr = pick(below, [
      "fcsr",
      "fflags",
      "frm",
      "sscratch",
      "sepc",
      "scause",
      "cycle",
      "instret",
      "time",
    ]);
    const options: readonly (() => string[])[] = [
      () => [
        `csrr ${register}, ${pick(below, ["fcsr", "fflags", "frm", "cycle", "instret", "time", "sstatus", "sip"])}`,
      ],
      () => [
        `csrrw ${register}, ${pick(below, this.#program.isFloating === true ? ["stval"] : ["fcsr", "fflags", "stval"])}, ${`a${below(6)}`}`,
      ],
      () => [`csrrs ${register}, ${csr}, zero`],
      () => [
        this.#program.isFloating === true && below(4) !== 0
          ? "fence"
          : `csrwi frm, ${below(8) === 0 ? 5 : below(5)}`,
      ],
      () => ["csrrsi zero, sstatus, 2"],
      () => [`csrrci ${register}, sstatus, 2`, "addi a0, a0, 1", "csrrsi zero, sstatus, 2"],
      () => ["ecall"],
      () => [pick(below, ["ebreak", "c.ebreak", ".word 0", ".half 0", "fence", "fence.i", "sfence.vma"])],
      () => (this.#program.isTranslated && below(2) === 0 ? switching(this.#program) : ["ecall"]),
      // A timer is always set: no sleep is for ever.
      () => [below(3) === 0 ? "wfi" : "sfence.vma"],
      () => device(below, this.#program),
      () => [directive(keepingWord(below, HYPERVISOR))],
      // SUM, MXR; FS off, or clean; rights of another mode.
      () => [
        `li t0, ${pick(below, [0x4_0000, 0x8_0000, 0xc_0000])}`,
        `${pick(below, ["csrrs", "csrrc"])} zero, sstatus, t0`,
      ],
      () => [`li t0, ${pick(below, [0x6000, 0x2000])}`, "csrrc zero, sstatus, t0"],
      () => borrowing(below, this.#program),
    ];
    this.put(...pick(below, options)());
  }

  block(depth: number, statements: number, functions: readonly string[]): void {
    for (let left = statements; left > 0; left--) {
      const kind = this.#below(32);
      if (this.#program.isFloating === true && this.#below(3) === 0) this.#numbers();
      if (kind < 12) this.run(3, 10);
      else if (kind < 17) this.loop(depth, functions);
      else if (kind < 21) this.#branch(depth, functions);
      else if (kind < 24) this.#call(functions);
      else if (kind < 26) this.#move();
      else if (kind < 27) this.#patch();
      else if (kind < 28) this.#seldom(() => this.#remap());
      else if (kind < 30) this.run(6, 16);
      else this.#privileged();
    }
  }
}

/** Functions that return in ways of their own. */
const TRICKS = ["later", "through_t2", "through_t0", "hopping"] as const;
const TRICK_TEXT = `
recursive: addi gp, gp, -16\n sd ra, 0(gp)\n sd s1, 8(gp)
  addi s1, s1, -1\n blez s1, recursive_end\n call recursive\n add a1, a1, s1
recursive_end: ld ra, 0(gp)\n ld s1, 8(gp)\n addi gp, gp, 16\n xor a0, a0, s1\n ret
later: addi ra, ra, 4\n ret
through_t2: addi a2, a2, 3\n mv t2, ra\n jr t2
through_t0: mv t0, ra\n addi a3, a3, 5\n jr t0
hopping: mv t2, ra\n la ra, hop\n ret
hop: xori a4, a4, 9\n jr t2`;

/** Loads and stores with the rights of the mode before, in M-mode; elsewhere the CSR traps. */
function borrowing(below: Below, { mode }: LoopingProgram): string[] {
  if (mode !== "M") return ["csrrs a0, sstatus, zero"];
  return [
    "li t0, 0x1800\n csrrc zero, mstatus, t0",
    ...(below(2) === 0 ? ["li t0, 0x800\n csrrs zero, mstatus, t0"] : []),
    "li t1, 0x20000\n csrrs zero, mstatus, t1",
    "ld a0, 0(t5)\n sd a1, 8(t5)\n lw a2, 0(s0)",
    "li t1, 0x20000\n csrrc zero, mstatus, t1",
  ];
}

/** Whether code runs where each of its pages has an entry. */
const hasCodeWindow = ({ mode, isTranslated, seed }: LoopingProgram): boolean =>
  isTranslated && mode !== "M" && seed % 3 !== 0;
/** Where the program sees its own code. */
const codeBaseOf = (program: LoopingProgram): number =>
  hasCodeWindow(program) ? CODE_WINDOW : baseOf(program);

const isGuest = ({ mode }: LoopingProgram): boolean => mode === "VS" || mode === "VU";
const isUser = ({ mode }: LoopingProgram): boolean => mode === "U" || mode === "VU";
/** Where the program sees RAM. */
const baseOf = (program: LoopingProgram): number =>
  isUser(program) && program.isTranslated ? USER_ALIAS + RAM : RAM;

/** Tables of two address spaces, a page each: root, middle and lowest of the one, then of the other. */
const tablesAt = (start: number) => ({
  spaces: [0, 0x3000].map((offset) => ({
    root: start + offset,
    middle: start + offset + 0x1000,
    lowest: start + offset + 0x2000,
  })),
  root: start,
  other: start + 0x3000,
  lowest: start + 0x2000,
});
const OWN = tablesAt(TABLES);
const GUEST = tablesAt(TABLES + 0x8000);
/** Of the second stage: four pages of root. */
const HOST_ROOT = TABLES + 0x1_0000;

const MODE = 8n << 60n;
const pointerTo = (root: number, id: number): bigint => MODE | (BigInt(id) << 44n) | BigInt(root >>> 12);

/** The other address space, and back: the window's pages are in another order there. */
function switching(program: LoopingProgram): string[] {
  const tables = isGuest(program) ? GUEST : OWN;
  const difference = pointerTo(tables.root, 1) ^ pointerTo(tables.other, 2);
  return [
    "csrr t0, satp",
    `li t1, 0x${difference.toString(16)}`,
    "xor t0, t0, t1",
    "csrw satp, t0",
    ...(program.seed % 2 === 0 ? ["sfence.vma"] : []),
  ];
}

/** An access to a device, which all modes see at their own address. */
function device(below: Below, program: LoopingProgram): string[] {
  const alias = isUser(program) && program.isTranslated ? USER_ALIAS : 0;
  const hart = below(program.harts);
  const at = (address: number): string => `li t0, 0x${(alias + address).toString(16)}`;
  const options = [
    [at(CLINT + 4 * hart), "li t1, 1", "sw t1, 0(t0)"],
    [at(CLINT + 0xbff8), "ld a0, 0(t0)"],
    [at(UART), `li t1, ${65 + below(26)}`, "sb t1, 0(t0)"],
    [at(UART + 5), "lbu a1, 0(t0)"],
  ];
  return pick(below, options);
}

/** Saves, counts what came, passes over the instruction or arms the timer again, restores, returns. */
function handler(name: string, letter: "m" | "s", timer: string, period: number): string[] {
  return [
    ".balign 4",
    `${name}: csrrw t0, ${letter}scratch, t0`,
    "sd t1, 8(t0)\n sd t2, 16(t0)",
    `csrr t1, ${letter}scratch\n sd t1, 0(t0)\n csrw ${letter}scratch, t0`,
    `csrr t1, ${letter}cause\n csrr t2, ${letter}tval`,
    "add t2, t2, t1\n ld t1, 24(t0)\n slli t1, t1, 1\n xor t1, t1, t2\n sd t1, 24(t0)",
    `csrr t1, ${letter}cause\n bltz t1, ${name}_interrupt`,
    `csrr t1, ${letter}epc\n slli t1, t1, 34\n srli t1, t1, 34\n li t2, 0x80000000\n or t1, t1, t2`,
    "lhu t1, 0(t1)\n andi t1, t1, 3\n addi t1, t1, -3\n seqz t1, t1\n slli t1, t1, 1\n addi t1, t1, 2",
    `csrr t2, ${letter}epc\n add t2, t2, t1\n csrw ${letter}epc, t2`,
    // A program that lost FS gets it again; otherwise nothing of it would be floating-point any more.
    `li t1, 0x6000\n csrs ${letter}status, t1`,
    `${name}_end: ld t1, 8(t0)\n ld t2, 16(t0)\n ld t0, 0(t0)\n ${letter}ret`,
    `${name}_interrupt: slli t1, t1, 1\n srli t1, t1, 1\n addi t2, t1, -${letter === "m" ? 3 : 1}\n beqz t2, ${name}_software`,
    `csrr t1, time\n li t2, ${period}\n add t1, t1, t2`,
    timer,
    `j ${name}_end`,
    `${name}_software:`,
    ...(letter === "m"
      ? [`csrr t1, mhartid\n slli t1, t1, 2\n li t2, ${CLINT}\n add t1, t1, t2\n sw zero, 0(t1)`]
      : ["csrci sip, 2"]),
    `j ${name}_end`,
  ];
}

const MTIMECMP = `csrr t2, mhartid\n slli t2, t2, 3\n sd t2, 32(t0)\n li t2, ${CLINT + 0x4000}\n sd t1, 40(t0)\n ld t1, 32(t0)\n add t2, t2, t1\n ld t1, 40(t0)\n sd t1, 0(t2)`;

function setup(program: LoopingProgram, below: Below): string[] {
  const { mode, isTranslated } = program;
  const guest = isGuest(program);
  const level = mode === "M" ? 3 : isUser(program) ? 0 : 1;
  const satp = isTranslated && !guest && mode !== "M" ? pointerTo(OWN.root, 1) : 0n;
  const delegated = below(2) === 0 ? 0xb1ffn & ~0x200n : 0xb100n;
  const status = 0x6000n | (BigInt(level) << 11n) | 0x80n | (guest ? 1n << 39n : 0n) | (1n << 18n);
  const set = (csr: string, value: bigint): string => `li t0, 0x${value.toString(16)}\n csrw ${csr}, t0`;
  return [
    `csrr s3, mhartid\n li t0, ${AREA}\n slli t1, s3, 9\n add t0, t0, t1`,
    "csrw mscratch, t0\n addi t1, t0, 128\n csrw sscratch, t1\n addi t1, t0, 256\n csrw vsscratch, t1",
    set("pmpaddr0", (1n << 54n) - 1n),
    set("pmpcfg0", 0x1fn),
    "la t0, m_handler\n csrw mtvec, t0\n la t0, s_handler\n csrw stvec, t0",
    // A guest's handler is seen where a guest sees S-mode's code.
    "la t0, vs_handler\n csrw vstvec, t0",
    set("menvcfg", (1n << 63n) | (BigInt(below(2)) << 61n)),
    set("henvcfg", (1n << 63n) | (BigInt(below(2)) << 61n)),
    set("mcounteren", 7n),
    set("scounteren", 7n),
    set("hcounteren", 7n),
    set("medeleg", mode === "M" ? 0n : delegated | (guest ? 0xf0_0000n : 0n)),
    set("hedeleg", guest && below(2) === 0 ? 0xb1ffn & ~0x200n : 0n),
    set("mideleg", mode === "M" ? 0n : 0x222n),
    set("hideleg", 0x444n),
    set("mie", 0x88n | (mode === "M" ? 0n : 0x22n)),
    set("hie", guest ? 0x44n : 0n),
    `csrr t1, time\n addi t1, t1, ${50 + below(400)}\n csrr t0, mscratch\n ${MTIMECMP}`,
    "csrw stimecmp, t1\n csrw vstimecmp, t1",
    set("satp", satp === 0n && (guest || mode === "M") && isTranslated ? pointerTo(OWN.root, 1) : satp),
    ...(guest
      ? [
          set("vsatp", isTranslated ? pointerTo(GUEST.root, 1) : 0n),
          set("hgatp", isTranslated || below(2) === 0 ? pointerTo(HOST_ROOT, 3) : 0n),
          set("vsstatus", 0x6000n | 0x4_0000n | 2n),
          set("vsie", 0x222n),
          set("hstatus", 1n << 7n),
        ]
      : []),
    "sfence.vma",
    "hfence.gvma",
    set("mstatus", status),
    `slli t1, s3, 13\n li gp, ${baseOf(program) - RAM + STACKS}\n add gp, gp, t1`,
    ...POINTERS.map((pointer, at) => `li ${pointer}, ${baseOf(program) - RAM + DATA + 4096 * (2 + at)}`),
    `la t0, floats\n ${Array.from({ length: 32 }, (_, at) => `fld f${at}, ${8 * at}(t0)`).join("\n")}`,
    ...(program.isFloating === true ? ["csrwi fcsr, 1"] : []),
    `la t0, main\n li t1, ${codeBaseOf(program) - RAM}\n add t0, t0, t1\n csrw mepc, t0`,
    ...[10, 11, 12, 13, 14, 15, 16, 17].map((register) => `li x${register}, ${below(2 ** 32) - 2 ** 31}`),
    "mret",
  ];
}

function entriesOf(program: LoopingProgram): [address: number, entry: bigint][] {
  const user = isUser(program) ? U : 0n;
  const result: [number, bigint][] = [];
  for (const { spaces } of [OWN, GUEST])
    for (const [space, { root, middle, lowest }] of spaces.entries()) {
      result.push([root, leaf(0, ALL)], [root + 16, leaf(RAM, ALL)], [root + 24, leaf(middle, V)]);
      // What user modes may see is 4 GiB further up.
      result.push([root + 32, leaf(0, ALL | U)], [root + 48, leaf(RAM, ALL | U)], [middle, leaf(lowest, V)]);
      for (let page = 0; page < DATA_PAGES; page++) {
        const flags = (page % 3 === 1 ? ALL & ~(A | D) : ALL) | user;
        const target = space === 0 ? page : DATA_PAGES - 1 - page;
        result.push([lowest + 8 * (WINDOW_ENTRY + page), leaf(DATA + 4096 * target, flags)]);
      }
      for (let page = 0; page < CODE_PAGES; page++) {
        const copy = page % 2 === space ? RAM : CODE_COPY;
        result.push([lowest + 8 * page, leaf(copy + 4096 * page, ALL | user)]);
      }
    }
  for (const [at, address] of [
    [0, 0],
    [2, RAM],
  ] as const)
    result.push([HOST_ROOT + 8 * at, leaf(address, ALL | U)]);
  return result;
}

/** Numbers behind the label `floats`. */
const FLOATS = 48;

/** A number between 2^-16 and 2^16, double or single: every bit of it, or few. */
function ordinaryWord(below: Below, isSingle: boolean): bigint {
  const sign = below(2) === 0 ? 1 : -1;
  const fraction = below(2) === 0 ? below(16) / 16 : (below(2 ** 32) * 2 ** 20 + below(2 ** 20)) / 2 ** 52;
  const number = sign * (1 + fraction) * 2 ** (below(32) - 16);
  if (!isSingle) return new BigUint64Array(Float64Array.of(number).buffer)[0] ?? 0n;
  return 0xffff_ffff_0000_0000n | BigInt(new Uint32Array(Float32Array.of(number).buffer)[0] ?? 0);
}

const FUNCTIONS = Array.from({ length: 6 }, (_, at) => `function${at}`);

function textOf(program: LoopingProgram): string {
  const writer = new Writer(program);
  const { below } = writer;
  const period = 40 + below(1000);
  writer.put(...setup(program, below));
  writer.put(...handler("m_handler", "m", MTIMECMP, period));
  writer.put(...handler("s_handler", "s", "csrw stimecmp, t1", period + 17));
  writer.put(...handler("vs_handler", "s", "csrw stimecmp, t1", period + 31));
  writer.put("main:");
  for (const name of FUNCTIONS) {
    writer.put(`call ${name}`);
    writer.run(1, 5);
  }
  writer.put("j main");
  for (const [at, name] of FUNCTIONS.entries()) {
    writer.put(`${name}:`, "addi gp, gp, -16", "sd ra, 0(gp)");
    writer.block(0, 2 + below(4), FUNCTIONS.slice(at + 1));
    writer.put("ld ra, 0(gp)", "addi gp, gp, 16", "ret");
  }
  writer.put(TRICK_TEXT);
  writer.put(".align 3", "floats:");
  for (let at = 0; at < FLOATS; at++) {
    const word = at % 4 === 0 ? floatRegisterWord(below) : ordinaryWord(below, at % 4 === 1);
    writer.put(`.dword 0x${word.toString(16)}`);
  }
  return writer.lines.join("\n");
}

/** A program as bytes by physical address, tables included. A text whose branches are too long is drawn again. */
export function loopingProgram(program: LoopingProgram): [address: number, bytes: Uint8Array][] {
  const entries = entriesOf(program).map(([address, entry]): [number, Uint8Array] => [
    address,
    new Uint8Array(BigUint64Array.of(entry).buffer),
  ]);
  const assembly = assemble(textOf(program), { origin: BigInt(RAM) });
  if (assembly.kind !== "program") return loopingProgram({ ...program, seed: program.seed + 1_000_003 });
  const below = seededNumbers(program.seed);
  const data = Uint8Array.from({ length: 4096 * DATA_PAGES }, () => below(256));
  return [[RAM, assembly.bytes], [CODE_COPY, copyOf(assembly.bytes)], [DATA, data], ...entries];
}

const ADDI = 0x13;

/** The program with another number in each instruction that is marked. */
function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let at = 0; at + 4 <= copy.length; at += 2) {
    const word = view.getUint32(at, true);
    if ((word & 0x707f) === ADDI && word >>> 20 === MARK)
      view.setUint32(at, ((word & 0xf_ffff) | (OTHER_MARK << 20)) >>> 0, true);
  }
  return copy;
}
