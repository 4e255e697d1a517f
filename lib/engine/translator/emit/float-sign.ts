/** Sign injection: bits of a number with a sign made of two; NaNs too, and no flag. */
import type { Emission } from "./emission.ts";
import type { Emitter } from "./emitter.ts";
import { quiet } from "./float-move.ts";
import { readSingleBits } from "./float-operand.ts";

const DOUBLE_SIGN = 1n << 63n;
const SINGLE_SIGN = 1n << 31n;

const double = (value: (e: Emission) => void): Emitter => quiet((e) => e.setF(() => value(e)));

/** A single's bits, in `temp64(0)` and, if there is another source, `temp64(1)`, changed by `value`: boxed ones stay boxed. */
const single = (sources: 1 | 2, value: (e: Emission) => void): Emitter =>
  quiet((e) => {
    readSingleBits(e, sources);
    e.setFBits(() => value(e));
  });

/** The sign bit of the second source flips that of the first. */
function flipSign(e: Emission, sign: bigint): void {
  e.code.i64(sign);
  e.code.ops("i64.and", "i64.xor");
}

/** (first & ~sign) | (second & sign), as first ^ ((first ^ second) & sign). `flip`: second's sign turned around. */
function injectSingle(e: Emission, flip: boolean): void {
  const { code } = e;
  const [first, second] = [e.temp64(0), e.temp64(1)];
  code.get(first);
  code.get(first);
  code.get(second);
  code.op("i64.xor");
  if (flip) {
    code.i64(-1n);
    code.op("i64.xor");
  }
  flipSign(e, SINGLE_SIGN);
}

/** Sign injection from one register into another. */
export const SIGN_INJECTIONS = {
  "fsgnj.d": double((e) => {
    e.f1();
    e.f2();
    e.code.op("f64.copysign");
  }),
  "fsgnjn.d": double((e) => {
    e.f1();
    e.f2();
    e.code.ops("f64.neg", "f64.copysign");
  }),
  "fsgnjx.d": quiet((e) =>
    e.setFBits(() => {
      e.f1Bits();
      e.f2Bits();
      flipSign(e, DOUBLE_SIGN);
    }),
  ),
  "fsgnj.s": single(2, (e) => injectSingle(e, false)),
  "fsgnjn.s": single(2, (e) => injectSingle(e, true)),
  "fsgnjx.s": single(2, (e) => {
    e.code.get(e.temp64(0));
    e.code.get(e.temp64(1));
    flipSign(e, SINGLE_SIGN);
  }),
} as const;

/** The same where both sources are one register, under the names that assemblers have for it. */
export const SELF_INJECTIONS = {
  "fmv.d": double((e) => e.f1()),
  "fneg.d": double((e) => {
    e.f1();
    e.code.op("f64.neg");
  }),
  "fabs.d": double((e) => {
    e.f1();
    e.code.op("f64.abs");
  }),
  "fmv.s": single(1, (e) => e.code.get(e.temp64(0))),
  "fneg.s": single(1, (e) => {
    e.code.get(e.temp64(0));
    e.code.i64(SINGLE_SIGN);
    e.code.op("i64.xor");
  }),
  "fabs.s": single(1, (e) => {
    e.code.get(e.temp64(0));
    e.code.i64(~SINGLE_SIGN);
    e.code.op("i64.and");
  }),
} as const;
