/**
 * Every floating-point instruction once in each format, on numbers for which arithmetic needs no rounding: expected values
 * are JavaScript's, which computes in binary64.
 */
import { beforeEach, describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { type BareMachine, bareMachine, loadText } from "../../support/bare-machine.ts";

let machine: BareMachine;
beforeEach(() => {
  machine = bareMachine();
  writeCsr(machine.hart, "mstatus", 1n << 13n);
});

const view = new DataView(new ArrayBuffer(8));
const BOX = 0xffff_ffffn << 32n;
/** A number as a floating-point register holds it. */
function wordOf(value: number, format: "s" | "d"): bigint {
  if (format === "d") {
    view.setFloat64(0, value);
    return view.getBigUint64(0);
  }
  view.setFloat32(0, value);
  return BOX | BigInt(view.getUint32(0));
}

/** Executes one line with fa1, fa2 and fa3 set; what is in fa0. */
function result(line: string, format: "s" | "d", operands: readonly number[]): bigint {
  for (const [at, operand] of operands.entries()) machine.hart.state.f[11 + at] = wordOf(operand, format);
  loadText(machine, line);
  expect(machine.engine.step(), line).toBeUndefined();
  return machine.hart.state.f[10] ?? 0n;
}

/** Instruction, operands, result, the rules of F and D. */
const ARITHMETIC = [
  ["fadd", [6, 1.5], 7.5, "norm:fadd-s_fmul-s_op", "norm:D_computational_instrs"],
  ["fsub", [6, 1.5], 4.5, "norm:fsub-s_op", "norm:D_computational_instrs"],
  ["fmul", [6, 1.5], 9, "norm:fadd-s_fmul-s_op", "norm:D_computational_instrs"],
  ["fdiv", [6, 1.5], 4, "norm:fdiv-s_op", "norm:D_computational_instrs"],
  ["fsqrt", [6.25], 2.5, "norm:fsqrt-s_op", "norm:D_computational_instrs"],
  ["fmadd", [6, 1.5, 2], 11, "norm:fmadd-s_op", "norm:D_computational_instrs"],
  ["fmsub", [6, 1.5, 2], 7, "norm:fmsub-s_op", "norm:D_computational_instrs"],
  ["fnmsub", [6, 1.5, 2], -7, "norm:fnmsub-s_op", "norm:D_computational_instrs"],
  ["fnmadd", [6, 1.5, 2], -11, "norm:fnmadd-s_op", "norm:D_computational_instrs"],
  ["fmin", [6, -1.5], -1.5, "norm:fmin-s_fmax-s_op", "norm:D_computational_instrs"],
  ["fmax", [-6, 1.5], 1.5, "norm:fmin-s_fmax-s_op", "norm:D_computational_instrs"],
  ["fsgnj", [6, -1.5], -6, "norm:fsgnj-s_fsgnjn-s_fsgnjx-s_op", "norm:fsgnj-d_fsgnjn-d_fsgnjx-d_op"],
  ["fsgnjn", [6, -1.5], 6, "norm:fsgnj-s_fsgnjn-s_fsgnjx-s_op", "norm:fsgnj-d_fsgnjn-d_fsgnjx-d_op"],
  ["fsgnjx", [-6, -1.5], 6, "norm:fsgnj-s_fsgnjn-s_fsgnjx-s_op", "norm:fsgnj-d_fsgnjn-d_fsgnjx-d_op"],
  ["fsgnjx", [6, -1.5], -6, "norm:fsgnj-s_fsgnjn-s_fsgnjx-s_op", "norm:fsgnj-d_fsgnjn-d_fsgnjx-d_op"],
] as const;

describe.each(["s", "d"] as const)("arithmetic in format %s", (format) => {
  it.each(ARITHMETIC)("%s of %o is %d (%s %s)", (name, operands, expected) => {
    const registers = ["fa1", "fa2", "fa3"].slice(0, operands.length).join(", ");
    expect(result(`${name}.${format} fa0, ${registers}`, format, operands)).toBe(wordOf(expected, format));
  });
});

/** Instruction, operands, the integer that comes out, the rules of F and D. */
const TO_INTEGER = [
  ["feq", "fa1, fa2", [1.5, 1.5], 1n, "norm:feq-s_flt-s_fle-s_op", "norm:D_compare_instrs"],
  ["feq", "fa1, fa2", [1.5, 6], 0n, "norm:feq-s_flt-s_fle-s_op", "norm:D_compare_instrs"],
  ["flt", "fa1, fa2", [1.5, 6], 1n, "norm:feq-s_flt-s_fle-s_op", "norm:D_compare_instrs"],
  ["flt", "fa1, fa2", [6, 6], 0n, "norm:feq-s_flt-s_fle-s_op", "norm:D_compare_instrs"],
  ["fle", "fa1, fa2", [6, 6], 1n, "norm:feq-s_flt-s_fle-s_op", "norm:D_compare_instrs"],
  ["fle", "fa1, fa2", [6, 1.5], 0n, "norm:feq-s_flt-s_fle-s_op", "norm:D_compare_instrs"],
  ["fle", "fa1, fa2", [1.5, 6], 1n, "norm:feq-s_flt-s_fle-s_op", "norm:D_compare_instrs"],
  ["feq", "fa1, fa2", [Number.NaN, Number.NaN], 0n, "norm:feq-s_flt-s_fle-s_NaN_input norm:feq-s_quiet", ""],
  ["fclass", "fa1", [-1.5], 2n, "norm:fclass-s_op", "norm:fclass-d_op"],
  ["fclass", "fa1", [Number.POSITIVE_INFINITY], 128n, "norm:fclass-s_op", "norm:fclass-d_op"],
  ["fcvt.w", "fa1, rtz", [-7.5], 2n ** 64n - 7n, "norm:fcvt-l-s_fcvt-w-s_op", "norm:fcvt-w-d_fcvt-l-d_op"],
  [
    "fcvt.l",
    "fa1, rtz",
    [-(2 ** 40)],
    2n ** 64n - 2n ** 40n,
    "norm:fcvt-l-s_fcvt-w-s_op",
    "norm:fcvt-w-d_fcvt-l-d_op",
  ],
  [
    "fcvt.wu",
    "fa1, rtz",
    [2 ** 31],
    2n ** 64n - 2n ** 31n,
    "norm:fcvt-wu-s_fcvt-lu-s_fcvt-s-wu_fcvt-s-lu_op",
    "norm:fcvt-w-d_fcvt-wu-d_sign_ext norm:fcvt-wu-d_fcvt-lu-d_fcvt-d-wu_fcvt-d-lu_op",
  ],
  [
    "fcvt.lu",
    "fa1, rtz",
    [2 ** 63],
    2n ** 63n,
    "norm:fcvt-wu-s_fcvt-lu-s_fcvt-s-wu_fcvt-s-lu_op",
    "norm:fcvt-wu-d_fcvt-lu-d_fcvt-d-wu_fcvt-d-lu_op",
  ],
] as const;

describe.each(["s", "d"] as const)("what goes to integer registers from format %s", (format) => {
  it.each(TO_INTEGER)("%s %s of %o is %i (%s %s)", (name, operands, numbers, expected) => {
    const [first = "", ...rest] = operands.split(", ");
    const line = `${name}.${format} a0, ${[first, ...rest].join(", ")}`;
    result(line, format, numbers);
    expect(BigInt.asUintN(64, machine.hart.read("a0"))).toBe(expected);
  });
});

/** Instruction, the integer in a1, the number that comes out, the rules of F and D. */
const FROM_INTEGER = [
  ["w", 2n ** 64n - 7n, -7, "norm:fcvt-s-w_fcvt-s-l_op", "norm:fcvt-d-w_fcvt-d-l_op"],
  ["w", 2n ** 32n - 7n, -7, "norm:fcvt-s-w_fcvt-s-l_op", "norm:fcvt-d-w_fcvt-d-l_op"],
  ["l", 2n ** 64n - 2n ** 40n, -(2 ** 40), "norm:fcvt-s-w_fcvt-s-l_op", "norm:fcvt-d-w_fcvt-d-l_op"],
  [
    "wu",
    2n ** 64n - 2n ** 31n,
    2 ** 31,
    "norm:fcvt-wu-s_fcvt-lu-s_fcvt-s-wu_fcvt-s-lu_op",
    "norm:fcvt-wu-d_fcvt-lu-d_fcvt-d-wu_fcvt-d-lu_op",
  ],
  [
    "lu",
    2n ** 63n,
    2 ** 63,
    "norm:fcvt-wu-s_fcvt-lu-s_fcvt-s-wu_fcvt-s-lu_op",
    "norm:fcvt-wu-d_fcvt-lu-d_fcvt-d-wu_fcvt-d-lu_op",
  ],
] as const;

describe.each(["s", "d"] as const)("what comes from integer registers to format %s", (format) => {
  it.each(FROM_INTEGER)("fcvt from %s of %i is %d (%s %s)", (width, integer, expected) => {
    machine.hart.write("a1", integer);
    expect(result(`fcvt.${format}.${width} fa0, a1`, format, [])).toBe(wordOf(expected, format));
  });
});

describe("moves", () => {
  it("carry bits, 32 of them boxed and sign-extended, or 64 (norm:fmv-x-w_op norm:fmv-w-x_op norm:fmv-x-d_op norm:fmv-d-x_op)", () => {
    machine.hart.write("a1", 0x1234_5678_ff80_0001n);
    expect(result("fmv.w.x fa0, a1", "s", [])).toBe(BOX | 0xff80_0001n);
    expect(result("fmv.d.x fa0, a1", "d", [])).toBe(0x1234_5678_ff80_0001n);
    machine.hart.state.f[11] = 0x1234_5678_ff80_0001n;
    loadText(machine, "fmv.x.w a0, fa1\n fmv.x.d a2, fa1");
    machine.engine.run(2);
    expect([machine.hart.read("a0"), machine.hart.read("a2")]).toEqual([
      0xffff_ffff_ff80_0001n,
      0x1234_5678_ff80_0001n,
    ]);
  });

  it("between formats change the width and not the number (norm:fcvt-s-d_fcvt-d-s_op)", () => {
    expect(result("fcvt.s.d fa0, fa1", "d", [1.5])).toBe(wordOf(1.5, "s"));
    expect(result("fcvt.d.s fa0, fa1", "s", [1.5])).toBe(wordOf(1.5, "d"));
  });
});
