/** The same runtime one level up: a kernel of three lines in HS-mode, under its own page tables, below it a user program and a guest. */
import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import type { HsContext } from "../../../lib/hs/context.ts";
import { installHandlers } from "../../../lib/hs/install.ts";
import { SaveArea, trapVector } from "../../../lib/hs/vector.ts";
import { type Paddr, paddr } from "../../../lib/isa/address.ts";
import { label } from "../../../lib/isa/assembler/item.ts";
import { program } from "../../../lib/isa/assembler/program.ts";
import { asm } from "../../../lib/isa/assembler/typed.ts";

const TRAP = 10;
const NESTED = 11;
/** Sv39 root: one gigabyte page for the kernel at 2 GiB, and the same again for users at 4 GiB. */
const ROOT = 0x8010_0000n;
const KERNEL_PAGE = (0x8_0000n << 10n) | 0xcfn; // D A X W R V
const USER_PAGE = KERNEL_PAGE | 0x10n;
const USER_OFFSET = 0x8000_0000n;

/** Machine mode delegates all and enters the kernel, which turns translation on and enters the program in user mode or in a guest. */
function boardWithKernel(handle: (context: HsContext) => void, inGuest = false): Board {
  const board = buildBoard();
  const built = program({ origin: 0x8000_0000n }, [
    asm.li("t0", -1),
    asm.csrw("pmpaddr0", "t0"),
    asm.csrwi("pmpcfg0", 0x1f),
    asm.li("t0", 0xf0_b5ff),
    asm.csrw("medeleg", "t0"),
    asm.li("t0", 0x800),
    asm.csrs("mstatus", "t0"),
    asm.la("t0", "kernel"),
    asm.csrw("mepc", "t0"),
    asm.mret(),

    label("kernel"),
    asm.la("t0", "vector"),
    asm.csrw("stvec", "t0"),
    asm.la("t0", "area"),
    asm.csrw("sscratch", "t0"),
    asm.li("t0", (8n << 60n) | (ROOT >> 12n)),
    asm.csrw("satp", "t0"),
    asm.la("t0", "user"),
    ...(inGuest
      ? [asm.li("t1", 0x180), asm.csrs("hstatus", "t1"), asm.li("t1", 0x100), asm.csrs("sstatus", "t1")]
      : [asm.li("t1", USER_OFFSET), asm.add("t0", "t0", "t1")]),
    asm.csrw("sepc", "t0"),
    asm.li("a0", 40),
    asm.sret(),

    label("user"),
    asm.ecall(),
    asm.addi("a0", "a0", 1),
    asm.ecall(),
    label("stay"),
    asm.j("stay"),

    ...trapVector("S", { trap: TRAP, nested: NESTED }),
    asm.align(8),
    label("area"),
    asm.zero(SaveArea.sizeBytes),
  ]);
  if (built.kind !== "program") throw new Error(built.message);
  expect(board.load(built)).toBeUndefined();
  board.memory.store(ROOT + 8n * 2n, 8, KERNEL_PAGE);
  board.memory.store(ROOT + 8n * 4n, 8, USER_PAGE);
  installHandlers(board, () => ({
    [TRAP]: { name: "kernel", handle },
    [NESTED]: {
      name: "kernel trap in a trap",
      handle: ({ csr }) => {
        throw new Error(`cause ${csr.read("scause")} at 0x${csr.read("stval").toString(16)}`);
      },
    },
  }));
  return board;
}

describe.each([
  ["a user program", false, 8n],
  ["a guest", true, 10n],
] as const)("a kernel in HS-mode, called by %s", (_, inGuest, cause) => {
  it("answers through the save area, and the program goes on behind its call", () => {
    const causes: bigint[] = [];
    const board = boardWithKernel(({ csr, registers }) => {
      causes.push(csr.read("scause"));
      registers.a0 += 1n;
      csr.write("sepc", csr.read("sepc") + 4n);
    }, inGuest);
    board.run({ instructions: 1000 });
    expect(causes).toEqual([cause, cause]);
    expect(board.hart.read("a0")).toBe(43n);
    expect(board.hart.mode).toBe(inGuest ? "VS" : "U");
  });
});

describe("a kernel's accesses", () => {
  it("go through satp: an address that it has not mapped ends in the vector's nested trap, with the address", () => {
    const board = boardWithKernel((context) => context.store(paddr(0x1000_0000n), 1, 65n));
    expect(board.run({ instructions: 1000 })).toMatchObject({
      reason: "handler-error",
      message: expect.stringMatching(/"kernel trap in a trap" \(hx 11\).*cause 15 at 0x10000000/),
    });
    expect(board.console.text).toBe("");
  });

  it("meet SUM: a user's page opens when the kernel says so", () => {
    const seen: unknown[] = [];
    const userWord = paddr(0x8000_0000n + USER_OFFSET) as Paddr;
    const board = boardWithKernel((context) => {
      seen.push(typeof context.attempt(() => context.load(userWord, 4)));
      context.csr.set("sstatus", 1n << 18n);
      seen.push(typeof context.attempt(() => context.load(userWord, 4)));
      context.csr.write("sepc", context.csr.read("sepc") + 4n);
    });
    board.run({ instructions: 200 });
    expect(seen.slice(0, 2)).toEqual(["object", "bigint"]);
  });

  it("to machine mode's CSRs are illegal instructions, which the nested trap reports", () => {
    const board = boardWithKernel(({ csr }) => void csr.read("mstatus"));
    expect(board.run({ instructions: 1000 })).toMatchObject({
      reason: "handler-error",
      message: expect.stringContaining("cause 2"),
    });
  });
});
