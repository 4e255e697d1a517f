/** Read-only memory: the reset vector. Stores are dropped, as on QEMU. */
import type { AccessFault, Device, DeviceState, Width } from "../bus/device.ts";

/** Bytes that never change. */
export class Rom implements Device {
  readonly name = "boot-rom";
  readonly holdsCode = true;
  readonly sizeBytes: number;
  readonly #view: DataView;

  /** @param contents  Shorter than `sizeBytes`; the rest reads as zero. */
  constructor(sizeBytes: number, contents: Uint8Array) {
    const bytes = new Uint8Array(sizeBytes);
    bytes.set(contents.subarray(0, sizeBytes));
    this.sizeBytes = sizeBytes;
    this.#view = new DataView(bytes.buffer);
  }

  load(offset: number, width: Width): bigint | AccessFault {
    let value = 0n;
    for (let index = width - 1; index >= 0; index--)
      value = (value << 8n) | BigInt(this.#view.getUint8(offset + index));
    return value;
  }

  store(): AccessFault | undefined {
    return undefined;
  }

  reset(): void {}

  save(): DeviceState {
    return {};
  }

  restore(_state: DeviceState): void {}
}
