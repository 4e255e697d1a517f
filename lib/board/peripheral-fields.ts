/** What is plugged into a board, as fields of a file. A network's peer is a function and in no file. */
import { BlockStore } from "../devices/virtio/block-store.ts";
import type { PeripheralConfig, Peripherals } from "./peripherals.ts";
import type { Plain } from "./plain-data.ts";
import type { PlainFields } from "./plain-fields.ts";

const MAC_BYTES = 6;

/** Everything that is needed to plug the same in again. What was written to the disk since is the state of its device. */
export function peripheralFields({ config, disk, network }: Peripherals): {
  readonly [field: string]: Plain;
} {
  return {
    disk: disk?.base,
    isReadOnly: disk?.isReadOnly,
    mac: network?.mac,
    virtioConsole: config.virtioConsole,
    entropySeed: config.entropySeed,
    rtcEpochSeconds: config.rtcEpochSeconds,
  };
}

/** The configuration that such fields describe. */
export function peripheralsFrom(fields: PlainFields): PeripheralConfig {
  const has = (name: string): boolean => fields.any(name) !== undefined;
  return {
    ...(has("disk")
      ? { disk: new BlockStore(fields.bytes("disk"), { isReadOnly: fields.any("isReadOnly") === true }) }
      : {}),
    ...(has("mac") ? { network: { mac: fields.bytes("mac", MAC_BYTES) } } : {}),
    ...(fields.any("virtioConsole") === true ? { virtioConsole: true } : {}),
    ...(has("entropySeed") ? { entropySeed: fields.whole("entropySeed", -(2 ** 53), 2 ** 53) } : {}),
    ...(has("rtcEpochSeconds") ? { rtcEpochSeconds: fields.whole("rtcEpochSeconds") } : {}),
  };
}
