import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkEngineApis } from "../../../lib/host/cli/check-engine-apis.ts";
import { checkLayers } from "../../../lib/host/cli/check-layers.ts";
import { checkNormTags } from "../../../lib/host/cli/check-norm-tags.ts";
import { PROJECT_ROOT } from "../../../lib/host/node-assets.ts";

/** A copy of the sources in which a test may plant a defect. */
let copy: string;

beforeEach(() => {
  copy = mkdtempSync(path.join(os.tmpdir(), "dom0-planted-"));
  cpSync(path.join(PROJECT_ROOT, "lib"), path.join(copy, "lib"), {
    recursive: true,
    filter: (file) => !/[\\/](dist|node_modules)$/.test(file),
  });
});

afterEach(() => rmSync(copy, { recursive: true, force: true }));

const plant = (file: string, text: string): void => writeFileSync(path.join(copy, file), text);

describe("npm run check", () => {
  it("is green on the sources as they are", async () => {
    expect(await checkLayers(copy)).toMatchObject({ ok: true });
    expect(await checkNormTags(copy)).toMatchObject({ ok: true });
    expect(await checkEngineApis(copy)).toMatchObject({ ok: true });
  });

  it("goes red when a file of isa imports board", async () => {
    mkdirSync(path.join(copy, "lib/board"), { recursive: true });
    plant("lib/board/planted.ts", "export const board = 1;\n");
    plant("lib/isa/planted.ts", 'import { board } from "../board/planted.ts";\nexport const seen = board;\n');
    const { ok, lines } = await checkLayers(copy);
    expect(ok).toBe(false);
    expect(lines.join("\n")).toContain("layer-isa: lib/isa/planted.ts");
  });

  it("goes red when a file outside host and grader imports node:fs", async () => {
    plant(
      "lib/mmu/planted.ts",
      'import { readFileSync } from "node:fs";\nexport const read = readFileSync;\n',
    );
    const { ok, lines } = await checkLayers(copy);
    expect(ok).toBe(false);
    expect(lines.join("\n")).toContain("no-node-outside-host: lib/mmu/planted.ts");
  });

  it("goes red when an import leads nowhere, because what was not resolved was not checked", async () => {
    plant("lib/bits/planted.ts", 'import { gone } from "./no-such-file.ts";\nexport const seen = gone;\n');
    expect((await checkLayers(copy)).lines.join("\n")).toContain("resolvable: lib/bits/planted.ts");
  });

  it("goes red when two layers import each other", async () => {
    plant("lib/bits/planted.ts", 'import { twin } from "./twin.ts";\nexport const planted = () => twin;\n');
    plant(
      "lib/bits/twin.ts",
      'import { planted } from "./planted.ts";\nexport const twin = () => planted;\n',
    );
    expect((await checkLayers(copy)).lines.join("\n")).toContain("no-cycles");
  });

  it("goes red when the checker saw fewer modules than there are", async () => {
    rmSync(path.join(copy, "lib"), { recursive: true });
    const { ok } = await checkLayers(copy).catch(() => ({ ok: false }));
    expect(ok).toBe(false);
  });

  it("goes red for a rule that the manual does not have, naming file and line", async () => {
    plant(
      "lib/isa/planted.ts",
      `// first line\n/** @spec ${"norm"}:mstatus_made_up_rule */\nexport const planted = 1;\n`,
    );
    const { ok, lines } = await checkNormTags(copy);
    expect(ok).toBe(false);
    expect(lines).toEqual([`lib/isa/planted.ts:2 the manual has no rule ${"norm"}:mstatus_made_up_rule`]);
  });

  it("goes red when no citation was found at all", async () => {
    rmSync(path.join(copy, "lib"), { recursive: true });
    expect(await checkNormTags(copy)).toMatchObject({ ok: false });
  });

  it.each([
    ["a shared memory", "new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })"],
    ["atomics", "Atomics.wait(new Int32Array(8), 0, 0)"],
    ["JSPI", "new WebAssembly.Suspending(() => {})"],
    ["type reflection", "new WebAssembly.Function({ parameters: [], results: [] }, () => {})"],
    ["a 64-bit memory", 'new WebAssembly.Memory({ address: "i64", initial: 1n })'],
    ["a relaxed SIMD opcode", '{ "f64x2.relaxed_madd": 0x107 }'],
    ["Chromium's memory measurement", "performance.measureUserAgentSpecificMemory()"],
    ["Chromium's scheduler", "scheduler.yield()"],
    ["the host's time", "performance.now()"],
    ["Node's process", "process.hrtime()"],
    ["Node's modules", 'import("node:v8")'],
  ])("goes red when the translator uses %s", async (_, expression) => {
    plant("lib/engine/translator/planted.ts", `export const planted = (): unknown => ${expression};\n`);
    const { ok, lines } = await checkEngineApis(copy);
    expect(ok).toBe(false);
    expect(lines.join("\n")).toContain("lib/engine/translator/planted.ts:1");
  });

  it("goes red when the translator is somewhere else, because then nothing was looked at", async () => {
    rmSync(path.join(copy, "lib/engine/translator"), { recursive: true });
    mkdirSync(path.join(copy, "lib/engine/translator"));
    expect(await checkEngineApis(copy)).toMatchObject({ ok: false });
  });
});
