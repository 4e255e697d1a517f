/** The classic monitor: a kernel written for the bare board, in user mode and under shadow page tables. The oracle is QEMU's console. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openImage } from "../../../lib/board/open-image.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import { assetFile } from "../../../lib/host/node-assets.ts";
import { decodeCsr } from "../../../lib/isa/csr-map.ts";
import { attachClassic, installClassic } from "../../../lib/vmm/classic/monitor.ts";
import { programAround } from "../../support/guest-programs.ts";
import { pagingProgram } from "../../support/paging-programs.ts";
import { seededNumbers } from "../../support/random.ts";
import { asClassicGuest, classicExits, classicScene, firstDifference, onBareBoard } from "./effects.ts";
import { guestBytes } from "./vmm-scene.ts";

const image = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));
const CONSOLE = readFileSync(join(import.meta.dirname, "../../golden/mini-kernel-console.txt"), "utf8");
const PLENTY = { instructions: 5_000_000 };
const LEAKY = { isa: { leaks: ["sstatus"] } } as const;
const WITHOUT_H = { isa: { hypervisor: false } } as const;

describe("the bare mini kernel as a guest without the hypervisor extension", () => {
  it.each([
    ["on a coherent board", {}, {}],
    ["on a board that remembers translations", { translations: "sticky" }, {}],
    ["on a board with the extension, which nobody uses", { isa: { hypervisor: true } }, {}],
    ["patched, on a machine that leaks", LEAKY, { patches: true }],
  ] as const)("prints %s what it prints on a bare one, and switches itself off", (_, config, options) => {
    const scene = classicScene(image, config, options);
    expect(scene.board.run(PLENTY)).toMatchObject({ reason: "poweroff", exitCode: 0 });
    expect(scene.board.console.text).toBe(CONSOLE);
    const [privileged = 0, shadow = 0, access = 0, exception = 0, interrupt = 0, patch = 0] =
      classicExits(scene);
    expect(Math.min(privileged, shadow, exception, interrupt)).toBeGreaterThan(0);
    expect(access).toBeGreaterThanOrEqual(CONSOLE.length);
    expect(patch > 0).toBe("patches" in options);
  });

  it("leaves the same trace when the monitor's handlers forget everything between traps, and on the other engine", () => {
    const hashOf = (
      ...[config, options]: [Parameters<typeof classicScene>[1], Parameters<typeof classicScene>[2]]
    ) => {
      const { board } = classicScene(image, config, options);
      board.run(PLENTY);
      return board.trace.hash();
    };
    const hash = hashOf({}, {});
    expect(hashOf({}, { handlers: { amnesia: { seed: 5 } } })).toBe(hash);
    expect(hashOf({ engine: "translator" }, {})).toBe(hash);
  });
});

describe("control of the machine's resources", () => {
  it("stays with the monitor: the guest's code never runs but in user mode, and under a shadow's satp", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { board, classic } = classicScene(guestBytes(pagingProgram(seed, { machine: true }).text));
      let traps = 0;
      board.onTrap(({ from, epc }) => {
        traps++;
        expect(from).toBe("U");
        const { MODE, PPN } = decodeCsr("satp", board.hart.csr("satp"));
        const roots = Array.from({ length: 8 }, (_, index) => classic.state.shadows.get(index).root >> 12n);
        expect([seed, epc, MODE, roots.includes(PPN)]).toEqual([seed, epc, 9n, true]);
      });
      expect(board.run(PLENTY).reason).toBe("poweroff");
      expect(traps).toBeGreaterThan(500);
    }
  });

  it("a guest that stores to every address reaches nothing of the monitor's", () => {
    const { board } = classicScene(
      guestBytes(`la t0, trap\n csrw mtvec, t0\n li s0, 0x80000000\n li s1, 0x80a00000\n li s2, 0x10000\n li s3, -1
        again: sd s3, 2040(s0)\n on: add s0, s0, s2\n bltu s0, s1, again\n li t0, 0x100000\n li t1, 0x5555\n sw t1, (t0)
        .align 2\n trap: addi s4, s4, 1\n la t0, on\n csrw mepc, t0\n mret`),
    );
    const before = board.memory.bytes(0x8000_0000n, 0x1000);
    expect(board.run(PLENTY).reason).toBe("poweroff");
    expect(board.memory.bytes(0x8000_0000n, 0x1000)).toEqual(before);
    for (let page = 0x8080_0000n; page < 0x8100_0000n - 0x20_0000n; page += 0x1_0000n)
      expect([page, board.memory.load(page + 2040n, 8)]).toEqual([page, 0n]);
  });
});

describe("shadows", () => {
  const equals = (text: string): void => {
    const program = guestBytes(text);
    expect(
      firstDifference(onBareBoard(program, WITHOUT_H), asClassicGuest(program, WITHOUT_H)),
    ).toBeUndefined();
  };

  it("may be thrown away at any time: a guest that changes PMP all the time finds its pages again", () => {
    const changes = Array.from(
      { length: 100 },
      (_, round) => `li t3, ${round}\n csrw pmpaddr3, t3\n csrr t4, pmpaddr3\n sd t4, ${8 * round}(s10)`,
    );
    equals(pagingProgram(2).text.replace("li t0, 0x100000", `${changes.join("\n")}\n li t0, 0x100000`));
  });

  it("use up their pool, 448 pages, and begin anew: a guest looks at one page through 230 GiB of addresses", () => {
    equals(
      programAround({
        segments: `la t3, root\n li t4, 0x200000cf\n li t5, 230\n fill: sd t4, 16(t3)\n addi t3, t3, 8\n addi t5, t5, -1\n bnez t5, fill
          la t3, root\n srli t3, t3, 12\n li t4, 8\n slli t4, t4, 60\n or t3, t3, t4\n csrw satp, t3\n li t3, 0x800\n csrs mstatus, t3
          la t3, look\n csrw mepc, t3\n li s10, 0x80010000\n sd t3, (s10)\n mret
          look: li t6, 1\n round: li t3, 0x80010000\n li t4, 230\n li t5, 1\n slli t5, t5, 30
          next: ld a0, (t3)\n add a1, a1, a0\n add t3, t3, t5\n addi t4, t4, -1\n bnez t4, next
          addi t6, t6, -1\n bnez t6, round\n la a6, ended\n li a7, 0x77\n ecall\n ended:`,
        before: "",
        behind: ".align 12\n root: .dword 0xc7, 0\n .zero 4080",
      }),
    );
  });
});

describe("a guest and the world outside", () => {
  const ECHO = `la t0, trap\n csrw mtvec, t0\n li s0, 0x10000000\n li s1, 0xc000000\n li t0, 1\n sw t0, 40(s1)
    li t0, 0xc002000\n li t1, 0x400\n sw t1, (t0)\n li t0, 1\n sb t0, 1(s0)\n li t0, 0x800\n csrw mie, t0\n csrsi mstatus, 8
    wait: wfi\n j wait
    .align 2\n trap: li s2, 0xc200004\n lw s3, (s2)\n lbu t1, (s0)\n addi t1, t1, 1\n sb t1, (s0)\n sw s3, (s2)\n mret`;

  it("meet in interrupts: what somebody types is answered as on a bare board", () => {
    const program = guestBytes(ECHO);
    const bare = buildBoard();
    bare.load({ origin: 0x8000_0000n, bytes: program });
    const { board } = classicScene(program);
    for (const machine of [bare, board])
      for (const text of ["a", "HAL"]) {
        machine.run({ instructions: 20_000 });
        machine.type(text);
        machine.run({ instructions: 20_000 });
      }
    expect(bare.console.text).toBe("bIBM");
    expect(board.console.text).toBe(bare.console.text);
  });

  it("a machine that was saved and opened elsewhere goes on as it would have", () => {
    const { board } = classicScene(image);
    board.run({ instructions: 300_000 });
    const opened = openImage(board.saveImage(), { prepare: attachClassic });
    if ("kind" in opened) throw new Error(opened.message);
    for (const machine of [board, opened]) expect(machine.run(PLENTY).reason).toBe("poweroff");
    expect(opened.trace.hash()).toBe(board.trace.hash());
  });
});

describe("a hostile guest", () => {
  it.each([false, true])(
    "that takes its own code away and does not fence gets the fault of a fetch (patched: %s)",
    (patches) => {
      // The code is fetched through what the shadow remembers, the load of a device makes the monitor look.
      const text = `la t0, trap\n csrw mtvec, t0\n li t0, -1\n csrw pmpaddr0, t0\n li t0, 0x1f\n csrw pmpcfg0, t0
      la t3, root\n srli t4, t3, 12\n li t5, 8\n slli t5, t5, 60\n or t4, t4, t5\n csrw satp, t4\n li t0, 0x800\n csrs mstatus, t0
      la t0, code\n csrw mepc, t0\n li s0, 0x10000000\n li s1, 0x82000000\n mret
      .align 2\n trap: csrr s5, mcause\n li t0, 0x100000\n li t1, 0x5555\n sw t1, (t0)
      .align 12\n root: .dword 0xc7, 0, 0x200000cf\n .zero 4072
      code: lb t6, 5(s0)\n sd zero, 16(t3)\n lb t6, 5(s0)\n csrr t6, sstatus\n stay: j stay`;
      const { board } = classicScene(guestBytes(text), { isa: { leaks: ["sstatus"] } }, { patches });
      expect(board.run({ instructions: 100_000 }).reason).toBe("poweroff");
      expect(board.hart.read("s5")).toBe(12n);
    },
  );

  /** Words of which most are privileged, or change what memory is. */
  const words = (seed: number): Uint8Array => {
    const number = seededNumbers(seed);
    const csrs = [
      "mstatus",
      "satp",
      "pmpcfg0",
      "pmpaddr0",
      "medeleg",
      "mie",
      "mip",
      "menvcfg",
      "mepc",
      "mtvec",
      "sie",
      "sepc",
      "stvec",
    ];
    const lines = Array.from({ length: 1_000 }, () => {
      const [a, b] = [number(32), number(32)];
      const csr = csrs[number(csrs.length)] ?? "";
      switch (number(6)) {
        case 0:
          return `csrrw x${a}, ${csr}, x${b}`;
        case 1:
          return `csrrs x${a}, ${csr}, x${b}`;
        case 2:
          return ["mret", "sret", "sfence.vma", `sfence.vma x${a}, x${b}`, "ecall"][number(5)] ?? "";
        case 3:
          return (
            [
              `ld x${a}, 8(x${b})`,
              `sd x${a}, 8(x${b})`,
              `amoor.d x${a}, x${a}, (x${b})`,
              `lr.w x${a}, (x${b})`,
            ][number(4)] ?? ""
          );
        case 4:
          return `li x${a}, ${[0x8000_0000 + 4 * number(1000), 0x1800, 0x2_0000, 0x1f, -1, 0x1000_0000][number(6)]}`;
        default:
          return `.word ${number(2 ** 31)}`;
      }
    });
    return guestBytes(
      `la t0, begin\n csrw mtvec, t0\n csrw stvec, t0\n .align 2\n begin: ${lines.join("\n")}\n j begin`,
    );
  };

  it.each([false, true])("never makes the monitor trap, throw or hang (patched: %s)", (patches) => {
    for (let seed = 1; seed <= (process.env["DOM0_TEST_FULL"] === "1" ? 500 : 25); seed++) {
      const { board } = classicScene(words(seed), { isa: { leaks: ["sstatus", "satp"] } }, { patches });
      const stop = board.run({ instructions: 100_000 });
      expect([seed, stop.reason === "handler-error" ? stop.message : ""]).toEqual([seed, ""]);
    }
  });
});

describe("what cannot run", () => {
  it.each([
    ["two harts", { harts: 2 }, { image }, /one hart/],
    ["more RAM than there is", {}, { image, ramBytes: 64 << 20 }, /up to \d+ bytes/],
    ["RAM that is no whole pages", {}, { image, ramBytes: 1000 }, /whole pages/],
    [
      "an image that does not fit",
      {},
      { image: new Uint8Array(3 << 20), ramBytes: 2 << 20 },
      /more than its/,
    ],
  ] as const)("is refused with a sentence: %s", (_, config, guest, sentence) => {
    expect(installClassic(buildBoard(config), guest)).toMatchObject({
      kind: "load-error",
      message: expect.stringMatching(sentence),
    });
  });
});
