import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { irreproducibleImages, staleImages } from "../../../lib/host/image-build.ts";
import { assetFile } from "../../../lib/host/node-assets.ts";
import { boardHeader } from "../../../lib/systems/board-header.ts";
import { IMAGE_RECIPES } from "../../../lib/systems/image-recipe.ts";
import { describeWith } from "../../support/optional.ts";

describe("the committed guest images", () => {
  it("are what their manifest says, made from the sources that are here now", () => {
    expect(staleImages()).toEqual([]);
    expect(IMAGE_RECIPES.length).toBeGreaterThan(0);
  });

  it("contain no path of the machine that built them", () => {
    for (const { image } of IMAGE_RECIPES) {
      const text = readFileSync(assetFile(`images/${image}`)).toString("latin1");
      expect(text).not.toMatch(/\/(tmp|home|root|work|usr)\//);
    }
  });
});

describe("the generated C header", () => {
  it("says where QEMU's virt board has its devices", () => {
    // From hw/riscv/virt.c and the SiFive CLINT map, not from our table.
    for (const line of [
      "#define RAM_BASE 0x80000000",
      "#define UART_BASE 0x10000000",
      "#define CLINT_MTIMECMP 0x2004000",
      "#define CLINT_MTIME 0x200bff8",
      "#define FINISHER_BASE 0x100000",
    ]) {
      expect(boardHeader()).toContain(`${line}\n`);
    }
  });
});

describeWith(["gcc"], "the RISC-V compiler", () => {
  it("builds every image again, byte for byte", () => {
    expect(irreproducibleImages()).toEqual([]);
  }, 300_000);

  it("left no segment both writable and executable", () => {
    for (const { image } of IMAGE_RECIPES) {
      const headers = execFileSync("riscv64-unknown-elf-readelf", ["-lW", assetFile(`images/${image}`)], {
        encoding: "utf8",
      });
      expect(headers).toMatch(/LOAD/);
      expect(headers).not.toMatch(/LOAD.*RWE/);
    }
  });
});
