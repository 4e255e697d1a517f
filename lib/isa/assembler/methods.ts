/**
 * What editors show of the typed assembler: a line for each mnemonic, with its operand form.
 *
 * The forms repeat the instruction tables so that each line can carry its text into completion lists; `FORMS_AGREE` below
 * does not compile when a mnemonic is missing here, is unknown there, or has another form.
 */
import type { INSTRUCTIONS, Mnemonic } from "../instructions.ts";
import type { AtomicForms } from "./atomic-methods.ts";
import type { BitForms } from "./bit-methods.ts";
import type { CompressedForms } from "./compressed-methods.ts";
import type { FloatForms } from "./float-methods.ts";
import type { HypervisorForms } from "./hypervisor-methods.ts";
import type { PSEUDO_INSTRUCTIONS, PseudoMnemonic } from "./pseudo.ts";

/** Real instructions by method name (`.` becomes `_`), with the name of their operand form. */
export interface InstructionForms
  extends AtomicForms,
    FloatForms,
    CompressedForms,
    BitForms,
    HypervisorForms {
  /** `rd ← upper20 << 12`, sign-extended. */
  lui: "upper";
  /** `rd ← pc + (upper20 << 12)`. */
  auipc: "upper";
  /** Jump and link: `rd ← pc + 4`, go to the target (±1 MiB). */
  jal: "jump";
  /** Jump and link through a register: `rd ← pc + 4`, go to `(base + offset) & ~1`. */
  jalr: "load";
  /** Branch if `rs1 = rs2` (±4 KiB). */
  beq: "branch";
  /** Branch if `rs1 ≠ rs2` (±4 KiB). */
  bne: "branch";
  /** Branch if `rs1 < rs2`, signed. */
  blt: "branch";
  /** Branch if `rs1 ≥ rs2`, signed. */
  bge: "branch";
  /** Branch if `rs1 < rs2`, unsigned. */
  bltu: "branch";
  /** Branch if `rs1 ≥ rs2`, unsigned. */
  bgeu: "branch";
  /** Load a byte from `base + offset`, sign-extended. */
  lb: "load";
  /** Load 16 bits from `base + offset`, sign-extended. */
  lh: "load";
  /** Load 32 bits from `base + offset`, sign-extended. */
  lw: "load";
  /** Load 64 bits from `base + offset`. */
  ld: "load";
  /** Load a byte from `base + offset`, zero-extended. */
  lbu: "load";
  /** Load 16 bits from `base + offset`, zero-extended. */
  lhu: "load";
  /** Load 32 bits from `base + offset`, zero-extended. */
  lwu: "load";
  /** Store the low byte of `rs2` at `base + offset`. */
  sb: "store";
  /** Store the low 16 bits of `rs2` at `base + offset`. */
  sh: "store";
  /** Store the low 32 bits of `rs2` at `base + offset`. */
  sw: "store";
  /** Store `rs2` at `base + offset`. */
  sd: "store";
  /** `rd ← rs1 + imm` (−2048…2047). */
  addi: "immediate";
  /** `rd ← 1 if rs1 < imm, else 0`, signed. */
  slti: "immediate";
  /** `rd ← 1 if rs1 < imm, else 0`, unsigned (the immediate is sign-extended first). */
  sltiu: "immediate";
  /** `rd ← rs1 xor imm`. */
  xori: "immediate";
  /** `rd ← rs1 or imm`. */
  ori: "immediate";
  /** `rd ← rs1 and imm`. */
  andi: "immediate";
  /** `rd ← rs1 << shamt`. */
  slli: "shift";
  /** `rd ← rs1 >> shamt`, zeros come in. */
  srli: "shift";
  /** `rd ← rs1 >> shamt`, copies of the sign come in. */
  srai: "shift";
  /** `rd ← rs1 + rs2`. */
  add: "registers";
  /** `rd ← rs1 − rs2`. */
  sub: "registers";
  /** `rd ← rs1 << rs2` (its low 6 bits). */
  sll: "registers";
  /** `rd ← 1 if rs1 < rs2, else 0`, signed. */
  slt: "registers";
  /** `rd ← 1 if rs1 < rs2, else 0`, unsigned. */
  sltu: "registers";
  /** `rd ← rs1 xor rs2`. */
  xor: "registers";
  /** `rd ← rs1 >> rs2` (its low 6 bits), zeros come in. */
  srl: "registers";
  /** `rd ← rs1 >> rs2` (its low 6 bits), copies of the sign come in. */
  sra: "registers";
  /** `rd ← rs1 or rs2`. */
  or: "registers";
  /** `rd ← rs1 and rs2`. */
  and: "registers";
  /** `rd ← rs1 + imm` on 32 bits, sign-extended. */
  addiw: "immediate";
  /** `rd ← rs1 << shamt` on 32 bits, sign-extended. */
  slliw: "shift";
  /** `rd ← rs1 >> shamt` on 32 bits, zeros come in, sign-extended. */
  srliw: "shift";
  /** `rd ← rs1 >> shamt` on 32 bits, copies of the sign come in. */
  sraiw: "shift";
  /** `rd ← rs1 + rs2` on 32 bits, sign-extended. */
  addw: "registers";
  /** `rd ← rs1 − rs2` on 32 bits, sign-extended. */
  subw: "registers";
  /** `rd ← rs1 << rs2` on 32 bits, sign-extended. */
  sllw: "registers";
  /** `rd ← rs1 >> rs2` on 32 bits, zeros come in, sign-extended. */
  srlw: "registers";
  /** `rd ← rs1 >> rs2` on 32 bits, copies of the sign come in. */
  sraw: "registers";
  /** Orders memory and device accesses before it against those after it; all kinds when left empty. */
  fence: "fence";
  /** Call the environment: raises the exception "environment call" for the mode that asks. */
  ecall: "none";
  /** Raises the exception "breakpoint". */
  ebreak: "none";
  /** `rd ← rs1 × rs2`, the low 64 bits. */
  mul: "registers";
  /** `rd ← rs1 × rs2`, the high 64 bits, both signed. */
  mulh: "registers";
  /** `rd ← rs1 × rs2`, the high 64 bits, `rs1` signed and `rs2` unsigned. */
  mulhsu: "registers";
  /** `rd ← rs1 × rs2`, the high 64 bits, both unsigned. */
  mulhu: "registers";
  /** `rd ← rs1 ÷ rs2`, signed, towards zero; −1 for a zero divisor. */
  div: "registers";
  /** `rd ← rs1 ÷ rs2`, unsigned; all ones for a zero divisor. */
  divu: "registers";
  /** `rd ← rs1 mod rs2`, with the sign of `rs1`; `rs1` for a zero divisor. */
  rem: "registers";
  /** `rd ← rs1 mod rs2`, unsigned; `rs1` for a zero divisor. */
  remu: "registers";
  /** `rd ← rs1 × rs2` on 32 bits, sign-extended. */
  mulw: "registers";
  /** `rd ← rs1 ÷ rs2` on 32 bits, signed. */
  divw: "registers";
  /** `rd ← rs1 ÷ rs2` on 32 bits, unsigned, sign-extended. */
  divuw: "registers";
  /** `rd ← rs1 mod rs2` on 32 bits, signed. */
  remw: "registers";
  /** `rd ← rs1 mod rs2` on 32 bits, unsigned, sign-extended. */
  remuw: "registers";
  /** `rd ← csr; csr ← rs1`. */
  csrrw: "csr";
  /** `rd ← csr`, then set the bits of `rs1` in it; with `zero` it only reads. */
  csrrs: "csr";
  /** `rd ← csr`, then clear the bits of `rs1` in it; with `zero` it only reads. */
  csrrc: "csr";
  /** `rd ← csr; csr ← uimm` (0…31). */
  csrrwi: "csrImmediate";
  /** `rd ← csr`, then set the bits of `uimm` (0…31) in it. */
  csrrsi: "csrImmediate";
  /** `rd ← csr`, then clear the bits of `uimm` (0…31) in it. */
  csrrci: "csrImmediate";
  /** Makes earlier stores visible to later instruction fetches. */
  fence_i: "none";
  /** Leave a machine-mode trap handler: mode from `mstatus.MPP`, address from `mepc`. */
  mret: "none";
  /** Leave a supervisor-mode trap handler: mode from `sstatus.SPP`, address from `sepc`. */
  sret: "none";
  /** Wait until an interrupt is pending. */
  wfi: "none";
  /** Orders page-table stores before later translations: of one address, one address space, or all when left empty. */
  sfence_vma: "addressFence";
  /** Call the TypeScript handler with this number (0…4095); machine mode and HS-mode may. */
  hx: "handler";
}

