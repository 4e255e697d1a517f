/** A: reservations, atomic operations and their faults. Programs in assembly, expectations from the manual. */
import { beforeEach, describe, expect, it } from "vitest";
import { MODE_NUMBER } from "../../../lib/isa/mode.ts";
import { EXCEPTION } from "../../../lib/isa/trap.ts";
import { type BareMachine, bareMachine, loadText, RAM_BASE } from "../../support/bare-machine.ts";

const DATA = RAM_BASE + 0x800;
let machine: BareMachine;

beforeEach(() => {
  machine = bareMachine();
  machine.hart.write("s0", BigInt(DATA));
});

/** Runs lines to their end; the cause of the trap that came instead, if one did. */
function run(text: string): number | undefined {
  const lines = text.trim().split("\n").length;
  loadText(machine, text);
  let cause: number | undefined;
  const stop = machine.hart.onTrap(({ trap }) => {
    cause ??= trap.cause;
  });
  machine.engine.run(lines, { trap: true });
  stop();
  return cause;
}

const memory = (width: 4 | 8 = 8, offset = 0): bigint => machine.ram.load(DATA - RAM_BASE + offset, width);
const put = (value: bigint, width: 4 | 8 = 8): void => machine.ram.store(DATA - RAM_BASE, width, value);

describe("LR and SC", () => {
  it("store when nothing came between, and say so with 0 (norm:lr_w_op norm:sc_w_success)", () => {
    put(5n);
    run("lr.d a0, (s0)\n addi a1, a0, 1\n sc.d a2, a1, (s0)");
    expect([memory(), machine.hart.read("a2")]).toEqual([6n, 0n]);
  });

  it("fail with 1 without a reservation, and after another SC (norm:sc_failure_code norm:sc_reservation_invalidate norm:sc_w_failure norm:sc_intervening_sc_fail)", () => {
    put(5n);
    machine.hart.write("a1", 9n);
    run("sc.d a2, a1, (s0)");
    expect([memory(), machine.hart.read("a2")]).toEqual([5n, 1n]);
    run("lr.d a0, (s0)\n sc.d a2, a1, (s0)\n sc.d a3, a1, (s0)");
    expect([machine.hart.read("a2"), machine.hart.read("a3")]).toEqual([0n, 1n]);
  });

  it("fail at another address and with another width (norm:lrsc_same_address_and_size norm:sc_addr_not_in_reservation_fail)", () => {
    run("lr.w a0, (s0)\n addi s1, s0, 8\n sc.w a2, a1, (s1)");
    expect(machine.hart.read("a2")).toBe(1n);
    run("lr.d a0, (s0)\n sc.w a2, a1, (s0)");
    expect(machine.hart.read("a2")).toBe(1n);
  });

  it("pair an SC with the latest LR only (norm:sc_pairs_latest_lr)", () => {
    run("lr.d a0, (s0)\n addi s1, s0, 8\n lr.d a0, (s1)\n sc.d a2, a1, (s0)");
    expect(machine.hart.read("a2")).toBe(1n);
    run("lr.d a0, (s0)\n lr.d a0, (s1)\n sc.d a2, a1, (s1)");
    expect(machine.hart.read("a2")).toBe(0n);
  });

  it("lose the reservation to a trap and to a return from one", () => {
    run("lr.d a0, (s0)\n ecall");
    run("sc.d a2, a1, (s0)");
    expect(machine.hart.read("a2")).toBe(1n);
    machine.hart.write("t0", BigInt(RAM_BASE + 16));
    run("csrw mepc, t0\n csrwi mstatus, 0\n lr.d a0, (s0)\n mret");
    machine.hart.state.modeNumber = MODE_NUMBER.M;
    run("sc.d a3, a1, (s0)");
    expect(machine.hart.read("a3")).toBe(1n);
  });

  it("sign-extend words, and write only four bytes of them (norm:lr_sc_rv64 norm:lr_w_op)", () => {
    put(0xffff_ffff_8000_0000n);
    machine.hart.write("a1", 0x1234_5678_9abc_def0n);
    run("lr.w a0, (s0)\n sc.w a2, a1, (s0)");
    expect(machine.hart.read("a0")).toBe(0xffff_ffff_8000_0000n);
    expect(memory()).toBe(0xffff_ffff_9abc_def0n);
  });
});

