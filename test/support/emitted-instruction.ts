/**
 * One instruction, or several, as functions of a WebAssembly module of their own: the least place that emitters can be
 * tried in. Operands are constants, registers live in the state block, and there is one bank of translations.
 */

import type { Emission } from "../../lib/engine/translator/emit/emission.ts";
import type { Emitter } from "../../lib/engine/translator/emit/emitter.ts";
import { emitLoad, emitStore, locateInTlb } from "../../lib/engine/translator/emit/memory-access.ts";
import { emitterOf } from "../../lib/engine/translator/emit/table.ts";
import { DATA_BANK_AREA, fOffset, RAM_OFFSET, xOffset } from "../../lib/engine/translator/layout.ts";
import { Code, type Label, type Local } from "../../lib/engine/translator/wasm/code.ts";
import { ModuleWriter } from "../../lib/engine/translator/wasm/module.ts";
import { HART_LAYOUT } from "../../lib/hart/layout.ts";
import type { Decoded } from "../../lib/isa/decode.ts";
import { MemoryEmission } from "./memory-emission.ts";

/** How an instruction ended. */
export const Ending = { FOLLOWING: 0, BRANCH: 1, BAIL: 2 } as const;

/** Where tested instructions stand. */
export const PC = 0x8000_1000n;

const PAGE_BYTES = 65_536;
/** The hart's state block in the memory. */
const HART = 0;

const offsetOf = (register: number): number | undefined => (register === 0 ? undefined : xOffset(register));

/** Emits for one instruction. */
class StandaloneEmission extends MemoryEmission {
  readonly #flagMask: number;
  #addressLocal: Local | undefined;
  #entryLocal: Local | undefined;

  constructor(code: Code, decoded: Decoded, bailed: Label, flagMask: number) {
    const { rd, rs1, rs2, rs3, imm, sizeBytes } = decoded;
    super(code, {
      pushBase: () => code.i32(HART),
      rs1: offsetOf(rs1),
      rs2: offsetOf(rs2),
      rd: offsetOf(rd),
      f1: fOffset(rs1),
      f2: fOffset(rs2),
      f3: fOffset(rs3),
      fd: fOffset(rd),
      imm,
      pc: PC,
      sizeBytes,
      bailed,
    });
    this.#flagMask = flagMask;
  }

  whereNxIsClear(): void {}

  locate(kind: "load" | "store", widthBytes: 1 | 2 | 4 | 8): number {
    this.#addressLocal ??= this.code.local("i64");
    this.#entryLocal ??= this.code.local("i32");
    const look = {
      code: this.code,
      address: () => {
        this.rs1();
        this.imm();
        this.code.op("i64.add");
      },
      bank: () => this.code.i32(DATA_BANK_AREA),
      bailIf: () => this.bailIf(),
      addressLocal: this.#addressLocal,
      entryLocal: this.#entryLocal,
      flagMask: this.#flagMask,
    };
    locateInTlb(look, kind, widthBytes);
    return 0;
  }
}

function pushTruth(e: Emission, { wordCondition }: Extract<Emitter, { kind: "branch" }>): void {
  if (wordCondition === undefined) throw new RangeError("no form for words");
  wordCondition(e);
  e.code.ops("i32.eqz", "i32.eqz");
}

/** What is left of an emitter when its form for words is all it has. Throws when it has none. */
export function wordsAlone(emitter: Emitter): Emitter {
  if (emitter.kind === "branch") return { kind: "branch", condition: (e) => pushTruth(e, emitter) };
  if (emitter.kind !== "compute" || emitter.word === undefined) throw new RangeError("no form for words");
  const { value } = emitter.word;
  return {
    kind: "compute",
    value: (e) => {
      value(e);
      e.code.op("i64.extend_i32_s");
    },
  };
}

/** Emits an instruction; its function ends with an `Ending`. */
function emit(e: StandaloneEmission, emitter: Emitter): void {
  switch (emitter.kind) {
    case "compute":
      e.setRd(() => emitter.value(e));
      break;
    case "load":
      emitLoad(e, emitter);
      break;
    case "store":
      emitStore(e, emitter);
      break;
    case "branch":
      emitter.condition(e);
      e.code.op("return");
      break;
    case "effect":
    case "float":
      emitter.emit(e);
      break;
    case "nothing":
      break;
    default:
      throw new RangeError(`${emitter.kind} is emitted by each tier in its own way`);
  }
}

function bodyOf(
  decoded: Decoded,
  flagMask: number,
  change: (emitter: Emitter) => Emitter = (emitter) => emitter,
): Uint8Array {
  const op = emitterOf(decoded);
  if (op === undefined) throw new RangeError(`${decoded.mnemonic} has no emitter`);
  const code = new Code(0);
  const bail = code.block();
  emit(new StandaloneEmission(code, decoded, bail, flagMask), change(op.emitter));
  code.i32(Ending.FOLLOWING);
  code.op("return");
  code.end();
  code.i32(Ending.BAIL);
  return code.finish();
}

/** A module with a function for each instruction, exported under its number. */
export function moduleOf(
  instructions: readonly Decoded[],
  flagMask = 255,
  change?: (emitter: Emitter) => Emitter,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const type = module.type({ parameters: [], results: ["i32"] });
  module.importMemory("m", "memory", 1);
  instructions.forEach((decoded, index) => {
    const functionIndex = module.declare(type);
    module.define(functionIndex, bodyOf(decoded, flagMask, change));
    module.export(`${index}`, functionIndex);
  });
  return module.finish();
}

/** A memory of the engine's shape, with a hart whose registers tests can see. */
export class TranslatedMemory {
  readonly memory: WebAssembly.Memory;
  readonly view: DataView;
  readonly x: BigInt64Array;
  readonly f: BigUint64Array;

  constructor(ramBytes: number) {
    const initial = Math.ceil((RAM_OFFSET + ramBytes) / PAGE_BYTES);
    this.memory = new WebAssembly.Memory({ initial, maximum: initial });
    this.view = new DataView(this.memory.buffer);
    this.x = new BigInt64Array(this.memory.buffer, HART + xOffset(0), 32);
    this.f = new BigUint64Array(this.memory.buffer, HART + fOffset(0), 32);
  }

  /** Functions for instructions; each executes its own once. */
  compile(
    instructions: readonly Decoded[],
    flagMask = 255,
    change?: (emitter: Emitter) => Emitter,
  ): (() => number)[] {
    const module = new WebAssembly.Module(moduleOf(instructions, flagMask, change));
    const { exports } = new WebAssembly.Instance(module, { m: { memory: this.memory } });
    return instructions.map((_, index) => exports[`${index}`] as () => number);
  }

  get reservation(): bigint {
    return this.view.getBigUint64(HART + HART_LAYOUT.reservation.offset, true);
  }
  set reservation(word: bigint) {
    this.view.setBigUint64(HART + HART_LAYOUT.reservation.offset, word, true);
  }
}
