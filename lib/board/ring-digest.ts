/**
 * 128 bits about many bytes, fast: MurmurHash3_x64_128 of Austin Appleby, as WebAssembly.
 *
 * It is a published function with published values, and no cryptography: whoever wants two inputs with the same digest can
 * make them. By accident two differ for about 2^64 inputs, and never where only one group of 16 bytes differs.
 * @spec https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 */
import { Code, type Local } from "../engine/translator/wasm/code.ts";
import { ModuleWriter } from "../engine/translator/wasm/module.ts";

/** Bytes of a digest. */
export const DIGEST_BYTES = 16;
/** Bytes that a block of input has. */
export const BLOCK_BYTES = 16;

const WASM_PAGE_BYTES = 65_536;
/** The digest lies at the beginning of the memory, the input behind it. */
const INPUT = DIGEST_BYTES;
/** The longest input. */
const MAX_INPUT_BYTES = WASM_PAGE_BYTES - INPUT;

const C1 = 0x87c3_7b91_1142_53d5n;
const C2 = 0x4cf5_ad43_2745_937fn;

/** What happens to each half of a block, and of the state. */
const HALVES = [
  { first: C1, second: C2, keyRotation: 31n, rotation: 27n, addend: 0x52dc_e729n },
  { first: C2, second: C1, keyRotation: 33n, rotation: 31n, addend: 0x3849_5ab5n },
] as const;

/** Multipliers of the last mixing. */
const FINAL = [0xff51_afd7_ed55_8ccdn, 0xc4ce_b9fe_1a85_ec53n] as const;

/** `state = rotl(state ^ mixed half, …) + other; state = 5 state + addend`. */
function mixHalf(code: Code, at: Local, half: 0 | 1, state: Local, other: Local): void {
  const { first, second, keyRotation, rotation, addend } = HALVES[half];
  code.get(at);
  code.load("i64.load", INPUT + 8 * half);
  code.i64(first);
  code.op("i64.mul");
  code.i64(keyRotation);
  code.op("i64.rotl");
  code.i64(second);
  code.op("i64.mul");
  code.get(state);
  code.op("i64.xor");
  code.i64(rotation);
  code.op("i64.rotl");
  code.get(other);
  code.op("i64.add");
  code.i64(5n);
  code.op("i64.mul");
  code.i64(addend);
  code.op("i64.add");
  code.set(state);
}

/** `state ^= state >>> 33`. */
function fold(code: Code, state: Local): void {
  code.get(state);
  code.get(state);
  code.i64(33n);
  code.ops("i64.shr_u", "i64.xor");
  code.set(state);
}

function finishHalf(code: Code, state: Local): void {
  for (const factor of FINAL) {
    fold(code, state);
    code.get(state);
    code.i64(factor);
    code.op("i64.mul");
    code.set(state);
  }
  fold(code, state);
}

function addTo(code: Code, target: Local, other: Local): void {
  code.get(target);
  code.get(other);
  code.op("i64.add");
  code.set(target);
}

/** `digest(length)`: whole blocks only, seed 0. */
function digestBody(): Uint8Array {
  const code = new Code(1);
  const length = 0 as Local;
  const at = code.local("i32");
  const low = code.local("i64");
  const high = code.local("i64");
  const done = code.block();
  const again = code.loop();
  code.get(at);
  code.get(length);
  code.op("i32.ge_u");
  code.brIf(done);
  mixHalf(code, at, 0, low, high);
  mixHalf(code, at, 1, high, low);
  code.get(at);
  code.i32(BLOCK_BYTES);
  code.op("i32.add");
  code.set(at);
  code.br(again);
  code.end();
  code.end();
  for (const state of [low, high]) {
    code.get(state);
    code.get(length);
    code.ops("i64.extend_i32_u", "i64.xor");
    code.set(state);
  }
  addTo(code, low, high);
  addTo(code, high, low);
  finishHalf(code, low);
  finishHalf(code, high);
  addTo(code, low, high);
  addTo(code, high, low);
  for (const [half, state] of [low, high].entries()) {
    code.i32(0);
    code.get(state);
    code.store("i64.store", 8 * half);
  }
  return code.finish();
}

interface Digester {
  readonly bytes: Uint8Array;
  readonly digest: (length: number) => void;
}

function createDigester(): Digester {
  const writer = new ModuleWriter();
  const type = writer.type({ parameters: ["i32"], results: [] });
  writer.importMemory("m", "memory", 1);
  const digest = writer.declare(type);
  writer.define(digest, digestBody());
  writer.export("digest", digest);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(writer.finish()), { m: { memory } });
  return { bytes: new Uint8Array(memory.buffer), digest: instance.exports["digest"] as Digester["digest"] };
}

/** Made when it is first needed; between two calls it holds nothing. */
let digester: Digester | undefined;

/**
 * The digest of whole blocks, 16 bytes. Throws `RangeError` for other lengths and for more than fits: our bug.
 *
 * @cost  About 10 ns for 40 bytes.
 */
export function ringDigest(input: Uint8Array): Uint8Array {
  if (input.length % BLOCK_BYTES !== 0 || input.length > MAX_INPUT_BYTES)
    throw new RangeError(`a digest of ${input.length} bytes`);
  digester ??= createDigester();
  digester.bytes.set(input, INPUT);
  digester.digest(input.length);
  return digester.bytes.slice(0, DIGEST_BYTES);
}
