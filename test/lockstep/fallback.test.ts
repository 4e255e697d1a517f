/** An engine whose regions all refuse is right, and slow: the share of steps in regions tells. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { SLOT_INTERPRET } from "../../lib/engine/translator/layout.ts";
import { Code, type Local } from "../../lib/engine/translator/wasm/code.ts";
import { engineReport } from "../../lib/host/bootstrap/engine-report.mjs";
import { assetFile } from "../../lib/host/node-assets.ts";
import { BENCH_GUESTS, type BenchGuestName, ROUNDS_SYMBOL } from "../../lib/systems/bench-guests.ts";

const BATCH = "../../lib/engine/translator/region/batch.ts";
const GUESTS = ["mix", "qsort", "bytecode"] as const satisfies readonly BenchGuestName[];
const INSTRUCTIONS = 300_000;
const LEAST = { share: 0.9, regionShare: 0.5 };

/** A function as a region is when its prologue refuses: the interpreter goes on in its place. */
function refusingBody(regionType: number): Uint8Array {
  const code = new Code(3);
  for (const parameter of [0, 1, 2] as Local[]) code.get(parameter);
  code.i32(SLOT_INTERPRET);
  code.returnCallIndirect(regionType);
  code.op("unreachable");
  return code.finish();
}

/** The guests in lockstep; what the runs came to, and the engines' counters as the report of a test run takes them. */
async function runGuests() {
  const { buildBoard } = await import("../../lib/board/virt.ts");
  const { expectSame, Tally } = await import("../support/lockstep.ts");
  const tally = new Tally();
  const lines = GUESTS.map((name) => {
    const board = expectSame({
      title: name,
      tally,
      instructions: INSTRUCTIONS,
      every: 100_000,
      build: (engine) => {
        const made = buildBoard(engine);
        made.loadElf(new Uint8Array(readFileSync(assetFile(BENCH_GUESTS[name].asset))));
        made.memory.store(made.symbols.addressOf(ROUNDS_SYMBOL) ?? 0n, 8, 1_000_000n);
        return made;
      },
    });
    return JSON.stringify({ ...board.counters, regionSteps: board.counters?.regionSteps });
  });
  return { tally, report: engineReport(lines.join("\n")) };
}

describe("an engine whose regions all refuse", () => {
  beforeAll(() => {
    vi.resetModules();
    vi.doMock(BATCH, async (original) => {
      const batch = await original<typeof import("../../lib/engine/translator/region/batch.ts")>();
      const writeBatch: typeof batch.writeBatch = (functions) =>
        batch.writeBatch(functions.map((each) => ({ ...each, body: refusingBody(batch.REGION_TYPE) })));
      return { ...batch, writeBatch };
    });
  });
  afterAll(() => {
    vi.doUnmock(BATCH);
    vi.resetModules();
  });

  it("makes the same runs, in generated code, and is found by the share of its regions", async () => {
    const { tally, report } = await runGuests();
    expect(tally.regions).toBeGreaterThan(0);
    expect(tally.share).toBeGreaterThan(LEAST.share);
    expect(tally.fallbacks(LEAST)).toEqual([expect.stringMatching(/^0\.0 % of the steps in regions/)]);
    expect(report.problem).toMatch(/% in regions/);
  });
});

describe("an engine whose regions run", () => {
  it("makes most of the same steps in them", async () => {
    const { tally, report } = await runGuests();
    expect(tally.fallbacks(LEAST)).toEqual([]);
    expect(report.problem).not.toMatch(/% in regions/);
  });
});
