/** A hypervisor as a module: its code and tables in RAM, its own page tables, and what happens when somebody corrupts them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { installFirmware } from "../../../lib/firmware/firmware.ts";
import { beyond } from "../../../lib/hs/address.ts";
import { isRefused } from "../../../lib/hs/context.ts";
import {
  answerHypercall,
  attachHypervisor,
  type HypervisorModule,
  type HypervisorOptions,
  hypercallEntry,
  installHypervisor,
} from "../../../lib/hs/hypervisor.ts";
import { HsArea } from "../../../lib/hs/hypervisor-vector.ts";
import type { HandlerOptions } from "../../../lib/hs/install.ts";
import { onlooker } from "../../../lib/hs/onlooker.ts";
import { fromSource } from "../../../lib/hs/source.ts";
import { array, u64 } from "../../../lib/hs/struct.ts";
import { paddr } from "../../../lib/isa/address.ts";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { PTE } from "../../../lib/mmu/pte.ts";
import { modulesAfresh } from "../../support/modules-afresh.ts";
import { countingModule } from "./counting-module.ts";
import { guestThatCalls, runToEnd, type Scene, sceneWith } from "./hypervisor-scene.ts";
import { Domain, GUEST_HPA, miniHypervisor } from "./mini-hypervisor.ts";

const domainOf = ({ board, hypervisor }: Scene) =>
  Domain.at(onlooker(board), hypervisor.map.addressOf("domain"));

const MINUS = (error: bigint): bigint => 2n ** 64n - error;

describe("a hypercall", () => {
  it("goes through the vector, the table and a stub to its handler, and back behind the call", () => {
    const scene = sceneWith(
      guestThatCalls("li a7, 0", "li a7, 0", "li a7, 1\n mv s1, a0\n li a0, 3\n li a1, 77"),
    );
    expect(runToEnd(scene).reason).toBe("budget");
    expect(scene.board.hart.mode).toBe("VS");
    expect(scene.board.hart.read("s1")).toBe(2n);
    expect(scene.board.hart.read("a0")).toBe(0n);
    expect(domainOf(scene).calls).toBe(2n);
    expect(domainOf(scene).mailbox.get(3)).toBe(77n);
  });

  it("that is a generator runs to its end before the guest goes on", () => {
    const scene = sceneWith(guestThatCalls("li a7, 2\n li a0, 21"));
    runToEnd(scene);
    expect(scene.board.hart.read("a0")).toBe(42n);
  });

  it.each([3n, 4n, 511n, 512n, 1n << 31n, (1n << 61n) + 1n, 1n << 63n, 2n ** 64n - 1n])(
    "with a number that does not exist, %i, comes to the trap handler",
    (number) => {
      const scene = sceneWith(guestThatCalls(`li a7, ${BigInt.asIntN(64, number)}`));
      runToEnd(scene);
      expect(scene.board.hart.read("a0")).toBe(MINUS(38n));
    },
  );

  it("may have numbers that begin elsewhere, so that SBI calls keep theirs", () => {
    const module = (): HypervisorModule => ({ ...miniHypervisor(), firstHypercall: 0x0a00_0000n });
    const scene = sceneWith(guestThatCalls("li a7, 0\n", "mv s1, a0\n li a7, 0x0a000000"), {}, { module });
    runToEnd(scene);
    expect([scene.board.hart.read("s1"), scene.board.hart.read("a0")]).toEqual([MINUS(38n), 1n]);
  });

  it("leaves all registers of the guest but those that it answers with as they were", () => {
    const others = Array.from({ length: 31 }, (_, index) => index + 1).filter(
      (index) => ![10, 17].includes(index),
    );
    const fill = others.map((index) => `li x${index}, ${index * 1001}`).join("\n");
    const scene = sceneWith(`${fill}\n li a7, 0\n ecall\n stay: j stay`);
    runToEnd(scene);
    expect(others.map((index) => scene.board.hart.state.x[index])).toEqual(
      others.map((index) => BigInt(index * 1001)),
    );
  });
});

/** Bytes of a program that runs where it is put. */
function bytesAt(origin: bigint, text: string): Uint8Array {
  const program = assemble(text, { origin });
  if (program.kind !== "program") throw new Error(program.message);
  return program.bytes;
}

