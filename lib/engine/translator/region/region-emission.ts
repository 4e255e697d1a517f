/** Where emitters write when they write into a region: operands are constants, registers are locals. */
import type { Decoded } from "../../../isa/decode.ts";
import type { Emission } from "../emit/emission.ts";
import { locateInTlb } from "../emit/memory-access.ts";
import { DATA_ENTRIES, DATA_ENTRY_BYTES, FLAGS_BIAS, STORES_IN_BANK } from "../layout.ts";
import type { Code, Local } from "../wasm/code.ts";
import type { ValTypeName } from "../wasm/opcode.ts";
import type { RegionInsn } from "./instruction.ts";
import type { AccessGroup } from "./memory-plan.ts";

/** What an emission needs of the function that it writes into. */
export interface EmissionFrame {
  readonly code: Code;
  readonly hart: Local;
  /** The bank of data translations, i32. */
  readonly bank: Local;
  /** Page flags that keep stores from the fast path. */
  readonly storeFlags: number;
  localOfX(register: number): Local;
  localOfF(register: number): Local;
  /** Pops an i32; gives the present instruction up if it is not zero. */
  bailIf(): void;
}

const PAGE_MASK = -4096n;
/** Offset of the addend within an entry of a bank. */
const ADDEND = 8;
const PAGE_SHIFT = 12;
const ENTRY_SHIFT = Math.log2(DATA_ENTRY_BYTES);

/** One region's emission; `begin` says which instruction comes. */
export class RegionEmission implements Emission {
  readonly code: Code;
  readonly #frame: EmissionFrame;
  readonly #temps: Record<ValTypeName, (Local | undefined)[]> = { i32: [], i64: [], f32: [], f64: [] };
  readonly #hosts = new Map<AccessGroup, Local>();
  /** What a look into the bank works with; emitters do not see them. */
  readonly #address: Local;
  readonly #tag: Local;
  readonly #entry: Local;

  #insn: RegionInsn;
  #decoded: Decoded;
  #pc = 0n;
  #group: AccessGroup | undefined;

  constructor(frame: EmissionFrame, first: RegionInsn) {
    this.#frame = frame;
    this.code = frame.code;
    this.#address = frame.code.local("i64");
    this.#tag = frame.code.local("i64");
    this.#entry = frame.code.local("i32");
    this.#insn = first;
    this.#decoded = first.decoded;
  }

  begin(insn: RegionInsn, pc: bigint, group: AccessGroup | undefined): void {
    this.#insn = insn;
    this.#decoded = insn.decoded;
    this.#pc = pc;
    this.#group = group;
  }

  /** A working local, i32, for who looks into the jump cache. */
  get cacheEntry(): Local {
    return this.#entry;
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
    else this.code.get(this.#frame.localOfX(register));
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

  temp32(index: number): Local {
    return this.#temp("i32", index);
  }

  temp64(index: number): Local {
    return this.#temp("i64", index);
  }

  tempF32(index: number): Local {
    return this.#temp("f32", index);
  }

  tempF64(index: number): Local {
    return this.#temp("f64", index);
  }

  #temp(type: ValTypeName, index: number): Local {
    const temps = this.#temps[type];
    const known = temps[index];
    if (known !== undefined) return known;
    const local = this.code.local(type);
    temps[index] = local;
    return local;
  }

  bailIf(): void {
    this.#frame.bailIf();
  }

  locate(kind: "load" | "store", widthBytes: 1 | 2 | 4 | 8): number {
    const group = this.#group;
    if (group === undefined || group.accesses === 1) {
      this.#locateAlone(kind, widthBytes);
      return 0;
    }
    let host = this.#hosts.get(group);
    if (host === undefined) {
      host = this.code.local("i32");
      this.#hosts.set(group, host);
      this.#locateGroup(group, host);
    }
    this.code.get(host);
    return this.#insn.offset - group.lowest;
  }

  #pushAddress(offset: number): void {
    this.rs1();
    if (offset === 0) return;
    this.code.i64(BigInt(offset));
    this.code.op("i64.add");
  }

  #locateAlone(kind: "load" | "store", widthBytes: 1 | 2 | 4 | 8): void {
    const { code, bank, storeFlags } = this.#frame;
    const look = {
      code,
      address: () => this.#pushAddress(this.#insn.offset),
      bank: () => code.get(bank),
      bailIf: () => this.bailIf(),
      addressLocal: this.#address,
      entryLocal: this.#entry,
      flagMask: storeFlags,
    };
    locateInTlb(look, kind, widthBytes);
  }

  /** One look for all: the first byte's page is known, and the last access is in it. Alignment of one is that of all. */
  #locateGroup({ kind, lowest, highest, widthBytes }: AccessGroup, host: Local): void {
    const { code, bank, storeFlags } = this.#frame;
    const address = this.#address;
    const entry = this.#entry;
    const tag = this.#tag;
    const offset = kind === "load" ? 0 : STORES_IN_BANK;
    this.#pushAddress(lowest);
    code.tee(address);
    code.op("i32.wrap_i64");
    code.i32(PAGE_SHIFT - ENTRY_SHIFT);
    code.op("i32.shr_u");
    code.i32((DATA_ENTRIES - 1) * DATA_ENTRY_BYTES);
    code.op("i32.and");
    code.get(bank);
    code.op("i32.add");
    code.tee(entry);
    code.load("i64.load", offset);
    code.tee(tag);
    code.get(address);
    code.i64(PAGE_MASK | BigInt(widthBytes - 1));
    code.ops("i64.and", "i64.ne");
    this.bailIf();
    if (highest - lowest >= widthBytes) {
      this.#pushAddress(highest);
      code.i64(PAGE_MASK);
      code.op("i64.and");
      code.get(tag);
      code.op("i64.ne");
      this.bailIf();
    }
    code.get(address);
    code.op("i32.wrap_i64");
    code.get(entry);
    code.load("i32.load", offset + ADDEND);
    code.op("i32.add");
    code.set(host);
    if (kind === "load") return;
    code.get(host);
    code.i32(PAGE_SHIFT);
    code.op("i32.shr_u");
    code.load("i32.load8_u", FLAGS_BIAS);
    if (storeFlags !== 255) {
      code.i32(storeFlags);
      code.op("i32.and");
    }
    this.bailIf();
  }
}
