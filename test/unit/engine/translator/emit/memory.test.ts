/**
 * Loads, stores and atomics: what is emitted, over one translation for each kind of access, against the reference engine on
 * a machine of the same memory.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PageFlag } from "../../../../../lib/bus/ram.ts";
import { emitterOf } from "../../../../../lib/engine/translator/emit/table.ts";
import {
  DATA_BANK_AREA,
  DATA_ENTRIES,
  DATA_ENTRY_BYTES,
  EMPTY_TAG,
  FLAGS,
  RAM_OFFSET,
  STORES_IN_BANK,
} from "../../../../../lib/engine/translator/layout.ts";
import { reservationWord } from "../../../../../lib/hart/reservations.ts";
import { type DecodedInsn, decode } from "../../../../../lib/isa/decode.ts";
import type { Insn } from "../../../../../lib/isa/insn.ts";
import { INSTRUCTIONS, MNEMONICS, type Mnemonic } from "../../../../../lib/isa/instructions.ts";
import type { RegisterIndex } from "../../../../../lib/isa/register.ts";
import { bareMachine, RAM_BASE } from "../../../../support/bare-machine.ts";
import { Ending, TranslatedMemory } from "../../../../support/emitted-instruction.ts";

const NUM_RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 2000 : 60;
const RAM_BYTES = 0x4000;
/** The page of RAM that data lies in, and its address, behind the page of the instruction. */
const PAGE = 2;
const DATA = BigInt(RAM_BASE + PAGE * 4096);
const DATA_IN_MEMORY = RAM_OFFSET + PAGE * 4096;

const reference = bareMachine({ ramBytes: RAM_BYTES });
const translated = new TranslatedMemory(RAM_BYTES);
const dataBytes = new Uint8Array(translated.memory.buffer, DATA_IN_MEMORY, 4096);
const referenceBytes = reference.ram.u8.subarray(PAGE * 4096, (PAGE + 1) * 4096);

/** Puts a translation of the data page into one half of the bank, or takes it out. */
function translate(kind: "load" | "store", isKnown: boolean): void {
  const at =
    DATA_BANK_AREA +
    (kind === "load" ? 0 : STORES_IN_BANK) +
    (Number(DATA >> 12n) & (DATA_ENTRIES - 1)) * DATA_ENTRY_BYTES;
  translated.view.setBigUint64(at, isKnown ? DATA : EMPTY_TAG, true);
  translated.view.setInt32(at + 8, DATA_IN_MEMORY - Number(BigInt.asIntN(32, DATA)), true);
}

const RD = 5;
const RS1 = 6;
const RS2 = 7;

/** The instruction `mnemonic x5, x7, (x6)`, or what it is with other fields; `imm` is of loads and stores. */
function instruction(mnemonic: Mnemonic, imm = 0): DecodedInsn {
  const { mask, match } = INSTRUCTIONS[mnemonic] as Insn;
  const isStore = /^s[bhwd]$/.test(mnemonic);
  const fields = (RS1 << 15) | (isStore ? (RS2 << 20) | ((imm & 31) << 7) | ((imm >> 5) << 25) : RD << 7);
  const upper = isStore ? 0 : /^l[bhwd]/.test(mnemonic) ? imm << 20 : RS2 << 20;
  const decoded = decode((match | ((fields | upper) & ~mask)) >>> 0);
  if (decoded?.mnemonic !== mnemonic) throw new Error(`encoded ${decoded?.mnemonic} for ${mnemonic}`);
  return decoded;
}

interface Scene {
  readonly offset: number;
  readonly operand: bigint;
  readonly bytes: Uint8Array;
  readonly reservation: bigint;
}

/** Makes both machines the same. */
function prepare({ offset, operand, bytes, reservation }: Scene, imm: number): void {
  for (const data of [dataBytes, referenceBytes]) {
    data.fill(0xa5);
    data.set(bytes, offset);
  }
  const { hart } = reference;
  translated.view.setUint8(FLAGS + PAGE, 0);
  reference.ram.pageFlags[PAGE] = 0;
  for (const x of [translated.x, hart.state.x]) {
    for (let register = 1; register < 32; register++) x[register] = BigInt(register) * 0x0101_0101n;
    x[RS1] = BigInt.asIntN(64, DATA + BigInt(offset - imm));
    x[RS2] = operand;
  }
  translated.reservation = reservation;
  hart.state.reservation = reservation;
}