const PAYLOAD = beyond(GUEST_HPA, 0x1000);
/** The distance, in words, from the mailbox to the table's first entry, as an attacker works it out from published symbols. */
function offsetToTable({ hypervisor: { map } }: Scene): bigint {
  const mailbox = beyond(map.addressOf("domain"), Domain.offsetOf("mailbox"));
  return (map.addressOf("hypercall_table") - mailbox) / 8n;
}

/** The guest overwrites entry 0 by way of the hypercall that does not look, and calls it. Its bytes read the hypervisor's secret. */
function attack(checks: boolean, options: HypervisorOptions): Scene {
  const module = (): HypervisorModule => miniHypervisor(checks);
  const { map } = sceneWith("nop", options, { module }).hypervisor;
  const offset = offsetToTable(sceneWith("nop", options, { module }));
  const secret = beyond(map.addressOf("domain"), Domain.offsetOf("secret"));
  const scene = sceneWith(
    `li a7, 1\n li a0, ${offset}\n li a1, ${PAYLOAD}\n ecall\n mv s1, a0\n li a7, 0\n ecall\n stay: j stay`,
    options,
    { module },
  );
  const loot = beyond(GUEST_HPA, 0x2000);
  scene.board.memory.write(
    PAYLOAD,
    bytesAt(PAYLOAD, `li t0, ${secret}\n ld t0, (t0)\n li t1, ${loot}\n sd t0, (t1)\n here: j here`),
  );
  domainOf(scene).secret = 0x5ec2e7n;
  return scene;
}
const lootOf = ({ board }: Scene): unknown => board.memory.load(beyond(GUEST_HPA, 0x2000), 8);

describe("an entry of the hypercall table that a guest has overwritten", () => {
  it("makes the hart run the guest's bytes in HS-mode, where nothing forbids it", () => {
    const scene = attack(false, { guards: { wx: false } });
    scene.board.run({ instructions: 20_000, until: { pc: PAYLOAD } });
    expect([scene.board.hart.pc, scene.board.hart.mode]).toEqual([PAYLOAD, "S"]);
    runToEnd(scene);
    expect(lootOf(scene)).toBe(0x5ec2e7n);
    expect(scene.board.hart.mode).toBe("S");
  });

  it("is never written when the hypercall looks at its argument", () => {
    const scene = attack(true, { guards: { wx: false } });
    runToEnd(scene);
    const { at, stub } = hypercallEntry(scene.hypervisor.map, 0);
    expect(scene.board.memory.load(at, 8)).toBe(stub);
    expect([lootOf(scene), scene.board.hart.mode, scene.board.hart.read("s1")]).toEqual([
      0n,
      "VS",
      MINUS(22n),
    ]);
    expect(domainOf(scene).calls).toBe(1n);
  });

  it.each([
    ["W^X: the bytes are fetched and not run", {}, /page fault.*0x80801000/],
    [
      "a sealed table: the store itself faults",
      { guards: { wx: false, sealedTable: true } },
      /store.*page fault/,
    ],
  ] as const)("ends the hypervisor with a sentence under %s", (_, options, message) => {
    const scene = attack(false, options);
    expect(runToEnd(scene)).toMatchObject({
      reason: "handler-error",
      message: expect.stringMatching(message),
    });
    expect(lootOf(scene)).toBe(0n);
  });

  it("is not needed where the vector does not compare the number: it may lead behind the table", () => {
    const scene = (bounds: boolean): Scene => {
      const options = { guards: { wx: false, bounds } };
      const { map } = sceneWith("nop", options).hypervisor;
      const index = (GUEST_HPA + 0x3000n - map.addressOf("hypercall_table")) / 8n;
      const made = sceneWith(guestThatCalls(`li a7, ${index}`), options);
      made.board.memory.store(beyond(GUEST_HPA, 0x3000), 8, PAYLOAD);
      made.board.memory.write(PAYLOAD, bytesAt(PAYLOAD, "here: j here"));
      made.board.run({ instructions: 20_000, until: { pc: PAYLOAD } });
      return made;
    };
    expect(scene(false).board.hart).toMatchObject({ pc: PAYLOAD, mode: "S" });
    expect(scene(true).board.hart.mode).toBe("VS");
  });
});

