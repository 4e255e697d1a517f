/** Where emitters write when all operands are in memory, at offsets from one address: for modules that try them alone. */
import type { Emission } from "../../lib/engine/translator/emit/emission.ts";
import { Temporaries } from "../../lib/engine/translator/emit/temporaries.ts";
import type { Code, Label } from "../../lib/engine/translator/wasm/code.ts";
import type { LoadName, StoreName } from "../../lib/engine/translator/wasm/opcode.ts";

/** Where one instruction's operands and results are. */
export interface OperandPlaces {
  /** Pushes the address that offsets count from, i32. */
  readonly pushBase: () => void;
  /** Offsets of registers; undefined for x0. */
  readonly rs1: number | undefined;
  readonly rs2: number | undefined;
  readonly rd: number | undefined;
  readonly f1: number;
  readonly f2: number;
  readonly f3: number;
  readonly fd: number;
  readonly imm: bigint;
  readonly pc: bigint;
  readonly sizeBytes: number;
  /** Where to go when the instruction is given up. */
  readonly bailed: Label;
}

/** Emits for one instruction. */
export abstract class MemoryEmission extends Temporaries implements Emission {
  readonly code: Code;
  readonly #places: OperandPlaces;

  constructor(code: Code, places: OperandPlaces) {
    super();
    this.code = code;
    this.#places = places;
  }

  abstract locate(kind: "load" | "store", widthBytes: 1 | 2 | 4 | 8): number;
  abstract whereNxIsClear(check: () => void): void;

  hart(): void {
    this.#places.pushBase();
  }
  rs1(): void {
    this.#read("i64.load", this.#places.rs1);
  }
  rs2(): void {
    this.#read("i64.load", this.#places.rs2);
  }
  rs1Word(): void {
    this.rs1();
    this.code.op("i32.wrap_i64");
  }
  rs2Word(): void {
    this.rs2();
    this.code.op("i32.wrap_i64");
  }
  imm(): void {
    this.code.i64(this.#places.imm);
  }
  immWord(): void {
    this.code.i32(Number(BigInt.asIntN(32, this.#places.imm)));
  }
  pc(): void {
    this.code.i64(this.#places.pc);
  }
  followingPc(): void {
    this.code.i64(this.#places.pc + BigInt(this.#places.sizeBytes));
  }
  setRd(value: () => void): void {
    if (this.#places.rd !== undefined) this.#write("i64.store", this.#places.rd, value);
  }
  f1(): void {
    this.#read("f64.load", this.#places.f1);
  }
  f2(): void {
    this.#read("f64.load", this.#places.f2);
  }
  f3(): void {
    this.#read("f64.load", this.#places.f3);
  }
  f1Bits(): void {
    this.#read("i64.load", this.#places.f1);
  }
  f2Bits(): void {
    this.#read("i64.load", this.#places.f2);
  }
  f3Bits(): void {
    this.#read("i64.load", this.#places.f3);
  }
  setF(value: () => void): void {
    this.#write("f64.store", this.#places.fd, value);
  }
  setFBits(value: () => void): void {
    this.#write("i64.store", this.#places.fd, value);
  }
  bailIf(): void {
    this.code.brIf(this.#places.bailed);
  }

  #read(op: LoadName, offset: number | undefined): void {
    if (offset === undefined) {
      this.code.i64(0n);
      return;
    }
    this.hart();
    this.code.load(op, offset);
  }

  #write(op: StoreName, offset: number, value: () => void): void {
    this.hart();
    value();
    this.code.store(op, offset);
  }
}