/** One step of the reference. */
function step(decoded: DecodedInsn): void {
  reference.ram.store(0, 4, BigInt(decoded.word));
  reference.hart.pc = BigInt(RAM_BASE);
  reference.engine.run(1);
}

const word64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const corner = fc.constantFrom(
  0n,
  1n,
  -1n,
  0x7fff_ffffn,
  0x8000_0000n,
  -(2n ** 63n),
  2n ** 63n - 1n,
  -0x8000_0000n,
);
const operand = fc.oneof(word64, corner);

/** The word as it will be in memory; often the operand or a corner, so that minimum and maximum meet equal words. */
const bytesOf = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value, true);
  return bytes;
};

function sceneOf(widthBytes: number): fc.Arbitrary<Scene> {
  const offset = fc.nat(4096 / 8 - 1).map((index) => index * 8 + (8 - widthBytes));
  return fc
    .record({ offset, operand, memory: operand, isSame: fc.nat(3), held: fc.nat(5) })
    .map(({ offset, operand, memory, isSame, held }) => ({
      offset,
      operand,
      bytes: bytesOf(isSame === 0 ? operand : memory).subarray(0, widthBytes),
      reservation: reservationFor(held, Number(DATA) + offset),
    }));
}

/** None, the right one, of another width, or of a neighbor. */
function reservationFor(held: number, address: number): bigint {
  switch (held) {
    case 0:
      return 0n;
    case 1:
      return reservationWord(address & ~7, 8);
    case 2:
      return reservationWord((address & ~7) + 8, 4);
    case 3:
      return reservationWord(address, 8);
    default:
      return reservationWord(address, 4);
  }
}

function expectSame(message: string): void {
  const registers = Array.from({ length: 32 }, (_, index) => reference.hart.state.x[index as RegisterIndex]);
  expect([...translated.x], message).toEqual(registers);
  expect(Buffer.from(dataBytes).equals(Buffer.from(referenceBytes)), message).toBe(true);
  expect(translated.reservation, message).toBe(reference.hart.state.reservation);
}

const WIDTH: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4, d: 8 };
const widthOf = (mnemonic: string): number =>
  WIDTH[
    /^(?:[ls]([bhwd])u?|.*\.([wd]))$/
      .exec(mnemonic)
      ?.slice(1)
      .find((letter) => letter !== undefined) ?? ""
  ] ?? 0;

const PLAIN = MNEMONICS.filter((mnemonic) => /^[ls][bhwd]u?$/.test(mnemonic));
const ATOMIC = MNEMONICS.filter((mnemonic) => /^(amo[a-z]+|lr|sc)\.[wd]$/.test(mnemonic));
const isLoad = (mnemonic: string): boolean => /^l/.test(mnemonic);

describe("Loads, stores and atomics", () => {
  it("are all here", () => {
    expect([PLAIN.length, ATOMIC.length]).toEqual([11, 22]);
  });

  for (const mnemonic of [...PLAIN, ...ATOMIC]) {
    const imms = PLAIN.includes(mnemonic) ? [0, 24, -2048, 2047] : [0];
    const instructions = imms.map((imm) => instruction(mnemonic, imm));
    const functions = translated.compile(instructions);
    const kind = isLoad(mnemonic) ? "load" : "store";

    it(`${mnemonic} does what the reference does`, () => {
      translate(kind, true);
      translate(kind === "load" ? "store" : "load", false);
      fc.assert(
        fc.property(sceneOf(widthOf(mnemonic)), fc.nat(imms.length - 1), (scene, index) => {
          prepare(scene, imms[index] as number);
          step(instructions[index] as DecodedInsn);
          expect(functions[index]?.()).toBe(Ending.FOLLOWING);
          expectSame(`${mnemonic} at ${scene.offset}`);
        }),
        { seed: 5, numRuns: NUM_RUNS },
      );
    });

    it(`${mnemonic} is given up without an effect where the page is unknown or the address misaligned`, () => {
      const present = (): unknown[] => [translated.x.slice(), dataBytes.slice(), translated.reservation];
      const giveUp = (offset: number): void => {
        prepare({ offset, operand: -1n, bytes: bytesOf(5n), reservation: 77n }, imms[0] as number);
        const expected = present();
        expect(functions[0]?.()).toBe(Ending.BAIL);
        expect(present()).toEqual(expected);
      };
      translate(kind, false);
      translate(kind === "load" ? "store" : "load", true);
      giveUp(8);
      translate(kind, true);
      for (let shift = 1; shift < widthOf(mnemonic); shift++) giveUp(16 + shift);
      // The same entry of the bank, another page: bits above those that choose the entry count.
      for (const bit of [24n, 31n, 32n, 38n, 63n]) {
        prepare({ offset: 8, operand: 1n, bytes: bytesOf(5n), reservation: 0n }, imms[0] as number);
        translated.x[RS1] = BigInt.asIntN(64, (translated.x[RS1] as bigint) ^ (1n << bit));
        expect(functions[0]?.()).toBe(Ending.BAIL);
      }
    });
  }
});