describe("the hypervisor's own page tables", () => {
  it("let nothing be both written and executed, and satp is never Bare behind the first instructions", () => {
    const { board, hypervisor } = sceneWith(guestThatCalls("li a7, 0", "li a7, 1", "li a7, 99"));
    const { map } = hypervisor;
    const leaves: { readonly from: bigint; readonly bytes: bigint; readonly flags: bigint }[] = [];
    const visit = (table: bigint, level: number, base: bigint): void => {
      for (let index = 0n; index < 512n; index++) {
        const entry = board.memory.load(table + 8n * index, 8);
        if (typeof entry !== "bigint" || (entry & PTE.V) === 0n) continue;
        const bytes = 1n << BigInt(12 + 9 * level);
        const to = ((entry >> 10n) & ((1n << 44n) - 1n)) << 12n;
        const from = base + index * bytes;
        if ((entry & (PTE.R | PTE.X)) === 0n) visit(to, level - 1, from);
        else {
          expect(to).toBe(from);
          leaves.push({ from, bytes, flags: entry });
        }
      }
    };
    visit((map.satp & ((1n << 44n) - 1n)) << 12n, 2, 0n);
    const executable = leaves.filter(({ flags }) => (flags & PTE.X) !== 0n);
    expect(executable.filter(({ flags }) => (flags & PTE.W) !== 0n)).toEqual([]);
    expect(leaves.filter(({ flags }) => (flags & PTE.U) !== 0n)).toEqual([]);
    expect(executable[0]?.from).toBe(map.base);
    const codeEnd = (executable.at(-1)?.from ?? 0n) + (executable.at(-1)?.bytes ?? 0n);
    expect(codeEnd).toBe(map.addressOf("hypercall_table"));
    const ram = leaves.filter(({ from }) => from >= map.ram.base).reduce((sum, { bytes }) => sum + bytes, 0n);
    expect(ram).toBe(map.ram.sizeBytes);

    board.run({ instructions: 1000, until: { pc: map.addressOf("start") } });
    for (let line = 0; line < 10 && board.hart.csr("satp") === 0n; line++) board.step();
    for (let step = 0; step < 2000; step++) {
      expect(board.hart.csr("satp")).toBe(map.satp);
      board.step();
    }
  });
});

describe("an installation", () => {
  it("publishes its symbols, and slides by a seed: each boot elsewhere, the same with the same seed", () => {
    const at = (seed?: number): bigint => {
      const { board, hypervisor } = sceneWith(
        guestThatCalls("li a7, 0"),
        seed === undefined ? {} : { slide: { seed } },
      );
      runToEnd({ board, hypervisor });
      expect(board.hart.read("a0")).toBe(1n);
      const domain = hypervisor.map.addressOf("domain");
      expect(board.symbols.addressOf("mini.domain")).toBe(domain);
      expect(hypervisor.map.addressOf("g_root") % 16384n).toBe(0n);
      return domain;
    };
    expect(at()).toBe(at());
    expect(at(1)).toBe(at(1));
    expect(new Set([undefined, 1, 2, 3, 4].map(at)).size).toBe(5);
  });

  it("stands on the firmware as well as on its own stub", () => {
    const scene = sceneWith(guestThatCalls("li a7, 0", "li a7, 0"), { machineMode: "firmware" });
    const firmware = installFirmware(scene.board, { payloadEntry: scene.hypervisor.entry });
    expect(firmware.kind).toBe("firmware");
    runToEnd(scene);
    expect([scene.board.hart.read("a0"), scene.board.hart.mode]).toEqual([2n, "VS"]);
  });

  it("has a hart for each area: those that init sends nowhere idle, and a knock wakes them", () => {
    const woken: number[] = [];
    const module = (): HypervisorModule => ({
      ...miniHypervisor(),
      init(context, map) {
        context.csr.write("sie", 2n); // software interrupts
        if (context.hart === 0) miniHypervisor().init(context, map);
      },
      idle(context) {
        woken.push(context.hart);
        context.csr.clear("sip", 2n);
      },
      hypercalls: {
        knock(context) {
          context.store(paddr(0x200_0004n), 4, 1n); // hart 1's word in the CLINT
          answerHypercall(context, 0n);
        },
      },
    });
    const scene = sceneWith(guestThatCalls("li a7, 0"), {}, { module, config: { harts: 2 } });
    scene.board.run({ instructions: 200_000 });
    expect(woken).toEqual([1]);
    expect(scene.board.harts[1]?.pc).toBe(scene.hypervisor.map.addressOf("idle") + 4n);
  });

  it.each([
    ["a base that is no page", { base: 0x8020_0800n }, {}, "must begin on a page"],
    ["a base outside RAM", { base: 0x7000_0000n }, {}, "would lie from 0x70000000"],
    ["a base where machine mode is", { base: 0x8000_0000n }, {}, "RAM for it is from 0x80001000"],
    ["more than RAM", {}, { layout: { heap: array(u64, 4_000_000) } }, "would lie"],
    [
      "too many hypercalls",
      {},
      { hypercalls: Object.fromEntries(Array.from({ length: 513 }, (_, n) => [`call${n}`, () => {}])) },
      "room for 512",
    ],
  ] as const)("refuses %s with a sentence, and changes nothing", (_, options, change, words) => {
    const board = buildBoard();
    const answer = installHypervisor(board, () => ({ ...miniHypervisor(), ...change }), options);
    expect(answer).toMatchObject({ kind: "load-error", message: expect.stringContaining(words) });
    expect(board.handlers.numbers).toEqual([]);
    expect(board.memory.load(0x8020_0000n, 8)).toBe(0n);
  });

  it("can be attached alone, where RAM has it already", () => {
    const { board } = sceneWith(guestThatCalls("li a7, 0"), { slide: { seed: 3 } });
    const other = buildBoard();
    other.memory.write(0x8000_0000n, board.memory.bytes(0x8000_0000n, 0x90_0000) as Uint8Array);
    expect(attachHypervisor(other, miniHypervisor, { slide: { seed: 3 } })).toBeUndefined();
    other.run({ instructions: 20_000 });
    expect(other.hart.read("a0")).toBe(1n);
  });
});

