import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_PACKET_BYTES, packet } from "../../../lib/board/gdb/packets.ts";
import { GdbStub } from "../../../lib/board/gdb/stub.ts";
import { boardWith } from "../../support/assembled.ts";

const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 20_000 : 400;

/** A program that does a little of everything and never ends. */
const PROGRAM = `la t0, handler
  csrw mtvec, t0
  la s0, data
  again: ld t1, 0(s0)
  addi t1, t1, 1
  sd t1, 0(s0)
  ecall
  j again
  .balign 4
  handler: csrr t2, mepc
  addi t2, t2, 4
  csrw mepc, t2
  mret
  .balign 8
  data: .dword 0`;

const hexWord = fc.oneof(
  fc.constantFrom("80000000", "80000020", "10000000", "0", "ffffffffffffffff", "80ffffff", "2000000"),
  fc.bigInt(0n, 2n ** 64n - 1n).map((value) => value.toString(16)),
);
const length = fc.constantFrom("0", "1", "4", "8", "1000", "ffffffff", "7fffffff", "-1", "");
const bytes = fc.uint8Array({ maxLength: 40 }).map((data) => Buffer.from(data).toString("hex"));
const thread = fc.constantFrom("0", "-1", "1", "2", "3", "ff", "p1.1", "zz", "");

/** Packets that mean something, nearly or not at all. */
const content = fc.oneof(
  fc.constantFrom(
    "?",
    "g",
    "c",
    "s",
    "bs",
    "bc",
    "vCont?",
    "vCont;c",
    "vCont;s:1",
    "vCont;s:2;c",
    "qC",
    "D",
    "k",
  ),
  fc.constantFrom(
    "qSupported:swbreak+",
    "qfThreadInfo",
    "qsThreadInfo",
    "QStartNoAckMode",
    "qXfer:features:read:",
  ),
  fc
    .tuple(fc.constantFrom("m", "M", "X"), hexWord, length, bytes)
    .map(([kind, at, size, data]) => `${kind}${at},${size}:${data}`),
  fc
    .tuple(fc.constantFrom("Z", "z"), fc.nat(6), hexWord, length)
    .map(([set, kind, at, size]) => `${set}${kind},${at},${size}`),
  fc
    .tuple(fc.constantFrom("p", "P"), fc.nat(0x2000), bytes)
    .map(([kind, number, data]) => `${kind}${number.toString(16)}=${data}`),
  fc.tuple(fc.constantFrom("Hg", "Hc", "T", "qThreadExtraInfo,"), thread).map((parts) => parts.join("")),
  fc.tuple(hexWord, length).map(([at, size]) => `qXfer:features:read:target.xml:${at},${size}`),
  fc
    .tuple(
      fc.constantFrom("help", "phys", "translate", "csr", "harts", "trace", "goto", "type", "", "__proto__"),
      hexWord,
    )
    .map(([name, at]) => `qRcmd,${Buffer.from(`${name} 0x${at} 99999999`).toString("hex")}`),
  fc.string({ maxLength: 60 }),
);

const traffic = fc.oneof(
  { weight: 8, arbitrary: content.map((text) => Buffer.from(packet(text))) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(Buffer.from([3]), Buffer.from("+"), Buffer.from("-"), Buffer.from("$g#00")),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }).map((data) => Buffer.from(data)) },
);

/** Packets and signs in what the stub sends; undefined when it is neither. */
function framed(out: Uint8Array): string[] | undefined {
  const text = Buffer.from(out).toString("latin1");
  const parts = text.match(/[+-]|\$[^#$]*#[0-9a-f]{2}/g) ?? [];
  return parts.join("") === text ? parts : undefined;
}

describe("the GDB stub", () => {
  it("answers whatever comes in well-formed packets of bounded size, and never throws", () => {
    fc.assert(
      fc.property(fc.array(traffic, { maxLength: 40 }), fc.nat(5), (pieces, cut) => {
        const board = boardWith(PROGRAM, { ramBytes: 1 << 20, harts: 2, turns: { min: 5, max: 50 } });
        const stub = new GdbStub(board);
        const hear = (out: Uint8Array): void => {
          const parts = framed(out);
          expect(parts).toBeDefined();
          for (const part of parts ?? []) expect(part.length).toBeLessThanOrEqual(MAX_PACKET_BYTES + 4);
        };
        for (const piece of pieces) {
          hear(stub.receive(piece.subarray(0, cut)));
          hear(stub.receive(piece.subarray(cut)));
          if (stub.isRunning) hear(stub.work(50));
        }
        // Whatever happened: after Ctrl-C and the end of any packet, it answers a plain question.
        stub.receive(Buffer.from("#00"));
        stub.receive(Buffer.from([3]));
        if (!stub.isOver) expect(Buffer.from(stub.receive(packet("qC"))).toString()).toMatch(/\$QC[12]#/);
      }),
      { seed: 1, numRuns: RUNS },
    );
  });

  it("forgets a packet that has no end", () => {
    const stub = new GdbStub(boardWith(PROGRAM));
    const endless = Buffer.alloc(100_000, "m");
    stub.receive(Buffer.from("$"));
    for (let piece = 0; piece < 20; piece++) expect(stub.receive(endless).length).toBe(0);
    expect(Buffer.from(stub.receive(Buffer.from("#00"))).toString()).toBe("-");
    expect(Buffer.from(stub.receive(packet("qC"))).toString()).toMatch(/^\+\$QC1#/);
  });
});
