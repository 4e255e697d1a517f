/** The parts around a Linux boot that need no boot: keys, folders, packages, messages. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { folderFiles } from "../../../lib/host/linux/folder-files.ts";
import { linuxMachine } from "../../../lib/host/linux/machine.ts";
import { fetchLinux, type LinuxFiles } from "../../../lib/host/linux/packages.ts";
import { EscapeKeys } from "../../../lib/host/linux/terminal.ts";
import { PROJECT_ROOT } from "../../../lib/host/node-assets.ts";

const dom0 = (...args: string[]) =>
  spawnSync(process.execPath, [join(PROJECT_ROOT, "lib/host/cli/main.ts"), ...args], { encoding: "utf8" });

describe("the escape key", () => {
  const typed = (...pieces: string[]) => {
    const keys = new EscapeKeys();
    return pieces.map((piece) => keys.take(piece));
  };

  it("gives the guest everything else, Ctrl-C too", () => {
    expect(typed("ls\r\u0003")).toEqual([{ text: "ls\r\u0003", quits: false }]);
  });

  it("leaves with x, in one piece or two, and keeps what came before", () => {
    expect(typed("ab\u0001xcd")).toEqual([{ text: "ab", quits: true }]);
    expect(typed("\u0001", "X")).toEqual([
      { text: "", quits: false },
      { text: "", quits: true },
    ]);
  });

  it("twice is one for the guest; with any other key it is nothing", () => {
    expect(typed("\u0001\u0001x")).toEqual([{ text: "\u0001x", quits: false }]);
    expect(typed("\u0001qx")).toEqual([{ text: "x", quits: false }]);
  });
});

describe("a folder", () => {
  let where = "";
  beforeAll(() => {
    where = mkdtempSync(join(tmpdir(), "dom0-folder-"));
    mkdirSync(join(where, "b/deep"), { recursive: true });
    writeFileSync(join(where, "b/deep/file"), "text");
    writeFileSync(join(where, "a"), "#!/bin/sh\n");
    chmodSync(join(where, "a"), 0o755);
    symlinkSync("b/deep", join(where, "link"));
  });
  afterAll(() => rmSync(where, { recursive: true, force: true }));

  it("becomes entries in the order of names, links as links", () => {
    const entries = folderFiles(where, "host");
    if ("kind" in entries) throw new Error(entries.message);
    expect(entries.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
      "host folder",
      "host/a file",
      "host/b folder",
      "host/b/deep folder",
      "host/b/deep/file file",
      "host/link link",
    ]);
    expect(entries.find(({ path }) => path === "host/a")?.permissions).toBe(0o755);
  });

  it("that cannot be read is one line", () => {
    expect(folderFiles(join(where, "missing"), "")).toMatchObject({
      kind: "file-tree-error",
      message: expect.stringMatching(/missing cannot be read: ENOENT/),
    });
  });

  it("becomes the same disk image each time", { timeout: 60_000 }, () => {
    const images = ["one.img", "two.img"].map((name) => join(tmpdir(), `${process.pid}-${name}`));
    try {
      for (const image of images)
        expect(dom0("disk", where, image).stdout).toMatch(/5 files in 4 MiB of ext2/);
      const [one, two] = images.map((image) => readFileSync(image));
      expect(one?.equals(two ?? Buffer.alloc(0))).toBe(true);
    } finally {
      for (const image of images) rmSync(image, { force: true });
    }
    expect(dom0("disk", where)).toMatchObject({ status: 2, stderr: expect.stringMatching(/name a folder/) });
    expect(dom0("disk", "/nowhere", "x")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/no folder/),
    });
  });
});

describe("the kernel's packages", () => {
  it("that no mirror has are refused in a line that says what to do", async () => {
    const cache = mkdtempSync(join(tmpdir(), "dom0-linux-cache-"));
    try {
      const refused = await fetchLinux({ mirrors: ["http://127.0.0.1:9"], cache, say: () => {} });
      expect(refused).toMatchObject({
        kind: "refused",
        message: expect.stringMatching(/is not to be had.*Without a network, copy.*snapshot\.debian\.org/s),
      });
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  });

  it("with a damaged kernel are refused before anything runs", () => {
    const none = new Uint8Array(100);
    const files: LinuxFiles = { kernel: none, busybox: none, opensbi: none, modules: [] };
    expect(linuxMachine(files)).toMatchObject({
      kind: "refused",
      message: expect.stringMatching(/no Linux kernel for RISC-V/),
    });
  });
});

describe("npm run linux", () => {
  it.each([
    [["--firmware", "bios"], /--firmware is opensbi or typescript, not "bios"/],
    [["--harts", "9"], /--harts takes a whole number from 1 to 4/],
    [["--ram", "8"], /--ram takes a whole number from 96/],
    [["--folder", "/nowhere"], /there is no folder \/nowhere/],
    [["--overlay", "/nowhere.dtbo"], /cannot be read: ENOENT/],
    [["--from", "/nowhere"], /\/nowhere cannot be read: ENOENT/],
    [["--from", "x", "--ram", "128"], /--ram is for a new boot/],
    [["--what"], /Unknown option '--what'/],
  ])("refuses %j in one line", { timeout: 60_000 }, (args, message) => {
    const { status, stderr } = dom0("linux", ...args);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});
