/** Random programs with three modes of their own, traps among them, and a log of what they saw: for a bare board or a virtual machine. */
import { seededNumbers } from "./random.ts";

const X = ["a0", "a1", "a2", "a3", "a4", "a5", "s2", "s3", "s4", "s5", "s6", "s7"];
const ARITHMETIC = ["add", "sub", "xor", "or", "and", "sll", "sra", "slt", "mul", "divu", "remw", "subw"];
const LOADS = ["lb", "lbu", "lh", "lhu", "lw", "lwu", "ld"];
const STORES = ["sb", "sh", "sw", "sd"];
/** CSRs that a program reads and writes, in whatever mode it is: where it may not, it traps, and the log has it. */
const CSRS = [
  ...["mscratch", "mcause", "mtval", "mepc", "sscratch", "scause", "stval", "sepc", "medeleg", "pmpaddr3"],
  ...["mcounteren", "scounteren", "mhartid", "mstatus", "stvec"],
];
/** Those that a program needs to come to its end. */
const READ_ONLY = new Set(["medeleg", "mepc", "mstatus", "mhartid", "mcounteren", "stvec"]);

/** Where programs keep their log: a part of RAM that both runs are compared in. */
export const LOG = 0x8010_0000n;
const SCRATCH = 0x8000_8000;

/** Text of a program, by its number. */
export function guestProgram(seed: number): string {
  const number = seededNumbers(seed);
  const pick = <T>(list: readonly T[]): T => list[number(list.length)] as T;
  const delegated = [2, 3, 8, 12, 13, 15]
    .filter(() => number(2) === 0)
    .reduce((mask, bit) => mask | (1 << bit), 0);
  const interrupts = pick([0, 0x222]);

  const operation = (mode: "M" | "S" | "U"): string => {
    switch (number(14)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return `${pick(ARITHMETIC)} ${pick(X)}, ${pick(X)}, ${pick(X)}`;
      case 4:
        return `addi ${pick(X)}, ${pick(X)}, ${number(4096) - 2048}`;
      case 5:
        return `${pick(LOADS)} ${pick(X)}, ${number(2040)}(s10)`;
      case 6:
        return `${pick(STORES)} ${pick(X)}, ${number(2040)}(s10)`;
      case 7:
      case 8: {
        const csr = pick(CSRS);
        return READ_ONLY.has(csr)
          ? `csrr ${pick(X)}, ${csr}`
          : `${pick(["csrrw", "csrrs", "csrrc"])} ${pick(X)}, ${csr}, ${pick(X)}`;
      }
      case 9:
        return pick(["ecall", "ebreak", ".word 0xc0001073", ".word 0xffffffff", "sfence.vma"]);
      case 10:
        return mode === "M"
          ? "csrsi mip, 2"
          : pick(["csrsi sip, 2", "csrsi sie, 2", "csrsi sstatus, 2", "csrci sie, 2"]);
      case 11:
        return `ld ${pick(X)}, ${8 * number(200)}(zero)`;
      case 12:
        return mode === "U" ? "wfi" : `sb ${pick(X)}, (s9)`;
      default:
        return pick(["csrr a0, satp", "lr.d a1, (s10)", "amoadd.d a4, a5, (s10)", "fence.i"]);
    }
  };

  const segment = (index: number): string => {
    const mode = pick(["M", "S", "U", "S"] as const);
    const level = { M: 3, S: 1, U: 0 }[mode];
    const lines = Array.from({ length: 6 + number(14) }, () => operation(mode));
    const enter = `li t0, 0x1800\n csrc mstatus, t0\n li t0, ${level << 11}\n csrs mstatus, t0\n la t0, body${index}\n csrw mepc, t0\n mret`;
    const paging = `li t0, ${mode === "S" ? pick([0, 1]) : 0}\n beqz t0, plain${index}\n la t0, root\n srli t0, t0, 12\n li t1, 8\n slli t1, t1, 60\n or t0, t0, t1\n csrw satp, t0\n sfence.vma\n j set${index}\n plain${index}: csrw satp, zero\n set${index}:`;
    return `${paging}\n${enter}\n body${index}: ${lines.join("\n")}\n la a6, next${index}\n li a7, 0x77\n ecall\n next${index}:`;
  };

  const segments = Array.from({ length: 5 }, (_, index) => segment(index)).join("\n");
  return programAround({
    before: `li t0, ${delegated}\n csrw medeleg, t0\n li t0, ${interrupts}\n csrw mideleg, t0\n li t0, 2\n csrw mie, t0`,
    segments,
    behind: ".align 12\n root: .dword 0xc7, 0, 0x200000cf\n .zero 4072",
  });
}

/** A program's own part. */
export interface ProgramParts {
  /** In machine mode, before the first segment. */
  readonly before: string;
  /** What it does. `ecall` with 0x77 in a7 goes to the address in a6, in machine mode. */
  readonly segments: string;
  /** Tables and data, behind the code. */
  readonly behind: string;
}

/**
 * A program with handlers of both levels, which log each trap with all registers at s11. Behind an exception they go on with the next
 * instruction; where nothing could be fetched, at `ra`. Scratch memory is at s10, the serial port at s9.
 */
export function programAround({ before, segments, behind }: ProgramParts): string {
  const save = (csr: string, offset: number): string => `csrr t0, ${csr}\n sd t0, ${offset}(s11)`;
  const registers = X.map((name, index) => `sd ${name}, ${40 + 8 * index}(s11)`).join("\n");
  const log = (letter: "m" | "s"): string => `
    ${save(`${letter}cause`, 0)}
    ${save(`${letter}epc`, 8)}
    ${save(`${letter}tval`, 16)}
    csrr t0, ${letter}status
    li t1, ${letter === "m" ? 0x1888 : 0x122}
    and t0, t0, t1
    sd t0, 24(s11)
    li t0, ${letter === "m" ? 1 : 2}
    sd t0, 32(s11)
    ${registers}
    addi s11, s11, 256`;
  return `
    li a1, 0
    la t0, mtrap
    csrw mtvec, t0
    la t0, strap
    csrw stvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    ${before}
    li s11, ${LOG}
    li s10, ${SCRATCH}
    li s9, 0x10000000
    ${segments}
    li t0, 0x100000
    li t1, 0x5555
    sw t1, (t0)
    stay: j stay

    .align 2
    mtrap: ${log("m")}
    csrr t0, mcause
    bltz t0, mclear
    li t1, 8
    bltu t0, t1, mskip
    li t1, 12
    bgeu t0, t1, mskip
    li t0, 0x77
    bne a7, t0, mskip
    csrw mepc, a6
    li a7, 0
    li t0, 0x1800
    csrs mstatus, t0
    mret
    mskip: csrr t0, mcause
    li t1, 12
    beq t0, t1, mback
    li t1, 1
    beq t0, t1, mback
    csrr t0, mepc
    addi t0, t0, 4
    csrw mepc, t0
    mret
    mback: csrw mepc, ra
    mret
    mclear: csrci mip, 2
    mret

    .align 2
    strap: ${log("s")}
    csrr t0, scause
    bltz t0, sclear
    li t1, 8
    bne t0, t1, sskip
    li t0, 0x77
    bne a7, t0, sskip
    ecall
    sskip: csrr t0, scause
    li t1, 12
    beq t0, t1, sback
    li t1, 1
    beq t0, t1, sback
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    sret
    sback: csrw sepc, ra
    sret
    sclear: csrci sip, 2
    sret

    ${behind}
  `;
}
