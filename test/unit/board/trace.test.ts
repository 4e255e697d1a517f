import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { NO_SYMBOLS, SymbolTable } from "../../../lib/board/symbols.ts";
import { Trace } from "../../../lib/board/trace.ts";
import { eventText } from "../../../lib/board/trace-event.ts";
import { digestWord } from "../../../lib/bus/digest-word.ts";
import { recordEach } from "../../../lib/bus/event-record.ts";
import { EVENT_WORDS, EventKind } from "../../../lib/bus/event-sink.ts";
import { murmur3 } from "../../support/murmur3.ts";

/** The documented record, built without the code under test. */
function record(
  kind: number,
  hart: number,
  detail: number,
  retired: number,
  a: bigint,
  b: bigint,
  c: bigint,
): Buffer {
  const bytes = Buffer.alloc(40);
  bytes.writeUInt8(kind, 0);
  bytes.writeUInt8(hart, 1);
  bytes.writeUInt8(detail, 2);
  bytes.writeBigUInt64LE(BigInt(retired), 8);
  for (const [index, word] of [a, b, c].entries())
    bytes.writeBigUInt64LE(BigInt.asUintN(64, word), 16 + 8 * index);
  return bytes;
}

describe("the trace hash", () => {
  it("is a chain of SHA-256 over format name, configuration and the digests of 1024 records of 40 bytes", () => {
    for (const count of [0, 1, 1023, 1024, 1025, 3000, 5000]) {
      const trace = new Trace("ram=1");
      const sha256 = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();
      let chain = sha256(Buffer.from("dom0-trace-3\nram=1\n"));
      let since: Buffer[] = [];
      for (let index = 0; index < count; index++) {
        const words = [BigInt(index), -BigInt(index), 2n ** 64n - 1n] as const;
        const retired = index * 2 ** 33 + 5;
        trace.record(EventKind.DEVICE_STORE, index % 4, 8, retired, ...words);
        since.push(record(6, index % 4, 8, retired, ...words));
        if (since.length === 1024)
          [chain, since] = [sha256(Buffer.concat([chain, murmur3(Buffer.concat(since), 0n)])), []];
        if (count === 5000 && index % 700 === 0) trace.hash(); // asking on the way changes nothing
      }
      expect(trace.hash(), `${count} events`).toBe(sha256(Buffer.concat([chain, ...since])).toString("hex"));
      expect(trace.count).toBe(count);
    }
  });

  it("is the same for events that come by the handful", () => {
    const records = Array.from({ length: 7000 }, (_, index) =>
      record(3, index % 4, 0x31, index * 2 ** 31, BigInt(index) << 40n, 7n, 9n),
    );
    const single = new Trace("x");
    const batched = new Trace("x");
    for (const bytes of records) recordEach(single, bytes);
    for (let at = 0, size = 1; at < records.length; at += size, size = (size * 5 + 1) % 1500)
      batched.recordAll(Buffer.concat(records.slice(at, at + size)));
    expect(batched.count).toBe(7000);
    expect([batched.hash(), batched.events]).toEqual([single.hash(), single.events]);
  });

  it("goes on from a saved point as if nothing had happened since", () => {
    const trace = new Trace("");
    const some = (from: number) => {
      for (let index = from; index < from + 1500; index++)
        trace.record(EventKind.INPUT, 0, 0, index, BigInt(index), 0n, 0n);
    };
    some(0);
    const saved = trace.save();
    some(1500);
    const [hash, events] = [trace.hash(), trace.events];
    some(9000);
    for (let round = 0; round < 2; round++) {
      trace.restore(saved);
      expect(trace.count).toBe(1500);
      some(1500);
      expect([trace.hash(), trace.events]).toEqual([hash, events]);
    }
  });

  it("keeps the last 1024 events to read, oldest first", () => {
    const trace = new Trace("");
    for (let index = 0; index < 3000; index++)
      trace.record(EventKind.INPUT, 0, 0, index, BigInt(index & 255), 0n, 0n);
    expect(trace.events.length).toBe(1024);
    expect(trace.events[0]).toEqual({
      kind: "input",
      hart: 0,
      retired: 3000 - 1024,
      byte: (3000 - 1024) & 255,
    });
    expect(trace.events.at(-1)?.retired).toBe(2999);
  });
});

describe("events in words", () => {
  const symbols = new SymbolTable([{ name: "kernel_main", address: 0x8000_0100n, sizeBytes: 64n }]);

  it("name modes, cause and place", () => {
    const trace = new Trace("");
    trace.record(EventKind.EXCEPTION, 0, 0x01, 42, 13n, 0x8000_0110n, 0x8000_0000n);
    trace.record(EventKind.TRAP_RETURN, 0, 0x30, 43, 0n, 0x8000_0100n, 0n);
    const [fault, back] = trace.events;
    if (fault === undefined || back === undefined) return expect.unreachable();
    expect(eventText(fault, symbols)).toBe(
      "        42  U → S  load page fault at kernel_main+0x10, tval 0x80000000",
    );
    expect(eventText(back, NO_SYMBOLS)).toBe("        43  M → U  return to 0x80000100");
  });

  it("exist for every kind of event, under the name in the table of words", () => {
    const trace = new Trace("");
    const kinds = Object.values(EventKind);
    for (const kind of kinds) trace.record(kind, 0, 0, 0, 1n, 1n, 1n);
    expect(trace.events.map((event) => event.kind)).toEqual(kinds.map((kind) => EVENT_WORDS[kind][0]));
    for (const event of trace.events) expect(eventText(event, NO_SYMBOLS)).toMatch(/^ +0 {2}\S/);
    expect(new Set(kinds).size).toBe(kinds.length);
  });

  it("use the first eight bytes of SHA-256, big-endian, as a digest word", () => {
    const expected = createHash("sha256").update("abc").digest().readBigUInt64BE(0);
    expect(digestWord(new TextEncoder().encode("abc"))).toBe(expected);
  });
});
