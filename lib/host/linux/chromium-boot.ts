/** A boot of stock Linux in a tab of Chromium: on the translating engine, in a worker, from the kit's sources. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import os from "node:os";
import path from "node:path";
import type { Board } from "../../board/board.ts";
import { listenHere, sourceServer } from "../source-server.ts";
import { initialFileSystem, PROMPT, rootDisk } from "./file-systems.ts";
import { DEFAULT_RAM_BYTES, KERNEL_ARGUMENTS } from "./machine.ts";
import type { LinuxFiles } from "./packages.ts";

/** What a boot to the shell's first prompt came to. */
export interface ShellReached {
  readonly retired: number;
  readonly text: string;
  readonly hash: string;
}

/** The same, and how long it took from the worker's first instruction on: sources, kernel and file systems are loaded in it. */
export interface ChromiumBoot {
  readonly found: ShellReached;
  readonly seconds: number;
  /** From the board's construction on. */
  readonly bootSeconds: number;
  readonly regions: number;
  readonly compileFailures: number;
  /** The part of the steps that was made in regions. */
  readonly regionShare: number;
}

/** The console is looked at after so many instructions. */
const PIECE = 5_000_000;
/** More than a boot takes. */
const LIMIT = 3e9;

/** Runs a board with Linux in it to the prompt; where it is then. */
export function runToShell(board: Board): ShellReached {
  while (!board.console.text.endsWith(PROMPT) && board.clock.retired < LIMIT) {
    const { reason } = board.run({ instructions: PIECE });
    if (reason !== "budget" && reason !== "wfi") break;
  }
  return { retired: board.clock.retired, text: board.console.text, hash: board.trace.hash() };
}

const WORKER = `
const bytesOf = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
const answer = async () => {
  const begun = performance.now();
  const { buildBoard } = await import("/lib/board/virt.ts");
  const { loadLinux } = await import("/lib/board/linux-boot.ts");
  const [kernel, initramfs, firmware, disk] = await Promise.all(
    ["/boot/kernel", "/boot/initramfs", "/boot/firmware", "/boot/disk"].map(bytesOf));
  const built = performance.now();
  const board = buildBoard({ engine: "translator", ramBytes: ${DEFAULT_RAM_BYTES}, disk });
  const loaded = loadLinux(board, { kernel, initramfs, firmware, bootArguments: ${JSON.stringify(KERNEL_ARGUMENTS)} });
  if (loaded.kind === "load-error") throw new Error(loaded.message);
  const prompt = ${JSON.stringify(PROMPT)};
  while (!board.console.text.endsWith(prompt) && board.clock.retired < ${LIMIT}) {
    const { reason } = board.run({ instructions: ${PIECE} });
    if (reason !== "budget" && reason !== "wfi") break;
  }
  const ended = performance.now();
  const { regions, compileFailures, regionSteps, steps } = board.counters;
  return {
    found: { retired: board.clock.retired, text: board.console.text, hash: board.trace.hash() },
    seconds: (ended - begun) / 1000, bootSeconds: (ended - built) / 1000,
    regions, compileFailures, regionShare: regionSteps / steps,
  };
};
const told = await answer().catch((error) => ({ error: String(error.stack ?? error) }));
await fetch("/answer", { method: "POST", body: JSON.stringify(told) });
`;

const START = `<!doctype html><title>Linux</title><script>new Worker("/worker.js", { type: "module" });</script>`;

const BROWSER_ARGUMENTS = [
  ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** What the worker needs, by path. Throws when the file systems cannot be made. */
function servedFiles(files: LinuxFiles): Map<string, Uint8Array> {
  const made = (bytes: ReturnType<typeof rootDisk>): Uint8Array => {
    if (!(bytes instanceof Uint8Array)) throw new Error(bytes.message);
    return bytes;
  };
  const text = (source: string): Uint8Array => new TextEncoder().encode(source);
  return new Map([
    ["/start.html", text(START)],
    ["/worker.js", text(WORKER)],
    ["/boot/kernel", files.kernel],
    ["/boot/initramfs", made(initialFileSystem(files))],
    ["/boot/firmware", files.opensbi],
    ["/boot/disk", made(rootDisk(files))],
  ]);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of request) pieces.push(piece as Uint8Array);
  return Buffer.concat(pieces).toString("utf8");
}

/**
 * Boots Linux to its shell in a tab of this Chromium. Throws what went wrong in the tab, or that it took too long.
 *
 * @param program  Path of Chromium.
 */
export async function bootInChromium(
  program: string,
  files: LinuxFiles,
  limitMs: number,
): Promise<ChromiumBoot> {
  const server = sourceServer(servedFiles(files));
  const port = await listenHere(server);
  const folder = mkdtempSync(path.join(os.tmpdir(), "dom0-chromium-"));
  let browser: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const text = await new Promise<string>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no shell in Chromium within ${limitMs / 1000} s`)), limitMs);
      server.on("request", (request) => {
        if (request.method === "POST" && request.url === "/answer") bodyOf(request).then(resolve, reject);
      });
      const address = `http://127.0.0.1:${port}/start.html`;
      browser = spawn(program, [...BROWSER_ARGUMENTS, `--user-data-dir=${folder}`, address], {
        stdio: "ignore",
      });
      browser.on("error", reject);
      browser.on("exit", (code) => reject(new Error(`Chromium ended with ${code}`)));
    });
    const answer = JSON.parse(text) as ChromiumBoot | { readonly error: string };
    if ("error" in answer) throw new Error(answer.error);
    return answer;
  } finally {
    clearTimeout(timer);
    await ended(browser);
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Ends a process, and waits until it has. */
async function ended(browser: ChildProcess | undefined): Promise<void> {
  if (browser === undefined || browser.exitCode !== null || browser.pid === undefined) return;
  const gone = new Promise((resolve) => browser.once("exit", resolve));
  browser.kill();
  await gone;
}
