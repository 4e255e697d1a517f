/** Explanations of interrupts beside the manual's rules, and their advice: whoever removes each obstacle is interrupted. */
import { describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { explainInterrupt, explainInterrupts } from "../../../lib/hart/explain-interrupt.ts";
import { CSR_NAMES, CSRS, type CsrName, decodeCsr, encodeCsr } from "../../../lib/isa/csr-map.ts";
import { MODE_NUMBER, type Mode } from "../../../lib/isa/mode.ts";
import { INTERRUPT, type InterruptName } from "../../../lib/isa/trap.ts";
import { bareMachine } from "../../support/bare-machine.ts";
import { seededNumbers } from "../../support/random.ts";

const machine = bareMachine();
const { hart, engine } = machine;
const set = (name: CsrName, value: bigint): void => writeCsr(hart, name, value);
const reset = (mode: Mode): void => {
  hart.state.wiresPending = 0n;
  hart.state.guestExternal = 0n;
  hart.reset();
  hart.state.modeNumber = MODE_NUMBER[mode];
};
const names = Object.keys(INTERRUPT) as InterruptName[];

describe("why an interrupt is taken or not", () => {
  it("is what the engine does, and the five answers are the manual's rules", () => {
    const below = seededNumbers(7);
    const modes = Object.keys(MODE_NUMBER) as Mode[];
    const bits = () => BigInt(below(2 ** 16)) & BigInt(below(2) === 0 ? 0xffff : below(2 ** 16));
    let [taken, refused] = [0, 0];
    for (let round = 0; round < 3000; round++) {
      const mode = modes[below(modes.length)] as Mode;
      reset(mode);
      for (const name of ["mideleg", "hideleg", "mie", "hvip", "mip"] as const) set(name, bits());
      set("mstatus", encodeCsr("mstatus", { MIE: below(2), SIE: below(2) }));
      set("vsstatus", encodeCsr("vsstatus", { SIE: below(2) }));
      set("hgeie", BigInt(below(256)));
      set("hstatus", encodeCsr("hstatus", { VGEIN: below(8) }));
      if (below(2) === 0) hart.state.guestExternal = BigInt(below(128) * 2);
      if (below(3) === 0) hart.state.wiresPending = bits() & 0xaaan;
      const [pending, enabled] = [hart.csr("mip"), hart.csr("mie")];
      const told = explainInterrupts(hart);
      for (const one of told) {
        const bit = 1n << BigInt(one.code);
        expect([one.isPending, one.isEnabled]).toEqual([(pending & bit) !== 0n, (enabled & bit) !== 0n]);
        const to = (hart.csr("mideleg") & bit) === 0n ? "M" : (hart.csr("hideleg") & bit) === 0n ? "S" : "VS";
        expect(one.to).toBe(to);
      }
      const trap = engine.step();
      const expected = trap?.isInterrupt ? [trap.cause] : [];
      expect(
        told.filter(({ isTaken }) => isTaken).map(({ code }) => code),
        `round ${round}`,
      ).toEqual(expected);
      if (trap?.isInterrupt) {
        const one = told.find(({ isTaken }) => isTaken);
        expect(hart.mode).toBe(one?.to);
        expect(one?.questions.every(({ ok }) => ok)).toBe(true);
        taken += 1;
      } else refused += 1;
      for (const one of told) if (!one.isTaken) expect(one.questions.some(({ ok }) => !ok)).toBe(true);
    }
    expect(Math.min(taken, refused)).toBeGreaterThan(300);
  });

  it.each([
    [
      "supervisorTimer",
      "U",
      {},
      /mip\.STIP is 0: menvcfg\.STCE is 0, so machine mode would have to set it\.$/,
    ],
    ["supervisorTimer", "U", { mip: 0x20n }, /mie\.STIE \(sie\.STIE\) is 0\.$/],
    [
      "supervisorTimer",
      "S",
      { mip: 0x20n, mie: 0x20n, mideleg: 0x20n },
      /The hart is in supervisor mode, where mstatus\.SIE decides: it is 0\.$/,
    ],
    [
      "supervisorTimer",
      "M",
      { mip: 0x20n, mie: 0x20n, mideleg: 0x20n },
      /The hart is in machine mode, which is never interrupted by a less privileged mode\.$/,
    ],
    [
      "supervisorTimer",
      "S",
      { mip: 0x222n, mie: 0x222n },
      /The supervisor external interrupt is taken first\.$/,
    ],
    [
      "virtualSupervisorExternal",
      "VS",
      {},
      /mip\.VSEIP is 0: hvip\.VSEIP is 0, and hstatus\.VGEIN is 0, which chooses no line of hgeip\.$/,
    ],
    [
      "virtualSupervisorExternal",
      "VS",
      { hstatus: encodeCsr("hstatus", { VGEIN: 3 }) },
      /hvip\.VSEIP is 0, and so is line 3 of hgeip, which hstatus\.VGEIN chooses\.$/,
    ],
    [
      "virtualSupervisorTimer",
      "S",
      { hvip: 0x40n, hie: 0x40n, hideleg: 0x40n, mstatus: 2n },
      /The hart is in supervisor mode, and an interrupt of the guest waits until the guest runs\.$/,
    ],
    [
      "virtualSupervisorSoftware",
      "VS",
      { hvip: 0x4n, hideleg: 0x4n },
      /mie\.VSSIE \(hie\.VSSIE, in the guest sie\.SSIE\) is 0\.$/,
    ],
    ["supervisorGuestExternal", "S", {}, /mip\.SGEIP is 0: no line of hgeip is set\.$/],
  ] as const)("names the bit: %s in %s-mode", (name, mode, csrs, sentence) => {
    reset(mode);
    for (const [csr, value] of Object.entries(csrs)) set(csr as CsrName, value);
    const told = explainInterrupt(hart, name);
    expect(told.isTaken).toBe(false);
    expect(told.sentence).toMatch(sentence);
  });

  it("says who takes it, who made it pending, and that it ends a WFI", () => {
    reset("VU");
    for (const [csr, value] of [
      ["hvip", 0x4n],
      ["hie", 0x4n],
      ["hideleg", 0x4n],
    ] as const)
      set(csr, value);
    const told = explainInterrupt(hart, "virtualSupervisorSoftware");
    expect(told).toMatchObject({ isTaken: true, wakes: true, to: "VS", after: undefined });
    expect(told.questions.map(({ sentence }) => sentence)).toEqual([
      "mip.VSSIP is 1: hvip.VSSIP is set.",
      "mie.VSSIE (hie.VSSIE, in the guest sie.SSIE) is 1.",
      "Bit 2 of mideleg is 1 and of hideleg 1, so it goes to virtual supervisor mode, which sees it under number 1.",
      "The hart is in virtual user mode, which virtual supervisor mode interrupts whatever the global enables say.",
      "No other interrupt comes before it.",
    ]);
    reset("U");
    hart.state.guestExternal = 8n;
    set("hgeie", 8n);
    set("hie", 1n << 12n);
    expect(explainInterrupt(hart, "supervisorGuestExternal").questions[0]?.sentence).toBe(
      "mip.SGEIP is 1: a line is set in hgeip that is enabled in hgeie.",
    );
    expect(names.every((name) => explainInterrupt(hart, name).name === name)).toBe(true);
  });
});

describe("decodeCsr", () => {
  it("takes every writable bit of every CSR of the hypervisor extension into some field", () => {
    const hypervisor = CSR_NAMES.filter((name) => /^(h|vs)[a-z]/.test(name) || /^mt(val2|inst)$/.test(name));
    expect(hypervisor.length).toBeGreaterThan(25);
    for (const name of hypervisor) {
      if (name.startsWith("hpmcounter")) continue;
      reset("M");
      set("menvcfg", 2n ** 64n - 1n);
      set("hideleg", 2n ** 64n - 1n);
      set(name, 2n ** 64n - 1n);
      const value = hart.csr(name);
      const again = encodeCsr(name, decodeCsr(name, value));
      expect([name, again.toString(16)]).toEqual([name, value.toString(16)]);
      expect(Object.keys(CSRS[name].fields).length, name).toBeGreaterThan(0);
    }
  });
});
