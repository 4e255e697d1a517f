/**
 * What a student's hypervisor can do wrong, one test for each mistake: it is named by the runtime or by the referee, in words and with what
 * helps to find it. Set DOM0_SHOW=1 to read them all.
 */
import { describe, expect, it } from "vitest";
import { beyond, gpa, hpa } from "../../../lib/hs/address.ts";
import type { HsContext } from "../../../lib/hs/context.ts";
import {
  answerHypercall,
  type HypervisorHandle,
  type HypervisorMap,
  type HypervisorModule,
} from "../../../lib/hs/hypervisor.ts";
import { HsArea } from "../../../lib/hs/hypervisor-vector.ts";
import type { HandlerOptions } from "../../../lib/hs/install.ts";
import { compareAmnesia } from "../../../lib/referee/amnesia.ts";
import { violationText } from "../../../lib/referee/violation.ts";
import { disown, takeFrame } from "../../../lib/vmm/frames.ts";
import { hostOf } from "../../../lib/vmm/host.ts";
import { FrameType } from "../../../lib/vmm/layout.ts";
import { ALL_RIGHTS, lookUp, mapPage, unmapPage } from "../../../lib/vmm/second-stage.ts";
import { sceneWith } from "../hs/hypervisor-scene.ts";
import { miniHypervisor } from "../hs/mini-hypervisor.ts";
import { type Judged, reference, smallest } from "./student.ts";

const show = (text: string): void => {
  if (process.env["DOM0_SHOW"] === "1") console.log(`${expect.getState().currentTestName}\n${text}\n`);
};

/** What the runtime says. */
function messageOf({ message }: Judged): string {
  show(message);
  expect(message).toMatch(
    /^Handler "student [a-z ]+" \(hx \d+\) on hart 0, called at 0x[0-9a-f]+ in step \d+, /,
  );
  return message;
}

/** What the referee says first: each violation has the step, the object, the walk and the last twenty lines. */
function violationOf({ judge }: Judged) {
  show(judge.report());
  const [first] = judge.violations;
  if (first === undefined) throw new Error("the referee has found nothing");
  return first;
}

const leaf = (at: bigint, flags: bigint): bigint => (at >> 2n) | flags;
const RWXU = 0xdfn;
const READ_ONLY = 0xdbn;

describe("a handler that", () => {
  it("throws", () => {
    const message = messageOf(
      smallest(() => {
        throw new TypeError("domain is undefined");
      }),
    );
    expect(message).toContain('Handler "student mistake" (hx 67)');
    expect(message).toContain("threw TypeError: domain is undefined.");
  });

  it.each<[string, HypervisorHandle]>([
    [
      "loads",
      ({ registers }) => {
        while (registers.a0 !== 7n);
      },
    ],
    [
      "stores",
      (context, map) => {
        for (;;) context.store(map.addressOf("domain"), 8, 1n);
      },
    ],
    [
      "yields",
      function* () {
        for (;;) yield;
      },
    ],
    [
      "waits",
      (context) => {
        for (;;) context.csr.read("time");
      },
    ],
  ])("%s for ever", (_, handle) => {
    expect(messageOf(smallest(handle))).toMatch(/made 100000 operations and did not end\.$/);
  });

  it.each<[string, HypervisorHandle, string]>([
    [
      "a NaN for a register",
      (context) => {
        context.registers.a0 = Number.NaN as unknown as bigint;
      },
      "the value is NaN (number); it must be a bigint, such as 5n",
    ],
    [
      "undefined for a register",
      (context) => answerHypercall(context, undefined as unknown as bigint),
      "the value is undefined (undefined)",
    ],
    [
      "a number for an address",
      (context) => {
        context.load(0x8020_0000 as never, 8);
      },
      "the address is 2149580800 (number)",
    ],
    [
      "a width that no load has",
      (context, map) => {
        context.load(map.base, 3 as never);
      },
      "an access has 1, 2, 4 or 8 bytes, not 3",
    ],
    [
      "a CSR that does not exist",
      (context) => {
        context.csr.read("scuase" as never);
      },
      'there is no CSR called "scuase"',
    ],
    [
      "an atomic that does not exist",
      (context, map) => {
        context.atomic("xor" as never, map.base, 1n);
      },
      'there is no atomic change "xor": swap, add, and, or',
    ],
  ])("gives %s", (_, handle, words) => {
    expect(messageOf(smallest(handle))).toContain(words);
  });

  it("gives a number of two hundred bits: the low 64 count, as in a register", () => {
    const { board, message } = smallest((context) => answerHypercall(context, (1n << 199n) | 5n), {});
    expect([message, board.harts[0]?.mode]).toEqual(["", "VS"]);
  });

  it.each<[string, () => unknown, string]>([
    ["a number", () => 5, "returned number 5; a handler answers through registers"],
    ["a promise", async () => {}, "returned a promise; a handler is synchronous"],
    ["an iterator that is no generator", () => [1, 2][Symbol.iterator](), "returned an object"],
    ["an asynchronous generator", async function* () {}, "returned an object"],
    [
      "a generator of values",
      function* () {
        yield 1;
      },
      "yielded number 1; a bare yield",
    ],
  ])("returns %s", (_, handle, words) => {
    expect(messageOf(smallest(handle as HypervisorHandle))).toContain(words);
  });

  it("loads where nothing is", () => {
    expect(messageOf(smallest((context) => void context.load(hpa(0x7000_0000n), 8)))).toContain(
      'threw Error: the hypervisor itself trapped in hypercall "mistake": load page fault',
    );
  });

  it("keeps its context and uses it in another call", () => {
    let kept: HsContext | undefined;
    const message = messageOf(
      smallest(
        (context) => {
          kept = context;
          answerHypercall(context, 0n);
        },
        {
          change: (module) => ({
            ...module,
            trap: () => {},
            hypercalls: {
              ...module.hypercalls,
              count: () => {
                kept?.csr.read("time");
                throw new Error("not here");
              },
            },
          }),
        },
      ),
    );
    expect(message).toContain("not here");
  });
});

