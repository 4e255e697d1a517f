/** Loading a Linux kernel: the header, where everything goes, and what is refused. The oracle is the documented header. */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import { readTree } from "../../../lib/board/flattened-tree-reader.ts";
import { loadLinux } from "../../../lib/board/linux-boot.ts";
import { parseLinuxImage } from "../../../lib/board/linux-image.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import { elf } from "../../support/elf-file.ts";

const MIB = 1 << 20;

/** A header as Documentation/arch/riscv/boot-image-header.rst has it, and a few bytes of code. */
function image(
  fields: { textOffset?: bigint; imageSize?: bigint; flags?: bigint; bytes?: number } = {},
): Uint8Array {
  const { textOffset = 0x20_0000n, imageSize = 0x10_0000n, flags = 0n, bytes = 4096 } = fields;
  const file = new Uint8Array(bytes).fill(0x5a);
  const view = new DataView(file.buffer);
  view.setBigUint64(8, textOffset, true);
  view.setBigUint64(16, imageSize, true);
  view.setBigUint64(24, flags, true);
  file.set(new TextEncoder().encode("RISCV\0\0\0"), 0x30);
  file.set([0x52, 0x53, 0x43, 5], 0x38);
  return file;
}

/** The kernel's self-extracting EFI program, as zboot-header.S lays it out. */
function zboot(payload: Uint8Array, method = "gzip"): Uint8Array {
  const file = new Uint8Array(512 + payload.length);
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode("MZ\0\0zimg"));
  view.setUint32(8, 512, true);
  view.setUint32(12, payload.length, true);
  file.set(new TextEncoder().encode(method), 24);
  file.set(payload, 512);
  return file;
}

const packed = (bytes: Uint8Array): Uint8Array => new Uint8Array(gzipSync(bytes));

describe("a Linux image", () => {
  it.each([
    ["plain", image()],
    ["compressed", packed(image())],
    ["in its self-extracting program", zboot(packed(image()))],
  ])("is read %s", (_, file) => {
    expect(parseLinuxImage(file)).toEqual({
      kind: "linux-image",
      bytes: image(),
      textOffset: 0x20_0000,
      memoryBytes: 0x10_0000,
    });
  });

  const cut = packed(image()).subarray(0, -9);
  const flipped = packed(image());
  flipped[40] = (flipped[40] ?? 0) ^ 1;
  it.each([
    ["nothing", new Uint8Array(0), "not-linux", /no Linux kernel for RISC-V/],
    ["another file", new Uint8Array(5000), "not-linux", /no Linux kernel for RISC-V/],
    ["a big-endian kernel", image({ flags: 1n }), "wrong-byte-order", /big-endian/],
    ["a size that no board has", image({ imageSize: 1n << 62n }), "malformed", /more than any board has/],
    ["a kernel longer than its header says", image({ imageSize: 100n }), "malformed", /its header says 100/],
    ["gzip that is cut off", cut, "malformed", /damaged or cut off/],
    ["gzip with a wrong bit", flipped, "malformed", /damaged or cut off/],
    [
      "a method that we do not read",
      zboot(packed(image()), "zstd22"),
      "unsupported",
      /compressed by "zstd22"/,
    ],
    ["a self-extracting program cut off", zboot(packed(image())).subarray(0, 520), "truncated", /is cut off/],
  ])("that is %s is refused", (_, file, reason, message) => {
    expect(parseLinuxImage(file)).toMatchObject({
      kind: "load-error",
      reason,
      message: expect.stringMatching(message),
    });
  });

  it("with any damage is read or refused, and nothing throws", () => {
    const whole = zboot(packed(image()));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, length) => {
        const bytes = whole.slice(0, length % 2 === 0 ? length : whole.length);
        if (at < bytes.length) bytes[at] = byte;
        return ["linux-image", "load-error"].includes(parseLinuxImage(bytes).kind);
      }),
      { seed: 5, numRuns: 1000 },
    );
  });
});

const board = (mib = 64): Board => buildBoard({ ramBytes: mib * MIB, harts: 2 });

/** Bytes of a property of `/chosen` in the tree that hart 0 is told of. */
function chosen(machine: Board, name: string): Uint8Array | undefined {
  const at = machine.hart.read("a1");
  const bytes = machine.memory.bytes(at, 8);
  if (!(bytes instanceof Uint8Array)) throw new Error("no tree");
  const total = new DataView(bytes.buffer).getUint32(4);
  const tree = readTree(machine.memory.bytes(at, total) as Uint8Array);
  if ("kind" in tree) throw new Error(tree.message);
  return tree.children.find((child) => child.name === "chosen")?.properties[name] as Uint8Array | undefined;
}

