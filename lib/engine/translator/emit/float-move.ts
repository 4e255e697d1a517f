/** Floating-point instructions that move bits and look at none: loads, stores, moves between the register files. */
import type { Emission } from "./emission.ts";
import type { Emitter } from "./emitter.ts";
import { boxBits } from "./float-operand.ts";

/** An emitter of an instruction that rounds nothing and raises nothing, or bails. */
export const quiet = (emit: (e: Emission) => void): Emitter => ({ kind: "float", needs: "on", emit });

const locateLoad = (e: Emission, widthBytes: 4 | 8) => {
  const at = e.temp32(0);
  const offset = e.locate("load", widthBytes);
  e.code.set(at);
  return { at, offset };
};

/** Loads, stores and moves of both precisions. Stores take the low bits, boxed or not. @spec norm:fsw_flw_op @spec norm:fld_op @spec norm:fsd_op */
export const FLOAT_MOVES = {
  fld: quiet((e) => {
    const { at, offset } = locateLoad(e, 8);
    e.setF(() => {
      e.code.get(at);
      e.code.load("f64.load", offset);
    });
  }),
  flw: quiet((e) => {
    const { at, offset } = locateLoad(e, 4);
    e.setFBits(() => {
      e.code.get(at);
      e.code.load("i64.load32_u", offset);
      boxBits(e);
    });
  }),
  fsd: quiet((e) => {
    const offset = e.locate("store", 8);
    e.f2();
    e.code.store("f64.store", offset);
  }),
  fsw: quiet((e) => {
    const offset = e.locate("store", 4);
    e.f2Bits();
    e.code.store("i64.store32", offset);
  }),
  "fmv.x.d": quiet((e) => e.setRd(() => e.f1Bits())),
  "fmv.x.w": quiet((e) =>
    e.setRd(() => {
      e.f1Bits();
      e.code.op("i64.extend32_s");
    }),
  ),
  "fmv.d.x": quiet((e) => e.setFBits(() => e.rs1())),
  "fmv.w.x": quiet((e) =>
    e.setFBits(() => {
      e.rs1();
      boxBits(e);
    }),
  ),
} as const;
