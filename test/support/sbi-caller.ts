/** Supervisor mode as a test sees it: firmware below, and one call at a time. */
import type { Board } from "../../lib/board/board.ts";
import type { Stop } from "../../lib/board/stop.ts";
import { type BoardConfig, buildBoard } from "../../lib/board/virt.ts";
import { type Firmware, type FirmwareOptions, installFirmware } from "../../lib/firmware/firmware.ts";
import { assemble } from "../../lib/isa/assembler/text.ts";
import type { RegisterName } from "../../lib/isa/register.ts";

export const PAYLOAD = 0x8020_0000n;

/** What a call left in `a0` (signed) and `a1` (unsigned). */
export interface SbiResult {
  readonly error: bigint;
  readonly value: bigint;
}

const SOURCE = `
  boot: j boot
  call: ecall
  back: j back
  .balign 4
  trapped: j trapped
  idle: wfi
  j idle
  .balign 8
  data: .zero 4096`;

/** A board on whose boot hart supervisor mode stands ready to call. */
export class SbiCaller {
  readonly board: Board;
  readonly firmware: Firmware;
  readonly #labels: ReadonlyMap<string, bigint>;

  constructor(config: BoardConfig = {}, options: FirmwareOptions = {}) {
    this.board = buildBoard(config);
    const payload = assemble(SOURCE, { origin: PAYLOAD });
    if (payload.kind !== "program") throw new Error(payload.message);
    this.#labels = payload.symbols;
    this.board.memory.write(PAYLOAD, payload.bytes);
    const firmware = installFirmware(this.board, options);
    if (firmware.kind !== "firmware") throw new Error(firmware.message);
    this.firmware = firmware;
    this.runTo("boot");
  }

  /** Address of `boot`, `call`, `back`, `trapped`, `idle` or `data`. */
  place(label: string): bigint {
    const address = this.#labels.get(label);
    if (address === undefined) throw new Error(`no label ${label}`);
    return address;
  }

  runTo(label: string, instructions = 1_000_000): Stop {
    const stop = this.board.run({ instructions, until: { pc: this.place(label) } });
    return stop;
  }

  /** Leaves the boot hart at the call with these registers. */
  prepare(extension: bigint, number: bigint, ...args: bigint[]): void {
    const { hart } = this.board;
    hart.write("a7", extension);
    hart.write("a6", number);
    for (const index of [0, 1, 2, 3, 4, 5]) hart.write(`a${index}` as RegisterName, args[index] ?? 0n);
    hart.pc = this.place("call");
    hart.state.waiting = false;
    hart.stateReplaced();
  }

  /** Makes a call; throws when it does not come back. */
  call(extension: bigint, number: bigint, ...args: bigint[]): SbiResult {
    this.prepare(extension, number, ...args);
    const stop = this.runTo("back");
    if (stop.reason !== "breakpoint") throw new Error(`the call ended with ${JSON.stringify(stop)}`);
    const { hart } = this.board;
    return { error: BigInt.asIntN(64, hart.read("a0")), value: hart.read("a1") };
  }
}
