/** What editors show of atomic instructions (A); see methods.ts. */

/** Atomic instructions without an ordering, by method name, with the name of their operand form. */
export interface PlainAtomicForms {
  /** Load 32 bits and reserve them. */
  lr_w: "loadReserved";
  /** Store 32 bits if they are still reserved: `rd ← 0`; otherwise `rd ← 1`. */
  sc_w: "atomic";
  /** At once: `rd ← old`, memory `←` rs2 (32 bits). */
  amoswap_w: "atomic";
  /** At once: `rd ← old`, memory `←` old + rs2 (32 bits). */
  amoadd_w: "atomic";
  /** At once: `rd ← old`, memory `←` old xor rs2 (32 bits). */
  amoxor_w: "atomic";
  /** At once: `rd ← old`, memory `←` old and rs2 (32 bits). */
  amoand_w: "atomic";
  /** At once: `rd ← old`, memory `←` old or rs2 (32 bits). */
  amoor_w: "atomic";
  /** At once: `rd ← old`, memory `←` the smaller of both, signed (32 bits). */
  amomin_w: "atomic";
  /** At once: `rd ← old`, memory `←` the larger of both, signed (32 bits). */
  amomax_w: "atomic";
  /** At once: `rd ← old`, memory `←` the smaller of both, unsigned (32 bits). */
  amominu_w: "atomic";
  /** At once: `rd ← old`, memory `←` the larger of both, unsigned (32 bits). */
  amomaxu_w: "atomic";
  /** Load 64 bits and reserve them. */
  lr_d: "loadReserved";
  /** Store 64 bits if they are still reserved: `rd ← 0`; otherwise `rd ← 1`. */
  sc_d: "atomic";
  /** At once: `rd ← old`, memory `←` rs2 (64 bits). */
  amoswap_d: "atomic";
  /** At once: `rd ← old`, memory `←` old + rs2 (64 bits). */
  amoadd_d: "atomic";
  /** At once: `rd ← old`, memory `←` old xor rs2 (64 bits). */
  amoxor_d: "atomic";
  /** At once: `rd ← old`, memory `←` old and rs2 (64 bits). */
  amoand_d: "atomic";
  /** At once: `rd ← old`, memory `←` old or rs2 (64 bits). */
  amoor_d: "atomic";
  /** At once: `rd ← old`, memory `←` the smaller of both, signed (64 bits). */
  amomin_d: "atomic";
  /** At once: `rd ← old`, memory `←` the larger of both, signed (64 bits). */
  amomax_d: "atomic";
  /** At once: `rd ← old`, memory `←` the smaller of both, unsigned (64 bits). */
  amominu_d: "atomic";
  /** At once: `rd ← old`, memory `←` the larger of both, unsigned (64 bits). */
  amomaxu_d: "atomic";
}

/** The same with acquire, release, or both. */
type OrderedAtomicForms = {
  [M in keyof PlainAtomicForms as `${M}_${"aq" | "rl" | "aqrl"}`]: PlainAtomicForms[M];
};

/** All atomic instructions. */
export interface AtomicForms extends PlainAtomicForms, OrderedAtomicForms {}
