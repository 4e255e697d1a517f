/** Where emitters write when they write into a region: operands are constants, registers are locals. */
import type { Decoded } from "../../../isa/decode.ts";
import type { Emission } from "../emit/emission.ts";
import type { WordForm } from "../emit/emitter.ts";
import { Temporaries } from "../emit/temporaries.ts";
import type { Code, Local } from "../wasm/code.ts";
import type { RegionInsn } from "./instruction.ts";
import { type LookFrame, Looks } from "./looks.ts";
import type { AccessGroup } from "./memory-plan.ts";
import type { WordSets } from "./words.ts";

/** What an emission needs of the function that it writes into. */
export interface EmissionFrame extends LookFrame {
  readonly hart: Local;
  /** Which registers are kept as i32 before the present instruction. */
  readonly words: WordSets;
  localOfX(register: number): Local;
  localOfWord(register: number): Local;
  localOfF(register: number): Local;
}

/** One region's emission; `begin` says which instruction comes. */
export class RegionEmission extends Temporaries implements Emission {
  readonly code: Code;
  readonly #frame: EmissionFrame;
  readonly #hosts = new Map<AccessGroup, Local>();
  readonly looks: Looks;
  #insn: RegionInsn;
  #decoded: Decoded;
  #pc = 0n;
  #group: AccessGroup | undefined;

  constructor(frame: EmissionFrame, first: RegionInsn) {
    super();
    this.#frame = frame;
    this.code = frame.code;
    this.looks = new Looks(frame);
    this.#insn = first;
    this.#decoded = first.decoded;
  }

  begin(insn: RegionInsn, pc: bigint, group: AccessGroup | undefined): void {
    this.#insn = insn;
    this.#decoded = insn.decoded;
    this.#pc = pc;
    this.#group = group;
  }

  /** Of the present instruction. */
  get mnemonic(): string {
    return this.#decoded.mnemonic ?? "";
  }

  hart(): void {
    this.code.get(this.#frame.hart);
  }

  rs1(): void {
    this.#pushX(this.#decoded.rs1);
  }

  rs2(): void {
    this.#pushX(this.#decoded.rs2);
  }

  #pushX(register: number): void {
    if (register === 0) this.code.i64(0n);
    else if (this.#isKept(register)) {
      this.code.get(this.#frame.localOfWord(register));
      this.code.op("i64.extend_i32_s");
    } else this.code.get(this.#frame.localOfX(register));
  }

  /** Whether a register is in its i32 local. */
  #isKept(register: number): boolean {
    return ((this.#frame.words.kept >>> register) & 1) === 1;
  }

  imm(): void {
    this.code.i64(this.#decoded.imm);
  }

  rs1Word(): void {
    this.#pushWord(this.#decoded.rs1);
  }

  rs2Word(): void {
    this.#pushWord(this.#decoded.rs2);
  }

  #pushWord(register: number): void {
    if (register === 0) {
      this.code.i32(0);
      return;
    }
    if (this.#isKept(register)) {
      this.code.get(this.#frame.localOfWord(register));
      return;
    }
    this.code.get(this.#frame.localOfX(register));
    this.code.op("i32.wrap_i64");
  }

  immWord(): void {
    this.code.i32(this.#insn.offset);
  }

  pc(): void {
    this.code.i64(this.#pc);
  }

  followingPc(): void {
    this.code.i64(this.#pc + BigInt(this.#insn.sizeBytes));
  }

  setRd(value: () => void): void {
    const { rd } = this.#decoded;
    if (rd === 0) return;
    value();
    this.code.set(this.#frame.localOfX(rd));
  }

  /** Writes a word into the destination register: as it is, or extended. */
  setRdWord({ value }: WordForm, isKept: boolean): void {
    const { rd } = this.#decoded;
    value(this);
    if (!isKept) this.code.op("i64.extend_i32_s");
    this.code.set(isKept ? this.#frame.localOfWord(rd) : this.#frame.localOfX(rd));
  }

  f1(): void {
    this.code.get(this.#frame.localOfF(this.#decoded.rs1));
  }

  f2(): void {
    this.code.get(this.#frame.localOfF(this.#decoded.rs2));
  }

  f3(): void {
    this.code.get(this.#frame.localOfF(this.#decoded.rs3));
  }

  f1Bits(): void {
    this.f1();
    this.code.op("i64.reinterpret_f64");
  }

  f2Bits(): void {
    this.f2();
    this.code.op("i64.reinterpret_f64");
  }

  f3Bits(): void {
    this.f3();
    this.code.op("i64.reinterpret_f64");
  }

  setF(value: () => void): void {
    value();
    this.code.set(this.#frame.localOfF(this.#decoded.rd));
  }

  setFBits(value: () => void): void {
    this.setF(() => {
      value();
      this.code.op("f64.reinterpret_i64");
    });
  }

  bailIf(): void {
    this.#frame.bailIf();
  }

  /** A region with floats that round is entered where NX is set. */
  whereNxIsClear(): void {}

  locate(kind: "load" | "store", widthBytes: 1 | 2 | 4 | 8): number {
    const group = this.#group;
    if (group === undefined) {
      this.looks.alone(kind, widthBytes, () => this.#pushAddress(this.#insn.offset));
      return 0;
    }
    const known = this.#hosts.get(group);
    if (known !== undefined) {
      this.code.get(known);
    } else {
      this.looks.group(group, () => this.#pushAddress(group.first));
      if (group.accesses > 1) {
        const host = this.code.local("i32");
        this.code.tee(host);
        this.#hosts.set(group, host);
      }
    }
    return this.#insn.offset - group.first;
  }

  #pushAddress(offset: number): void {
    this.rs1();
    if (offset === 0) return;
    this.code.i64(BigInt(offset));
    this.code.op("i64.add");
  }
}
