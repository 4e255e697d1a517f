/** Loads and stores of a device's registers as a hypervisor meets them: `htinst`, the instruction's own bits, and what they mean. */
import fc from "fast-check";
import { decode } from "../../isa/decode.ts";
import { transformedInstruction } from "../../isa/transformed.ts";

/** What a load or store wants. */
export interface MmioAccess {
  readonly isStore: boolean;
  readonly width: 1 | 2 | 4 | 8;
  readonly isSigned: boolean;
  /** Number of the register that is loaded or stored. */
  readonly register: number;
  /** Bytes of the instruction: the guest goes on behind it. */
  readonly sizeBytes: 2 | 4;
}

/** One access, as the hypervisor finds it. */
export interface MmioCase {
  /** For people. */
  readonly text: string;
  readonly htinst: number;
  readonly instruction: number;
  /** `undefined`: no load or store of an integer register. */
  readonly access: MmioAccess | undefined;
}

/** Loads by mnemonic: `funct3` is the place in the list. @spec norm:lh_lhu_lb_lbu_op_rv64i */
const LOADS = ["lb", "lh", "lw", "ld", "lbu", "lhu", "lwu"] as const;
const STORES = ["sb", "sh", "sw", "sd"] as const;

const widthOf = (name: string): MmioAccess["width"] => {
  const letter = name.replace("c.", "")[1] ?? "b";
  return ({ b: 1, h: 2, w: 4, d: 8 } as const)[letter as "b" | "h" | "w" | "d"];
};

const register = fc.integer({ min: 0, max: 31 });
/** Compressed instructions name x8 to x15 with three bits. */
const fewRegisters = fc.integer({ min: 8, max: 15 });
const offsets = fc.integer({ min: -2048, max: 2047 });

interface Made {
  readonly text: string;
  readonly word: number;
  readonly access: MmioAccess | undefined;
}

const loads: fc.Arbitrary<Made> = fc
  .record({ kind: fc.nat(LOADS.length - 1), rd: register, rs1: register, offset: offsets })
  .map(({ kind, rd, rs1, offset }) => {
    const name = LOADS[kind] ?? "lb";
    return {
      text: `${name} x${rd}, ${offset}(x${rs1})`,
      word: (((offset & 0xfff) << 20) | (rs1 << 15) | (kind << 12) | (rd << 7) | 0x03) >>> 0,
      access: {
        isStore: false,
        width: widthOf(name),
        isSigned: !name.endsWith("u"),
        register: rd,
        sizeBytes: 4,
      },
    };
  });

const stores: fc.Arbitrary<Made> = fc
  .record({ kind: fc.nat(STORES.length - 1), rs2: register, rs1: register, offset: offsets })
  .map(({ kind, rs2, rs1, offset }) => {
    const name = STORES[kind] ?? "sb";
    const high = ((offset & 0xfe0) << 20) | (rs2 << 20) | (rs1 << 15);
    return {
      text: `${name} x${rs2}, ${offset}(x${rs1})`,
      word: (high | (kind << 12) | ((offset & 31) << 7) | 0x23) >>> 0,
      access: { isStore: true, width: widthOf(name), isSigned: false, register: rs2, sizeBytes: 4 },
    };
  });

/** Compressed loads and stores: `funct3` is 2 or 3, and 6 or 7, in quadrant 0; register numbers are three bits. */
const compressed: fc.Arbitrary<Made> = fc
  .record({
    isStore: fc.boolean(),
    isWide: fc.boolean(),
    register: fewRegisters,
    base: fewRegisters,
    immediate: fc.integer({ min: 0, max: 31 }),
  })
  .map(({ isStore, isWide, register: data, base, immediate }) => {
    const funct3 = (isStore ? 4 : 0) | (isWide ? 3 : 2);
    const name = `c.${isStore ? "s" : "l"}${isWide ? "d" : "w"}`;
    const word =
      (funct3 << 13) |
      ((immediate >> 2) << 10) |
      ((base - 8) << 7) |
      ((immediate & 3) << 5) |
      ((data - 8) << 2);
    return {
      text: `${name} x${data}, (x${base})`,
      word,
      access: { isStore, width: isWide ? 8 : 4, isSigned: !isStore && !isWide, register: data, sizeBytes: 2 },
    };
  });

/** What is no load or store of an integer register. */
const others: fc.Arbitrary<Made> = fc
  .record({ pick: fc.nat(4), rd: register, rs1: register })
  .map(({ pick, rd, rs1 }) => {
    const forms = [
      ["flw", 0x07 | (2 << 12)],
      ["fsd", 0x27 | (3 << 12)],
      ["amoadd.w", 0x2f | (2 << 12)],
      ["lr.d", 0x2f | (3 << 12) | (2 << 27)],
      ["a load of no known width", 0x03 | (7 << 12)],
    ] as const;
    const [text, bits] = forms[pick] ?? forms[0];
    return { text, word: (bits | (rd << 7) | (rs1 << 15)) >>> 0, access: undefined };
  });

/** What the hart puts into `htinst`. @spec norm:H_trap_xtinst */
const told = ({ word }: Made, offset: number): number =>
  transformedInstruction(decode(word) ?? NOTHING, offset);
const NOTHING = decode(0x13) as NonNullable<ReturnType<typeof decode>>;

/** Where `htinst` comes from. */
const transformed = (made: fc.Arbitrary<Made>): fc.Arbitrary<MmioCase> =>
  fc.record({ made, offset: fc.integer({ min: 0, max: 7 }) }).map(({ made: each, offset }) => ({
    ...each,
    htinst: told(each, offset),
    // The instruction is there to be fetched, but a hypervisor that has htinst need not do it.
    instruction: each.word,
  }));

const untold = (made: fc.Arbitrary<Made>): fc.Arbitrary<MmioCase> =>
  made.map((each) => ({ ...each, htinst: 0, instruction: each.word }));

/** Accesses of the hart's own to the guest's tables: whatever the instruction was, its data is not what faulted. */
const pseudo: fc.Arbitrary<MmioCase> = fc
  .record({ made: fc.oneof(loads, stores), htinst: fc.constantFrom(0x3000, 0x3020) })
  .map(({ made, htinst }) => ({
    text: `${made.text}, but the hart itself ${htinst === 0x3000 ? "read" : "wrote"} a page table`,
    htinst,
    instruction: made.word,
    access: undefined,
  }));

/** Families of cases by property. */
export const MMIO_CASES = {
  loads: transformed(loads),
  stores: transformed(stores),
  compressed: transformed(compressed),
  fetched: untold(fc.oneof(loads, stores, compressed)),
  others: fc.oneof(untold(others), pseudo),
} as const satisfies Readonly<Record<string, fc.Arbitrary<MmioCase>>>;