/** Tables that a page of the smallest hypervisor's guest is mapped by. */
const middle = (map: HypervisorMap, index: number) => beyond(map.addressOf("g_middle"), 8 * index);
/** Does something, and answers. */
const answering =
  (act: (context: HsContext, map: HypervisorMap) => void): HypervisorHandle =>
  (context, map) => {
    act(context, map);
    answerHypercall(context, 0n);
  };

describe("a hypervisor of the student's own", () => {
  it("maps itself into its guest: I1", () => {
    const found = violationOf(
      smallest(
        answering((context, map) => {
          context.store(middle(map, 5), 8, leaf(0x8020_0000n, READ_ONLY));
          context.fenceSecondStage();
        }),
      ),
    );
    expect(found).toMatchObject({ invariant: "I1", after: "hfence.gvma" });
    expect(found.sentence).toBe(
      "A guest reaches 0x80200000 with RX at guest-physical 0x80a00000, and that is the hypervisor's own memory, where start is.",
    );
    expect(found.walk.map(({ level, index }) => [level, index])).toEqual([
      [2, 2],
      [1, 5],
    ]);
  });

  it("maps a page table writable: I2", () => {
    const { judge } = smallest(
      answering((context, map) => context.store(middle(map, 5), 8, leaf(0x8020_0000n, RWXU))),
    );
    show(judge.report());
    expect(judge.violations.map(({ invariant }) => invariant)).toEqual(["I1", "I2"]);
    expect(judge.violations[1]?.sentence).toMatch(/a table of its own second stage, where g_root is: it can/);
  });

  it("overwrites its own code, and W^X stops it", () => {
    const message = messageOf(
      smallest(answering((context, map) => context.store(map.addressOf("vector"), 4, 0n))),
    );
    expect(message).toContain('the hypervisor itself trapped in hypercall "mistake": store/AMO page fault');
  });

  it("overwrites its own code through a second mapping: I5, then I4", () => {
    const { judge } = smallest(
      answering((context, map) => {
        context.store(beyond(map.addressOf("page_tables"), 8n * 100n), 8, leaf(0x8000_0000n, 0xc7n));
        context.fenceTranslations();
        context.store(hpa(map.addressOf("nested") - 0x8000_0000n + 100n * (1n << 30n)), 4, 0x13n);
      }),
    );
    show(judge.report());
    expect(judge.violations.map(({ invariant, after }) => [invariant, after])).toEqual([
      ["I5", "sfence.vma"],
      ["I4", 'hypercall "mistake" (hx 67)'],
    ]);
    expect(judge.violations[1]?.sentence).toMatch(
      /^The hypervisor's code has changed: at 0x80200[0-9a-f]+ was 0x/,
    );
  });

  it("overwrites an entry of its hypercall table: I4, when the table is next looked at", () => {
    const found = violationOf(
      smallest(answering((context, map) => context.store(map.addressOf("hypercall_table"), 8, 0n))),
    );
    expect([found.invariant, found.object]).toEqual(["I4", "hypercall table"]);
  });

  it("makes a page that can be written and executed: I5", () => {
    const found = violationOf(
      smallest(
        answering((context, map) => {
          const root = map.addressOf("page_tables");
          context.store(beyond(root, 8n * 100n), 8, leaf(0x8000_0000n, 0xcfn));
          context.fenceTranslations();
        }),
      ),
    );
    expect([found.invariant, found.after]).toEqual(["I5", "sfence.vma"]);
    expect(found.sentence).toBe("The page at 0x1900000000 can be written and executed.");
  });

  it("answers a hypercall that its mask forbids: I7", () => {
    const found = violationOf(
      smallest(
        answering(() => {}),
        { judging: { mayCall: (_, call) => call !== 3 } },
      ),
    );
    expect(found.invariant).toBe("I7");
    expect(found.sentence).toBe(
      'Domain 0 may not make hypercall 3 ("mistake"), and was answered 0, which is no error.',
    );
  });

  it("keeps a counter in its module: I10", () => {
    let calls = 0n;
    const build = (handlers: HandlerOptions) => {
      const { hypercalls, ...rest } = miniHypervisor();
      const module = (): HypervisorModule => {
        let own = 0n;
        return {
          ...rest,
          name: "student",
          hypercalls: { ...hypercalls, count: (context) => answerHypercall(context, ++own) },
        };
      };
      calls += 1n;
      return sceneWith("loop: li a7, 0\n ecall\n csrw sscratch, a0\n j loop", { handlers }, { module }).board;
    };
    const found = compareAmnesia({ build, instructions: 2_000, seed: 1 });
    if (found === undefined) throw new Error("nobody noticed");
    show(violationText(found));
    expect(calls).toBe(2n);
    expect(found.sentence).toMatch(
      /^Event \d+ is “.*sscratch := 0x1 .*” where handlers forget, and “.*sscratch := 0x2 /,
    );
  });
});