describe("The bank of translations", () => {
  it("is used to its last entry, for any virtual address", () => {
    const [execute] = translated.compile([instruction("ld")]);
    prepare({ offset: 8, operand: 1n, bytes: bytesOf(-5n), reservation: 0n }, 0);
    const page = BigInt.asIntN(64, 0xffff_ffc0_12ff_f000n);
    const at = DATA_BANK_AREA + (DATA_ENTRIES - 1) * DATA_ENTRY_BYTES;
    translated.view.setBigInt64(at, page, true);
    translated.view.setInt32(at + 8, DATA_IN_MEMORY - Number(BigInt.asIntN(32, page)), true);
    translated.x[RS1] = page + 8n;
    expect(execute?.()).toBe(Ending.FOLLOWING);
    expect(translated.x[RD]).toBe(-5n);
  });
});

describe("Page flags", () => {
  const stores = [...PLAIN, ...ATOMIC].filter((mnemonic) => !isLoad(mnemonic));

  it("keep every kind of store from the fast path, and no load", () => {
    translate("store", true);
    translate("load", true);
    for (const mnemonic of [...PLAIN, ...ATOMIC]) {
      const [execute] = translated.compile([instruction(mnemonic)]);
      prepare({ offset: 8, operand: 1n, bytes: bytesOf(5n), reservation: 0n }, 0);
      for (const flag of Object.values(PageFlag)) {
        translated.view.setUint8(FLAGS + PAGE, flag);
        expect(execute?.(), mnemonic).toBe(stores.includes(mnemonic) ? Ending.BAIL : Ending.FOLLOWING);
      }
    }
  });

  it("that the mask leaves out do not", () => {
    const mask = 255 & ~PageFlag.HOLDS_RESERVATION;
    for (const mnemonic of stores) {
      const [execute] = translated.compile([instruction(mnemonic)], mask);
      prepare({ offset: 8, operand: 1n, bytes: bytesOf(5n), reservation: 0n }, 0);
      translated.view.setUint8(FLAGS + PAGE, PageFlag.HOLDS_RESERVATION);
      expect(execute?.(), mnemonic).toBe(Ending.FOLLOWING);
      translated.view.setUint8(FLAGS + PAGE, PageFlag.HOLDS_RESERVATION | PageFlag.WATCHED);
      expect(execute?.(), mnemonic).toBe(Ending.BAIL);
    }
  });

  it("are set by LR, beside those that are there", () => {
    const [execute] = translated.compile([instruction("lr.d")]);
    prepare({ offset: 0, operand: 0n, bytes: bytesOf(9n), reservation: 0n }, 0);
    translated.view.setUint8(FLAGS + PAGE, PageFlag.FEEDS_TRANSLATION);
    expect(execute?.()).toBe(Ending.FOLLOWING);
    expect(translated.view.getUint8(FLAGS + PAGE)).toBe(
      PageFlag.FEEDS_TRANSLATION | PageFlag.HOLDS_RESERVATION,
    );
    expect(translated.view.getUint8(FLAGS + PAGE - 1)).toBe(0);
  });
});

describe("An access whose destination is x0", () => {
  it("happens, and leaves x0 zero", () => {
    for (const mnemonic of ["lw", "amoadd.w", "lr.w", "sc.w"] as const) {
      const decoded = decode(instruction(mnemonic).word & ~(31 << 7)) as DecodedInsn;
      expect(emitterOf(decoded)?.name).toBe(mnemonic);
      const [execute] = translated.compile([decoded]);
      const scene = {
        offset: 8,
        operand: 3n,
        bytes: bytesOf(5n),
        reservation: reservationWord(Number(DATA) + 8, 4),
      };
      translate("load", true);
      translate("store", true);
      prepare(scene, 0);
      step(decoded);
      expect(execute?.()).toBe(Ending.FOLLOWING);
      expectSame(mnemonic);
      expect(translated.x[0]).toBe(0n);
    }
  });
});