/** Pseudo-instructions by method name, with the name of their operand form. */
export interface PseudoForms {
  /** Do nothing: `addi zero, zero, 0`. */
  nop: "none";
  /** `rd ← any 64-bit constant`, in one to eight instructions. */
  li: "constant";
  /** `rd ← address of a label` within ±2 GiB, in two instructions. */
  la: "address";
  /** `rd ← rs`. */
  mv: "move";
  /** `rd ← not rs`. */
  not: "move";
  /** `rd ← −rs`. */
  neg: "move";
  /** `rd ← −rs` on 32 bits, sign-extended. */
  negw: "move";
  /** `rd ← low 32 bits of rs`, sign-extended. */
  sext_w: "move";
  /** `rd ← 1 if rs = 0, else 0`. */
  seqz: "move";
  /** `rd ← 1 if rs ≠ 0, else 0`. */
  snez: "move";
  /** `rd ← 1 if rs < 0, else 0`. */
  sltz: "move";
  /** `rd ← 1 if rs > 0, else 0`. */
  sgtz: "move";
  /** Branch if `rs = 0`. */
  beqz: "branchZero";
  /** Branch if `rs ≠ 0`. */
  bnez: "branchZero";
  /** Branch if `rs ≤ 0`. */
  blez: "branchZero";
  /** Branch if `rs ≥ 0`. */
  bgez: "branchZero";
  /** Branch if `rs < 0`. */
  bltz: "branchZero";
  /** Branch if `rs > 0`. */
  bgtz: "branchZero";
  /** Branch if `rs1 > rs2`, signed. */
  bgt: "branchSwapped";
  /** Branch if `rs1 ≤ rs2`, signed. */
  ble: "branchSwapped";
  /** Branch if `rs1 > rs2`, unsigned. */
  bgtu: "branchSwapped";
  /** Branch if `rs1 ≤ rs2`, unsigned. */
  bleu: "branchSwapped";
  /** Jump (±1 MiB). */
  j: "target";
  /** Jump to the address in a register. */
  jr: "register";
  /** Return from a function: jump to `ra`. */
  ret: "none";
  /** Call a function within ±2 GiB: `ra` gets the return address. */
  call: "target";
  /** Jump to a function within ±2 GiB without coming back; uses `t1`. */
  tail: "target";
  /** `rd ← csr`. */
  csrr: "csrRead";
  /** `csr ← rs`. */
  csrw: "csrWrite";
  /** Set the bits of `rs` in a CSR. */
  csrs: "csrWrite";
  /** Clear the bits of `rs` in a CSR. */
  csrc: "csrWrite";
  /** `csr ← uimm` (0…31). */
  csrwi: "csrWriteImmediate";
  /** Set the bits of `uimm` (0…31) in a CSR. */
  csrsi: "csrWriteImmediate";
  /** Clear the bits of `uimm` (0…31) in a CSR. */
  csrci: "csrWriteImmediate";
  /** `rd ← cycle counter`. */
  rdcycle: "destination";
  /** `rd ← time`. */
  rdtime: "destination";
  /** `rd ← instructions retired`. */
  rdinstret: "destination";
  /** Zero-extend the low byte. */
  zext_b: "move";
  /** Zero-extend the low 32 bits. */
  zext_w: "move";
  /** Copy a single-precision number. */
  fmv_s: "floatMove";
  /** The magnitude of a single-precision number. */
  fabs_s: "floatMove";
  /** A single-precision number with the opposite sign. */
  fneg_s: "floatMove";
  /** `rd ← 1 if rs1 > rs2, else 0`, single precision. */
  fgt_s: "floatCompareSwapped";
  /** `rd ← 1 if rs1 ≥ rs2, else 0`, single precision. */
  fge_s: "floatCompareSwapped";
  /** Copy a double-precision number. */
  fmv_d: "floatMove";
  /** The magnitude of a double-precision number. */
  fabs_d: "floatMove";
  /** A double-precision number with the opposite sign. */
  fneg_d: "floatMove";
  /** `rd ← 1 if rs1 > rs2, else 0`, double precision. */
  fgt_d: "floatCompareSwapped";
  /** `rd ← 1 if rs1 ≥ rs2, else 0`, double precision. */
  fge_d: "floatCompareSwapped";
  /** `rd ← fcsr`: rounding mode and flags. */
  frcsr: "destination";
  /** `fcsr ← rs`. */
  fscsr: "register";
  /** `rd ←` the dynamic rounding mode. */
  frrm: "destination";
  /** Set the dynamic rounding mode. */
  fsrm: "register";
  /** `rd ←` the exception flags. */
  frflags: "destination";
  /** Set the exception flags. */
  fsflags: "register";
}

/** A mnemonic as a property name: `sfence.vma` is `asm.sfence_vma`. */
export type AsmName<M extends string> = M extends `${infer Head}.${infer Tail}`
  ? `${Head}_${AsmName<Tail>}`
  : M;

/** The forms as the tables have them. */
type TableForms = { [M in Mnemonic as AsmName<M>]: (typeof INSTRUCTIONS)[M]["form"] };
type PseudoTableForms = { [M in PseudoMnemonic as AsmName<M>]: (typeof PSEUDO_INSTRUCTIONS)[M]["form"] };

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

/** Compiles only while the lines above and the tables agree. */
export const FORMS_AGREE: readonly [Same<InstructionForms, TableForms>, Same<PseudoForms, PseudoTableForms>] =
  [true, true];