const onlyMemory = (context: HsContext): Pick<HsContext, "load" | "store"> => ({
  load: (address, width) => context.load(address, width),
  store: (address, width, value) => context.store(address, width, value),
});

describe("the reference hypervisor with a student's mistake", () => {
  it("gives a guest a page of another: I1", () => {
    const found = violationOf(
      reference(
        answering((context, map) => {
          const host = hostOf(context, map);
          const frame = takeFrame(host, 2, FrameType.RAM);
          if (frame !== undefined) mapPage(host, 1, gpa(0x8008_0000n), frame, ALL_RIGHTS);
        }),
      ),
    );
    expect(found.invariant).toBe("I1");
    expect(found.sentence).toMatch(
      /^Domain 1 reaches frame \d+ .* and it belongs to domain 2, which has not granted it\.$/,
    );
    expect(found.walk).toHaveLength(3);
  });

  it("gives a guest a page of its own tables: I2", () => {
    const { judge } = reference(
      answering((context, map) => {
        const host = hostOf(context, map);
        const table = takeFrame(host, 1, FrameType.G_TABLE);
        if (table !== undefined) mapPage(host, 1, gpa(0x8008_0000n), table, ALL_RIGHTS);
      }),
    );
    show(judge.report());
    expect(judge.violations[0]?.invariant).toBe("I2");
    expect(judge.violations[0]?.sentence).toContain("its type is G_TABLE: the guest can write page tables");
  });

  it("forgets a fence: I1, on a machine that remembers translations", () => {
    const found = violationOf(
      reference(
        answering((context, map) => {
          const host = hostOf(context, map);
          const page = gpa(context.registers.a0);
          const { load, store } = onlyMemory(context);
          const forgetful = {
            ...host,
            context: { load, store, fenceSecondStage() {} } as unknown as HsContext,
          };
          const frame = unmapPage(forgetful, 1, page);
          if (frame !== undefined) disown(host, frame);
        }),
        { config: { translations: "sticky" } },
      ),
    );
    expect(found.invariant).toBe("I1");
    expect(found.sentence).toMatch(
      /still remembers that guest-physical 0x80010000 of domain 1 .* an HFENCE\.GVMA is missing\.$/,
    );
  });

  it.each([
    ["one too many", 1],
    ["one too few", -1],
  ])("counts references wrong, %s: I3", (_, by) => {
    const found = violationOf(
      reference(
        answering((context, map) => {
          const host = hostOf(context, map);
          const frame = lookUp(host, 1, gpa(context.registers.a0))?.at;
          if (frame !== undefined) host.state.frame(host.state.frameNumber(frame)).refCount += by;
        }),
      ),
    );
    expect(found.invariant).toBe("I3");
  });

  it("leaks a frame: I9", () => {
    const found = violationOf(
      reference(
        answering((context, map) => {
          const host = hostOf(context, map);
          const frame = takeFrame(host, 1, FrameType.RAM);
          if (frame === undefined) return;
          Object.assign(host.state.frame(host.state.frameNumber(frame)), {
            owner: 0,
            type: FrameType.FREE,
            refCount: 0,
          });
          host.state.domain(1).frames -= 1;
        }),
      ),
    );
    expect(found.invariant).toBe("I9");
    expect(found.sentence).toMatch(
      /^frame \d+ .* was handed out, and is now neither owned nor on the list of free frames\.$/,
    );
  });

  it("loses an interrupt: I11", () => {
    const sleeper =
      "li t0, 0x20\n csrw sie, t0\n csrr t1, time\n addi t1, t1, 100\n csrw stimecmp, t1\n wfi\n stay: j stay";
    const { judge } = reference(
      answering(() => {}),
      {
        guests: [sleeper],
        judging: { deliveredWithin: 10_000 },
        // The timer goes off, and nobody looks whom it was for.
        change: (module) => ({
          ...module,
          idle(context, map) {
            context.csr.write("stimecmp", context.csr.read("time") + 50n);
            HsArea.at(context, map.addressOf("hart0")).saved.resume = map.addressOf("idle");
          },
        }),
      },
    );
    show(judge.report());
    expect(judge.violations.map(({ invariant }) => invariant)).toEqual(["I11"]);
    expect(judge.violations[0]?.sentence).toMatch(
      /virtual CPU 0 \(domain 1\) has been pending and not masked for \d+ instructions/,
    );
  });
});
