/** Structures in RAM: laid out as C does, read and written where they are. */
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { onlooker } from "../../../lib/hs/onlooker.ts";
import { array, pointer, struct, u8, u16, u32, u64 } from "../../../lib/hs/struct.ts";
import { paddr } from "../../../lib/isa/address.ts";
import { boardThatCalls, callOnce } from "./support.ts";

const Inner = struct("inner", { a: u8, b: u16 });
const Outer = struct("outer", {
  flag: u8,
  count: u64,
  half: u16,
  inner: Inner,
  next: pointer,
  table: array(u32, 3),
  rows: array(Inner, 2),
});

describe("a structure", () => {
  it("has the offsets that a C compiler gives it", () => {
    // struct inner { uint8_t a; uint16_t b; };
    // struct outer { uint8_t flag; uint64_t count; uint16_t half; struct inner inner; void *next; uint32_t table[3]; struct inner rows[2]; };
    const offsets = Object.fromEntries(Outer.fields.map(({ name, offset }) => [name, offset]));
    expect(offsets).toEqual({ flag: 0, count: 8, half: 16, inner: 18, next: 24, table: 32, rows: 44 });
    expect([Inner.sizeBytes, Outer.sizeBytes, Outer.alignment]).toEqual([4, 56, 8]);
    expect(Outer.offsetOf("next")).toBe(24);
  });

  it("is bytes in RAM: what one view writes another reads, and so do loads", () => {
    const board = buildBoard();
    const at = paddr(0x8000_1000n);
    const view = Outer.at(onlooker(board), at);
    view.flag = 0x1ff;
    view.count = 2n ** 64n + 7n;
    view.inner.b = 0xbeef;
    view.next = paddr(0x8123_4567n);
    view.table.set(2, 0xdead_beef);
    view.rows.get(1).a = 9;
    const again = Outer.at(onlooker(board), at);
    expect([again.flag, again.count, again.inner.b, again.next]).toEqual([0xff, 7n, 0xbeef, 0x8123_4567n]);
    expect(board.memory.load(at + 40n, 4)).toBe(0xdead_beefn);
    expect(board.memory.load(at + 48n, 1)).toBe(9n);
    expect(again.address).toBe(at);
  });

  it("checks no index, as C does not: one past the end is another field", () => {
    const view = Outer.at(onlooker(buildBoard()), paddr(0x8000_1000n));
    view.table.set(3, 0x0102_0304);
    expect(view.rows.get(0).a).toBe(4);
    view.table.set(-1, 1);
    expect(view.next).toBe(1n << 32n);
  });

  it("takes an instruction for each access of a handler", () => {
    const board = boardThatCalls((context) => {
      Outer.at(context, paddr(0x8000_1000n)).count += 5n;
    });
    const before = board.clock.retired;
    const setup = 6; // la, csrw, la
    callOnce(board);
    expect(board.clock.retired - before).toBe(setup - 1 + 2 + 1);
    expect(board.memory.load(0x8000_1008n, 8)).toBe(5n);
  });

  it("refuses what has no meaning", () => {
    const view = Outer.at(onlooker(buildBoard()), paddr(0x8000_1000n));
    expect(() => {
      view.inner = Inner.at(onlooker(buildBoard()), paddr(0x8000_2000n));
    }).toThrow("field by field");
    expect(() => struct("bad", { address: u8 })).toThrow("cannot be called address");
    expect(() => Outer.at(onlooker(buildBoard()), paddr(0n)).count).toThrow("no RAM at 0x8");
  });
});
