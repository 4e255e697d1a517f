/** The PLIC against the specification's own picture: one gateway a source, one row of switches a context. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IrqLine } from "../../../lib/bus/irq-line.ts";
import { Plic } from "../../../lib/devices/plic.ts";

const SOURCES = [1, 2, 31, 32, 33, 64, 95, 96];
const HARTS = 2;
const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 5000 : 300;

/** Source and context as the text describes them, with sets and loops and no bits. */
class Model {
  readonly wires = new Map<number, boolean>();
  readonly priorities = new Map<number, number>();
  readonly requests = new Set<number>();
  readonly served = new Set<number>();
  readonly enabled = Array.from({ length: 2 * HARTS }, () => new Set<number>());
  readonly thresholds = Array.from({ length: 2 * HARTS }, () => 0);

  gateway(source: number): void {
    if (this.wires.get(source) === true && !this.served.has(source)) this.requests.add(source);
  }

  best(context: number): number {
    const candidates = SOURCES.filter(
      (source) =>
        this.requests.has(source) &&
        this.enabled[context]?.has(source) &&
        (this.priorities.get(source) ?? 0) > 0,
    );
    candidates.sort(
      (left, right) => (this.priorities.get(right) ?? 0) - (this.priorities.get(left) ?? 0) || left - right,
    );
    return candidates[0] ?? 0;
  }

  claim(context: number): number {
    const source = this.best(context);
    if (source !== 0) {
      this.requests.delete(source);
      this.served.add(source);
    }
    return source;
  }

  complete(context: number, source: number): void {
    if (!this.enabled[context]?.has(source)) return;
    this.served.delete(source);
    this.gateway(source);
  }

  isInterrupting(context: number): boolean {
    return (this.priorities.get(this.best(context)) ?? 0) > (this.thresholds[context] ?? 0);
  }
}

const source = fc.constantFrom(...SOURCES);
const context = fc.nat(2 * HARTS - 1);
const action = fc.oneof(
  fc.record({ kind: fc.constant("wire" as const), source, level: fc.boolean() }),
  fc.record({ kind: fc.constant("priority" as const), source, value: fc.nat(0xff) }),
  fc.record({ kind: fc.constant("enable" as const), context, sources: fc.subarray(SOURCES) }),
  fc.record({ kind: fc.constant("threshold" as const), context, value: fc.nat(0xff) }),
  fc.record({ kind: fc.constant("claim" as const), context }),
  fc.record({ kind: fc.constant("complete" as const), context, source: fc.oneof(source, fc.nat(200)) }),
  fc.record({ kind: fc.constant("saveAndRestore" as const) }),
);
type Action = typeof action extends fc.Arbitrary<infer Kind> ? Kind : never;

/** Does the same to both; what a claim answered, from both. */
function apply(plic: Plic, wires: Map<number, IrqLine>, model: Model, step: Action): [number, number] {
  switch (step.kind) {
    case "wire":
      wires.get(step.source)?.set(step.level);
      model.wires.set(step.source, step.level);
      model.gateway(step.source);
      return [0, 0];
    case "priority":
      plic.store(4 * step.source, 4, BigInt(step.value));
      model.priorities.set(step.source, step.value & 7);
      return [0, 0];
    case "enable": {
      model.enabled[step.context] = new Set(step.sources);
      for (let word = 0; word < 4; word++) {
        const bits = step.sources.filter((one) => Math.floor(one / 32) === word);
        const value = bits.reduce((sum, one) => sum + 2 ** (one % 32), 0);
        plic.store(0x2000 + 0x80 * step.context + 4 * word, 4, BigInt(value));
      }
      return [0, 0];
    }
    case "threshold":
      plic.store(0x20_0000 + 0x1000 * step.context, 4, BigInt(step.value));
      model.thresholds[step.context] = step.value & 7;
      return [0, 0];
    case "claim":
      return [Number(plic.load(0x20_0004 + 0x1000 * step.context, 4)), model.claim(step.context)];
    case "complete":
      plic.store(0x20_0004 + 0x1000 * step.context, 4, BigInt(step.source));
      model.complete(step.context, step.source);
      return [0, 0];
    case "saveAndRestore": {
      const state = plic.save();
      plic.reset();
      plic.restore(state);
      return [0, 0];
    }
  }
}

describe("the PLIC", () => {
  it("agrees with its model: pending bits, lines and claims, whatever is done in whatever order", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (steps) => {
        const plic = new Plic(HARTS);
        const wires = new Map(SOURCES.map((one) => [one, new IrqLine(`${one}`)]));
        for (const [one, line] of wires) plic.connect(one, line);
        const model = new Model();
        for (const step of steps) {
          const [ours, theirs] = apply(plic, wires, model, step);
          expect(ours).toBe(theirs);
          const lines = Array.from({ length: HARTS }, (_, hart) => [
            plic.machineLine(hart).level,
            plic.supervisorLine(hart).level,
          ]).flat();
          expect(lines).toEqual(lines.map((_, index) => model.isInterrupting(index)));
          const pending = SOURCES.filter(
            (one) => (Number(plic.load(0x1000 + 4 * Math.floor(one / 32), 4)) >>> (one % 32)) & 1,
          );
          expect(pending).toEqual(SOURCES.filter((one) => model.requests.has(one)));
        }
      }),
      { seed: 1, numRuns: RUNS },
    );
  });
});
