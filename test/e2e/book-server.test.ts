/** The server of the course, over real sockets, on a folder made for the test. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BookServer, serveBook } from "../../lib/host/cli/serve.ts";

const landing = `<!doctype html><title>course</title>${"<p>island</p>".repeat(200)}`;

describe("the server of the course", () => {
  let folder: string;
  let server: BookServer;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "dom0-serve-"));
    const root = path.join(folder, "root");
    await mkdir(path.join(root, "chapters/one"), { recursive: true });
    await mkdir(path.join(root, "live"), { recursive: true });
    await writeFile(path.join(folder, "secret.txt"), "secret");
    await mkdir(path.join(folder, "root-neighbor"));
    await writeFile(path.join(folder, "root-neighbor/secret.txt"), "secret");
    await writeFile(path.join(root, "index.html"), landing);
    await writeFile(path.join(root, "404.html"), "<title>not here</title>");
    await writeFile(path.join(root, "chapters/one/index.html"), "<title>one</title>");
    await writeFile(path.join(root, "live/types-ABCDEFGH.json"), "{}");
    server = await serveBook({ root, port: 0 });
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  /** Sends a request line as it is, which fetch would tidy up first. */
  const raw = (target: string, headers = ""): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(server.port, "127.0.0.1");
      let answer = "";
      socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
      socket.on("end", () => resolve(answer)).on("error", reject);
      socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
    });

  it("listens on this machine alone", () => {
    expect(server.url).toBe(`http://127.0.0.1:${server.port}/`);
  });

  it("serves pages with the headers of cross-origin isolation", async () => {
    const response = await fetch(server.url);
    expect(await response.text()).toBe(landing);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(response.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
  });

  it.each([
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/..%5csecret.txt",
    "/chapters/../../secret.txt",
    "/../root-neighbor/secret.txt",
    "//../secret.txt",
  ])("never leaves its folder: %s", async (target) => {
    const answer = await raw(target);
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(answer).not.toContain("secret");
  });

  it.each(["/%", "/%00", "/%zz"])("answers 400 to the malformed address %s", async (target) => {
    expect(await raw(target)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("compresses text for who accepts it, and says so", async () => {
    const answer = await raw("/", "Accept-Encoding: gzip\r\n");
    expect(answer).toContain("Content-Encoding: gzip");
    const body = Buffer.from(answer.slice(answer.indexOf("\r\n\r\n") + 4), "latin1");
    expect(gunzipSync(body).toString()).toBe(landing);
    expect(await raw("/", "Accept-Encoding: gzip;q=0\r\n")).not.toContain("Content-Encoding");
    expect(await raw("/", "Accept-Encoding: br, gzip\r\n")).toContain("Content-Encoding: br");
  });

  it("answers 304 to who has the current version, and lets files with a digest in the name be kept", async () => {
    const etag = (await fetch(server.url)).headers.get("etag") ?? "";
    expect((await fetch(server.url, { headers: { "if-none-match": etag } })).status).toBe(304);
    const fixed = await fetch(`${server.url}live/types-ABCDEFGH.json`);
    expect(fixed.headers.get("cache-control")).toContain("immutable");
  });

  it("leads a folder without its slash to the page, and an unknown address to the page that says so", async () => {
    const folderAnswer = await fetch(`${server.url}chapters/one`, { redirect: "manual" });
    expect([folderAnswer.status, folderAnswer.headers.get("location")]).toEqual([301, "/chapters/one/"]);
    const unknown = await fetch(`${server.url}nothing`, { headers: { accept: "text/html" } });
    expect([unknown.status, await unknown.text()]).toEqual([404, "<title>not here</title>"]);
  });

  it("answers only GET and HEAD", async () => {
    expect((await fetch(server.url, { method: "POST", body: "x" })).status).toBe(405);
    const head = await fetch(server.url, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it("says in one line that a port is in use, that a port is no port, and that a folder holds no book", async () => {
    const root = path.join(folder, "root");
    await expect(serveBook({ root, port: server.port })).rejects.toThrow(
      `Port ${server.port} is in use: stop what uses it, or set PORT to another one.`,
    );
    await expect(serveBook({ root, port: 70_000 })).rejects.toThrow("PORT must be a number from 0 to 65535");
    await expect(serveBook({ root: folder })).rejects.toThrow("npm run book");
  });

  it("takes the first free port from 4321 up", async () => {
    const root = path.join(folder, "root");
    const [one, two] = [await serveBook({ root }), await serveBook({ root })];
    expect(one.port).toBeGreaterThanOrEqual(4321);
    expect(two.port).toBeGreaterThan(one.port);
    await Promise.all([one.close(), two.close()]);
  });
});
