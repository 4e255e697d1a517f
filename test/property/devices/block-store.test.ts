/** Versions of a disk against full copies. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockStore, type BlockVersion } from "../../../lib/devices/virtio/block-store.ts";

const SIZE = 5 * 4096 + 512;
const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 3000 : 200;

const action = fc.oneof(
  fc.record({
    kind: fc.constant("write" as const),
    offset: fc.nat(SIZE - 1),
    length: fc.nat(9000),
    byte: fc.nat(255),
  }),
  fc.record({ kind: fc.constant("clear" as const), offset: fc.nat(SIZE - 1), length: fc.nat(9000) }),
  fc.record({ kind: fc.constant("remember" as const) }),
  fc.record({ kind: fc.constant("goTo" as const), which: fc.nat(20) }),
);

describe("versions of a disk", () => {
  it("equal full copies, taken and returned to in any order; the base stays as it was", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (steps) => {
        const base = Uint8Array.from({ length: SIZE - 100 }, (_, at) => at % 253);
        const untouched = base.slice();
        const store = new BlockStore(base);
        let model = new Uint8Array(SIZE);
        model.set(base);
        const kept: { version: BlockVersion; copy: Uint8Array<ArrayBuffer> }[] = [];
        for (const step of steps) {
          if (step.kind === "write" || step.kind === "clear") {
            const length = Math.min(step.length, SIZE - step.offset);
            const bytes = new Uint8Array(length).fill(step.kind === "write" ? step.byte : 0);
            model.set(bytes, step.offset);
            if (step.kind === "write") store.write(step.offset, bytes);
            else store.clear(step.offset, length);
          } else if (step.kind === "remember") kept.push({ version: store.version, copy: model.slice() });
          else {
            const found = kept[step.which % Math.max(1, kept.length)];
            if (found === undefined) continue;
            store.goTo(found.version);
            model = found.copy.slice();
          }
          expect(Buffer.compare(store.bytes(), model)).toBe(0);
        }
        for (const { version, copy } of kept) {
          store.goTo(version);
          expect(Buffer.compare(store.bytes(), copy)).toBe(0);
        }
        expect(base).toEqual(untouched);
      }),
      { seed: 1, numRuns: RUNS },
    );
  });

  it("cost what was written, not what the disk holds", () => {
    const store = new BlockStore(new Uint8Array(64 << 20));
    store.write(40 << 20, new Uint8Array(8192).fill(1));
    expect(store.writtenChunks).toBe(2);
    expect(store.sizeBytes).toBe(64 << 20);
    store.goTo([]);
    expect(store.writtenChunks).toBe(0);
    expect(store.read(40 << 20, 4)).toEqual(new Uint8Array(4));
  });
});
