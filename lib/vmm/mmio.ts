/** Devices that guests see where no memory is: each load and store of their registers comes here, and is done for the guest. */
import { VIRT_MAP } from "../board/memory-map.ts";
import { FinisherCommand } from "../devices/test-finisher.ts";
import type { GPA } from "../hs/address.ts";
import { type Access, guestRegister, setGuestRegister, skip } from "./access.ts";
import { switchOff } from "./domain.ts";
import type { Visit } from "./host.ts";
import { DomainFlag } from "./layout.ts";
import { loadVirtio, storeVirtio, VIRTIO_RANGE } from "./virtio/registers.ts";
import { loadClint, storeClint } from "./virtual-clint.ts";
import { loadPlic, storePlic } from "./virtual-plic.ts";
import { loadUart, storeUart } from "./virtual-uart.ts";

/** A device. `undefined` is a bus error, which a load or store of a width gets that the device does not know. */
export interface VirtualDevice {
  readonly base: number;
  readonly sizeBytes: number;
  load(visit: Visit, offset: number, width: number): bigint | undefined;
  /** "again": the guest executes the store again, for what it asks is not all done. */
  store(visit: Visit, offset: number, width: number, value: bigint): "done" | "again" | undefined;
}

const uart: VirtualDevice = {
  base: VIRT_MAP.uart.base,
  sizeBytes: 8,
  load: (visit, offset) => BigInt(loadUart(visit, offset)),
  store: (visit, offset, _width, value) => {
    storeUart(visit, offset, Number(value & 0xffn));
    return "done";
  },
};

const plic: VirtualDevice = {
  ...VIRT_MAP.plic,
  load: (visit, offset, width) => (width === 4 ? loadPlic(visit, offset) : undefined),
  store: (visit, offset, width, value) => {
    if (width !== 4) return undefined;
    storePlic(visit, offset, Number(value & 0xffff_ffffn));
    return "done";
  },
};

/** What tells the machine that a guest has done its work switches off that guest alone. A reset does, too. */
const finisher: VirtualDevice = {
  ...VIRT_MAP.testFinisher,
  load: (_visit, _offset, width) => (width === 2 || width === 4 ? 0n : undefined),
  store: (visit, offset, width, value) => {
    if (width !== 2 && width !== 4) return undefined;
    const command = Number(value & 0xffffn);
    if (offset !== 0) return "done";
    if (command === FinisherCommand.FAIL) switchOff(visit, (value >> 16n) & 0xffffn);
    if (command === FinisherCommand.PASS || command === FinisherCommand.RESET) switchOff(visit, 0n);
    return "done";
  },
};

const clint: VirtualDevice = {
  base: VIRT_MAP.clint.base,
  sizeBytes: 0xc000,
  load: loadClint,
  store: storeClint,
};

const virtio: VirtualDevice = { ...VIRTIO_RANGE, load: loadVirtio, store: storeVirtio };

const DEVICES: readonly VirtualDevice[] = [uart, plic, finisher, virtio];
const MACHINE_DEVICES: readonly VirtualDevice[] = [...DEVICES, clint];

/** The device whose register an address is. */
export function deviceAt({ domain }: Visit, address: GPA): VirtualDevice | undefined {
  const devices = (domain.flags & DomainFlag.BEGINS_IN_MACHINE_MODE) === 0 ? DEVICES : MACHINE_DEVICES;
  const place = Number(address);
  return devices.find(({ base, sizeBytes }) => place >= base && place < base + sizeBytes);
}

/** Does an access for the guest, which goes on behind it, or does it again. False: the device refuses it. */
export function emulate(visit: Visit, device: VirtualDevice, address: GPA, access: Access): boolean {
  const offset = Number(address) - device.base;
  const { width, register, sizeBytes } = access;
  const bits = 8 * width;
  if (offset % width !== 0 || offset + width > Math.max(device.sizeBytes, 8)) return false;
  if (access.isStore) {
    const value = BigInt.asUintN(bits, guestRegister(visit, register));
    const outcome = device.store(visit, offset, width, value);
    if (outcome !== "done") return outcome === "again";
  } else {
    const value = device.load(visit, offset, width);
    if (value === undefined) return false;
    setGuestRegister(
      visit,
      register,
      access.isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value),
    );
  }
  skip(visit, sizeBytes);
  return true;
}
