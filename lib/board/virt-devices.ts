/** The memory map of QEMU's `virt` board, filled, and the lines that leave its devices. */
import type { Bus } from "../bus/bus.ts";
import type { Device } from "../bus/device.ts";
import { Clint } from "../devices/clint.ts";
import { GoldfishRtc } from "../devices/goldfish-rtc.ts";
import { Plic } from "../devices/plic.ts";
import { Rom } from "../devices/rom.ts";
import { TestFinisher } from "../devices/test-finisher.ts";
import { VirtioMmio } from "../devices/virtio/mmio.ts";
import { bootRom } from "./boot-rom.ts";
import type { Machine } from "./machine.ts";
import { type MapName, RAM_BASE, VIRT_IRQ, VIRT_MAP, VIRTIO_SLOTS } from "./memory-map.ts";

/** Attaches every device to the bus, and every interrupt line to the hart or controller that hears it. */
export function attachDevices(machine: Machine): void {
  const { bus, clock, harts, uart, deviceTreeAddress: deviceTree } = machine;
  const rom = new Rom(VIRT_MAP.bootRom.sizeBytes, bootRom({ entry: RAM_BASE, deviceTree }));
  const clint = new Clint(clock, harts.length);
  const plic = new Plic(harts.length);
  const finisher = new TestFinisher((finish) => {
    machine.finish = finish;
    machine.halt.set(clock.now);
  });
  for (const hart of harts) {
    hart.connect(clint.softwareLine(hart.id), "machineSoftware");
    hart.connect(clint.timerLine(hart.id), "machineTimer");
    hart.connect(plic.machineLine(hart.id), "machineExternal");
    hart.connect(plic.supervisorLine(hart.id), "supervisorExternal");
  }
  const rtc = new GoldfishRtc(clock, machine.peripherals.rtcEpochSeconds);
  plic.connect(VIRT_IRQ.uart, uart.line);
  plic.connect(VIRT_IRQ.rtc, rtc.line);
  const map = { bootRom: rom, testFinisher: finisher, rtc, clint, plic, uart } satisfies Record<
    Exclude<MapName, "iommu" | "virtio">,
    Device
  >;
  for (const [name, device] of Object.entries(map)) attach(bus, VIRT_MAP[name as MapName].base, device);
  attachSlots(machine, plic);
  if (machine.iommu === undefined) return;
  attach(bus, VIRT_MAP.iommu.base, machine.iommu);
  for (const [wire, line] of machine.iommu.wires.entries()) plic.connect(VIRT_IRQ.iommu + wire, line);
}

/** The virtio slots, empty ones too. To the IOMMU, a slot's device number is its interrupt's. */
function attachSlots(machine: Machine, plic: Plic): void {
  const { bus, clock, dmaPortOf, iommu, peripherals } = machine;
  const { base, sizeBytes } = VIRT_MAP.virtio;
  for (let slot = 0; slot < VIRTIO_SLOTS; slot++) {
    const source = VIRT_IRQ.virtio + slot;
    const wiring = { clock, dma: dmaPortOf(source), isTranslated: iommu !== undefined };
    const device = new VirtioMmio(slot, wiring, peripherals.models.get(slot));
    plic.connect(source, device.line);
    attach(bus, base + slot * sizeBytes, device);
  }
}

function attach(bus: Bus, base: number, device: Device): void {
  const refused = bus.attach(base, device);
  if (refused !== undefined) throw new Error(refused.message);
}
