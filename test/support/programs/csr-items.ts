/** CSR instructions of random programs: what may be written with anything, what may only be read. */

import { HYPERVISOR_CSRS } from "../../../lib/isa/csr-hypervisor.ts";
import { CSRS, type CsrName } from "../../../lib/isa/csr-map.ts";
import type { Mnemonic } from "../../../lib/isa/instructions.ts";
import { TABLES } from "./layout.ts";
import { type Below, type Draft, freeRegister, randomWord, word } from "./words.ts";

const names = (text: string): CsrName[] => text.split(/\s+/) as CsrName[];

/** Any value will do: nothing that the handlers stand on depends on them. */
const WRITABLE = names("fflags frm fcsr sepc scause stval mepc mcause mtval");
const HYPERVISOR_WRITABLE = names("hedeleg hideleg hvip hie hgeie htval htimedelta vsepc vscause vstval hip");
/**
 * Their values differ between machines on purpose (identity, time), or depend on where things are (QEMU's board has no guest
 * external interrupts, QEMU 7.2 writes other causes for AMOs, and sees less that makes FS dirty), or belong to other tests (`csr-fields`, `pmp`).
 */
const UNREADABLE = new Set<string>(
  names(
    "stval mtval vstval sepc mepc vsepc sstatus mstatus vsstatus scause mcause vscause cycle time instret mcycle minstret mvendorid marchid mimpid misa mcountinhibit htinst hvip hip mip hedeleg hideleg sip sie vsip vsie menvcfg henvcfg hgeip hgeie htimedelta mconfigptr",
  ),
);
const isReadable = (name: string): boolean =>
  !UNREADABLE.has(name) && !name.startsWith("t") && !/^m?hpm/.test(name);
const READABLE = (Object.keys(CSRS) as CsrName[]).filter(isReadable);
const BASE_READABLE = READABLE.filter((name) => !Object.hasOwn(HYPERVISOR_CSRS, name));

/** The forms that write nothing when their operand is zero. */
const READING = ["csrrs", "csrrc", "csrrsi", "csrrci"] as const;

const one = <T>(below: Below, list: readonly T[]): T => list[below(list.length)] as T;
const addressOf = (name: CsrName): number => CSRS[name].address;

/** `satp` and its kin: off, or on with the image's tables. */
const TRANSLATIONS: readonly (readonly [csr: CsrName, root: number])[] = [
  ["satp", TABLES.own.root],
  ["vsatp", TABLES.guest.root],
  ["hgatp", TABLES.second.root],
];

function translation(below: Below, withH: boolean): Draft {
  const [csr, root] = one(below, withH ? TRANSLATIONS : TRANSLATIONS.slice(0, 1));
  const rd = freeRegister(below);
  const write = word("csrrw", { rd: below(2) === 0 ? 0 : freeRegister(below), rs1: rd, csr: addressOf(csr) });
  if (below(3) === 0) return { words: [word("addi", { rd }), write], isWhole: true };
  // The mode's 8 goes to the top, the root's page number to the bottom: 0x80000 and a little more.
  const other = rd === 11 ? 12 : 11;
  return {
    words: [
      word("lui", { rd, imm: 0x80000 }),
      word("addi", { rd, rs1: rd, imm: (root >>> 12) - 0x80000 }),
      word("addi", { rd: other, imm: 1 }),
      word("slli", { rd: other, rs1: other, shamt: 63 }),
      word("or", { rd, rs1: rd, rs2: other }),
      write,
    ],
    isWhole: true,
  };
}

/** Interrupt registers get thirteen random bits: number 13 is QEMU's counter overflow, and `mip.VSTIP` is not for writing. */
function interrupts(below: Below, mnemonic: Mnemonic, withH: boolean): Draft {
  const name = one(below, names(withH ? "mideleg mie mip sie sip vsie vsip" : "mideleg mie mip sie sip"));
  // QEMU 10.0 takes bit 2 of a guest's sie and sip, where hie has VSSIE, for bit 1, and so on.
  const mask = /^v?s/.test(name) ? 0x222 : name === "mip" ? ~0x440 : -1;
  const value = below(2 ** 13) & mask;
  // QEMU 10.0 clears hvip's VSTIP and VSEIP when zero is written to their aliases, which are read-only.
  const how = name === "mip" && mnemonic.startsWith("csrrw") ? "csrrs" : mnemonic;
  return constantTo(below, how, addressOf(name), value, mask);
}

