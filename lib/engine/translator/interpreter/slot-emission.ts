/** What an emitter sees in the cold tier: operands come from a slot, registers are in the state block. */
import type { Emission } from "../emit/emission.ts";
import { type AccessWidth, locateInTlb } from "../emit/memory-access.ts";
import { csrOffset, fOffset, STORES_IN_BANK, WORD, xOffset } from "../layout.ts";
import type { Code, Label, Local } from "../wasm/code.ts";
import type { LoadName, StoreName, ValTypeName } from "../wasm/opcode.ts";
import type { InterpreterOp } from "./op.ts";
import { SLOT_IMM, SLOT_RD, SLOT_RS1, SLOT_RS2, SLOT_RS3 } from "./slot.ts";

/** Locals of the dispatch loop that instructions read. */
export interface SlotLocals {
  /** Address of the hart's state block. */
  readonly hart: Local;
  /** Address of the slot that is executed; of the first of a pair. */
  readonly slot: Local;
  /** What makes a slot's address, shifted right by 2, an address of the guest. */
  readonly bias: Local;
}

const TEMPS_OF_TYPE = 6;
const PAGE_BYTES = 4096n;
/** The rounding mode in `fcsr`; 0 is to nearest. */
const FRM = 0xe0;

/** Working locals by type, made when first asked for. */
export class Temps {
  readonly #code: Code;
  readonly #locals = new Map<string, Local>();

  constructor(code: Code) {
    this.#code = code;
  }

  /** The working local of that type and number. */
  at(type: ValTypeName, index: number): Local {
    const key = `${type}${index}`;
    const known = this.#locals.get(key);
    if (known !== undefined) return known;
    const local = this.#code.local(type);
    this.#locals.set(key, local);
    return local;
  }
}

/** Where one op of the cold tier is emitted. */
export class SlotEmission implements Emission {
  readonly code: Code;
  readonly #locals: SlotLocals;
  readonly #temps: Temps;
  readonly #op: InterpreterOp;
  /** Bytes from the first slot of a pair to this instruction's. */
  readonly #offset: number;
  readonly #bail: Label;
  readonly #flagMask: number;
  /** Whether the integer destination was written: if it is x0, that must be undone. */
  hasWrittenRd = false;
  /** Whether the emitter has said what to do where NX is clear. */
  hasAskedForNx = false;

  constructor(
    code: Code,
    { locals, temps, flagMask }: { locals: SlotLocals; temps: Temps; flagMask: number },
    op: InterpreterOp,
    offset: number,
    bail: Label,
  ) {
    this.code = code;
    this.#locals = locals;
    this.#temps = temps;
    this.#flagMask = flagMask;
    this.#op = op;
    this.#offset = offset;
    this.#bail = bail;
  }

