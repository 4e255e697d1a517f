/** Archives and disk images made from files, read back by readers that are not ours. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cpioArchive } from "../../../lib/board/disk/cpio-archive.ts";
import { ext2Image } from "../../../lib/board/disk/ext2-image.ts";
import { type FileEntry, folder, link, program, script } from "../../../lib/board/disk/file-tree.ts";
import { minixImage } from "../../../lib/board/disk/minix-image.ts";
import { describeWith, partPath } from "../../support/optional.ts";

/** Longer than what the direct and the first indirect blocks of an inode hold. */
const LONG = Uint8Array.from({ length: 5_000_000 }, (_, index) => (index * 7 + (index >> 8)) & 255);
const LONG_TARGET = "x/".repeat(100);

const TREE: readonly FileEntry[] = [
  folder("bin"),
  folder("etc"),
  folder("etc/deep"),
  folder("dev"),
  program("bin/long", LONG),
  program("bin/empty", new Uint8Array(0)),
  link("bin/sh", "long"),
  link("bin/far", LONG_TARGET),
  { path: "dev/console", permissions: 0o600, kind: "device", type: "character", major: 5, minor: 1 },
  ...Array.from({ length: 300 }, (_, index) =>
    script(`etc/deep/a-name-that-is-long-${"n".repeat(index % 200)}-${index}`, `${index}\n`),
  ),
];

function image(sizeBytes?: number): Uint8Array {
  const made = ext2Image(TREE, sizeBytes === undefined ? {} : { sizeBytes });
  if (!(made instanceof Uint8Array)) throw new Error(made.message);
  return made;
}

