/** The memory map of QEMU's `virt` board, filled, and the lines that leave its devices. */
import type { Device } from "../bus/device.ts";
import { Clint } from "../devices/clint.ts";
import { Plic } from "../devices/plic.ts";
import { Rom } from "../devices/rom.ts";
import { TestFinisher } from "../devices/test-finisher.ts";
import { bootRom } from "./boot-rom.ts";
import type { Machine } from "./machine.ts";
import { type MapName, RAM_BASE, VIRT_IRQ, VIRT_MAP } from "./memory-map.ts";

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
  plic.connect(VIRT_IRQ.uart, uart.line);
  const map = { bootRom: rom, testFinisher: finisher, clint, plic, uart } satisfies Record<
    Exclude<MapName, "iommu">,
    Device
  >;
  for (const [name, device] of Object.entries(map)) {
    const refused = bus.attach(VIRT_MAP[name as MapName].base, device);
    if (refused !== undefined) throw new Error(refused.message);
  }
  if (machine.iommu === undefined) return;
  bus.attach(VIRT_MAP.iommu.base, machine.iommu);
  for (const [wire, line] of machine.iommu.wires.entries()) plic.connect(VIRT_IRQ.iommu + wire, line);
}
