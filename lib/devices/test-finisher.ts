/**
 * SiFive's test finisher: a guest stores one word to end the run.
 *
 * @spec sifive_test "hw/misc/sifive_test.c" of QEMU 7.2; device-tree binding sifive,test0
 */
import { ACCESS_FAULT, type AccessFault, type Device, type DeviceState, type Width } from "../bus/device.ts";

/** Commands, in the low half of the word. */
export const FinisherCommand = { FAIL: 0x3333, PASS: 0x5555, RESET: 0x7777 } as const;

/** What the guest asked for. `code` is an exit status, 0–65,535; a passed test has 0. */
export type Finish = { readonly kind: "poweroff"; readonly code: number } | { readonly kind: "reset" };

/** The finisher. It tells `onFinish` and goes on answering: stopping is up to the board. */
export class TestFinisher implements Device {
  readonly name = "test-finisher";
  readonly sizeBytes = 0x1000;
  readonly #onFinish: (finish: Finish) => void;

  constructor(onFinish: (finish: Finish) => void) {
    this.#onFinish = onFinish;
  }

  load(_offset: number, width: Width): bigint | AccessFault {
    return isWord(width) ? 0n : ACCESS_FAULT;
  }

  store(offset: number, width: Width, value: bigint): AccessFault | undefined {
    if (!isWord(width)) return ACCESS_FAULT;
    if (offset !== 0) return undefined;
    const command = Number(value & 0xffffn);
    const code = Number((value >> 16n) & 0xffffn);
    if (command === FinisherCommand.PASS) this.#onFinish({ kind: "poweroff", code: 0 });
    if (command === FinisherCommand.FAIL) this.#onFinish({ kind: "poweroff", code });
    if (command === FinisherCommand.RESET) this.#onFinish({ kind: "reset" });
    return undefined;
  }

  reset(): void {}

  save(): DeviceState {
    return {};
  }

  restore(_state: DeviceState): void {}
}

/** The registers are 16- and 32-bit ones; other widths are bus errors. */
function isWord(width: Width): boolean {
  return width === 2 || width === 4;
}
