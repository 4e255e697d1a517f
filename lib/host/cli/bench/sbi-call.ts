/** `sbi-call`: a kernel's call into firmware and back, in TypeScript handlers and, where it is there, in OpenSBI's machine code. */
import { readFileSync } from "node:fs";
import type { Board } from "../../../board/board.ts";
import { buildBoard } from "../../../board/virt.ts";
import { installFirmware, PAYLOAD_ENTRY } from "../../../firmware/firmware.ts";
import { assemble } from "../../../isa/assembler/text.ts";
import { OPTIONAL_PARTS } from "../../bootstrap-modules.ts";
import { type Bench, type BenchRow, processorTimed, rounded } from "./row.ts";

const CALLS = 50_000;
const WARM_UP_CALLS = 5_000;
/** As much as OpenSBI needs. */
const RAM_BYTES = 64 << 20;
/** More than the calls take. */
const BUDGET = 1e9;
/** BASE, "get the specification's version": the call with the least to do. */
const CALL = "li a7, 0x10\n li a6, 0\n ecall";

function boardThatCalls(calls: number): Board {
  const source = `li s0, ${calls}\n again: ${CALL}\n addi s0, s0, -1\n bnez s0, again\n done: wfi\n j done`;
  const payload = assemble(source, { origin: PAYLOAD_ENTRY });
  if (payload.kind !== "program") throw new Error(payload.message);
  const board = buildBoard({ ramBytes: RAM_BYTES });
  board.memory.write(PAYLOAD_ENTRY, payload.bytes);
  return board;
}

/** Processor seconds of the calls alone, with a firmware that `boot` puts in. The guest ends asleep, with all calls made. */
function secondsOf(boot: (board: Board) => void): number {
  const [short, long] = [WARM_UP_CALLS, WARM_UP_CALLS + CALLS].map((calls) => {
    const board = boardThatCalls(calls);
    boot(board);
    const { seconds, result } = processorTimed(() => board.run({ instructions: BUDGET }));
    if (result.reason !== "wfi" || board.hart.read("s0") !== 0n)
      throw new Error(`ended with ${result.reason}`);
    return seconds;
  });
  return (long ?? 0) - (short ?? 0);
}

const bootOurs = (board: Board): void => {
  const firmware = installFirmware(board);
  if (firmware.kind !== "firmware") throw new Error(firmware.message);
};

const microseconds = (seconds: number): number => rounded((seconds * 1e6) / CALLS);

/** The benchmark, for `npm run bench`. */
export const bench: Bench = {
  about: `${CALLS} SBI calls into firmware in TypeScript, beside OpenSBI's machine code on the same engine`,
  async run(): Promise<readonly BenchRow[]> {
    const seconds = secondsOf(bootOurs);
    const row = {
      bench: "sbi-call",
      engine: "reference",
      unit: "µs a call",
      seconds: rounded(seconds),
    } as const;
    const path = OPTIONAL_PARTS.opensbi.find();
    if (path === undefined) return [{ ...row, value: microseconds(seconds) }];
    const opensbi = new Uint8Array(readFileSync(path));
    const peerSeconds = secondsOf((board) => void board.loadElf(opensbi));
    return [
      {
        ...row,
        value: microseconds(seconds),
        peer: "OpenSBI, same engine",
        ratio: rounded(peerSeconds / seconds),
      },
    ];
  },
};
