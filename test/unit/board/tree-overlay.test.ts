/** Device tree overlays: what `fdtoverlay`, the reference, makes of the same two files. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flattenTree, node } from "../../../lib/board/flattened-tree.ts";
import { readTree } from "../../../lib/board/flattened-tree-reader.ts";
import { applyOverlay } from "../../../lib/board/tree-overlay.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import { describeWith, partPath } from "../../support/optional.ts";

const BOARD_TREE = buildBoard().deviceTree;

/** A tree with labels, as `dtc -@` makes one: references by label need them. */
const LABELED = `/dts-v1/;
/ { #address-cells = <1>; #size-cells = <1>;
  pic: controller@1000 { reg = <0x1000 0x100>; phandle = <7>; };
  bus: bus { ranges; leds@5 { status = "okay"; color = "red"; }; };
};`;

const compiled = (source: string): Uint8Array =>
  new Uint8Array(
    execFileSync(partPath("dtc"), ["-q", "-@", "-I", "dts", "-O", "dtb", "-"], { input: source }),
  );

/** Canonical source: sorted, so that order does not count. */
const sorted = (blob: Uint8Array): string =>
  execFileSync(partPath("dtc"), ["-q", "-s", "-I", "dtb", "-O", "dts", "-"], { input: blob }).toString();

function byFdtoverlay(base: Uint8Array, overlay: Uint8Array): Uint8Array {
  const where = mkdtempSync(join(tmpdir(), "dom0-overlay-"));
  try {
    const [tree, change, result] = ["tree.dtb", "change.dtbo", "result.dtb"].map((name) =>
      join(where, name),
    ) as [string, string, string];
    writeFileSync(tree, base);
    writeFileSync(change, overlay);
    execFileSync("fdtoverlay", ["-i", tree, "-o", result, change]);
    return new Uint8Array(readFileSync(result));
  } finally {
    rmSync(where, { recursive: true, force: true });
  }
}

const BY_PATH = `/dts-v1/; /plugin/;
&{/} { model = "changed"; extra { list = <1 2 3>; text = "a", "b"; here; }; };
&{/soc} { serial { status = "disabled"; }; };`;
const BY_LABEL = `/dts-v1/; /plugin/;
&bus { leds@5 { color = "blue"; interrupt-parent = <&pic>; };
  own: thing { mine = <&own &pic 3 &other>; };
  other: thing2 { }; };`;

describeWith(["dtc"], "an overlay", () => {
  it.each([
    ["by paths, on the board's own tree", BOARD_TREE, BY_PATH],
    ["by labels and with phandles of its own", undefined, BY_LABEL],
  ])("%s changes what the reference implementation changes", (_, tree, source) => {
    const base = tree ?? compiled(LABELED);
    const overlay = compiled(source);
    const ours = applyOverlay(base, overlay);
    if (!(ours instanceof Uint8Array)) throw new Error(ours.message);
    expect(sorted(ours)).toBe(sorted(byFdtoverlay(base, overlay)));
    expect(sorted(ours)).not.toBe(sorted(base));
  });

  it.each([
    [
      "a label that the tree has not",
      `/dts-v1/; /plugin/; &nothing { a; };`,
      /no node has the label nothing; name it by its path/,
    ],
    ["a path that the tree has not", `/dts-v1/; /plugin/; &{/nowhere} { a; };`, /there is no node \/nowhere/],
    ["no fragment", `/dts-v1/; / { a; };`, /it has no fragment/],
  ])("with %s is refused, and says why", (_, source, message) => {
    const refused = applyOverlay(BOARD_TREE, compiled(source));
    expect(refused).toMatchObject({
      kind: "load-error",
      reason: "bad-overlay",
      message: expect.stringMatching(message),
    });
  });

  it("whose bytes are damaged is refused or applied, and nothing throws", () => {
    const whole = compiled(BY_LABEL);
    const base = compiled(LABELED);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(damage, fc.nat(whole.length), (changes, cut) => {
        const bytes = whole.slice(0, cut % 3 === 0 ? cut : whole.length);
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        const result = applyOverlay(base, bytes);
        return result instanceof Uint8Array || result.message.length > 20;
      }),
      { seed: 4, numRuns: 2000 },
    );
  });
});

describe("a device tree blob", () => {
  it("is read as it was written", () => {
    const tree = readTree(BOARD_TREE);
    if ("kind" in tree) throw new Error(tree.message);
    expect(flattenTree(tree)).toEqual(BOARD_TREE);
  });

  const blob = flattenTree(node("", { a: [1] }, [node("b", {})]));
  const changed = (offset: number, word: number): Uint8Array => {
    const copy = blob.slice();
    new DataView(copy.buffer).setUint32(offset, word);
    return copy;
  };
  it.each([
    ["nothing", new Uint8Array(0), /no header/],
    ["another magic", changed(0, 1), /no header/],
    ["more bytes than there are", changed(4, 5000), /its header says 5000 bytes/],
    ["a version of the future", changed(24, 99), /version/],
    ["an odd structure offset", changed(8, 57), /not aligned/],
    ["a token that does not exist", changed(56, 77), /does not begin with a node/],
    ["a property longer than the blob", changed(68, 0xffff_fff0), /ends in the middle/],
    ["a name outside the strings", changed(72, 5000), /a name has no end/],
  ])("with %s is refused", (_, bytes, message) => {
    expect(readTree(bytes)).toMatchObject({
      reason: "bad-device-tree",
      message: expect.stringMatching(message),
    });
  });

  it("that nests without end is refused", () => {
    let deep = node("x", {});
    for (let level = 0; level < 100; level++) deep = node("x", {}, [deep]);
    expect(readTree(flattenTree(deep))).toMatchObject({ message: expect.stringMatching(/deeper than 64/) });
  });
});
