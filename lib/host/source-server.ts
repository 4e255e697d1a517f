/** Serves the kit's sources to a browser, without a build between: what runs in the page is what runs in Node, types stripped. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import { join, normalize } from "node:path";
import { PROJECT_ROOT } from "./node-assets.ts";

const PAGE = `<!doctype html><title>board</title><script type="importmap">
{ "imports": { "@noble/hashes/": "/node_modules/@noble/hashes/", "fflate": "/node_modules/fflate/esm/browser.js" } }</script>`;

/** Workers have no import map: packages are named by their path. */
const withPaths = (source: string): string =>
  source
    .replaceAll('"@noble/hashes/', '"/node_modules/@noble/hashes/')
    .replaceAll('"fflate"', '"/node_modules/fflate/esm/browser.js"');

const MEDIA_TYPES: Readonly<Record<string, string>> = { js: "text/javascript", html: "text/html" };

/** A server of the project's folder and, by path, of files besides. `/` is an empty page, `/isolated` one that is isolated. */
export function sourceServer(files: ReadonlyMap<string, Uint8Array>): Server {
  return createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = files.get(path);
    try {
      // What a page that is isolated loads must allow it, whoever loads it.
      if (path !== "/") response.setHeader("cross-origin-embedder-policy", "require-corp");
      if (path === "/isolated") response.setHeader("cross-origin-opener-policy", "same-origin");
      if (path === "/" || path === "/isolated") response.setHeader("content-type", "text/html").end(PAGE);
      else if (file !== undefined) {
        const type = MEDIA_TYPES[path.slice(path.lastIndexOf(".") + 1)];
        if (type !== undefined) response.setHeader("content-type", type);
        response.end(file);
      } else {
        const source = readFileSync(join(PROJECT_ROOT, path), "utf8");
        response.setHeader("content-type", "text/javascript");
        response.end(path.endsWith(".ts") ? withPaths(stripTypeScriptTypes(source)) : source);
      }
    } catch {
      response.writeHead(404).end();
    }
  });
}

/** Listens on this machine alone, on any free port; the port. */
export async function listenHere(server: Server): Promise<number> {
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}
