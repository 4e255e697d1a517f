/** F and D as instructions: who may use the unit, what marks it dirty, rounding modes, boxes. Numbers: see softfloat/. */
import { beforeEach, describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { decodeCsr, encodeCsr } from "../../../lib/isa/csr-map.ts";
import { FORMS, type FormShape } from "../../../lib/isa/form.ts";
import type { Insn } from "../../../lib/isa/insn.ts";
import { EXTENSIONS } from "../../../lib/isa/instructions.ts";
import { EXCEPTION } from "../../../lib/isa/trap.ts";
import { type BareMachine, bareMachine, loadText, RAM_BASE } from "../../support/bare-machine.ts";

const OFF = 0;
const INITIAL = 1;
const CLEAN = 2;
const DIRTY = 3;
const ONE = 0xffff_ffff_3f80_0000n;
const TWO = 0xffff_ffff_4000_0000n;
let machine: BareMachine;

beforeEach(() => {
  machine = bareMachine();
  setState(CLEAN);
});

function setState(FS: number): void {
  writeCsr(machine.hart, "mstatus", encodeCsr("mstatus", { FS }));
}

const state = (): { FS: bigint; SD: bigint } => decodeCsr("mstatus", machine.hart.csr("mstatus"));
const f = (number: number): bigint => machine.hart.state.f[number] ?? 0n;
const setF = (number: number, word: bigint): void => {
  machine.hart.state.f[number] = word;
};

/** Executes one line; whether it was an illegal instruction. */
function isIllegal(line: string): boolean {
  loadText(machine, line);
  const trap = machine.engine.step();
  return trap?.cause === EXCEPTION.illegalInstruction;
}

const texts = Object.entries<Insn>({ ...EXTENSIONS.f, ...EXTENSIONS.d }).map(([mnemonic, { form }]) => {
  const shape: FormShape = FORMS[form];
  const operands = shape.operands
    .filter(({ kind }) => kind !== "rounding")
    .map(({ kind }) => (kind === "float" ? "ft0" : kind === "register" ? "t0" : "8"));
  return form === "floatLoad" || form === "floatStore"
    ? `${mnemonic} ft0, 8(t0)`
    : `${mnemonic} ${operands.join(", ")}`;
});

describe("mstatus.FS", () => {
  it("Off makes every floating-point instruction and CSR illegal, with the word in mtval (norm:mstatus_fs_vs_xs_off_op)", () => {
    expect(texts.length).toBe(62);
    for (const line of [...texts, "csrr t0, fcsr", "csrw frm, t0", "csrr t0, fflags", "c.fldsp fa0, 0(sp)"]) {
      setState(OFF);
      expect(isIllegal(line), line).toBe(true);
      expect(machine.hart.csr("mtval"), line).not.toBe(0n);
    }
  });

  it("Initial and Clean become Dirty with a written register, and SD follows (norm:mstatus_fs_vs_xs_dirty_op norm:mstatus_fs_vs_xs_enc norm:mstatus_sd_op1)", () => {
    for (const before of [INITIAL, CLEAN]) {
      setState(before);
      expect(state().SD).toBe(0n);
      isIllegal("fmv.w.x fa0, zero");
      expect(state()).toMatchObject({ FS: BigInt(DIRTY), SD: 1n });
    }
  });

  it("becomes Dirty with a raised flag, though the result is an integer", () => {
    setF(10, 0x7ff0_0000_0000_0001n);
    isIllegal("feq.d a0, fa0, fa0");
    expect(state().FS).toBe(BigInt(DIRTY));
  });

  it("stays Clean while registers and flags are only read", () => {
    setF(10, ONE);
    for (const line of ["fmv.x.w a0, fa0", "feq.s a0, fa0, fa0", "csrr a0, fcsr", "fclass.s a0, fa0"])
      isIllegal(line);
    expect(state()).toMatchObject({ FS: BigInt(CLEAN), SD: 0n });
  });

  it("becomes Dirty when software writes fcsr, frm or fflags", () => {
    for (const csr of ["fcsr", "frm", "fflags"]) {
      setState(CLEAN);
      isIllegal(`csrw ${csr}, zero`);
      expect(state().FS, csr).toBe(BigInt(DIRTY));
    }
  });
});

describe("fcsr", () => {
  it("holds frm above fflags, and reads its reserved bits as zero (norm:fcsr_op_sz_acc norm:fflags_frm_op_sz_acc norm:fcsr_rsv norm:fcsr_fflags_op)", () => {
    writeCsr(machine.hart, "fcsr", 2n ** 64n - 1n);
    expect(machine.hart.csr("fcsr")).toBe(0xffn);
    writeCsr(machine.hart, "frm", 3n);
    writeCsr(machine.hart, "fflags", 0b10001n);
    expect([machine.hart.csr("fcsr"), machine.hart.csr("frm"), machine.hart.csr("fflags")]).toEqual([
      0b011_10001n,
      3n,
      0b10001n,
    ]);
  });

  it("accrues flags and never clears one by itself (norm:fcsr_fflags_op)", () => {
    setF(10, ONE);
    setF(11, 0xffff_ffff_0000_0000n);
    isIllegal("fdiv.s fa2, fa0, fa1");
    isIllegal("fadd.s fa2, fa0, fa0");
    expect(machine.hart.csr("fflags")).toBe(8n);
  });
});

describe("the rounding mode", () => {
  it("comes from the instruction, or from frm when that says dyn (norm:roundingmode_dynamic norm:F_rm_field norm:dyn_round_enc)", () => {
    const third = (line: string): bigint => {
      setF(10, ONE);
      setF(11, 0xffff_ffff_4040_0000n);
      isIllegal(line);
      return f(12);
    };
    writeCsr(machine.hart, "frm", 3n);
    expect(third("fdiv.s fa2, fa0, fa1, rdn")).toBe(0xffff_ffff_3eaa_aaaan);
    expect(third("fdiv.s fa2, fa0, fa1, rup")).toBe(0xffff_ffff_3eaa_aaabn);
    expect(third("fdiv.s fa2, fa0, fa1")).toBe(0xffff_ffff_3eaa_aaabn);
    writeCsr(machine.hart, "frm", 1n);
    expect(third("fdiv.s fa2, fa0, fa1")).toBe(0xffff_ffff_3eaa_aaaan);
  });

  it("5 and 6 are illegal in an instruction, 5 to 7 in frm once it is used (norm:roundingmode_rsv)", () => {
    expect(isIllegal("fadd.s fa0, fa0, fa0, 5")).toBe(true);
    expect(isIllegal("fadd.s fa0, fa0, fa0, 6")).toBe(true);
    for (const reserved of [5n, 6n, 7n]) {
      writeCsr(machine.hart, "frm", reserved);
      expect(isIllegal("fadd.s fa0, fa0, fa0")).toBe(true);
      expect(isIllegal("fsqrt.d fa0, fa0")).toBe(true);
      expect(isIllegal("fadd.s fa0, fa0, fa0, rne")).toBe(false);
      expect(isIllegal("fsgnj.s fa0, fa0, fa0")).toBe(false);
    }
  });
});

describe("single precision in 64-bit registers", () => {
  it("is boxed by whoever writes it (norm:fp_nan-boxing norm:fsw_flw_op norm:fcvt-s-w_fcvt-s-l_op)", () => {
    machine.hart.write("t0", BigInt(RAM_BASE + 0x100));
    machine.ram.store(0x100, 4, 0x3f80_0000n);
    for (const line of [
      "flw fa0, 0(t0)",
      "fcvt.s.w fa1, zero",
      "fadd.s fa2, fa0, fa0",
      "fmin.s fa3, fa0, fa2",
    ])
      isIllegal(line);
    expect([f(10), f(11), f(12), f(13)]).toEqual([ONE, 0xffff_ffff_0000_0000n, TWO, ONE]);
  });

  it("without its box counts as a NaN in arithmetic, but is moved and stored as it is (norm:FP_nontransfer_instrs_improper_nan-boxed_input norm:fmv-x-w_op norm:fsw_flw_bits_maintained)", () => {
    setF(10, 0x3f80_0000n);
    isIllegal("fadd.s fa1, fa0, fa0");
    expect(f(11)).toBe(0xffff_ffff_7fc0_0000n);
    expect(machine.hart.csr("fflags")).toBe(0n);
    isIllegal("fmv.x.w a0, fa0");
    expect(machine.hart.read("a0")).toBe(0x3f80_0000n);
    machine.hart.write("t0", BigInt(RAM_BASE + 0x100));
    isIllegal("fsw fa0, 0(t0)");
    expect(machine.ram.load(0x100, 8)).toBe(0x3f80_0000n);
  });

  it("is sign-extended on its way to an integer register, unsigned conversions too (norm:fmv-x-w_op norm:fcvt-wu-s_fcvt-lu-s_fcvt-s-wu_fcvt-s-lu_op norm:fcvt-w-d_fcvt-wu-d_sign_ext)", () => {
    setF(10, 0xffff_ffff_bf80_0000n);
    isIllegal("fmv.x.w a0, fa0");
    expect(machine.hart.read("a0")).toBe(0xffff_ffff_bf80_0000n);
    setF(10, 0xffff_ffff_4f00_0000n); // 2^31
    isIllegal("fcvt.wu.s a0, fa0");
    expect(machine.hart.read("a0")).toBe(0xffff_ffff_8000_0000n);
  });
});

describe("loads and stores", () => {
  it("cross pages and are not bound to alignment (norm:fld_op norm:fsd_op)", () => {
    machine.hart.write("t0", BigInt(RAM_BASE + 0xffd));
    setF(10, 0x0123_4567_89ab_cdefn);
    isIllegal("fsd fa0, 0(t0)");
    isIllegal("fld fa1, 0(t0)");
    expect(f(11)).toBe(0x0123_4567_89ab_cdefn);
  });

  it("reach the base plus the offset, four bytes or eight (norm:fsd_op norm:fsw_flw_op norm:fld_op)", () => {
    machine.hart.write("t0", BigInt(RAM_BASE + 0x800));
    setF(10, 0x0123_4567_89ab_cdefn);
    isIllegal("fsd fa0, 8(t0)");
    isIllegal("fsw fa0, 20(t0)");
    expect(machine.ram.load(0x808, 8)).toBe(0x0123_4567_89ab_cdefn);
    expect(machine.ram.load(0x810, 8)).toBe(0x89ab_cdef_0000_0000n);
    isIllegal("flw fa1, 20(t0)");
    expect(f(11)).toBe(0xffff_ffff_89ab_cdefn);
  });

  it("that fault leave the register and FS alone", () => {
    machine.hart.write("t0", 0x1000n);
    setF(10, ONE);
    isIllegal("fld fa0, 0(t0)");
    expect(machine.hart.csr("mcause")).toBe(BigInt(EXCEPTION.loadAccessFault));
    expect([f(10), state().FS]).toEqual([ONE, BigInt(CLEAN)]);
  });
});
