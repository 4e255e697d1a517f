/**
 * The server of the course: static files on this machine alone, with the headers that give a page shared memory.
 *
 * It knows no course: it serves a folder. Text is compressed once and kept; nothing outside the folder is reachable.
 */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import path from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { PROJECT_ROOT } from "../node-assets.ts";

const brotli = promisify(brotliCompress);
const deflate = promisify(gzip);

const firstPort = 4321;
const lastPort = 4421;

const contentTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".elf": "application/octet-stream",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".ipynb": "application/x-ipynb+json",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
  ".xml": "application/xml; charset=utf-8",
};

/** How to serve a built book. */
export interface ServeOptions {
  /** Folder of the built site. */
  readonly root: string;
  /** Port to use; without it the first free one from 4321 up. */
  readonly port?: number;
  /** Address to listen on; this machine alone unless given. */
  readonly host?: string;
  /** Send the headers of cross-origin isolation; off only to test a plain static host. */
  readonly isolated?: boolean;
}

/** A running server. */
export interface BookServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Why a server did not start, in one line. */
export class ServeError extends Error {
  override readonly name = "ServeError";
}

/**
 * Serves a built book until closed.
 *
 * @throws {ServeError} when the folder holds no book or the port cannot be had.
 */
export async function serveBook(options: ServeOptions): Promise<BookServer> {
  const root = path.resolve(options.root);
  const host = options.host ?? "127.0.0.1";
  if (!(await isFile(path.join(root, "index.html")))) {
    throw new ServeError(`No book in ${options.root}: run \`npm run book\` first.`);
  }
  const handler = bookHandler(root, options.isolated ?? true);
  const server = createServer((request, response) => void handler(request, response));
  const port = await listen(server, host, options.port);
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}/`,
    port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, host: string, wanted: number | undefined): Promise<number> {
  if (wanted !== undefined) {
    if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65535) {
      throw new ServeError(`PORT must be a number from 0 to 65535, not ${wanted}.`);
    }
    const error = await tryPort(server, host, wanted);
    if (error) throw new ServeError(portMessage(error, wanted));
    return boundPort(server);
  }
  for (let port = firstPort; port <= lastPort; port += 1) {
    const error = await tryPort(server, host, port);
    if (!error) return port;
    if (error.code !== "EADDRINUSE") throw new ServeError(portMessage(error, port));
  }
  throw new ServeError(`No free port from ${firstPort} to ${lastPort}: set PORT to one that is free.`);
}

function portMessage(error: NodeJS.ErrnoException, port: number): string {
  if (error.code === "EADDRINUSE")
    return `Port ${port} is in use: stop what uses it, or set PORT to another one.`;
  if (error.code === "EACCES")
    return `Port ${port} needs rights that you do not have: set PORT to one above 1023.`;
  return `Port ${port} cannot be opened: ${error.message}`;
}

function tryPort(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const settle = (error?: NodeJS.ErrnoException): void => {
      server.off("error", settle).off("listening", settle);
      resolve(error);
    };
    server.once("error", settle).once("listening", settle);
    server.listen(port, host);
  });
}

function boundPort(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

interface StoredFile {
  readonly modifiedMs: number;
  readonly content: Buffer;
  readonly etag: string;
  readonly encoded: Map<string, Promise<Buffer>>;
}

function bookHandler(root: string, isolated: boolean) {
  const files = new Map<string, StoredFile>();
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      await answer(request, response, root, isolated, files);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "";
      sendText(response, 500, `The server could not read a file (${code || "unknown error"}).\n`);
    }
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  root: string,
  isolated: boolean,
  files: Map<string, StoredFile>,
): Promise<void> {
  setCommonHeaders(response, isolated);
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    return sendText(response, 405, "Only GET and HEAD are answered here.\n");
  }
  const wanted = requestedPath(request.url ?? "/");
  if (wanted === undefined) return sendText(response, 400, "That address is not valid.\n");
  const found = await locate(root, wanted);
  if (found === undefined) return sendNotFound(request, response, root, files);
  if (found.redirect !== undefined) {
    response.setHeader("Location", found.redirect);
    return sendText(response, 301, "");
  }
  await sendFile(request, response, 200, found.file, wanted, await stored(files, found.file));
}

function setCommonHeaders(response: ServerResponse, isolated: boolean): void {
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Referrer-Policy", "no-referrer");
  if (!isolated) return;
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
  response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
}

/** The decoded path of a request, or `undefined` when it is malformed. */
function requestedPath(url: string): string | undefined {
  const encoded = url.split(/[?#]/, 1)[0] ?? "/";
  try {
    const decoded = decodeURIComponent(encoded);
    return decoded.startsWith("/") && !decoded.includes("\0") ? decoded : undefined;
  } catch {
    return undefined;
  }
}

async function locate(
  root: string,
  wanted: string,
): Promise<{ file: string; redirect?: string } | undefined> {
  const file = path.join(root, path.posix.normalize(wanted.replaceAll("\\", "/")));
  if (file !== root && !file.startsWith(root + path.sep)) return undefined;
  const state = await stat(file).catch(() => undefined);
  if (state?.isFile()) return { file };
  if (!state?.isDirectory()) return undefined;
  const index = path.join(file, "index.html");
  if (!(await isFile(index))) return undefined;
  return wanted.endsWith("/") ? { file: index } : { file: index, redirect: `${encodeURI(wanted)}/` };
}

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() ?? false;
}

async function stored(files: Map<string, StoredFile>, file: string): Promise<StoredFile> {
  const { mtimeMs } = await stat(file);
  const known = files.get(file);
  if (known?.modifiedMs === mtimeMs) return known;
  const content = await readFile(file);
  const etag = `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
  const fresh = { modifiedMs: mtimeMs, content, etag, encoded: new Map<string, Promise<Buffer>>() };
  files.set(file, fresh);
  return fresh;
}

