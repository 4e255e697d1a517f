/**
 * The device tree of the board: the same nodes, names and values as QEMU's `virt` for every device that we have,
 * and no node for those that we do not.
 */
import { TICKS_PER_SECOND } from "../bus/clock.ts";
import { WIRES as IOMMU_WIRES } from "../devices/iommu/formats.ts";
import { PLIC_SOURCES } from "../devices/plic.ts";
import { FinisherCommand } from "../devices/test-finisher.ts";
import { UART_CLOCK_HERTZ } from "../devices/uart16550.ts";
import { cells64, flattenTree, node, type TreeNode } from "./flattened-tree.ts";
import { type MapName, RAM_BASE, VIRT_IRQ, VIRT_MAP, VIRTIO_SLOTS } from "./memory-map.ts";

/** What varies between boards. */
export interface TreeConfig {
  readonly ramBytes: number;
  readonly hartCount: number;
  /** What the harts implement, as `riscv,isa` spells it. */
  readonly isa: string;
  /** Largest translation scheme, as `mmu-type` spells it: `riscv,sv48`. */
  readonly mmuType: string;
  /** Whether an IOMMU stands between devices and memory. No when left out. */
  readonly hasIommu?: boolean;
}

/** Interrupt numbers of a hart's local interrupts. @spec priv §"Machine Interrupt Registers (mip and mie)" */
const LocalInterrupt = {
  MACHINE_SOFTWARE: 3,
  MACHINE_TIMER: 7,
  SUPERVISOR_EXTERNAL: 9,
  MACHINE_EXTERNAL: 11,
} as const;

/** Phandles: names by which one node points at another. Each hart takes two. */
const Phandle = {
  hart: (hart: number) => 1 + 2 * hart,
  interruptController: (hart: number) => 2 + 2 * hart,
  plic: (hartCount: number) => 1 + 2 * hartCount,
  testFinisher: (hartCount: number) => 2 + 2 * hartCount,
  iommu: (hartCount: number) => 3 + 2 * hartCount,
} as const;

/** The device tree as nodes. */
export function virtTree(config: TreeConfig): TreeNode {
  const memory = node(named("memory", RAM_BASE), {
    device_type: "memory",
    reg: [...cells64(RAM_BASE), ...cells64(config.ramBytes)],
  });
  return node(
    "",
    { "#address-cells": [2], "#size-cells": [2], compatible: "riscv-virtio", model: "riscv-virtio,dom0" },
    [
      node("chosen", { "stdout-path": `/soc/${named("serial", VIRT_MAP.uart.base)}` }),
      finisherCommand("poweroff", FinisherCommand.PASS, config.hartCount),
      finisherCommand("reboot", FinisherCommand.RESET, config.hartCount),
      memory,
      cpusNode(config),
      socNode(config),
    ],
  );
}

/** The device tree as a DTB. */
export function virtDeviceTree(config: TreeConfig): Uint8Array {
  return flattenTree(virtTree(config));
}

function cpusNode({ hartCount, isa, mmuType }: TreeConfig): TreeNode {
  const harts = Array.from({ length: hartCount }, (_, hart) => hart);
  const cpus = harts.map((hart) => {
    const controller = node("interrupt-controller", {
      "#interrupt-cells": [1],
      "interrupt-controller": true,
      compatible: "riscv,cpu-intc",
      phandle: [Phandle.interruptController(hart)],
    });
    const properties = {
      phandle: [Phandle.hart(hart)],
      device_type: "cpu",
      reg: [hart],
      status: "okay",
      compatible: "riscv",
      "riscv,isa": isa,
      "mmu-type": mmuType,
    };
    return node(`cpu@${hart}`, properties, [controller]);
  });
  const cores = harts.map((hart) => node(`core${hart}`, { cpu: [Phandle.hart(hart)] }));
  const map = node("cpu-map", {}, [node("cluster0", {}, cores)]);
  const properties = { "#address-cells": [1], "#size-cells": [0], "timebase-frequency": [TICKS_PER_SECOND] };
  return node("cpus", properties, [...cpus, map]);
}

