/** The state block: one table of offsets, and nothing of a hart outside it. */
import { describe, expect, it } from "vitest";
import { HART_LAYOUT, HART_STATE_BYTES, STORED_CSRS, storedCsrSlot } from "../../../lib/hart/layout.ts";
import { HartState } from "../../../lib/hart/state.ts";
import { bareMachine, loadText } from "../../support/bare-machine.ts";

describe("the layout", () => {
  it("has fields that are aligned, do not overlap and fill the block but for its end", () => {
    let end = 0;
    for (const [name, { offset, widthBytes, count }] of Object.entries(HART_LAYOUT)) {
      expect(offset % widthBytes, name).toBe(0);
      expect(offset, name).toBe(end);
      end = offset + widthBytes * count;
    }
    expect(HART_STATE_BYTES % 64).toBe(0);
    expect(HART_STATE_BYTES - end).toBeLessThan(64);
  });

  it("keeps the sixteen PMP bytes side by side", () => {
    expect((storedCsrSlot("pmpcfg2") ?? 0) - (storedCsrSlot("pmpcfg0") ?? 0)).toBe(1);
    const state = new HartState(new ArrayBuffer(HART_STATE_BYTES));
    state.setStored("pmpcfg0", 0x0807_0605_0403_0201n);
    state.setStored("pmpcfg2", 0x100f_0e0d_0c0b_0a09n);
    expect([...state.pmpConfig]).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
  });

  it("puts each name where the table says", () => {
    const base = HART_STATE_BYTES;
    const buffer = new ArrayBuffer(3 * HART_STATE_BYTES);
    const state = new HartState(buffer, base);
    state.setRegister("a0", 0x11n);
    state.pc = 0x22n;
    state.softwarePending = 0x33n;
    state.wiresPending = 0x44n;
    state.modeNumber = 1;
    state.waiting = true;
    state.setStored("satp", 0x55n);
    const word = (offset: number): bigint => new DataView(buffer).getBigUint64(base + offset, true);
    expect(word(HART_LAYOUT.x.offset + 10 * 8)).toBe(0x11n);
    expect(word(HART_LAYOUT.pc.offset)).toBe(0x22n);
    expect(word(HART_LAYOUT.softwarePending.offset)).toBe(0x33n);
    expect(word(HART_LAYOUT.wiresPending.offset)).toBe(0x44n);
    expect(word(HART_LAYOUT.mode.offset)).toBe((1n << 32n) | 1n);
    expect(word(HART_LAYOUT.csrs.offset + STORED_CSRS.indexOf("satp") * 8)).toBe(0x55n);
    for (const other of [0, 2 * HART_STATE_BYTES]) {
      expect(new Uint8Array(buffer, other, HART_STATE_BYTES).every((byte) => byte === 0)).toBe(true);
    }
  });
});

describe("the state block", () => {
  it("is all of a hart: copied into another hart beside the same RAM, the program goes on there", () => {
    const text = "li a0, 0\n 1: addi a0, a0, 1\n csrw mscratch, a0\n j 1b";
    const [first, second] = [bareMachine(), bareMachine()];
    loadText(first, text);
    loadText(second, text);
    first.engine.run(1001);
    second.hart.state.bytes.set(first.hart.state.bytes);
    second.hart.stateReplaced();
    first.engine.run(1000);
    second.engine.run(1000);
    expect(second.hart.state.bytes).toEqual(first.hart.state.bytes);
    expect(second.hart.csr("mscratch")).toBeGreaterThan(300n);
  });

  it("after reset is in machine mode at the start of RAM, with interrupts off and everything closed", () => {
    const { hart } = bareMachine();
    hart.write("a0", 1n);
    hart.reset();
    expect([hart.mode, hart.pc, hart.read("a0"), hart.retired]).toEqual(["M", 0x8000_0000n, 0n, 0]);
    expect(hart.csr("mstatus")).toBe(0xa_0000_0000n);
    expect(hart.csr("satp")).toBe(0n);
  });

  it("never changes zero from outside either", () => {
    const { hart } = bareMachine();
    hart.write("zero", 5n);
    hart.write("x0", 5n);
    expect(hart.read("zero")).toBe(0n);
  });
});
