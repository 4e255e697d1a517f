/**
 * A floating-point emitter alone: a module that runs one instruction over an array of cases, so that many millions of them
 * can be compared with the reference. A case that bails leaves its results untouched.
 */
import type { Emission } from "../../lib/engine/translator/emit/emission.ts";
import type { Emitter } from "../../lib/engine/translator/emit/emitter.ts";
import { Code, type Label, type Local } from "../../lib/engine/translator/wasm/code.ts";
import { ModuleWriter } from "../../lib/engine/translator/wasm/module.ts";
import { MemoryEmission } from "./memory-emission.ts";

/** A case's words, 8 bytes each. */
const CASE_BYTES = 64;
const F1 = 0;
const F2 = 8;
const F3 = 16;
const X1 = 24;
const F_RESULT = 32;
const X_RESULT = 40;
const DONE = 48;
/** Where loads and stores go, and how many bytes at the end are theirs. */
const MEMORY_WORD = 56;

/** What a case's results hold before: nothing that a test would compute. */
export const UNTOUCHED = 0x5a5a_0123_4567_89abn;

/** Operands of one case. */
export interface FloatCase {
  readonly f: readonly [bigint, bigint, bigint];
  readonly x: bigint;
  /** What a load reads, and a store overwrites. */
  readonly memory?: bigint;
}

/** What one case came to: registers after it, or untouched ones if it bailed. */
export interface FloatOutcome {
  readonly bailed: boolean;
  readonly f: bigint;
  readonly x: bigint;
  readonly memory: bigint;
}

class CaseEmission extends MemoryEmission {
  readonly #isNxSet: boolean;

  constructor(code: Code, base: Local, bailed: Label, isNxSet: boolean) {
    super(code, {
      pushBase: () => code.get(base),
      rs1: X1,
      rs2: X1,
      rd: X_RESULT,
      f1: F1,
      f2: F2,
      f3: F3,
      fd: F_RESULT,
      imm: 0n,
      pc: 0n,
      sizeBytes: 4,
      bailed,
    });
    this.#isNxSet = isNxSet;
  }

  whereNxIsClear(check: () => void): void {
    if (!this.#isNxSet) check();
  }

  locate(): number {
    this.hart();
    return MEMORY_WORD;
  }
}

/** The part that a floating-point emitter must have. */
export function emitFloat(emitter: Emitter, e: Emission): void {
  if (emitter.kind !== "float") throw new RangeError(`an emitter of kind ${emitter.kind}`);
  emitter.emit(e);
}

/** `(base, end)`: runs all cases in between. */
function moduleFor(emitter: Emitter, isNxSet: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  module.importMemory("m", "memory", 1);
  const type = module.type({ parameters: ["i32", "i32"], results: [] });
  const run = module.declare(type);
  const code = new Code(2);
  const [base, end] = [0 as Local, 1 as Local];
  const all = code.block();
  const next = code.loop();
  code.get(base);
  code.get(end);
  code.op("i32.ge_u");
  code.brIf(all);
  const bailed = code.block();
  emitFloat(emitter, new CaseEmission(code, base, bailed, isNxSet));
  code.get(base);
  code.i32(1);
  code.store("i32.store", DONE);
  code.end();
  code.get(base);
  code.i32(CASE_BYTES);
  code.op("i32.add");
  code.set(base);
  code.br(next);
  code.end();
  code.end();
  module.define(run, code.finish());
  module.export("run", run);
  return module.finish();
}

/** Runs cases of one emitter. */
export class FloatBench {
  readonly #memory: WebAssembly.Memory;
  readonly #run: (base: number, end: number) => void;

  /** @param isNxSet  Whether results that are rounded are welcome. */
  constructor(emitter: Emitter, maxCases: number, isNxSet = true) {
    const pages = Math.ceil((maxCases * CASE_BYTES) / 65536);
    this.#memory = new WebAssembly.Memory({ initial: pages });
    const module = new WebAssembly.Module(moduleFor(emitter, isNxSet));
    const { exports } = new WebAssembly.Instance(module, { m: { memory: this.#memory } });
    this.#run = exports["run"] as (base: number, end: number) => void;
  }

  /** Runs all cases; their outcomes, in order. */
  run(cases: readonly FloatCase[]): FloatOutcome[] {
    const words = new BigUint64Array(this.#memory.buffer);
    cases.forEach(({ f, x, memory }, index) => {
      const at = (index * CASE_BYTES) / 8;
      words.set([...f, BigInt.asUintN(64, x), UNTOUCHED, UNTOUCHED, 0n, memory ?? UNTOUCHED], at);
    });
    this.#run(0, cases.length * CASE_BYTES);
    return cases.map((_, index) => {
      const at = (index * CASE_BYTES) / 8;
      const word = (offset: number): bigint => words[at + offset / 8] ?? 0n;
      return {
        bailed: word(DONE) === 0n,
        f: word(F_RESULT),
        x: word(X_RESULT),
        memory: word(MEMORY_WORD),
      };
    });
  }
}
