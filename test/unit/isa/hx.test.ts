/** `hx n`: who may, what it calls, what it leaves. Encoding and rules are those of ARCHITECTURE.md, "The hx instruction". */
import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import type { HostHandler } from "../../../lib/hart/handler-table.ts";
import type { TrapEvent } from "../../../lib/hart/trap-event.ts";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { disassemble } from "../../../lib/isa/disassemble.ts";
import type { Mode } from "../../../lib/isa/mode.ts";
import { explainTrap } from "../../../lib/mmu/explain-trap.ts";
import { assembled, boardWith } from "../../support/assembled.ts";

/** A board whose hart executes `hx 5` in a mode, with everybody's traps going to machine mode. */
function boardIn(mode: Mode, handler?: HostHandler): Board {
  const status = { M: 0x1800, S: 0x800, U: 0, VS: 0x80_0000_0800, VU: 0x80_0000_0000 }[mode];
  const board = boardWith(`
    la t0, trap
    csrw mtvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, ${status}
    csrw mstatus, t0
    la t0, program
    csrw mepc, t0
    mret
  program:
    hx 5
    nop
    trap: j trap`);
  if (handler !== undefined) board.handlers.register(5, handler);
  board.run({ instructions: 100, until: { pc: board.symbols.addressOf("program") ?? 0n } });
  return board;
}

describe("hx", () => {
  it("is the number in bits 31:20 above custom-0, and reads back as it was written", () => {
    const { bytes } = assembled("hx 0\n hx 1\n hx 0x805\n hx 4095");
    const view = new DataView(bytes.buffer);
    const words = [0, 4, 8, 12].map((at) => view.getUint32(at, true));
    expect(words).toEqual([0x0000_000b, 0x0010_000b, 0x8050_000b, 0xfff0_000b]);
    expect(words.map((word) => disassemble(word))).toEqual(["hx 0", "hx 1", "hx 2053", "hx 4095"]);
    expect(disassemble(0x0010_008b)).toMatch(/^\.word/); // rd is not zero
    expect(assemble("hx 4096")).toMatchObject({
      message: expect.stringContaining("does not fit in 12 bits unsigned"),
    });
  });

  it.each(["M", "S"] as const)(
    "calls its handler in %s-mode, retires as one instruction and is an event",
    (mode) => {
      let calls = 0;
      const board = boardIn(mode, ({ hart }) => {
        expect(hart.mode).toBe(mode);
        calls += 1;
        return undefined;
      });
      const { retired } = board.clock;
      const at = board.hart.pc;
      expect(board.step()).toMatchObject({ text: "hx 5", modeAfter: mode, writes: [] });
      expect(calls).toBe(1);
      expect(board.hart.pc).toBe(at + 4n);
      expect(board.clock.retired).toBe(retired + 1);
      expect(board.trace.events.at(-1)).toEqual({
        kind: "hx-call",
        hart: 0,
        retired,
        mode,
        number: 5,
        pc: at,
      });
    },
  );

  it.each(["U", "VS", "VU"] as const)(
    "is an illegal instruction in %s-mode, whoever is registered",
    (mode) => {
      const board = boardIn(mode, () => {
        throw new Error("called");
      });
      expect(board.step().trap).toMatchObject({ cause: 2, tval: 0x0050_000bn });
      expect(explainTrap(board.hart).sentence).toContain("Only machine mode and HS-mode may call handlers");
    },
  );

  it("is an illegal instruction where nobody has registered the number, and the explanation says who is there", () => {
    const board = boardIn("M");
    board.handlers.register(7, () => undefined);
    board.handlers.register(2, () => undefined);
    const traps: TrapEvent[] = [];
    board.onTrap((event) => traps.push(event));
    expect(board.step().trap).toMatchObject({ cause: 2, tval: 0x0050_000bn });
    expect(explainTrap(board.hart, traps[0]).sentence).toContain(
      "No handler has number 5; the board knows 2, 7.",
    );
    expect(board.trace.events.some(({ kind }) => kind === "hx-call")).toBe(false);
  });

  it("takes the exception that a handler ends with, and does not retire", () => {
    const trap = { isInterrupt: false, cause: 5, tval: 0x1234n, tval2: 0n, tinst: 0n, gva: false };
    const board = boardIn("M", () => trap);
    const { retired } = board.clock;
    const at = board.hart.pc;
    expect(board.step().trap).toMatchObject({ cause: 5, tval: 0x1234n });
    expect(board.hart.csr("mepc")).toBe(at);
    expect(board.clock.retired).toBe(retired);
  });

  it("has numbers of twelve bits", () => {
    const { handlers } = boardWith("nop");
    for (const number of [-1, 4096, 1.5, Number.NaN])
      expect(() => handlers.register(number, () => undefined)).toThrow(RangeError);
    handlers.register(4095, () => undefined);
    expect(handlers.numbers).toEqual([4095]);
  });
});