describe("a handler of a hypervisor that", () => {
  const withCall = (count: HypervisorModule["trap"], options: HypervisorOptions = {}): Scene =>
    sceneWith(guestThatCalls("li a7, 0"), options, {
      module: () => ({ ...miniHypervisor(), hypercalls: { count } }),
    });

  it.each([
    [
      "throws",
      () => {
        throw new Error("oh");
      },
      /"mini count" \(hx 64\) on hart 0, .* threw Error: oh/,
    ],
    [
      "never ends",
      (context) => {
        for (;;) context.csr.read("time");
      },
      /"mini count".* made 100000 operations and did not end/,
    ],
    [
      "returns garbage",
      (() => ({ ok: true })) as HypervisorModule["trap"],
      /"mini count".* returned an object/,
    ],
    [
      "loads from nowhere",
      (context) => void context.load(paddr(0x4000_0000n), 8),
      /itself trapped in hypercall "count": load page fault at 0x[0-9a-f]+, tval 0x40000000/,
    ],
    [
      "writes to its own code",
      (context, map) => context.store(map.addressOf("vector"), 8, 0n),
      /itself trapped in hypercall "count": store.* page fault/,
    ],
    [
      "resumes nowhere",
      (context, map) => context.store(beyond(map.addressOf("hart0"), 256), 8, 0x123n),
      /itself trapped: instruction/,
    ],
    [
      "resumes in a guest's page",
      (context, map) => context.store(beyond(map.addressOf("hart0"), 256), 8, PAYLOAD),
      /itself trapped: instruction page fault at 0x80801000/,
    ],
    [
      "goes on with an area that is none",
      (context, map) => context.store(beyond(map.addressOf("hart0"), HsArea.offsetOf("next")), 8, 8n),
      /itself trapped: load/,
    ],
    [
      "names a symbol that is none",
      (_, map) => void map.addressOf("frames"),
      /RangeError: mini has no symbol frames/,
    ],
  ] as readonly (readonly [string, HypervisorModule["trap"], RegExp])[])(
    "%s stops the machine with a sentence",
    (_, handle, message) => {
      expect(runToEnd(withCall(handle))).toMatchObject({
        reason: "handler-error",
        message: expect.stringMatching(message),
      });
    },
  );

  it("expects a refusal gets it as a value", () => {
    const scene = withCall((context) => {
      const answer = context.attempt(() => context.load(paddr(0x4000_0000n), 8));
      answerHypercall(context, isRefused(answer) ? BigInt(answer.trap.cause) : 0n);
    });
    runToEnd(scene);
    expect(scene.board.hart.read("a0")).toBe(13n);
  });
});