/** Loads a constant and gives it to a CSR instruction. */
function constantTo(below: Below, mnemonic: Mnemonic, csr: number, value: number, mask = -1): Draft {
  const rd = freeRegister(below);
  const low = (value << 20) >> 20;
  return {
    words: [
      word("lui", { rd, imm: value - low }),
      word("addi", { rd, rs1: rd, imm: low }),
      word(mnemonic, {
        rd: isReadableNumber(csr) ? freeRegister(below) : 0,
        rs1: rd,
        uimm: below(32) & mask,
        csr,
      }),
    ],
    isWhole: true,
  };
}

const MPRV = 0x2_0000;

/**
 * A load or a store with the rights of another mode, and nothing else: QEMU forgets to look again when MRET changes MPP under
 * MPRV, so no trap may come between the two.
 */
export function borrowedRights(below: Below): Draft {
  const rd = freeRegister(below);
  const isSupervisor = below(2) === 0; // MPP 1, else 0
  const upper = word("lui", { rd, imm: MPRV });
  const csr = CSRS.mstatus.address;
  const access = one(below, ["ld", "lw", "lbu", "sd", "sh", "fld", "fsw", "amoadd.w", "lr.d"] as const);
  return {
    words: [
      word("lui", { rd, imm: 0x2000 }), // MPP: 0x1800
      word("addi", { rd, rs1: rd, imm: -0x800 }),
      word("csrrc", { rs1: rd, csr }),
      ...(isSupervisor
        ? [word("lui", { rd, imm: MPRV + 0x1000 }), word("addi", { rd, rs1: rd, imm: -0x800 })]
        : [upper]),
      word("csrrs", { rs1: rd, csr }),
      randomWord(below, access),
      upper,
      word("csrrc", { rs1: rd, csr }),
    ],
    isWhole: true,
  };
}

/** Status registers get 31 random bits: above them QEMU has UXL, which may say 32 there. */
function status(below: Below, mnemonic: Mnemonic, withH: boolean): Draft {
  const name = one(below, names(withH ? "mstatus sstatus vsstatus hstatus" : "mstatus sstatus"));
  // QEMU may still call FS initial where it is dirty (flags-not-dirty): no bit of it is cleared alone.
  const kept = mnemonic.startsWith("csrrc") ? MPRV | 0x6000 : MPRV;
  const value = below(2 ** 31 - 2048) & ~kept;
  if (name === "vsstatus" || name === "hstatus") {
    // QEMU keeps bits there that the manual does not define.
    const whole = mnemonic.replace(/i$/, "") as Mnemonic;
    return constantTo(below, whole, addressOf(name), value & (name === "hstatus" ? 0x70_03c0 : 0xc_6122));
  }
  return constantTo(below, mnemonic, addressOf(name), value);
}

/** Counter enables get three bits: the others belong to counters that QEMU may have. */
function enable(below: Below, withH: boolean): Draft {
  const csr = addressOf(
    one(below, names(withH ? "mcounteren scounteren hcounteren" : "mcounteren scounteren")),
  );
  return { words: [word("csrrwi", { rd: freeRegister(below), csr, uimm: below(8) })] };
}

/** An instruction with a CSR of the lists, or with a random number, which is most likely no CSR. */
export function csrItem(
  below: Below,
  mnemonic: "csrrw" | (typeof READING)[number] | "csrrwi",
  withH: boolean,
): Draft {
  if (below(10) === 0) return translation(below, withH);
  if (below(6) === 0) return interrupts(below, mnemonic, withH);
  if (below(12) === 0) return enable(below, withH);
  if (below(6) === 0) return status(below, mnemonic, withH);
  const rd = below(4) === 0 ? 0 : freeRegister(below);
  if (below(3) !== 0) {
    const name = one(below, withH && below(2) === 0 ? HYPERVISOR_WRITABLE : WRITABLE);
    const csr = addressOf(name);
    // What a trap left in a register may differ, and must not be mixed with what is written.
    const writes = /cause$|tval$/.test(name) ? (mnemonic.endsWith("i") ? "csrrwi" : "csrrw") : mnemonic;
    return {
      words: [word(writes, { rd: isReadableNumber(csr) ? rd : 0, rs1: below(32), uimm: below(32), csr })],
    };
  }
  const name = one(below, withH ? READABLE : BASE_READABLE);
  return { words: [word(one(below, READING), { rd, csr: addressOf(name) })] };
}

const NUMBERS = new Set(READABLE.map(addressOf));
const isReadableNumber = (csr: number): boolean => NUMBERS.has(csr);

/** Reads of counters that run at different speeds: whether they are allowed is compared, their value is not. */
export function counterItem(below: Below): Draft {
  const rd = freeRegister(below);
  const csr = one(below, [0xc00, 0xc01, 0xc02, 0xb00, 0xb02]);
  return { words: [word("csrrs", { rd, csr, rs1: 0 }), word("addi", { rd, rs1: 0, imm: below(100) })] };
}
