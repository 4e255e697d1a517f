/** Our firmware beside OpenSBI as Debian ships it: the same program sees the same, but for a list of differences. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Board } from "../../lib/board/board.ts";
import { buildBoard } from "../../lib/board/virt.ts";
import { installFirmware } from "../../lib/firmware/firmware.ts";
import { describeWith, partPath } from "../support/optional.ts";
import { PAYLOAD } from "../support/sbi-caller.ts";
import { resultsIn, type ScriptedCall, type ScriptedResult, scriptImage } from "../support/sbi-script.ts";

const BASE = 0x10n;
const TIME = 0x5449_4d45n;
const IPI = 0x73_5049n;
const RFENCE = 0x5246_4e43n;
const HSM = 0x48_534dn;
const SRST = 0x5352_5354n;
const DBCN = 0x4442_434en;
const ALL_ONES = 2n ** 64n - 1n;
/** As much as OpenSBI needs: it puts the device tree 34 MiB above the start. */
const RAM_BYTES = 128 << 20;

const CALLS: readonly ScriptedCall[] = [
  ["specification version", BASE, 0n],
  ["implementation", BASE, 1n],
  ["implementation version", BASE, 2n],
  ["mvendorid", BASE, 4n],
  ["marchid", BASE, 5n],
  ["mimpid", BASE, 6n],
  ["no such BASE function", BASE, 7n],
  ...([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n] as const).map(
    (id): ScriptedCall => [`probe legacy ${id}`, BASE, 3n, id],
  ),
  ["probe BASE", BASE, 3n, BASE],
  ["probe TIME", BASE, 3n, TIME],
  ["probe IPI", BASE, 3n, IPI],
  ["probe RFENCE", BASE, 3n, RFENCE],
  ["probe HSM", BASE, 3n, HSM],
  ["probe SRST", BASE, 3n, SRST],
  ["probe DBCN", BASE, 3n, DBCN],
  ["probe PMU", BASE, 3n, 0x50_4d55n],
  ["probe what nobody has", BASE, 3n, 0x1234_5678n],
  ["call what nobody has", 0x1234_5678n, 0n],
  ["reserved legacy number", 9n, 0n],
  ["timer in the past", TIME, 0n, 0n],
  ["timer never", TIME, 0n, ALL_ONES],
  ["legacy timer in the past", 0n, 0n, 0n],
  ["legacy timer never", 0n, 0n, ALL_ONES],
  ["no such TIME function", TIME, 1n, 0n],
  ["interrupt to itself", IPI, 0n, 1n, 0n],
  ["clear it", 3n, 0n],
  ["clear none", 3n, 0n],
  ["interrupt to all", IPI, 0n, 0n, ALL_ONES],
  ["clear that", 3n, 0n],
  ["interrupt to nobody", IPI, 0n, 0n, 0n],
  ["interrupt to a hart that is not there", IPI, 0n, 2n, 0n],
  ["interrupt from a base that is not there", IPI, 0n, 1n, 5n],
  ["legacy interrupt to all", 4n, 0n, 0n],
  ["clear it again", 3n, 0n],
  ["legacy fence.i on all", 5n, 0n, 0n],
  ["legacy sfence on all", 6n, 0n, 0n, 0x1000n, 0x2000n],
  ["legacy sfence of an ASID on all", 7n, 0n, 0n, 0x1000n, 0x2000n, 3n],
  ...[0n, 1n, 2n, 3n, 4n, 5n, 6n].flatMap((number): ScriptedCall[] => [
    [`fence ${number} of a range`, RFENCE, number, 1n, 0n, 0x8020_0000n, 0x3000n, 1n],
    [`fence ${number} of everything`, RFENCE, number, 0n, ALL_ONES, 0n, ALL_ONES, 1n],
  ]),
  ["no such fence", RFENCE, 7n, 1n, 0n],
  ["status of this hart", HSM, 2n, 0n],
  ["status of no hart", HSM, 2n, 99n],
  ["start this hart", HSM, 0n, 0n, PAYLOAD, 0n],
  ["start no hart", HSM, 0n, 99n, PAYLOAD, 0n],
  ["reserved kind of sleep", HSM, 3n, 1n, PAYLOAD, 0n],
  ["a platform's kind of sleep", HSM, 3n, 0x1000_0000n, PAYLOAD, 0n],
  ["sleep with a timer that is due", TIME, 0n, 0n],
  ["retentive sleep", HSM, 3n, 0n, 0n, 0n],
  ["timer off again", TIME, 0n, ALL_ONES],
  ["no such HSM function", HSM, 4n],
  ["reserved reset type", SRST, 0n, 3n, 0n],
  ["reserved reset reason", SRST, 0n, 0n, 2n],
  ["no such SRST function", SRST, 1n],
  ["get a character that nobody typed", 2n, 0n],
  ["debug console writes nothing", DBCN, 0n, 0n, PAYLOAD, 0n],
  ["debug console reads nothing", DBCN, 1n, 4n, PAYLOAD, 0n],
  ["no such DBCN function", DBCN, 9n],
];

/**
 * Where OpenSBI 1.1 differs from ours, what it says instead, and why that is so.
 * A difference that is not here fails the test, and so does one here that has gone.
 */