describe("virtual CPUs", () => {
  it("are switched by naming another area: each goes on with its own registers, floating point too", () => {
    const module = (): HypervisorModule => ({
      ...miniHypervisor(),
      layout: { ...miniHypervisor().layout, other: HsArea },
      hypercalls: {
        switch(context, map) {
          answerHypercall(context, 0n);
          const [mine, other] = [map.addressOf("hart0"), map.addressOf("other")];
          const area = HsArea.at(context, other);
          const own = HsArea.at(context, mine);
          const isOther = context.registers.s0 === 2n;
          if (!isOther) {
            own.saved.x.set(5, 0n);
            area.saved.x.set(8, 2n); // s0
          }
          (isOther ? area : own).next = isOther ? mine : other;
        },
      },
    });
    const guest = `li s0, 1\n li t1, 0x6000\n csrs sstatus, t1\n li t0, 5\n fcvt.d.l fs0, t0\n li a7, 0\n ecall
      li t0, 1\n beq s0, t0, first
      second: li t0, 9\n fcvt.d.l fs0, t0\n li s5, 22\n ecall
      first: fcvt.l.d s6, fs0\n mv s7, s5\n stay: j stay`;
    const scene = sceneWith(guest, {}, { module });
    runToEnd(scene);
    expect(["s0", "s6", "s7"].map((name) => scene.board.hart.read(name as "s0"))).toEqual([1n, 5n, 0n]);
    const other = HsArea.at(onlooker(scene.board), scene.hypervisor.map.addressOf("other"));
    expect(other.saved.x.get(21)).toBe(22n);
  });
});

describe("amnesia mode", () => {
  const GUEST = `li s0, 40\n loop: li a7, 0\n ecall\n mv s1, a0\n csrw sscratch, a0\n addi s0, s0, -1
    bnez s0, loop\n stay: j stay`;
  const hashOf = (module: () => HypervisorModule, handlers: HandlerOptions = {}): string => {
    const scene = sceneWith(GUEST, { handlers }, { module });
    runToEnd(scene);
    expect(scene.board.hart.read("s0")).toBe(0n);
    return scene.board.trace.hash();
  };
  const ordinary = hashOf(() => countingModule("ram"));
  const forgetful: HandlerOptions = { amnesia: { seed: 1 } };

  it("evaluates a whole module afresh, with all that it imports, and catches a counter at its top level", () => {
    const afresh = modulesAfresh<typeof import("./counting-module.ts")>(
      `${import.meta.dirname}/counting-module.ts`,
    );
    expect(hashOf(() => afresh().countingModule("module"))).toBe(ordinary); // without amnesia nobody can tell
    expect(hashOf(() => afresh().countingModule("ram"), forgetful)).toBe(ordinary);
    expect(hashOf(() => afresh().countingModule("module"), forgetful)).not.toBe(ordinary);
    expect(hashOf(() => countingModule("ram"), forgetful)).toBe(ordinary);
  });

  it("does the same with a module out of source text", () => {
    const source = (answer: "calls" | "count"): string => `
      let calls = 0n;
      return { ...mini(), hypercalls: { count(context, map) {
        calls += 1n;
        const domain = Domain.at(context, map.addressOf("domain"));
        const count = domain.calls + 1n;
        domain.calls = count;
        answerHypercall(context, ${answer});
      } } };`;
    const scope = { mini: miniHypervisor, Domain, answerHypercall };
    expect(hashOf(fromSource(source("count"), scope), forgetful)).toBe(ordinary);
    expect(hashOf(fromSource(source("calls"), scope))).toBe(ordinary);
    expect(hashOf(fromSource(source("calls"), scope), forgetful)).not.toBe(ordinary);
  });
});

describe("any hypercall with any arguments", () => {
  it("comes back to the guest, or is answered with a sentence; nothing hangs", () => {
    const word = fc.oneof(fc.bigInt({ min: 0n, max: 8n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
    fc.assert(
      fc.property(word, word, word, (number, a0, a1) => {
        const set = (register: string, value: bigint): string =>
          `li ${register}, ${BigInt.asIntN(64, value)}`;
        const scene = sceneWith(guestThatCalls([set("a7", number), set("a0", a0), set("a1", a1)].join("\n")));
        expect(runToEnd(scene).reason).toBe("budget");
        expect(scene.board.hart.mode).toBe("VS");
      }),
      { seed: 1, numRuns: 40 },
    );
  });
});
