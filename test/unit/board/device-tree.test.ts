import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { virtDeviceTree } from "../../../lib/board/device-tree.ts";
import { isaString } from "../../../lib/board/isa-string.ts";
import { describeWith } from "../../support/optional.ts";

const config = {
  ramBytes: 16 * 1024 * 1024,
  hartCount: 2,
  isa: "rv64im_zicsr_zifencei",
  mmuType: "riscv,sv48",
};

/** Properties by path, as hexadecimal bytes, out of any DTB: an independent reader, from the format's description. */
function flat(dtb: Uint8Array): Map<string, string> {
  const view = new DataView(dtb.buffer, dtb.byteOffset);
  const [structure, strings] = [view.getUint32(8), view.getUint32(12)];
  const text = (at: number) => new TextDecoder().decode(dtb.subarray(at, dtb.indexOf(0, at)));
  const properties = new Map<string, string>();
  const path: string[] = [];
  for (let at = structure; ; ) {
    const token = view.getUint32(at);
    at += 4;
    if (token === 9) return properties;
    if (token === 1) {
      const name = text(at);
      path.push(name);
      at += (name.length + 4) & ~3;
    }
    if (token === 2) path.pop();
    if (token !== 3) continue;
    const [length, name] = [view.getUint32(at), text(strings + view.getUint32(at + 4))];
    const value = Buffer.from(dtb.subarray(at + 8, at + 8 + length)).toString("hex");
    properties.set(`${path.join("/")}:${name}`, value);
    at += 8 + ((length + 3) & ~3);
  }
}

describe("the ISA string", () => {
  it("runs letters together and separates longer names, as device trees spell it", () => {
    expect(isaString(["rv64i", "m", "a", "zicsr", "zifencei", "privileged"])).toBe("rv64ima_zicsr_zifencei");
    expect(isaString()).toBe(
      "rv64imafdch_zicntr_zicsr_zifencei_zicond_zba_zbb_zbs_sstc_svadu_svnapot_svpbmt",
    );
  });
});

describeWith(["dtc"], "dtc", () => {
  it.each([false, true])(
    "reads our device tree and finds nothing to complain about, with an IOMMU in it: %s",
    (hasIommu) => {
      const tree = virtDeviceTree({ ...config, hasIommu });
      const source = execFileSync("dtc", ["-I", "dtb", "-O", "dts", "-"], {
        input: tree,
        stdio: "pipe",
      });
      expect(source.toString()).toContain('compatible = "ns16550a"');
      expect(source.toString().includes("iommu@3010000")).toBe(hasIommu);
      const again = execFileSync("dtc", ["-I", "dts", "-O", "dtb", "-"], { input: source, stdio: "pipe" });
      expect(flat(new Uint8Array(again))).toEqual(flat(tree));
    },
  );
});

/** A property whose cells name nodes by phandle, with each phandle replaced by the path of its node; `stride` cells a name. */
function resolved(tree: Map<string, string>, key: string, stride: number): string[] {
  const places = new Map(
    [...tree].filter(([name]) => name.endsWith(":phandle")).map(([name, cell]) => [cell, name.split(":")[0]]),
  );
  const cells = (tree.get(key) ?? "").match(/.{8}/g) ?? [];
  return cells.map((cell, index) => (index % stride === 0 ? (places.get(cell) ?? "nowhere") : cell));
}

/** QEMU's device tree for so many harts. */
function qemuTree(harts: number): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "dom0-dtb-"));
  const path = join(folder, "virt.dtb");
  const machine = ["-M", `virt,dumpdtb=${path}`, "-bios", "none", "-m", "16M", "-smp", `${harts}`];
  execFileSync("qemu-system-riscv64", [...machine, "-display", "none"], { stdio: "pipe" });
  const tree = new Uint8Array(readFileSync(path));
  rmSync(folder, { recursive: true });
  return tree;
}

describeWith(["qemu"], "QEMU's own device tree", () => {
  it.each([1, 2, 3, 4])(
    "has every property of ours with the same value, but for model and ISA; %i harts",
    (hartCount) => {
      const ours = flat(virtDeviceTree({ ...config, hartCount }));
      const theirs = flat(qemuTree(hartCount));
      const differing = [...ours].filter(([key, value]) => theirs.get(key) !== value).map(([key]) => key);
      const isName = (key: string) => /phandle|regmap|interrupts-extended|cpu-map/.test(key);
      expect(differing.filter((key) => !isName(key))).toEqual([
        ":model",
        ...Array.from({ length: hartCount }, (_, hart) => `/cpus/cpu@${hart}:riscv,isa`),
      ]);
      // Phandles are numbers of the generator's choosing: what counts is the node that each stands for.
      for (const [key, stride] of [
        ["/soc/clint@2000000:interrupts-extended", 2],
        ["/soc/plic@c000000:interrupts-extended", 2],
        ["/soc/serial@10000000:interrupt-parent", 1],
        ["/soc/rtc@101000:interrupt-parent", 1],
        ...Array.from(
          { length: 8 },
          (_, slot) => [`/soc/virtio_mmio@1000${slot + 1}000:interrupt-parent`, 1] as const,
        ),
        ["/poweroff:regmap", 1],
        ["/reboot:regmap", 1],
        ...Array.from(
          { length: hartCount },
          (_, hart) => [`/cpus/cpu-map/cluster0/core${hart}:cpu`, 1] as const,
        ),
      ] as const) {
        expect(resolved(ours, key, stride), key).toEqual(resolved(theirs, key, stride));
        expect(resolved(ours, key, stride).length, key).toBeGreaterThan(0);
      }
    },
  );

  it("has nodes that ours lacks for what our board lacks, and for nothing else", () => {
    const nodes = (tree: Map<string, string>) =>
      new Set([...tree.keys()].map((key) => key.split(":")[0]?.split("/").slice(0, 3).join("/")));
    const ours = nodes(flat(virtDeviceTree({ ...config, hartCount: 1 })));
    const missing = [...nodes(flat(qemuTree(1)))].filter((node) => !ours.has(node));
    expect(missing.sort()).toEqual([
      "/flash@20000000",
      "/fw-cfg@10100000",
      "/platform-bus@4000000",
      "/pmu",
      "/soc/pci@30000000",
    ]);
  });
});

describeWith(["dtc", "qemu"], "warnings of dtc", () => {
  it.each([1, 2, 3, 4])("are about the same nodes as for QEMU's tree, or fewer; %i harts", (hartCount) => {
    const warnings = (tree: Uint8Array) =>
      spawnSync("dtc", ["-I", "dtb", "-O", "dts", "-"], { input: tree, encoding: "utf8" })
        .stderr.split("\n")
        .filter((line) => line !== "");
    const theirs = warnings(qemuTree(hartCount));
    expect(
      warnings(virtDeviceTree({ ...config, hartCount })).filter((line) => !theirs.includes(line)),
    ).toEqual([]);
  });
});
