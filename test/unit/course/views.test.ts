/** Views of machine state as text and tables: what they show, what they refuse to show, what they say when there is nothing. */
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { csrPicture, csrView } from "../../../lib/course/csr-picture.ts";
import { knockOnEveryDoor } from "../../../lib/course/evidence.ts";
import { buildIsland } from "../../../lib/course/island.ts";
import { consoleView, listing } from "../../../lib/course/listing.ts";
import { pageList } from "../../../lib/course/page-list.ts";
import { readRegisters, registerDiff } from "../../../lib/course/register-diff.ts";
import { traceView } from "../../../lib/course/trace-view.ts";
import { trapCard } from "../../../lib/course/trap-card.ts";
import { walkPicture } from "../../../lib/course/walk-picture.ts";
import { label } from "../../../lib/isa/assembler/item.ts";
import { program } from "../../../lib/isa/assembler/program.ts";
import { asm } from "../../../lib/isa/assembler/typed.ts";
import { parseXml } from "./markup.ts";

type Bundle = Readonly<Record<string, unknown>>;
const textOf = (bundle: Bundle): string => String(bundle["text/plain"]);
const htmlOf = (bundle: Bundle): string => String(bundle["text/html"]);

describe("the console view", () => {
  it("shows what a guest printed without its control characters and without its markup", () => {
    const view = consoleView("one\r\ntwo \u001b[2J<script>alert(1)</script>\u0007");
    expect(textOf(view)).toContain("one\ntwo \u00b7[2J<script>");
    expect(htmlOf(view)).toContain("&lt;script&gt;");
    expect(htmlOf(view)).not.toContain("<script");
  });

  it("counts what it leaves out of a long output", () => {
    expect(textOf(consoleView("x".repeat(5_000)))).toContain("(1000 more characters)");
  });
});

describe("the listing", () => {
  it("puts labels at their addresses and data as bytes", () => {
    const text = textOf(listing(program({}, [asm.nop(), label("here"), asm.ecall(), asm.dword(5n)])));
    expect(text).toMatch(/0x8000_0004 +0x0000_0073 +here +ecall/);
    expect(text).toMatch(/0x8000_0008 +8 bytes/);
  });

  it("is the assembler's sentence when there is no program", () => {
    expect(textOf(listing(program({}, [asm.addi("a0", "zero", 4096)])))).toContain(
      "4096 does not fit in 12 bits",
    );
  });
});

describe("the register diff of a run", () => {
  it("shows the registers that the program set and the pc", () => {
    const board = buildBoard({ ramBytes: 1 << 20 });
    board.load(program({}, [asm.li("s3", -2), asm.wfi()]));
    const before = readRegisters(board.hart);
    board.run({ instructions: 5 });
    expect(textOf(registerDiff(before, readRegisters(board.hart)))).toMatch(
      /^Registers that changed\n.*\npc .*0x8000_0008\ns3 +0 +-2$/,
    );
  });
});

describe("the trace view", () => {
  it("names CSRs, memory and traps among what a step changed", () => {
    const board = buildBoard({ ramBytes: 1 << 20 });
    board.load(
      program({}, [asm.csrwi("mscratch", 3), asm.li("t0", 0x8000_0800n), asm.sd("t0", 0, "t0"), asm.ecall()]),
    );
    const text = textOf(traceView(board.run({ instructions: 50, until: { trap: true }, log: true })));
    expect(text).toContain("mscratch: 0 \u2192 3");
    expect(text).toContain("store 8 bytes at 0x8000_0800");
    expect(text).toContain("trap: environment call from M-mode");
  });

  it("shows the first two dozen steps of a long run and says how many there are", () => {
    const board = buildBoard({ ramBytes: 1 << 20 });
    board.load(program({}, [label("on"), asm.j("on")]));
    const text = textOf(traceView(board.run({ instructions: 100, log: true })));
    expect(text.split("\n")).toHaveLength(26);
    expect(text).toContain("the first 24 of 100 steps");
  });
});

describe("views of a landing", () => {
  it("say so when nothing trapped", () => {
    const calm = buildIsland({ seed: 1 }).land([label("on"), asm.j("on")]);
    expect(calm.cause).toBeUndefined();
    expect(textOf(trapCard(calm))).toBe("No trap was taken.");
    expect(textOf(walkPicture(calm))).toContain("no translation failed");
  });

  it("name the CSRs of the mode that took the trap", () => {
    const toM = buildIsland({ seed: 1, medeleg: 0n }).land([asm.ecall()]);
    const toS = buildIsland({ seed: 1 }).land([asm.ecall()]);
    expect(textOf(trapCard(toM))).toMatch(/from . to +U . M[\s\S]*mcause +8/);
    expect(textOf(trapCard(toS))).toMatch(/from . to +U . S[\s\S]*scause +8/);
  });

  it("start from the same moment each time, whatever the last one did", () => {
    const island = buildIsland({ seed: 9 });
    const store = [asm.li("a1", 0x4000_1000n), asm.li("a2", 77), asm.sd("a2", 0, "a1"), asm.ecall()];
    const load = [asm.li("a1", 0x4000_1000n), asm.ld("a0", 0, "a1"), asm.ecall()];
    island.land(store);
    island.land(load);
    expect(island.board.hart.read("a0")).toBe(0n);
  });

  it("keep a poked word for every landing that follows", () => {
    const island = buildIsland({ seed: 9 });
    island.poke(0x8002_1000n, 78n);
    island.land([asm.li("a1", 0x4000_1000n), asm.ld("a0", 0, "a1"), asm.ecall()]);
    expect(island.board.hart.read("a0")).toBe(78n);
    expect(island.peek(0x8002_1000n)).toBe(78n);
  });
});

describe("the page list", () => {
  it("spells permissions in the order of their bits", () => {
    expect(textOf(pageList(buildIsland({ seed: 1 }).pages))).toMatch(
      /user code +0x4000_0000 +0x8002_0000 +UX-R/,
    );
  });
});

describe("the CSR picture", () => {
  it("gives every field its bits, and words to the fields that a chapter speaks of", () => {
    const view = csrView("mstatus", 0xa_0000_1880n);
    expect(view.fields.find((field) => field.name === "MPP")).toEqual({
      name: "MPP",
      low: 11,
      high: 12,
      value: 3n,
      meaning: "MRET goes to M-mode",
    });
    expect(textOf(csrPicture("satp", (8n << 60n) | 0x8_0004n))).toContain("the root table is at 0x8000_4000");
  });

  it("is well-formed for every register that has fields, in any state", () => {
    for (const name of [
      "mstatus",
      "sstatus",
      "satp",
      "medeleg",
      "mideleg",
      "mie",
      "mtvec",
      "mcause",
      "misa",
    ] as const)
      for (const value of [0n, (1n << 64n) - 1n]) parseXml(String(csrPicture(name, value)["image/svg+xml"]));
  });
});

describe("evidence", () => {
  it("counts sixteen knocks for each island, and on tight islands all stay outside", () => {
    expect(knockOnEveryDoor(5, 2)).toEqual({ count: 32, trials: 32 });
  });
});
