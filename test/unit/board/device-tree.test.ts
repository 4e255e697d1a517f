import { execFileSync } from "node:child_process";
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

describeWith(["qemu"], "QEMU's own device tree", () => {
  it("has every property of ours with the same value, but for those that tell the machines apart", () => {
    const folder = mkdtempSync(join(tmpdir(), "dom0-dtb-"));
    const path = join(folder, "virt.dtb");
    const machine = ["-M", `virt,dumpdtb=${path}`, "-bios", "none", "-m", "16M", "-smp", "2"];
    execFileSync("qemu-system-riscv64", [...machine, "-display", "none"], { stdio: "pipe" });
    const theirs = flat(new Uint8Array(readFileSync(path)));
    rmSync(folder, { recursive: true });
    const differing = [...flat(virtDeviceTree(config))].filter(([key, value]) => theirs.get(key) !== value);
    // Which interrupts the CLINT raises: every other cell, the cells between being phandles.
    const wires = (tree: Map<string, string>) =>
      (tree.get("/soc/clint@2000000:interrupts-extended") ?? "").replace(/.{8}(.{8})/g, "$1 ").trim();
    expect(wires(flat(virtDeviceTree(config)))).toBe(wires(theirs));
    expect(wires(theirs)).toBe("00000003 00000007 00000003 00000007");
    // Model and ISA are ours; phandles are numbers of the generator's choosing, checked by dtc.
    expect(
      differing.map(([key]) => key).filter((key) => !/phandle|regmap|interrupts-extended|cpu-map/.test(key)),
    ).toEqual([":model", "/cpus/cpu@0:riscv,isa", "/cpus/cpu@1:riscv,isa"]);
  });
});
