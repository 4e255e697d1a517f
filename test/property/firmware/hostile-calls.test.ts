/** A kernel that makes every call with every argument: the firmware answers, and keeps what is its own. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { firmwareCode } from "../../../lib/firmware/code.ts";
import { FIRMWARE_BASE, FIRMWARE_BYTES } from "../../../lib/firmware/map.ts";
import { PAYLOAD, SbiCaller } from "../../support/sbi-caller.ts";

const IS_FULL = process.env["DOM0_TEST_FULL"] === "1";
const RUNS = IS_FULL ? 1000 : 30;
const CALLS = 120;

const ALL_ONES = 2n ** 64n - 1n;
const RAM_END = 0x8000_0000n + (16n << 20n);

/** Words near everything that matters, and any others. */
const word = fc.oneof(
  fc.bigInt({ min: 0n, max: 8n }),
  fc.bigInt({ min: 0n, max: ALL_ONES }),
  fc
    .tuple(
      fc.constantFrom(
        0n,
        FIRMWARE_BASE,
        0x8001_0000n,
        PAYLOAD,
        RAM_END,
        0x1000_0000n,
        0x200_0000n,
        1n << 31n,
        1n << 32n,
        1n << 63n,
      ),
      fc.bigInt({ min: -16n, max: 16n }),
    )
    .map(([place, distance]) => BigInt.asUintN(64, place + distance)),
);
const extension = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(0x10n, 0x5449_4d45n, 0x73_5049n, 0x5246_4e43n, 0x48_534dn, 0x4442_434en),
  },
  { weight: 2, arbitrary: fc.bigInt({ min: 0n, max: 7n }) },
  { weight: 1, arbitrary: word },
);
const call = fc.record({
  extension,
  number: fc.oneof({ weight: 8, arbitrary: fc.bigInt({ min: 0n, max: 7n }) }, { weight: 1, arbitrary: word }),
  arguments: fc.tuple(word, word, word, word, word, word),
});

/** Ways in which a call ends: it comes back, the caller gets a fault, or the hart sleeps or stops as it asked. */
const ENDS = ["breakpoint", "wfi", "poweroff", "reset"];

it("any sequence of calls leaves the firmware's code and the machine's protection as they were, and ends as it may", () => {
  const code = firmwareCode().bytes;
  fc.assert(
    fc.property(
      fc.array(call, { minLength: 1, maxLength: CALLS }),
      fc.constantFrom(1 as const, 2 as const),
      (calls, harts) => {
        const caller = new SbiCaller({ harts });
        const { board } = caller;
        const { hart } = board;
        hart.state.setStored("stvec", caller.place("back")); // a redirected fault comes back too
        const kept = [
          "pmpcfg0",
          "pmpaddr0",
          "pmpaddr1",
          "pmpaddr2",
          "medeleg",
          "mideleg",
          "mtvec",
          "menvcfg",
        ] as const;
        const before = kept.map((csr) => hart.csr(csr));
        for (const { extension: id, number, arguments: args } of calls) {
          caller.prepare(id, number, ...args);
          const stop = caller.runTo("back", 300_000);
          expect(ENDS).toContain(stop.reason);
          if (stop.reason !== "breakpoint") break;
          expect(hart.mode).toBe("S");
          expect(kept.map((csr) => hart.csr(csr))).toEqual(before);
          expect(hart.csr("mstatus") & (1n << 17n)).toBe(0n); // MPRV
        }
        expect(board.memory.bytes(FIRMWARE_BASE, code.length)).toEqual(code);
      },
    ),
    { seed: 1, numRuns: RUNS },
  );
});

it("what the firmware keeps is never shown on the console nor written by it", () => {
  const caller = new SbiCaller();
  const { board } = caller;
  const kept = board.memory.bytes(FIRMWARE_BASE, 0x1100); // code and boot information
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: BigInt(FIRMWARE_BYTES) + 0x2000n }), word, (offset, size) => {
      board.type("typed");
      const start = FIRMWARE_BASE + offset - 0x1000n;
      const touches = start < FIRMWARE_BASE + BigInt(FIRMWARE_BYTES) && start + size > FIRMWARE_BASE;
      for (const number of [0n, 1n]) {
        const { error } = caller.call(0x4442_434en, number, size, BigInt.asUintN(64, start), 0n);
        if (touches && size > 0n) expect(error).toBe(-3n);
      }
      expect(board.memory.bytes(FIRMWARE_BASE, 0x1100)).toEqual(kept);
    }),
    { seed: 2, numRuns: RUNS * 4 },
  );
});