describeWith(["e2fsprogs"], "an ext2 disk", () => {
  let where = "";
  beforeAll(() => {
    where = mkdtempSync(join(tmpdir(), "dom0-disk-"));
  });
  afterAll(() => rmSync(where, { recursive: true, force: true }));

  const MIB = 1 << 20;
  it.each([
    ["of the smallest size", undefined],
    ["of one full group", 128 * MIB],
    ["whose last group is too small to hold anything", 128 * MIB + 5 * 4096],
    ["of three groups", 300 * MIB],
  ])("%s has nothing that e2fsck would repair", (_, sizeBytes) => {
    const file = join(where, "disk.img");
    writeFileSync(file, image(sizeBytes));
    const { status, stdout } = spawnSync(partPath("e2fsprogs"), ["-fn", file], { encoding: "utf8" });
    expect(stdout).toContain("Pass 5");
    expect(status).toBe(0);
  });

  it("holds the files as they are", () => {
    const file = join(where, "read.img");
    writeFileSync(file, image());
    const debugfs = (request: string) =>
      spawnSync("debugfs", ["-R", request, file], {
        env: { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" },
        encoding: "utf8",
      }).stdout;
    debugfs(`dump /bin/long ${join(where, "long")}`);
    expect(readFileSync(join(where, "long")).equals(LONG)).toBe(true);
    expect(debugfs("cat /etc/deep/a-name-that-is-long-nnnnnnn-7")).toBe("7\n");
    expect(debugfs("stat /bin/sh")).toMatch(/Type: symlink[\s\S]*Fast link dest: "long"/);
    debugfs(`dump /bin/far ${join(where, "far")}`);
    expect(debugfs("cat /bin/far")).toBe(LONG_TARGET);
    expect(debugfs("stat /dev/console")).toMatch(/Type: character special[\s\S]*Mode: +0600[\s\S]*05:01/);
    expect(debugfs("ls /etc/deep").match(/a-name/g)).toHaveLength(300);
  });
});

/** The same files with names that fit. */
const SHORT_TREE = TREE.map((entry) => ({ ...entry, path: entry.path.replace(/n{20,}/, "n") }));

describeWith(["fsckMinix"], "a MINIX disk", () => {
  it.each([
    ["of the smallest size", undefined],
    ["of several blocks of each map", 60 << 20],
    ["whose size is no whole number of blocks", (16 << 20) + 5000],
  ])("%s has nothing that fsck.minix would repair, and holds all files", (_, sizeBytes) => {
    const made = minixImage(SHORT_TREE, sizeBytes === undefined ? {} : { sizeBytes });
    if (!(made instanceof Uint8Array)) throw new Error(made.message);
    const where = mkdtempSync(join(tmpdir(), "dom0-minix-"));
    try {
      const file = join(where, "disk.img");
      writeFileSync(file, made);
      const { status, stdout } = spawnSync(partPath("fsckMinix"), ["-f", "-l", "-s", file], {
        encoding: "utf8",
      });
      expect(status).toBe(0);
      expect(stdout).not.toMatch(/[Ii]nvalid|[Bb]ad|mark|not used|[Ww]arning/);
      for (const { path } of SHORT_TREE) expect(stdout).toMatch(new RegExp(`^/${path}:?$`, "m"));
    } finally {
      rmSync(where, { recursive: true, force: true });
    }
  });

  it("refuses what has no room in it, in one line", () => {
    expect(minixImage(TREE)).toMatchObject({ message: expect.stringMatching(/longer than 60 bytes/) });
    expect(minixImage(SHORT_TREE, { sizeBytes: 1 << 20 })).toMatchObject({
      message: expect.stringMatching(/need a disk of \d+ MiB, and this one has 1/),
    });
    expect(minixImage(SHORT_TREE, { sizeBytes: 2 ** 31 })).toMatchObject({
      message: expect.stringMatching(/too large/),
    });
    const huge = program("huge", new Uint8Array(68 << 20));
    expect(minixImage([huge])).toMatchObject({
      message: expect.stringMatching(/huge is larger than 64 MiB/),
    });
  });
});

describe("a disk", () => {
  it("is the same for the same files, whatever their order", () => {
    const turned = ext2Image([...TREE].reverse());
    expect(Buffer.compare(image(), turned as Uint8Array)).toBe(0);
  });

  it.each<[string, readonly FileEntry[], number | undefined, RegExp]>([
    ["files that do not fit", TREE, 1 << 20, /need a disk of \d+ MiB, and this one has 1/],
    ["a size that no board can hold", TREE, 2 ** 31, /too large: at most 1024 MiB/],
    ["a file in no folder", [script("a/b", "")], undefined, /a\/b is in no folder: add a/],
    ["a file in a file", [script("a", ""), script("a/b", "")], undefined, /a\/b is in no folder/],
    ["a name twice", [script("a", "1"), script("a", "2")], undefined, /a is there twice/],
    ["a path that leaves", [script("../a", "")], undefined, /no path of a file/],
    ["a name that is too long", [script("n".repeat(256), "")], undefined, /longer than 255 bytes/],
  ])("of %s is refused in one line", (_, entries, sizeBytes, message) => {
    const made = ext2Image(entries, sizeBytes === undefined ? {} : { sizeBytes });
    expect(made).toMatchObject({ kind: "file-tree-error", message: expect.stringMatching(message) });
  });
});

/** Members of a "newc" archive: name, mode and contents, read by the field table of cpio(5). */
function members(archive: Uint8Array): { name: string; mode: number; data: Buffer }[] {
  const bytes = Buffer.from(archive);
  const found = [];
  for (let at = 0; ; ) {
    if (bytes.toString("latin1", at, at + 6) !== "070701") throw new Error(`no member at ${at}`);
    const field = (index: number) =>
      Number.parseInt(bytes.toString("latin1", at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const [mode, size, nameBytes] = [field(1), field(6), field(11)];
    const name = bytes.toString("utf8", at + 110, at + 110 + nameBytes - 1);
    const start = Math.ceil((at + 110 + nameBytes) / 4) * 4;
    if (name === "TRAILER!!!") return found;
    found.push({ name, mode, data: bytes.subarray(start, start + size) });
    at = Math.ceil((start + size) / 4) * 4;
  }
}

describe("an initial file system", () => {
  it("is an archive of the files, folders before what is in them", () => {
    const archive = cpioArchive(TREE);
    if (!(archive instanceof Uint8Array)) throw new Error(archive.message);
    const found = members(archive);
    const named = new Map(found.map((each) => [each.name, each]));
    expect(named.size).toBe(TREE.length);
    expect(named.get("bin/long")?.data.equals(LONG)).toBe(true);
    expect(named.get("bin/sh")).toMatchObject({ mode: 0o120777 });
    expect(named.get("dev/console")?.mode).toBe(0o020600);
    const order = found.map(({ name }) => name);
    expect(order.indexOf("etc")).toBeLessThan(order.indexOf("etc/deep"));
    expect(order.indexOf("etc/deep")).toBeLessThan(order.findIndex((name) => name.startsWith("etc/deep/")));
  });

  it("of a damaged list is refused", () => {
    expect(cpioArchive([script("a/b", "")])).toMatchObject({ kind: "file-tree-error" });
  });
});
