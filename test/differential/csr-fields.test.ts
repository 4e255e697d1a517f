/** What CSRs keep of what is written to them (WARL), here and on QEMU. Every difference is listed with its reason. */
import { expect, it } from "vitest";
import { buildBoard } from "../../lib/board/virt.ts";
import { CSR_NAMES, type CsrName } from "../../lib/isa/csr-map.ts";
import { assembled } from "../support/assembled.ts";
import { elf } from "../support/elf-file.ts";
import { describeWith } from "../support/optional.ts";
import { ramFromQemu } from "../support/qemu.ts";
import { seededNumbers } from "../support/random.ts";

const CODE = 0x8000_0000;
const RESULTS = 0x8080_0000;
const SAME_ISA = ["-cpu", "rv64,h=true,zbc=false"];
const RANDOM_WRITES = 6;

/** Registers with a life of their own: counters run, PMP would lock the program out, QEMU tells its version and has triggers. */
const NOT_COMPARED =
  /^(mcycle|minstret|cycle|time|instret|m?hpm(counter|event)\d+|pmpcfg\d+|mcountinhibit|marchid|mimpid|tselect|tdata[12])$/;

const OVERFLOW = "QEMU keeps the bit of counter overflow (Sscofpmf) even without it";
const OVERFLOW_BIT = 0x2000n;
const ANY = "QEMU keeps every value that is written";
const HIGH_PMP_BITS = 0xffc0_0000_0000_0000n;
const COUNTERS = "the manual draws 32 bits, and ours from 3 up are read-only zero; QEMU keeps 64";

/** Bits on which we and QEMU 7.2 differ, and why that is not a fault of ours. A bit that stops differing fails, too. */
const KNOWN_DIFFERENCES: { readonly [N in CsrName]?: { readonly bits: bigint; readonly why: string } } = {
  mstatus: {
    bits: 0x8000_0003_0000_1600n,
    why: "QEMU keeps MPP=2, which is no mode; UXL that is not 2; VS and SD without V",
  },
  sstatus: { bits: 0x8000_0003_0000_0600n, why: "the same bits seen from supervisor mode" },
  medeleg: { bits: 0x800n, why: "calls from M-mode cannot be delegated (medeleg_when_rd0)" },
  mideleg: { bits: OVERFLOW_BIT, why: OVERFLOW },
  mie: { bits: OVERFLOW_BIT, why: OVERFLOW },
  mip: {
    bits: OVERFLOW_BIT | 0x440n,
    why: "as mie; and VSTIP and VSEIP are read-only aliases of those in hip (mip_mie_alias)",
  },
  hip: { bits: 0x440n, why: "what QEMU kept in mip" },
  hstatus: {
    bits: 0xffff_fffc_ff8f_fc1fn,
    why: `${ANY}; VGEIN ends at 7 here (geilen), the rest is no field`,
  },
  hcounteren: { bits: 0xffff_ffff_ffff_fff8n, why: COUNTERS },
  hgeie: { bits: 0xfen, why: "QEMU's board has no guest external interrupts, ours seven (geilen)" },
  henvcfg: {
    bits: 0xc000_0000_0000_00f0n,
    why: "as menvcfg; STCE is zero while menvcfg.STCE is (henvcfg_stce)",
  },
  htinst: { bits: 0xffff_ffff_ffff_ffffn, why: "QEMU ignores writes (htinst_val allows it)" },
  hgatp: {
    bits: 0xfc00_0000_0000_0003n,
    why: `${ANY}; PPN is aligned to the 16 KiB root (hgatp_ppn_op), MODE legal (hgatp_mode_warl), bits 59 and 58 zero`,
  },
  vsstatus: {
    bits: 0xffff_ffff_fff3_9eddn,
    why: `${ANY}; only fields of sstatus exist (vsstatus_sz_acc_op)`,
  },
  vstvec: { bits: 0xffff_ffff_ffff_ffffn, why: `${ANY}; a reserved MODE voids the write here, as in stvec` },
  vsepc: { bits: 1n, why: "as sepc" },
  vsatp: { bits: 0xf000_0000_0000_0000n, why: `${ANY}; MODE is legal (vsatp_mode_unsupported_v0)` },
  menvcfg: { bits: 0x2000_0000_0000_00f0n, why: "QEMU has Zicbom; ours has ADUE" },
  senvcfg: { bits: 0xf0n, why: "QEMU has Zicbom and Zicboz" },
  mcounteren: { bits: 0xffff_ffff_ffff_fff8n, why: COUNTERS },
  scounteren: { bits: 0xffff_ffff_ffff_fff8n, why: COUNTERS },
  misa: { bits: 2n, why: "QEMU 7.2 does not know the letter B for Zba, Zbb and Zbs together (misa_b_op)" },
  mepc: { bits: 1n, why: "bit 0 is always zero (mepc_align); QEMU keeps it" },
  sepc: { bits: 1n, why: "as mepc" },
  ...Object.fromEntries(
    Array.from({ length: 16 }, (_, entry) => [
      `pmpaddr${entry}`,
      { bits: HIGH_PMP_BITS, why: "an address has 54 bits here (pmp_addr_encoding); QEMU keeps 64" },
    ]),
  ),
};

