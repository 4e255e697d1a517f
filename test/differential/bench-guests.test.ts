/** The benchmark guests leave the same result on our board, on QEMU, and where it is cheap, in plain JavaScript. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../lib/board/virt.ts";
import { withRounds } from "../../lib/host/cli/bench/guest-image.ts";
import { mixModel } from "../../lib/host/cli/bench/mix-program.ts";
import { assetFile } from "../../lib/host/node-assets.ts";
import {
  BENCH_GUESTS,
  type BenchGuestName,
  RESULT_SYMBOL,
  ROUNDS_SYMBOL,
} from "../../lib/systems/bench-guests.ts";
import { describeWith } from "../support/optional.ts";

/** A few hundred thousand instructions each. */
const ROUNDS: Record<BenchGuestName, number> = {
  mix: 2,
  sha256: 1,
  qsort: 1,
  bytecode: 1,
  chase: 20,
  memcpy: 1,
  matmul: 1,
  "matmul-fused": 1,
  bigcode: 5,
  ecall: 2_000,
  ptswitch: 500,
  fencei: 2_000,
  hvexit: 2_000,
  hvhop: 30,
  "hvhop-near": 200,
};
const NAMES = Object.keys(BENCH_GUESTS) as BenchGuestName[];

const imageOf = (name: BenchGuestName): Uint8Array =>
  new Uint8Array(readFileSync(assetFile(BENCH_GUESTS[name].asset)));

function onOurs(name: BenchGuestName, rounds: number): bigint {
  const board = buildBoard();
  board.loadElf(imageOf(name));
  board.memory.store(board.symbols.addressOf(ROUNDS_SYMBOL) ?? 0n, 8, BigInt(rounds));
  expect(board.run({ instructions: 1e8 }).reason).toBe("poweroff");
  const result = board.memory.load(board.symbols.addressOf(RESULT_SYMBOL) ?? 0n, 8) as bigint;
  expect(board.console.text).toBe(`${result.toString(16).padStart(16, "0")}\n`);
  return result;
}

describeWith(["qemu"], "benchmark guests", () => {
  for (const name of NAMES) {
    it(`${name} ends with the same word as on QEMU`, () => {
      const folder = mkdtempSync(join(tmpdir(), "dom0-bench-guest-"));
      try {
        const file = join(folder, "guest.elf");
        writeFileSync(file, withRounds(name, ROUNDS[name]));
        const machine =
          "-M virt -cpu rv64,h=true -m 16M -bios none -display none -monitor none -serial stdio";
        const qemu = spawnSync("qemu-system-riscv64", [...machine.split(" "), "-kernel", file], {
          encoding: "utf8",
          input: "",
          timeout: 60_000,
        });
        expect(onOurs(name, ROUNDS[name])).toBe(BigInt(`0x${qemu.stdout.trim()}`));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }, 180_000);
  }
});

describe("benchmark guests", () => {
  it("mix ends with the sum of plain arithmetic", () => {
    expect(onOurs("mix", 2)).toBe(mixModel(2 * 4096));
  });

  it("sha256 hashes as FIPS 180-4 says", () => {
    const message = Buffer.from(Array.from({ length: 16_384 }, (_, index) => index & 255));
    expect(onOurs("sha256", 1)).toBe(createHash("sha256").update(message).digest().readBigUInt64BE());
  });

  it("bytecode counts the primes below 1000", () => {
    const numbers = Array.from({ length: 998 }, (_, index) => index + 2);
    const primes = numbers.filter((number) =>
      numbers.every((other) => other >= number || number % other !== 0),
    );
    expect(onOurs("bytecode", 1)).toBe(BigInt(primes.length));
  });

  it("qsort sorts", () => {
    let seed = 88172645463325252n;
    const words = new BigUint64Array(131_072).map(() => {
      seed ^= BigInt.asUintN(64, seed << 13n);
      seed ^= seed >> 7n;
      seed ^= BigInt.asUintN(64, seed << 17n);
      return seed;
    });
    const sum = words.sort().reduce((total, word) => BigInt.asUintN(64, total * 31n + word), 0n);
    expect(onOurs("qsort", 1)).toBe(sum);
  });
});
