import { createHash } from "node:crypto";
import fc from "fast-check";
import { deflateSync } from "fflate";
import { describe, expect, it } from "vitest";
import { openImage } from "../../../lib/board/open-image.ts";
import { replay } from "../../../lib/board/open-replay.ts";
import { decodePlain, encodePlain, type Plain } from "../../../lib/board/plain-data.ts";
import { packRecording, unpackRecording } from "../../../lib/board/recording.ts";
import { boardWith } from "../../support/assembled.ts";

const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 5000 : 150;
const PROGRAM =
  "li t0, 0x10000000\n loop: lbu t1, 5(t0)\n andi t1, t1, 1\n beqz t1, loop\n lbu t1, 0(t0)\n sb t1, 0(t0)\n j loop";

function recordedFile(): Uint8Array {
  const board = boardWith(PROGRAM, { ramBytes: 64 << 10 });
  const recorder = board.record();
  board.type("ab");
  board.run({ instructions: 3000 });
  board.type("c");
  board.run({ instructions: 500 });
  const recording = recorder.stop();
  if ("kind" in recording) throw new Error(recording.message);
  return packRecording(recording);
}

/** The documented layout, written by hand: a file whose checks hold and whose content is anything. */
function archive(line: string, content: Uint8Array, chunkBytes = content.length): Uint8Array {
  const packed = deflateSync(content.subarray(0, chunkBytes));
  const numbers = Buffer.alloc(16);
  numbers.writeBigUInt64LE(BigInt(content.length), 0);
  numbers.writeUInt32LE(packed.length, 8);
  numbers.writeUInt32LE(chunkBytes, 12);
  const digest = createHash("sha256").update(line).update(numbers).update(packed).digest();
  return Buffer.concat([Buffer.from(line), digest, numbers, packed]);
}

/** Replaces one value somewhere in a tree. */
function replaceAt(tree: Plain, path: readonly number[], by: Plain): Plain {
  const [step, ...rest] = path;
  if (step === undefined || typeof tree !== "object" || tree instanceof Uint8Array) return by;
  const entries = Object.entries(tree);
  const picked = entries[step % Math.max(1, entries.length)];
  if (picked === undefined) return by;
  const changed = entries.map(
    ([name, value]) => [name, name === picked[0] ? replaceAt(value, rest, by) : value] as const,
  );
  return Array.isArray(tree) ? changed.map(([, value]) => value) : Object.fromEntries(changed);
}

const value: fc.Arbitrary<Plain> = fc.oneof(
  fc.constantFrom<Plain>(
    undefined,
    true,
    -1,
    0,
    1,
    2 ** 53,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    0.5,
    "",
    "text",
    [],
    {},
    2n ** 100n,
  ),
  fc.bigInt(-(2n ** 64n), 2n ** 64n),
  fc.uint8Array({ maxLength: 2000 }),
  fc.array(fc.double(), { maxLength: 5 }),
);

describe("a damaged file", () => {
  const file = recordedFile();

  it("is refused in one sentence, wherever a byte was changed, lost or added", () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(), (at, change, cut) => {
        const changed = file.slice();
        changed[at] = (changed[at] ?? 0) ^ change;
        for (const damaged of [
          changed,
          file.subarray(0, cut % file.length),
          Buffer.concat([file, Buffer.from([change])]),
        ]) {
          expect(unpackRecording(damaged)).toMatchObject({
            kind: "archive-error",
            message: expect.stringMatching(/^The file .*\.$/),
          });
        }
      }),
      { seed: 1, numRuns: RUNS },
    );
  });

  it("is refused for any bit of its last byte, where a compressed stream has bits without a meaning", () => {
    for (let bit = 0; bit < 8; bit++) {
      const changed = file.slice();
      changed[file.length - 1] = (file.at(-1) ?? 0) ^ (1 << bit);
      expect(unpackRecording(changed)).toMatchObject({ kind: "archive-error", reason: "damaged" });
    }
  });

  it("whose checks hold but whose content is wrong is refused, or is a run that ends", () => {
    const recording = unpackRecording(file);
    if ("kind" in recording) throw new Error(recording.message);
    const image = decodedContent("dom0 board image 3\n", recording.start);
    const whole = decodedContent("dom0 recording 3\n", file);
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 4 }), value, fc.boolean(), (path, by, inImage) => {
        const start = inImage
          ? archive("dom0 board image 3\n", encodePlain(replaceAt(image, path, by)))
          : recording.start;
        const tree = inImage ? { ...(whole as object), start } : replaceAt(whole, path, by);
        const reread = unpackRecording(archive("dom0 recording 3\n", encodePlain(tree as Plain)));
        if ("kind" in reread) {
          expect(reread.message).toMatch(/^The file is no recording: .*\.$/);
          return;
        }
        const board = openImage(reread.start);
        if ("kind" in board) {
          expect(board.message).toMatch(/^The .*\.$/);
          return;
        }
        board.run({ instructions: 200 });
        if (reread.end.moment.retired < 100_000) expect(replay(reread)).toHaveProperty("message");
      }),
      { seed: 1, numRuns: RUNS },
    );
  });

  it("that claims more than it holds allocates nothing for it", () => {
    const zeros = new Uint8Array(64 << 20);
    const bomb = Buffer.from(archive("dom0 recording 3\n", zeros, 1 << 20));
    expect(unpackRecording(bomb)).toMatchObject({ reason: "damaged" });
    bomb.writeBigUInt64LE(2n ** 62n, "dom0 recording 3\n".length + 32);
    expect(unpackRecording(bomb)).toMatchObject({ reason: "too-large" });
    bomb.writeBigUInt64LE(2n ** 30n, "dom0 recording 3\n".length + 32);
    expect(unpackRecording(bomb)).toMatchObject({
      reason: "damaged",
      message: expect.stringMatching(/can hold/),
    });
  });

  it("of another kind or version is called so", () => {
    expect(unpackRecording(Buffer.from("\x7fELF"))).toMatchObject({ reason: "other-format" });
    expect(unpackRecording(boardWith(PROGRAM).saveImage())).toMatchObject({ reason: "other-format" });
    expect(unpackRecording(Buffer.from("dom0 recording 99\n...."))).toMatchObject({
      reason: "other-version",
    });
  });
});

/** The content of an intact file, through Node's own decompressor. */
function decodedContent(line: string, file: Uint8Array): Plain {
  const at = line.length + 32 + 8;
  const length = Buffer.from(file).readUInt32LE(at);
  const { inflateRawSync } = process.getBuiltinModule("node:zlib");
  const plain = decodePlain(new Uint8Array(inflateRawSync(file.subarray(at + 8, at + 8 + length))));
  if (plain.kind !== "plain") throw new Error(plain.message);
  return plain.value;
}

describe("plain data", () => {
  it("comes back as it was, and from any other bytes comes an answer", () => {
    const { tree } = fc.letrec<{ tree: Plain }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        value,
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie("tree"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.uint8Array({ maxLength: 60 }), (data, noise) => {
        const bytes = encodePlain(data);
        const again = decodePlain(bytes);
        if (again.kind === "plain")
          expect(Buffer.from(encodePlain(again.value)).equals(Buffer.from(bytes))).toBe(true);
        expect(["plain", "plain-error"]).toContain(decodePlain(noise).kind);
      }),
      { seed: 1, numRuns: RUNS * 4 },
    );
  });
});