async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  file: string,
  wanted: string,
  entry: StoredFile,
): Promise<void> {
  const type = contentTypes[path.extname(file).toLowerCase()] ?? "application/octet-stream";
  response.setHeader("Content-Type", type);
  response.setHeader("ETag", entry.etag);
  response.setHeader("Vary", "Accept-Encoding");
  response.setHeader("Cache-Control", isHashed(wanted) ? "public, max-age=31536000, immutable" : "no-cache");
  if (request.headers["if-none-match"] === entry.etag) {
    response.writeHead(304).end();
    return;
  }
  const encoding = isCompressible(type) ? chosenEncoding(request.headers["accept-encoding"]) : undefined;
  const body = encoding === undefined ? entry.content : await encodedContent(entry, encoding);
  if (encoding !== undefined) response.setHeader("Content-Encoding", encoding);
  response.setHeader("Content-Length", body.length);
  response.writeHead(status);
  response.end(request.method === "HEAD" ? undefined : body);
}

/** Files whose names carry a digest of their content never change. */
function isHashed(wanted: string): boolean {
  return /^\/_astro\//.test(wanted) || /^\/live\/[^/]*-[A-Z0-9]{8}\.\w+$/.test(wanted);
}

function isCompressible(type: string): boolean {
  return /^text\/|json|xml|javascript|wasm|octet-stream/.test(type);
}

function chosenEncoding(accepted: string | undefined): "br" | "gzip" | undefined {
  const names = (accepted ?? "").split(",").map((part) => part.trim());
  const allows = (name: string): boolean =>
    names.some((part) => part === name || (part.startsWith(`${name};`) && !/q=0(\.0*)?$/.test(part)));
  return allows("br") ? "br" : allows("gzip") ? "gzip" : undefined;
}

function encodedContent(entry: StoredFile, encoding: "br" | "gzip"): Promise<Buffer> {
  const known = entry.encoded.get(encoding);
  if (known) return known;
  const fresh =
    encoding === "br"
      ? brotli(entry.content, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })
      : deflate(entry.content, { level: 6 });
  entry.encoded.set(encoding, fresh);
  return fresh;
}

async function sendNotFound(
  request: IncomingMessage,
  response: ServerResponse,
  root: string,
  files: Map<string, StoredFile>,
): Promise<void> {
  const page = path.join(root, "404.html");
  const wantsPage = (request.headers.accept ?? "").includes("text/html");
  if (!wantsPage || !(await isFile(page))) return sendText(response, 404, "There is no such page.\n");
  await sendFile(request, response, 404, page, "/404.html", await stored(files, page));
}

function sendText(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(text),
  });
  response.end(text);
}

function portFromEnvironment(): number | undefined {
  const text = process.env["PORT"];
  if (text === undefined || text === "") return undefined;
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** `dom0 serve [FOLDER]`: serves a built book. */
export const command = {
  summary: "Serve the built course on this machine.",
  usage: `Usage: dom0 serve [FOLDER]

Serves FOLDER (book/dist when left out) on 127.0.0.1. PORT in the environment chooses the port; without it the first
free one from 4321 up is taken.`,
  async run(args: string[]): Promise<number> {
    try {
      const root = args[0] ?? path.join(PROJECT_ROOT, "book/dist");
      const server = await serveBook({ root, ...optionalPort(portFromEnvironment()) });
      process.stdout.write(`\nThe course:  ${server.url}\n`);
      process.stdout.write("The same notebooks in JupyterLab:  npm run lab\nCtrl-C stops the server.\n");
      await new Promise<void>((resolve) => {
        process.once("SIGINT", resolve).once("SIGTERM", resolve);
      });
      await server.close();
      return 0;
    } catch (error) {
      if (!(error instanceof ServeError)) throw error;
      process.stderr.write(`${error.message}\n`);
      return 1;
    }
  },
};

function optionalPort(port: number | undefined): { port?: number } {
  return port === undefined ? {} : { port };
}
