import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { conform, conformFolder, surprises } from "../../lib/host/cli/conform.ts";
import { describeWith, partPath } from "../support/optional.ts";

let folder: string;

/** Assembles a program that begins at the start of RAM and has the words that the conventions look at. */
function build(name: string, body: string): string {
  const source = `
    .globl _start, tohost, begin_signature, end_signature
    _start:
    ${body}
    1: j 1b
    .data
    .balign 64
    tohost: .dword 0
    begin_signature: .word 0xdeadbeef, 1
    end_signature:
  `;
  const file = path.join(folder, name);
  writeFileSync(`${file}.S`, source);
  const flags = [
    "-march=rv64im_zicsr_zifencei",
    "-mabi=lp64",
    "-mcmodel=medany",
    "-nostdlib",
    "-static",
    "-Wl,-n,-Ttext=0x80000000",
  ];
  const { status, stderr } = spawnSync(partPath("gcc"), [...flags, `${file}.S`, "-o", file], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return file;
}

const WRITE_TO_HOST = "la t0, tohost; sd t1, 0(t0)";
const run = (file: string, signature?: string) =>
  conform(path.basename(file), new Uint8Array(readFileSync(file)), signature);

describeWith(["gcc"], "npm run conform", () => {
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "dom0-conform-"));
    build("right", `li t1, 1; ${WRITE_TO_HOST}`);
    build("wrong", `li t1, ${(3 << 1) | 1}; ${WRITE_TO_HOST}`);
    build("silent", "wfi");
    build("signed", `la t0, begin_signature; li t1, 0x12345678; sw t1, 4(t0); li t1, 1; ${WRITE_TO_HOST}`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("passes a program that writes 1 to tohost", () => {
    expect(run(path.join(folder, "right"))).toMatchObject({ passed: true });
  });

  it("names the case of a program that writes twice its number plus one", () => {
    expect(run(path.join(folder, "wrong"))).toMatchObject({ passed: false, detail: "case 3 failed" });
  });

  it("fails a program that never writes to tohost, and ends", () => {
    expect(run(path.join(folder, "silent"))).toMatchObject({
      passed: false,
      detail: "never wrote to tohost",
    });
  });

  it("compares the signature word by word when a file stands beside the program", () => {
    const file = path.join(folder, "signed");
    expect(run(file, "deadbeef\n12345678\n")).toMatchObject({ passed: true });
    expect(run(file, "deadbeef\n12345679\n")).toMatchObject({ passed: false, detail: "signature differs" });
  });

  it("runs a whole folder, passing over what is not ELF, and is surprised by unlisted failures and by listed passes", async () => {
    const results = await conformFolder(folder);
    expect(results.map(({ name }) => name)).toEqual(["right", "signed", "silent", "wrong"]);
    expect(surprises(results, { silent: "sleeps", wrong: "on purpose" })).toEqual([]);
    expect(surprises(results, { silent: "sleeps" })).toEqual(["wrong: case 3 failed"]);
    expect(surprises(results, { silent: "sleeps", wrong: "on purpose", right: "?", gone: "?" })).toEqual([
      "right passes, but is listed as failing: take it off the list",
      "gone is listed as failing, but is not in the folder",
    ]);
  });

  it("calls a damaged program a failure with the loader's own words", () => {
    expect(
      conform("cut", new Uint8Array(readFileSync(path.join(folder, "right")).subarray(0, 100))),
    ).toMatchObject({ passed: false });
  });
});
