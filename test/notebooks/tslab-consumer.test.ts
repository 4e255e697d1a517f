/** The gate against types that plain tslab would take for `any`, and the tool that keeps it green. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { downLevelTypes } from "../../lib/host/bootstrap/down-level-types.mjs";
import { check } from "../../lib/host/cli/check-tslab-consumer.ts";

// Programs are started here; a busy machine is slow and not wrong.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const ROOT = path.resolve(import.meta.dirname, "../..");
const TSC_50 = path.join(ROOT, "node_modules/@tslab/typescript-for-tslab/bin/tsc");

/** Compiles a file with TypeScript 5.0 and gives what it said. */
function compile50(file: string): string {
  try {
    return execFileSync(
      process.execPath,
      [TSC_50, "--noEmit", "--target", "es2022", "--moduleResolution", "node10", file],
      { encoding: "utf8", cwd: path.dirname(file) },
    );
  } catch (error) {
    return String((error as { stdout: string }).stdout);
  }
}

describe("Declarations for TypeScript 5.0", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "dom0-types-"));
    mkdirSync(path.join(folder, "deep"));
    writeFileSync(
      path.join(folder, "index.d.ts"),
      [
        'export { far } from "./deep/far.ts";',
        'export type Late = import("./deep/far.ts").Box;',
        "export declare const bytes: Uint8Array<ArrayBufferLike>;",
        "export declare const nested: Map<string, ReadonlyArray<Uint8Array<ArrayBuffer>>>;",
        "export declare function pick<T>(all: T[], one: NoInfer<Uint8Array<ArrayBuffer> | T>): T;",
        "export declare const walk: () => MapIterator<[string, DataView<ArrayBuffer>]>;",
        "export declare const memory: WebAssembly.Memory;",
        'export declare const text: "Uint8Array<ArrayBuffer> from ./deep/far.ts";',
      ].join("\n"),
    );
    writeFileSync(
      path.join(folder, "deep/far.d.ts"),
      "export interface Box<T = number> { readonly held: T }\nexport declare const far: Box;\n",
    );
    writeFileSync(path.join(folder, "unreached.d.ts"), 'export * from "./deep/far.ts";\n');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("names the files that exist after the build, in place, and copies what the front door reaches", async () => {
    expect(await downLevelTypes(folder)).toEqual({ rewritten: 2, written: 2 });
    expect(readFileSync(path.join(folder, "index.d.ts"), "utf8")).toContain(
      'export { far } from "./deep/far.js";',
    );
    expect(readFileSync(path.join(folder, "unreached.d.ts"), "utf8")).toContain('"./deep/far.js"');
    expect(existsSync(path.join(folder, "ts5.0/deep/far.d.ts"))).toBe(true);
    expect(existsSync(path.join(folder, "ts5.0/unreached.d.ts"))).toBe(false);
  });

  it("says in 5.0's words what 5.0 would not read, and leaves strings alone", () => {
    const older = readFileSync(path.join(folder, "ts5.0/index.d.ts"), "utf8");
    expect(older).toContain("bytes: Uint8Array;");
    expect(older).toContain("Map<string, ReadonlyArray<Uint8Array>>");
    expect(older).toContain("one: (Uint8Array | T)");
    expect(older).toContain("IterableIterator<[string, DataView]>");
    expect(older).toContain("memory: { readonly buffer: ArrayBuffer;");
    expect(older).toContain('"Uint8Array<ArrayBuffer> from ./deep/far.ts"');
    expect(compile50(path.join(folder, "ts5.0/index.d.ts"))).toBe("");
    expect(compile50(path.join(folder, "index.d.ts"))).toContain("is not generic");
  });

  it("does nothing the second time", async () => {
    expect(await downLevelTypes(folder)).toEqual({ rewritten: 0, written: 2 });
  });
});

describe.runIf(existsSync(path.join(ROOT, "lib/dist/ts5.0/index.d.ts")))(
  "The front door under tslab's compiler",
  () => {
    const planted = async (source: string) => {
      const folder = path.join(ROOT, ".cache");
      mkdirSync(folder, { recursive: true });
      const file = path.join(mkdtempSync(path.join(folder, "consumer-")), "consumer.ts");
      try {
        writeFileSync(file, source);
        return await check(path.relative(ROOT, file));
      } finally {
        rmSync(path.dirname(file), { recursive: true, force: true });
      }
    };

    it("compiles, and no export of it is any", async () => {
      expect(await check()).toEqual({ ok: true, message: expect.stringContaining("5.0.4") });
    });

    it("catches a planted wrong type", async () => {
      const { ok, message } = await planted(
        'import { readAsset } from "dom0-kit";\nconst n: Promise<number> = readAsset("x");\n',
      );
      expect(ok).toBe(false);
      expect(message).toMatch(/Type 'Promise<Uint8Array>' is not assignable to type 'Promise<number>'/);
    });

    it("catches a type that 5.0 cannot read", async () => {
      const { ok, message } = await planted("export declare const late: Uint8Array<ArrayBuffer>;\n");
      expect(ok).toBe(false);
      expect(message).toContain("is not generic");
    });
  },
);