  hart(): void {
    this.code.get(this.#locals.hart);
  }

  rs1(): void {
    this.#read(SLOT_RS1, "i64.load", xOffset(0));
  }

  rs2(): void {
    this.#read(this.#rs2Byte, "i64.load", xOffset(0));
  }

  rs1Word(): void {
    this.#read(SLOT_RS1, "i32.load", xOffset(0));
  }

  rs2Word(): void {
    this.#read(this.#rs2Byte, "i32.load", xOffset(0));
  }

  imm(): void {
    this.code.get(this.#locals.slot);
    this.code.load("i64.load32_s", this.#offset + SLOT_IMM);
  }

  immWord(): void {
    this.code.get(this.#locals.slot);
    this.code.load("i32.load", this.#offset + SLOT_IMM);
  }

  pc(): void {
    this.#pcAfter(0);
  }

  followingPc(): void {
    this.#pcAfter(this.#op.sizeBytes);
  }

  setRd(value: () => void): void {
    this.hasWrittenRd = true;
    this.#write(value, "i64.store", xOffset(0));
  }

  f1(): void {
    this.#read(SLOT_RS1, "f64.load", fOffset(0));
  }

  f2(): void {
    this.#read(this.#rs2Byte, "f64.load", fOffset(0));
  }

  f3(): void {
    this.#read(SLOT_RS3, "f64.load", fOffset(0));
  }

  f1Bits(): void {
    this.#read(SLOT_RS1, "i64.load", fOffset(0));
  }

  f2Bits(): void {
    this.#read(this.#rs2Byte, "i64.load", fOffset(0));
  }

  f3Bits(): void {
    this.#read(SLOT_RS3, "i64.load", fOffset(0));
  }

  setF(value: () => void): void {
    this.#write(value, "f64.store", fOffset(0));
  }

  setFBits(value: () => void): void {
    this.#write(value, "i64.store", fOffset(0));
  }

  temp32(index: number): Local {
    return this.#temps.at("i32", index);
  }

  temp64(index: number): Local {
    return this.#temps.at("i64", index);
  }

  tempF32(index: number): Local {
    return this.#temps.at("f32", index);
  }

  tempF64(index: number): Local {
    return this.#temps.at("f64", index);
  }

  bailIf(): void {
    this.code.brIf(this.#bail);
  }

  /** Where the host's arithmetic may not be used as it is, either NX is clear, or the rounding mode is another. */
  whereNxIsClear(check: () => void): void {
    const { code } = this;
    this.hasAskedForNx = true;
    this.hart();
    code.load("i32.load", WORD.codeBitFloatFast);
    code.op("i32.eqz");
    code.if();
    this.hart();
    code.load("i32.load", csrOffset("fcsr"));
    code.i32(FRM);
    code.op("i32.and");
    this.bailIf();
    check();
    code.end();
  }

  locate(kind: "load" | "store", widthBytes: AccessWidth): number {
    const addressLocal = this.#temps.at("i64", TEMPS_OF_TYPE);
    const entryLocal = this.#temps.at("i32", TEMPS_OF_TYPE);
    const takesMisaligned = widthBytes > 1 && this.#op.emitter.kind !== "effect";
    let questions = 0;
    locateInTlb(
      {
        code: this.code,
        address: () => this.#address(),
        bank: () => this.#bank(),
        bailIf: () => {
          questions += 1;
          if (questions === 1 && takesMisaligned)
            this.#bailUnlessInPage(
              addressLocal,
              entryLocal,
              kind === "load" ? 0 : STORES_IN_BANK,
              widthBytes,
            );
          else this.bailIf();
        },
        addressLocal,
        entryLocal,
        flagMask: this.#flagMask,
      },
      kind,
      widthBytes,
    );
    return 0;
  }

  /** The bank is read each time: with one local less, the rest of the loop is faster. */
  #bank(): void {
    this.hart();
    this.code.load("i32.load", WORD.dataBank);
  }

  /** Pushes `rs1 + imm`; atomic instructions have no `imm`. */
  #address(): void {
    this.rs1();
    if (!this.#op.hasImmediate) return;
    this.imm();
    this.code.op("i64.add");
  }

  /**
   * Pops whether the entry's tag differs from the address. RAM performs misaligned accesses, so one that stays in the page of
   * the entry goes on all the same; but no atomic one.
   */
  #bailUnlessInPage(address: Local, entry: Local, tagOffset: number, widthBytes: AccessWidth): void {
    const { code } = this;
    code.if();
    code.get(address);
    code.i64(-PAGE_BYTES);
    code.op("i64.and");
    code.get(entry);
    code.load("i64.load", tagOffset);
    code.op("i64.ne");
    code.brIf(this.#bail);
    code.get(address);
    code.i64(PAGE_BYTES - 1n);
    code.op("i64.and");
    code.i64(PAGE_BYTES - BigInt(widthBytes));
    code.op("i64.gt_u");
    code.brIf(this.#bail);
    code.end();
  }

  get #rs2Byte(): number {
    return this.#op.isSourceFirst ? SLOT_RD : SLOT_RS2;
  }

  /** Pushes the address of the register of the state block that a byte of the slot names, without the block's own offset. */
  #place(byte: number): void {
    this.code.get(this.#locals.hart);
    this.code.get(this.#locals.slot);
    this.code.load("i32.load8_u", this.#offset + byte);
    this.code.op("i32.add");
  }

  #read(byte: number, op: LoadName, base: number): void {
    this.#place(byte);
    this.code.load(op, base);
  }

  #write(value: () => void, op: StoreName, base: number): void {
    this.#place(SLOT_RD);
    value();
    this.code.store(op, base);
  }

  #pcAfter(bytes: number): void {
    const { code } = this;
    code.get(this.#locals.slot);
    code.i32(2);
    code.op("i32.shr_u");
    code.op("i64.extend_i32_u");
    code.get(this.#locals.bias);
    code.op("i64.add");
    const offset = (this.#offset >>> 2) + bytes;
    if (offset === 0) return;
    code.i64(BigInt(offset));
    code.op("i64.add");
  }
}