const OPENSBI_SAYS: Readonly<Record<string, readonly [says: Partial<ScriptedResult>, why: string]>> = {
  "specification version": [{ value: 0x100_0000n }, "it implements version 1.0"],
  implementation: [{ value: 1n }, "the specification's number for OpenSBI"],
  "implementation version": [{ value: 0x1_0001n }, "1.1"],
  "probe DBCN": [{ value: 0n }, "the debug console came with version 2.0"],
  "debug console writes nothing": [{ error: -2n }, "no debug console"],
  "debug console reads nothing": [{ error: -2n }, "no debug console"],
  "probe PMU": [{ value: 1n }, "our hart has no counters beyond cycle, time and instret"],
  "clear it": [
    { error: 0n },
    "it answers 0 always; the specification wants a positive number where one was pending",
  ],
  "clear that": [{ error: 0n }, "the same"],
  "clear it again": [{ error: 0n }, "the same"],
  "interrupt to a hart that is not there": [
    { error: 0n },
    "it skips such harts; the specification calls them invalid parameters",
  ],
  "a platform's kind of sleep": [
    { error: -2n },
    "the specification calls a platform's kind that is not implemented an invalid parameter",
  ],
};

/** What tells QEMU's hart from ours: its version. */
const QEMU_ITSELF = new Set(["marchid", "mimpid"]);

function boardWithImage(image: Uint8Array): Board {
  const board = buildBoard({ ramBytes: RAM_BYTES });
  expect(board.memory.write(PAYLOAD, image)).toBeUndefined();
  return board;
}

const image = scriptImage(CALLS);

/** The console of the script on our board. */
function consoleOf(board: Board): string {
  expect(board.run({ instructions: 30_000_000 })).toMatchObject({ reason: "poweroff", exitCode: 0 });
  return board.console.text;
}

function onOurFirmware(): ReadonlyMap<string, ScriptedResult> {
  const board = boardWithImage(image);
  installFirmware(board);
  return resultsIn(consoleOf(board), CALLS);
}

describe("a program that makes every call", () => {
  it("prints each result on our firmware and switches the machine off", () => {
    expect(onOurFirmware().size).toBe(CALLS.length);
  });
});

describeWith(["opensbi"], "the same program", () => {
  const onOpenSbi = (): ReadonlyMap<string, ScriptedResult> => {
    const board = buildBoard({ ramBytes: RAM_BYTES });
    expect(board.loadElf(new Uint8Array(readFileSync(partPath("opensbi"))))).toMatchObject({ kind: "elf" });
    board.memory.write(PAYLOAD, image);
    return resultsIn(consoleOf(board), CALLS);
  };

  it("sees the same on OpenSBI, but for the listed differences", () => {
    const [ours, theirs] = [onOurFirmware(), onOpenSbi()];
    const differing = [...ours].filter(([title, result]) => !sameResult(result, theirs.get(title)));
    expect(Object.fromEntries(differing.map(([title]) => [title, theirs.get(title)]))).toEqual(
      Object.fromEntries(
        Object.entries(OPENSBI_SAYS).map(([title, [says]]) => [title, { ...ours.get(title), ...says }]),
      ),
    );
  });
});

const sameResult = (one: ScriptedResult, other: ScriptedResult | undefined): boolean =>
  other !== undefined &&
  one.error === other.error &&
  one.value === other.value &&
  one.pending === other.pending;

describeWith(["opensbi", "qemu"], "the same program on QEMU with OpenSBI", () => {
  it("sees what it sees on our board with OpenSBI", () => {
    const folder = mkdtempSync(join(tmpdir(), "dom0-sbi-"));
    try {
      const path = join(folder, "script.bin");
      writeFileSync(path, image);
      const bios = partPath("opensbi").replace("fw_jump.elf", "fw_jump.bin");
      const { stdout } = spawnSync(
        "qemu-system-riscv64",
        [
          "-M",
          "virt",
          "-m",
          `${RAM_BYTES}B`,
          "-display",
          "none",
          "-monitor",
          "none",
          "-serial",
          "stdio",
          "-bios",
          bios,
          "-kernel",
          path,
        ],
        { encoding: "utf8", input: "", timeout: 60_000 },
      );
      const board = buildBoard({ ramBytes: RAM_BYTES });
      board.loadElf(new Uint8Array(readFileSync(partPath("opensbi"))));
      board.memory.write(PAYLOAD, image);
      const shared = (console: string) =>
        [...resultsIn(console, CALLS)].filter(([title]) => !QEMU_ITSELF.has(title));
      expect(shared(stdout.replaceAll("\r", ""))).toEqual(shared(consoleOf(board)));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describeWith(["uboot"], "U-Boot in supervisor mode on our firmware", () => {
  it.each([1, 4] as const)("with %i harts reaches its prompt, obeys, and switches off", (harts) => {
    const board = buildBoard({ ramBytes: 128 << 20, harts });
    board.memory.write(PAYLOAD, new Uint8Array(readFileSync(partPath("uboot"))));
    installFirmware(board);
    runUntil(board, "Hit any key to stop autoboot");
    expect(board.console.text).toContain("DRAM:  128 MiB");
    board.type(" ");
    runUntil(board, /=> $/);
    board.type("sbi\n");
    const told = runUntil(board, /SBI [\s\S]*=> $/);
    for (const line of ["SBI 2.0", "RFENCE Extension", "Hart State Management", "System Reset"])
      expect(told).toContain(line);
    board.type("fdt addr $fdtcontroladdr\nfdt print /reserved-memory\n");
    expect(runUntil(board, /firmware@80000000[\s\S]*=> $/)).toMatch(
      /reg = <0x00000000 0x80000000 0x00000000 0x00010000>/,
    );
    board.type("poweroff\n");
    expect(board.run({ instructions: 40_000_000 })).toMatchObject({ reason: "poweroff", exitCode: 0 });
  });
});

/** Runs until the console shows a text; the whole console. */
function runUntil(board: Board, shown: string | RegExp): string {
  for (let piece = 0; piece < 40; piece++) {
    const { text } = board.console;
    if (typeof shown === "string" ? text.includes(shown) : shown.test(text)) return text;
    board.run({ instructions: 2_000_000 });
  }
  throw new Error(`the console never showed ${shown}; it ends with: ${board.console.text.slice(-400)}`);
}