describe("atomic operations", () => {
  // old value, operand, result in memory; words, so that signs are in bit 31.
  it.each([
    ["amoswap.w", 1n, 2n, 2n],
    ["amoadd.w", 0xffff_ffffn, 2n, 1n],
    ["amoxor.w", 0b1100n, 0b1010n, 0b0110n],
    ["amoand.w", 0b1100n, 0b1010n, 0b1000n],
    ["amoor.w", 0b1100n, 0b1010n, 0b1110n],
    ["amomin.w", 0x8000_0000n, 1n, 0x8000_0000n],
    ["amomax.w", 0x8000_0000n, 1n, 1n],
    ["amominu.w", 0x8000_0000n, 1n, 1n],
    ["amomaxu.w", 0x8000_0000n, 1n, 0x8000_0000n],
    // The upper half of the register does not count.
    ["amomaxu.w", 5n, 0xffff_ffff_0000_0003n, 5n],
    ["amomax.w", 5n, 0x7fff_ffff_0000_0003n, 5n],
  ] as const)(
    "%s of %x with %x leaves %x and returns what was there (norm:amo_operand_size)",
    (mnemonic, old, operand, result) => {
      put(0xdead_beef_0000_0000n | old);
      machine.hart.write("a1", operand);
      run(`${mnemonic} a0, a1, (s0)`);
      expect(memory(4)).toBe(result);
      expect(memory(4, 4)).toBe(0xdead_beefn);
      expect(machine.hart.read("a0")).toBe(BigInt.asUintN(64, BigInt.asIntN(32, old)));
    },
  );

  it.each([
    ["amoadd.d", 2n ** 64n - 1n, 2n, 1n],
    ["amomin.d", 2n ** 63n, 1n, 2n ** 63n],
    ["amomaxu.d.aqrl", 2n ** 63n, 1n, 2n ** 63n],
  ] as const)("%s works on all 64 bits (norm:amo_operand_size)", (mnemonic, old, operand, result) => {
    put(old);
    machine.hart.write("a1", operand);
    run(`${mnemonic} a0, a1, (s0)`);
    expect([memory(), machine.hart.read("a0")]).toEqual([result, old]);
  });

  it("may return into the register that was the operand", () => {
    put(10n);
    machine.hart.write("a1", 5n);
    run("amoadd.d a1, a1, (s0)");
    expect([memory(), machine.hart.read("a1")]).toEqual([15n, 10n]);
  });
});

describe("addresses", () => {
  it.each([
    ["lr.w a0, (s0)", 2, EXCEPTION.loadAddressMisaligned],
    ["lr.d a0, (s0)", 4, EXCEPTION.loadAddressMisaligned],
    ["sc.w a0, a1, (s0)", 1, EXCEPTION.storeAddressMisaligned],
    ["amoadd.w a0, a1, (s0)", 2, EXCEPTION.storeAddressMisaligned],
    ["amoadd.d a0, a1, (s0)", 4, EXCEPTION.storeAddressMisaligned],
  ])(
    "%s at an offset of %i is misaligned (norm:lr_sc_alignment norm:amo_alignment)",
    (line, offset, cause) => {
      machine.hart.write("s0", BigInt(DATA + offset));
      machine.hart.write("a0", 77n);
      expect(run(line)).toBe(cause);
      expect([machine.hart.csr("mtval"), machine.hart.read("a0")]).toEqual([BigInt(DATA + offset), 77n]);
    },
  );

  it("without RAM give access faults: a load's for LR, a store's for the others (norm:mcause_exccode_st_sc_amo norm:mcause_exccode_ld_ldrsv)", () => {
    machine.hart.write("s0", 0x1000n);
    expect(run("lr.w a0, (s0)")).toBe(EXCEPTION.loadAccessFault);
    expect(run("sc.w a0, a1, (s0)")).toBe(EXCEPTION.storeAccessFault);
    expect(run("amoswap.w a0, a1, (s0)")).toBe(EXCEPTION.storeAccessFault);
  });

  it("in a page that may only be read give a store's page fault, even for AMOs that would write back the same, and for an SC without a reservation (norm:sc_retire_permission)", () => {
    const root = RAM_BASE + 0x8000;
    const leaf = (BigInt(RAM_BASE >>> 12) << 10n) | 0b0100_0011n; // A, R, V in a gigapage
    machine.ram.store(0x8000 + 2 * 8, 8, leaf | 0b1000n);
    for (const line of ["csrw pmpaddr0, a5", "csrw pmpcfg0, a6", "csrw satp, a7", "csrw mstatus, a4"]) {
      machine.hart.write("a5", 2n ** 54n - 1n);
      machine.hart.write("a6", 0x1fn);
      machine.hart.write("a7", (8n << 60n) | BigInt(root >>> 12));
      machine.hart.write("a4", (1n << 17n) | (1n << 11n)); // MPRV as supervisor
      run(line);
    }
    expect(run("amoor.w a0, zero, (s0)")).toBe(EXCEPTION.storePageFault);
    machine.hart.write("a4", (1n << 17n) | (1n << 11n));
    run("csrw mstatus, a4");
    expect(run("sc.w a0, a1, (s0)")).toBe(EXCEPTION.storePageFault);
    machine.hart.write("a4", (1n << 17n) | (1n << 11n));
    run("csrw mstatus, a4");
    expect(run("lr.w a0, (s0)")).toBeUndefined();
  });
});
