/** Fetching Debian packages from a mirror of our own, which is honest, gone or lying. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  debianMirrors,
  fetchDebianPackage,
  unpackDebianPackages,
} from "../../../lib/host/debian-packages.ts";

const say = (): void => {};
let folder = "";
let server: Server;
let mirror = "";
const files = new Map<string, Buffer>();
const asked: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dom0-debian-"));
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const bytes = files.get(request.url ?? "");
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Puts bytes on the mirror and gives the package that names them. */
function published(file: string, bytes: Buffer): { file: string; sha256: string } {
  files.set(`/${file}`, bytes);
  return { file, sha256: createHash("sha256").update(bytes).digest("hex") };
}

describe("a Debian package", () => {
  it("is fetched once and verified", async () => {
    const wanted = published("pool/a_1.deb", Buffer.from("content"));
    const options = { mirrors: [mirror], cache: join(folder, "one"), say };
    const first = await fetchDebianPackage(wanted, options);
    const before = asked.length;
    expect(await fetchDebianPackage(wanted, options)).toEqual(first);
    expect(asked.length).toBe(before);
    expect(first.kind === "path" && readFileSync(first.path, "utf8")).toBe("content");
  });

  it("is taken from the next mirror when the first sends something else", async () => {
    const wanted = published("good/pool/b_1.deb", Buffer.from("right"));
    published("bad/pool/b_1.deb", Buffer.from("wrong"));
    const file = "pool/b_1.deb";
    const cache = join(folder, "two");
    const lying = await fetchDebianPackage({ ...wanted, file }, { mirrors: [`${mirror}/bad`], cache, say });
    expect(lying).toMatchObject({ kind: "refused", message: expect.stringContaining("not the pinned one") });
    const mirrors = [`${mirror}/bad`, `${mirror}/good`];
    expect(await fetchDebianPackage({ ...wanted, file }, { mirrors, cache, say })).toMatchObject({
      kind: "path",
    });
  });

  it("that is gone is refused with a line that says so, and leaves nothing behind", async () => {
    const cache = join(folder, "three");
    const wanted = { file: "pool/gone_1.deb", sha256: "0".repeat(64) };
    const refused = await unpackDebianPackages("part", [wanted], { mirrors: [mirror], cache, say });
    expect(refused).toMatchObject({ kind: "refused", message: expect.stringMatching(/gone_1\.deb.*gone;/) });
    expect(existsSync(join(cache, "part"))).toBe(false);
    expect(readdirSync(join(cache, "packages"))).toEqual([]);
  });

  it.runIf(spawnSync("dpkg-deb", ["--version"]).status === 0)(
    "is unpacked, and again when the pin changes",
    async () => {
      const cache = join(folder, "four");
      const pack = (text: string) => published(`pool/${text}_1.deb`, debianFile(text));
      const [old, young] = [pack("old"), pack("young")];
      const options = { mirrors: [mirror], cache, say };
      const where = await unpackDebianPackages("part", [old], options);
      expect(where).toEqual({ kind: "path", path: join(cache, "part") });
      expect(readFileSync(join(cache, "part/usr/text"), "utf8")).toBe("old");
      await unpackDebianPackages("part", [young], options);
      expect(readFileSync(join(cache, "part/usr/text"), "utf8")).toBe("young");
      expect(readdirSync(cache).sort()).toEqual(["packages", "part"]);
    },
  );
});

/** A package with one file in it. */
function debianFile(text: string): Buffer {
  const tree = join(folder, `tree-${text}`);
  mkdirSync(join(tree, "DEBIAN"), { recursive: true });
  mkdirSync(join(tree, "usr"));
  const control = `Package: ${text}\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: text\n`;
  writeFileSync(join(tree, "DEBIAN/control"), control);
  writeFileSync(join(tree, "usr/text"), text);
  spawnSync("dpkg-deb", ["-b", "--root-owner-group", tree, `${tree}.deb`]);
  return readFileSync(`${tree}.deb`);
}

describe("mirrors", () => {
  it("are those of apt's sources in both formats, then Debian's own; others' repositories are not asked", () => {
    const apt = join(folder, "apt");
    mkdirSync(join(apt, "sources.list.d"), { recursive: true });
    writeFileSync(
      join(apt, "sources.list"),
      "# deb http://no.example/debian x\ndeb [a=b] http://one.example/debian/ trixie main\n",
    );
    writeFileSync(
      join(apt, "sources.list.d/debian.sources"),
      "Types: deb\nURIs: http://two.example/debian\n\nURIs: http://two.example/debian-security\n",
    );
    writeFileSync(join(apt, "sources.list.d/other.list"), "deb https://three.example/apt stable main\n");
    expect(debianMirrors(apt)).toEqual([
      "http://one.example/debian",
      "http://two.example/debian",
      "http://deb.debian.org/debian",
    ]);
  });
});