describeWith(["qemu"], "QEMU and our board", () => {
  it("keep the same bits of what is written to each CSR", () => {
    const below = seededNumbers(20_260_714);
    const word = () => (BigInt(below(2 ** 32)) << 32n) | BigInt(below(2 ** 32));
    const names = CSR_NAMES.filter((name) => !NOT_COMPARED.test(name));
    const writes = names.flatMap((name) =>
      [0n, 2n ** 64n - 1n, 2n << 11n, ...Array.from({ length: RANDOM_WRITES }, word)].map((value) => ({
        name,
        value,
      })),
    );
    const lines = writes.map(({ name, value }, index) => {
      const access = /^(mvendorid|marchid|mimpid|mhartid|mconfigptr|hgeip)$/.test(name)
        ? ""
        : `csrw ${name}, t0`;
      const restore = /^(mstatus|sstatus|satp|mie|sie|menvcfg)$/.test(name) ? `csrw ${name}, zero` : "";
      const floatOn = /^(fflags|frm|fcsr)$/.test(name)
        ? "li t0, 0x6000\n csrs mstatus, t0"
        : "csrw mstatus, zero";
      return `li s0, ${RESULTS + index * 8}\n ${floatOn}\n li t0, ${value}\n ${access}\n csrr t1, ${name}\n ${restore}\n sd t1, 0(s0)`;
    });
    const text = ["csrw mstatus, zero", ...lines, "li t0, 0x100000\n li t1, 0x5555\n sw t1, 0(t0)"].join(
      "\n",
    );
    const file = elf([{ paddr: BigInt(CODE), bytes: assembled(text).bytes }]);
    const board = buildBoard();
    board.loadElf(file);
    expect(board.run({ instructions: 1_000_000 })).toMatchObject({ reason: "poweroff" });
    const results = (ram: Uint8Array) =>
      new BigUint64Array(ram.slice(RESULTS - CODE, RESULTS - CODE + writes.length * 8).buffer);
    const ours = results(board.bus.ram.u8);
    const theirs = results(ramFromQemu(file, SAME_ISA).ram);
    const differing = new Map<CsrName, bigint>();
    for (const [index, { name }] of writes.entries()) {
      const bits = (ours[index] ?? 0n) ^ (theirs[index] ?? 0n);
      if (bits !== 0n) differing.set(name, (differing.get(name) ?? 0n) | bits);
    }
    const hex = (map: Iterable<[string, bigint]>) =>
      Object.fromEntries([...map].map(([name, bits]) => [name, bits.toString(16)]));
    const known = Object.entries(KNOWN_DIFFERENCES).map(
      ([name, { bits }]) => [name, bits] as [string, bigint],
    );
    expect(hex(differing)).toEqual(hex(known));
  });
});
