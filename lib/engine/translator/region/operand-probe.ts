/** Which registers an instruction reads and writes, and where it goes to memory: learned from its emitter, not from a second table. */
import type { Decoded } from "../../../isa/decode.ts";
import type { Emission } from "../emit/emission.ts";
import type { Emitter } from "../emit/emitter.ts";
import { Code, type Local } from "../wasm/code.ts";

/** What an instruction does to registers: bit n of a set is register n; x0 is in none. */
export interface OperandUse {
  readonly readsX: number;
  readonly writesX: number;
  readonly readsF: number;
  readonly writesF: number;
  /** Whether it may be given up in the middle, for the slow path. */
  readonly mayBail: boolean;
  /** Its one access to memory by `rs1 + imm` that need not be aligned; undefined for none or several, and for atomic ones. */
  readonly access: MemoryAccess | undefined;
}

/** An access to memory. */
export interface MemoryAccess {
  readonly kind: "load" | "store";
  readonly widthBytes: 1 | 2 | 4 | 8;
}

/** Runs an emitter against an emission that writes down what it is asked for. */
export function operandUse(decoded: Decoded, emitter: Emitter): OperandUse {
  const probe = new OperandProbe(decoded);
  switch (emitter.kind) {
    case "compute":
      probe.setRd(() => emitter.value(probe));
      break;
    case "load":
      probe.locate("load", emitter.widthBytes);
      probe.setRd(() => {});
      break;
    case "store":
      probe.locate("store", emitter.widthBytes);
      probe.rs2();
      break;
    case "branch":
      emitter.condition(probe);
      break;
    case "jump":
      probe.setRd(() => {});
      break;
    case "jumpRegister":
      probe.rs1();
      probe.setRd(() => {});
      break;
    case "effect":
    case "float":
      emitter.emit(probe);
      break;
    case "nothing":
    case "privileged":
      break;
  }
  const use = probe.result();
  return emitter.kind === "effect" ? { ...use, access: undefined } : use;
}

const bitOf = (register: number): number => (1 << register) >>> 0;

class OperandProbe implements Emission {
  readonly code = new Code(3);
  readonly #decoded: Decoded;
  #readsX = 0;
  #writesX = 0;
  #readsF = 0;
  #writesF = 0;
  #mayBail = false;
  #accesses: MemoryAccess[] = [];

  constructor(decoded: Decoded) {
    this.#decoded = decoded;
  }

  result(): OperandUse {
    return {
      readsX: this.#readsX & ~1,
      writesX: this.#writesX & ~1,
      readsF: this.#readsF,
      writesF: this.#writesF,
      mayBail: this.#mayBail,
      access: this.#accesses.length === 1 ? this.#accesses[0] : undefined,
    };
  }

  hart(): void {}
  rs1(): void {
    this.#readsX |= bitOf(this.#decoded.rs1);
  }
  rs2(): void {
    this.#readsX |= bitOf(this.#decoded.rs2);
  }
  imm(): void {}
  rs1Word(): void {
    this.rs1();
  }
  rs2Word(): void {
    this.rs2();
  }
  immWord(): void {}
  pc(): void {}
  followingPc(): void {}
  setRd(value: () => void): void {
    value();
    this.#writesX |= bitOf(this.#decoded.rd);
  }
  f1(): void {
    this.#readsF |= bitOf(this.#decoded.rs1);
  }
  f2(): void {
    this.#readsF |= bitOf(this.#decoded.rs2);
  }
  f3(): void {
    this.#readsF |= bitOf(this.#decoded.rs3);
  }
  f1Bits(): void {
    this.f1();
  }
  f2Bits(): void {
    this.f2();
  }
  f3Bits(): void {
    this.f3();
  }
  setF(value: () => void): void {
    value();
    this.#writesF |= bitOf(this.#decoded.rd);
  }
  setFBits(value: () => void): void {
    this.setF(value);
  }
  temp32(index: number): Local {
    return (3 + index) as Local;
  }
  temp64(index: number): Local {
    return (9 + index) as Local;
  }
  tempF32(index: number): Local {
    return (15 + index) as Local;
  }
  tempF64(index: number): Local {
    return (21 + index) as Local;
  }
  bailIf(): void {
    this.#mayBail = true;
  }
  whereNxIsClear(): void {}
  locate(kind: "load" | "store", widthBytes: 1 | 2 | 4 | 8): number {
    this.#mayBail = true;
    this.rs1();
    this.#accesses.push({ kind, widthBytes });
    return 0;
  }
}
