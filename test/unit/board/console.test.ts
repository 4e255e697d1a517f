import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Console } from "../../../lib/board/console.ts";

const print = (console: Console, bytes: Iterable<number>) => {
  for (const byte of bytes) console.print(byte);
};

describe("the console", () => {
  it("shows the bytes as UTF-8, to listeners as they come and as a whole, wherever it is cut and continued", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 30 });
    fc.assert(
      fc.property(text, text, fc.nat(), (first, second, cut) => {
        const console = new Console();
        const heard: string[] = [];
        const bytes = Buffer.from(first);
        print(console, bytes);
        console.onText((piece) => heard.push(piece));
        const kept = cut % (bytes.length + 1);
        console.truncate(kept);
        print(console, [...bytes.subarray(kept), ...Buffer.from(second)]);
        expect(console.text).toBe(first + second);
        expect((first + second).endsWith(heard.join(""))).toBe(true);
        expect(heard.join("").endsWith(second)).toBe(true);
        expect(console.length).toBe(Buffer.byteLength(first + second));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("goes to any mark, back and forward, whatever was printed since", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 12 });
    const step = fc.record({ to: fc.nat(), text, isLong: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const console = new Console();
        const marks = [{ mark: console.mark(), said: "" }];
        for (const { to, text: more, isLong } of steps) {
          const { mark, said } = marks[to % marks.length] ?? { mark: console.mark(), said: console.text };
          console.goTo(mark);
          expect([console.text, console.length]).toEqual([said, Buffer.byteLength(said)]);
          const printed = isLong ? more.repeat(40) : more;
          print(console, Buffer.from(printed));
          expect(console.text).toBe(said + printed);
          marks.push({ mark: console.mark(), said: said + printed });
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("keeps the first 8 MiB of a guest that never stops printing, and still counts and tells", () => {
    const console = new Console();
    let heard = 0;
    for (let byte = 0; byte < 8 * 1024 * 1024; byte++) console.print(0x61);
    console.onText((text) => {
      heard += text.length;
    });
    print(console, Buffer.from("the end"));
    expect([console.bytes.length, console.length, heard]).toEqual([8 * 1024 * 1024, 8 * 1024 * 1024 + 7, 7]);
    console.truncate(3);
    expect(console.text).toBe("aaa");
  });
});
