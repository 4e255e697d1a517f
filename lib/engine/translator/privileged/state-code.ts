/** Code that looks at a hart's state block and working words. */
import { type BitField, fieldMask } from "../../../bits/field.ts";
import { HART_LAYOUT, type LayoutName, type StoredCsr } from "../../../hart/layout.ts";
import { csrOffset, WORD, type WordName } from "../layout.ts";
import type { Code, Label, Local } from "../wasm/code.ts";

/** Pushes a value. */
export type Push = () => void;

/** A field of a register and what it becomes: a constant, or what is pushed (i64, no more bits than the field has). */
export type NewField = readonly [field: BitField, value: bigint | Push];

/** Writes code of a function whose first parameters are `h`, the address of the state block, and `budget`. */
export class StateCode {
  readonly code: Code;
  readonly h = 0 as Local;
  readonly budget = 1 as Local;

  constructor(code: Code) {
    this.code = code;
  }

  /** Pushes a stored CSR, i64. */
  csr(name: StoredCsr): void {
    this.code.get(this.h);
    this.code.load("i64.load", csrOffset(name));
  }

  setCsr(name: StoredCsr, value: bigint | Push): void {
    this.code.get(this.h);
    this.push64(value);
    this.code.store("i64.store", csrOffset(name));
  }

  /** Pushes a field of the state block: i64, or i32 for those of four bytes. */
  field(name: LayoutName): void {
    const { offset, widthBytes } = HART_LAYOUT[name];
    this.code.get(this.h);
    this.code.load(widthBytes === 8 ? "i64.load" : "i32.load", offset);
  }

  setField(name: LayoutName, value: Push): void {
    const { offset, widthBytes } = HART_LAYOUT[name];
    this.code.get(this.h);
    value();
    this.code.store(widthBytes === 8 ? "i64.store" : "i32.store", offset);
  }

  /** Pushes a working word of four bytes, i32. */
  word(offset: number): void {
    this.code.get(this.h);
    this.code.load("i32.load", offset);
  }

  setWord(offset: number, value: Push): void {
    this.code.get(this.h);
    value();
    this.code.store("i32.store", offset);
  }

  /** Pushes a constant, or what is pushed. */
  push64(value: bigint | Push): void {
    if (typeof value === "bigint") this.code.i64(value);
    else value();
  }

  /** Keeps a value in a new local. */
  keep64(value: Push): Local {
    const local = this.code.local("i64");
    value();
    this.code.set(local);
    return local;
  }

  keep32(value: Push): Local {
    const local = this.code.local("i32");
    value();
    this.code.set(local);
    return local;
  }

  /** Pushes a field of a register that is in a local, i64, shifted down to bit 0. */
  fieldOf(register: Local, { lsb, width }: BitField): void {
    this.code.get(register);
    this.code.i64(BigInt(lsb));
    this.code.op("i64.shr_u");
    this.code.i64((1n << BigInt(width)) - 1n);
    this.code.op("i64.and");
  }

  /** Pushes whether any bit of a mask is set in a register, i32. */
  hasAny(register: Local, mask: bigint): void {
    this.code.get(register);
    this.code.i64(mask);
    this.code.ops("i64.and", "i64.eqz", "i32.eqz");
  }

  /** Pushes whether all bits of a mask are set in a register, i32. */
  hasAll(register: Local, mask: bigint): void {
    this.code.get(register);
    this.code.i64(mask);
    this.code.op("i64.and");
    this.code.i64(mask);
    this.code.op("i64.eq");
  }

  /** Pushes a register with fields replaced, i64. */
  withFields(register: Local, fields: readonly NewField[]): void {
    const { code } = this;
    const [mask, constant] = fields.reduce(
      ([cleared, set], [field, value]) => [
        cleared | fieldMask(field),
        typeof value === "bigint" ? set | (value << BigInt(field.lsb)) : set,
      ],
      [0n, 0n],
    );
    code.get(register);
    code.i64(BigInt.asIntN(64, ~mask));
    code.op("i64.and");
    if (constant !== 0n) {
      code.i64(constant);
      code.op("i64.or");
    }
    for (const [field, value] of fields) {
      if (typeof value === "bigint") continue;
      value();
      code.i64(BigInt(field.lsb));
      code.ops("i64.shl", "i64.or");
    }
  }

  /** Pushes how many instructions the machine has retired, f64. */
  retired(): void {
    this.code.get(this.h);
    this.code.load("f64.load", WORD.retiredBase);
    this.code.get(this.budget);
    this.code.ops("f64.convert_i32_s", "f64.sub");
  }

  /** Subtracts one from a counter, so that the step that is made here is not counted in it. */
  uncount(name: Extract<WordName, "retiredBase" | "instretBase">): void {
    const { code } = this;
    code.get(this.h);
    code.get(this.h);
    if (name === "retiredBase") {
      code.load("f64.load", WORD[name]);
      code.f64(1);
      code.op("f64.sub");
      code.store("f64.store", WORD[name]);
    } else {
      code.load("i64.load", WORD[name]);
      code.i64(1n);
      code.op("i64.sub");
      code.store("i64.store", WORD[name]);
    }
  }

  /** Ends the function: one step was made. */
  returnStepped(): void {
    this.code.get(this.budget);
    this.code.i32(1);
    this.code.ops("i32.sub", "return");
  }

  /** Ends the function: the instruction of four bytes has retired, and the next one follows it. */
  retire(): void {
    this.setField("pc", () => {
      this.field("pc");
      this.code.i64(4n);
      this.code.op("i64.add");
    });
    this.returnStepped();
  }

  /**
   * Pushes what is pending, i64, as far as software and wires say it; branches away while guest external interrupts are
   * asserted, of which this does not know whom they are for.
   */
  pending(unless: Label): void {
    this.field("guestExternal");
    this.code.ops("i64.eqz", "i32.eqz");
    this.code.brIf(unless);
    this.field("softwarePending");
    this.field("wiresPending");
    this.code.op("i64.or");
  }

  /** Branches away if an interrupt is pending and enabled in `mie`: then what is done here may unmask it. */
  bailUnlessQuiet(unless: Label): void {
    this.pending(unless);
    this.csr("mie");
    this.code.ops("i64.and", "i64.eqz", "i32.eqz");
    this.code.brIf(unless);
  }
}
