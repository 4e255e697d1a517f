import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
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
});