describe("loading Linux", () => {
  it("puts kernel and initial file system where QEMU puts them, and tells the kernel through the device tree", () => {
    const machine = board();
    const archive = new Uint8Array(3000).fill(7);
    const layout = loadLinux(machine, {
      kernel: image(),
      initramfs: archive,
      bootArguments: "console=ttyS0 quiet",
    });
    expect(layout).toMatchObject({
      kind: "linux",
      entry: 0x8020_0000,
      kernel: { address: 0x8020_0000, end: 0x8030_0000 },
      initramfs: { address: 0x8220_0000, end: 0x8220_0000 + 3000 },
      deviceTree: { address: 0x83e0_0000 },
    });
    expect(machine.memory.bytes(0x8020_0000n, 4096)).toEqual(image());
    expect(machine.memory.bytes(0x8220_0000n, 3000)).toEqual(archive);
    expect(new TextDecoder().decode(chosen(machine, "bootargs"))).toBe("console=ttyS0 quiet\0");
    expect(chosen(machine, "linux,initrd-start")).toEqual(Uint8Array.of(0, 0, 0, 0, 0x82, 0x20, 0, 0));
    expect(chosen(machine, "linux,initrd-end")).toEqual(Uint8Array.of(0, 0, 0, 0, 0x82, 0x20, 0x0b, 0xb8));
    for (const hart of machine.harts) {
      expect(hart.pc).toBe(0x8020_0000n);
      expect(hart.read("a0")).toBe(BigInt(hart.id));
      expect(hart.read("a1")).toBe(0x83e0_0000n);
    }
  });

  it("starts firmware where its file says, and tells it where the kernel is", () => {
    const machine = board();
    const firmware = elf([{ paddr: 0x8000_0000n, bytes: new Uint8Array(64) }]);
    expect(loadLinux(machine, { kernel: image(), firmware })).toMatchObject({ kind: "linux" });
    expect(machine.hart.pc).toBe(0x8000_0000n);
    const words = machine.memory.bytes(machine.hart.read("a2"), 32) as Uint8Array;
    const view = new DataView(words.buffer);
    // "struct fw_dynamic_info" of OpenSBI: magic, version, next address, next mode.
    expect([0, 8, 16, 24].map((at) => view.getBigUint64(at, true))).toEqual([
      0x4942_534fn,
      2n,
      0x8020_0000n,
      1n,
    ]);
  });

  it("takes firmware that is no ELF file as bytes for the start of RAM", () => {
    const machine = board();
    const firmware = new Uint8Array(100).fill(0x13);
    expect(loadLinux(machine, { kernel: image(), firmware })).toMatchObject({ kind: "linux" });
    expect(machine.memory.bytes(0x8000_0000n, 100)).toEqual(firmware);
    expect(machine.hart.pc).toBe(0x8000_0000n);
  });

  it.each([
    [
      "a kernel larger than RAM",
      { kernel: image({ imageSize: 80n << 20n }) },
      /The kernel needs .* RAM than 64 MiB/,
    ],
    [
      "an initial file system that meets the device tree",
      { kernel: image(), initramfs: new Uint8Array(30 * MIB) },
      /initial file system needs .*device tree/,
    ],
    [
      "a kernel that reaches the initial file system",
      { kernel: image({ imageSize: 40n << 20n }), initramfs: new Uint8Array(1) },
      /The kernel needs .*the initial file system is at/,
    ],
    [
      "firmware where the kernel goes",
      {
        kernel: image({ textOffset: 0n }),
        firmware: elf([{ paddr: 0x8000_0000n, bytes: new Uint8Array(64) }]),
      },
      /firmware/,
    ],
    [
      "firmware that is none",
      { kernel: image(), firmware: Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2) },
      /The firmware: .*ELF/,
    ],
    [
      "an overlay that is none",
      { kernel: image(), overlays: [new Uint8Array(9)] },
      /The overlay: Not a device tree blob/,
    ],
  ])("refuses %s, and leaves RAM alone", (_, parts, message) => {
    const machine = board();
    expect(loadLinux(machine, parts)).toMatchObject({
      kind: "load-error",
      message: expect.stringMatching(message),
    });
    expect(machine.memory.load(0x8020_0000n, 8)).toBe(0n);
    expect(machine.memory.load(0x8000_0000n, 8)).toBe(0n);
  });
});