function socNode({ hartCount, hasIommu = false }: TreeConfig): TreeNode {
  return node("soc", { "#address-cells": [2], "#size-cells": [2], compatible: "simple-bus", ranges: true }, [
    node(named("rtc", VIRT_MAP.rtc.base), {
      ...interrupt(VIRT_IRQ.rtc, hartCount),
      reg: reg("rtc"),
      compatible: "google,goldfish-rtc",
    }),
    node(named("serial", VIRT_MAP.uart.base), {
      ...interrupt(VIRT_IRQ.uart, hartCount),
      "clock-frequency": [UART_CLOCK_HERTZ],
      reg: reg("uart"),
      compatible: "ns16550a",
    }),
    node(named("test", VIRT_MAP.testFinisher.base), {
      phandle: [Phandle.testFinisher(hartCount)],
      reg: reg("testFinisher"),
      compatible: ["sifive,test1", "sifive,test0", "syscon"],
    }),
    ...virtioNodes(hartCount, hasIommu),
    ...(hasIommu ? [iommuNode(hartCount)] : []),
    node(named("plic", VIRT_MAP.plic.base), {
      phandle: [Phandle.plic(hartCount)],
      "riscv,ndev": [PLIC_SOURCES],
      reg: reg("plic"),
      "interrupts-extended": wires(
        hartCount,
        LocalInterrupt.MACHINE_EXTERNAL,
        LocalInterrupt.SUPERVISOR_EXTERNAL,
      ),
      "interrupt-controller": true,
      compatible: ["sifive,plic-1.0.0", "riscv,plic0"],
      "#address-cells": [0],
      "#interrupt-cells": [1],
    }),
    node(named("clint", VIRT_MAP.clint.base), {
      "interrupts-extended": wires(hartCount, LocalInterrupt.MACHINE_SOFTWARE, LocalInterrupt.MACHINE_TIMER),
      reg: reg("clint"),
      compatible: ["sifive,clint0", "riscv,clint0"],
    }),
  ]);
}

/** All slots, the highest first as QEMU has them: Linux names disks in this order. An empty one says so in its registers. */
function virtioNodes(hartCount: number, hasIommu: boolean): TreeNode[] {
  const { base, sizeBytes } = VIRT_MAP.virtio;
  return Array.from({ length: VIRTIO_SLOTS }, (_, slot) =>
    node(named("virtio_mmio", base + slot * sizeBytes), {
      ...interrupt(VIRT_IRQ.virtio + slot, hartCount),
      reg: [...cells64(base + slot * sizeBytes), ...cells64(sizeBytes)],
      compatible: "virtio,mmio",
      // A device's number there is that of its interrupt.
      ...(hasIommu ? { iommus: [Phandle.iommu(hartCount), VIRT_IRQ.virtio + slot] } : {}),
    }),
  ).reverse();
}

/** @spec Linux "Documentation/devicetree/bindings/iommu/riscv,iommu.yaml" */
function iommuNode(hartCount: number): TreeNode {
  return node(named("iommu", VIRT_MAP.iommu.base), {
    phandle: [Phandle.iommu(hartCount)],
    interrupts: Array.from({ length: IOMMU_WIRES }, (_, wire) => VIRT_IRQ.iommu + wire),
    "interrupt-parent": [Phandle.plic(hartCount)],
    reg: reg("iommu"),
    "#iommu-cells": [1],
    compatible: "riscv,iommu",
  });
}

/** Two local interrupts of each hart. */
function wires(hartCount: number, first: number, second: number): number[] {
  return Array.from({ length: hartCount }, (_, hart) => {
    const controller = Phandle.interruptController(hart);
    return [controller, first, controller, second];
  }).flat();
}

/** How a device names its interrupt. */
function interrupt(source: number, hartCount: number): TreeNode["properties"] {
  return { interrupts: [source], "interrupt-parent": [Phandle.plic(hartCount)] };
}

/** A node by which firmware and kernels find out how to power off or reboot. */
function finisherCommand(name: "poweroff" | "reboot", value: number, hartCount: number): TreeNode {
  const properties = { value: [value], offset: [0], regmap: [Phandle.testFinisher(hartCount)] };
  return node(name, { ...properties, compatible: `syscon-${name}` });
}

function reg(name: MapName): number[] {
  return [...cells64(VIRT_MAP[name].base), ...cells64(VIRT_MAP[name].sizeBytes)];
}

function named(kind: string, base: number): string {
  return `${kind}@${base.toString(16)}`;
}
