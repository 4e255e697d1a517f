/**
 * What every entry point needs before anything is installed: where the project is, a modern Node, the packages,
 * the built library. Plain JavaScript for Node 20 and up, no dependencies, because it runs on a fresh clone.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";

export const ROOT = path.resolve(
  import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname),
  "../../..",
);
export const DIST = path.join(ROOT, "lib/dist");
const NODE_MAJOR = 24;
/**
 * What the command line's Node is started with. V8 would let its youngest objects fill two halves of 64 MB before it looks
 * for garbage, and keep them: four times as often costs no time that we could measure, and a translator makes much garbage.
 */
const NODE_OPTIONS = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=16"];
const INSTALL_STAMP = path.join(ROOT, "node_modules/.dom0-installed");
const BUILD_STAMP = path.join(DIST, ".stamp");

/** A mistake of the user's or of the machine's: printed as one line, exit code 1, never a stack. */
export class UserError extends Error {}

/** Runs an entry point: a `UserError` becomes one line and exit code 1; Ctrl-C exits with 130. */
export async function main(body) {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ]) {
    process.on(signal, () => {
      for (const child of children) child.kill(signal);
      process.exitCode = code;
      if (children.size === 0) process.exit(code);
      setTimeout(() => process.exit(code), 3000).unref();
    });
  }
  try {
    const code = await body();
    process.exitCode ||= typeof code === "number" ? code : 0;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode ||= 1;
  }
}

const children = new Set();

/**
 * Runs a program to its end. Output goes to the terminal; with `quiet` it is kept and returned, with `tee` both.
 * @returns {Promise<{code: number, output: string}>} A killed program has code 128 + signal number.
 */
export function run(
  program,
  args,
  { cwd = ROOT, env = {}, quiet = false, tee = false, stdin = "inherit" } = {},
) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, PATH: pathWithModernNode(), ...env },
      stdio: [stdin, quiet || tee ? "pipe" : "inherit", quiet || tee ? "pipe" : "inherit"],
    });
    children.add(child);
    let output = "";
    child.stdout?.on("data", (chunk) => {
      output += chunk;
      if (tee) process.stdout.write(chunk);
    });
    child.stderr?.on("data", (chunk) => {
      output += chunk;
      if (tee) process.stderr.write(chunk);
    });
    child.on("error", (error) => {
      children.delete(child);
      reject(error.code === "ENOENT" ? new UserError(`${program} is not installed or not on PATH.`) : error);
    });
    child.on("close", (code, signal) => {
      children.delete(child);
      resolve({ code: code ?? (signal === "SIGINT" ? 130 : 143), output });
    });
  });
}

/** Seconds between two signs of life: on a terminal the same line counts up, elsewhere a line now and then. */
const TICK_SECONDS = process.stderr.isTTY ? 1 : 15;

/** Shows that a long step is alive: a line when it starts, one that counts while it runs, one when it ends. */
export async function step(title, work) {
  const began = process.hrtime.bigint();
  const seconds = () => Number((process.hrtime.bigint() - began) / 1_000_000n) / 1000;
  const say = (text, end = "\n") =>
    process.stderr.write(`${process.stderr.isTTY ? "\r\x1b[K" : ""}${title}${text}${end}`);
  say("…", process.stderr.isTTY ? "" : "\n");
  const ticker = setInterval(
    () => say(`: ${seconds().toFixed(0)} s`, process.stderr.isTTY ? "" : "\n"),
    TICK_SECONDS * 1000,
  );
  try {
    const result = await work();
    say(`: done in ${seconds().toFixed(1)} s`);
    return result;
  } catch (error) {
    if (process.stderr.isTTY) process.stderr.write("\n");
    throw error;
  } finally {
    clearInterval(ticker);
  }
}

const majorOf = (version) => Number(/^v?(\d+)/.exec(version)?.[1] ?? 0);

/** Absolute path of a Node ≥ 24: the one running, else the one that npm installed. */
export function modernNode() {
  if (majorOf(process.version) >= NODE_MAJOR) return process.execPath;
  const bundled = path.join(
    ROOT,
    "node_modules/node/bin",
    process.platform === "win32" ? "node.exe" : "node",
  );
  if (existsSync(bundled)) return bundled;
  throw new UserError(
    `Node ${NODE_MAJOR} is missing: this is Node ${process.version}, and the npm package "node" did not install its ` +
      `program (are install scripts switched off? try "npm config set ignore-scripts false" and "npm ci"), or install Node ${NODE_MAJOR} yourself.`,
  );
}

const digest = (text) => createHash("sha256").update(text).digest("hex");

const readIf = (file) => (existsSync(file) ? readFileSync(file, "utf8") : undefined);

/** PATH on which `node` is the modern one, for the programs that we start and for those that they start. */
function pathWithModernNode() {
  const rest = process.env["PATH"] ?? "";
  const bundled = path.join(ROOT, "node_modules/.bin");
  const own = majorOf(process.version) >= NODE_MAJOR ? path.dirname(process.execPath) : bundled;
  return rest.split(path.delimiter)[0] === own ? rest : [own, rest].join(path.delimiter);
}

/** Installs the packages of the lock file unless this very lock file is installed already. */
export async function ensureInstalled() {
  const wanted = digest(readFileSync(path.join(ROOT, "package-lock.json")));
  if (readIf(INSTALL_STAMP) === wanted) return;
  await withLock("install", async () => {
    if (readIf(INSTALL_STAMP) === wanted) return;
    const npm = process.platform === "win32" ? "npm.cmd" : "npm";
    // On a fresh clone exactly the lock file; later only what changed, which keeps what is already there.
    const how = existsSync(path.join(ROOT, "node_modules")) ? ["install", "--no-save"] : ["ci"];
    const { code, output } = await step("Installing packages (once, about a minute)", () =>
      run(npm, [...how, "--no-audit", "--no-fund", "--loglevel=error"], { quiet: true, stdin: "ignore" }),
    );
    if (code !== 0) throw new UserError(installFailure(code, output));
    const { code: nodeCode } = await run(modernNode(), ["--version"], { quiet: true });
    if (nodeCode !== 0)
      throw new UserError(
        `The Node that npm installed does not run on this machine; install Node ${NODE_MAJOR} yourself.`,
      );
    writeFileSync(INSTALL_STAMP, wanted);
  });
}

function installFailure(code, output) {
  const reason = output
    .split("\n")
    .find((line) => /ENOSPC|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EACCES|ETIMEDOUT/.test(line));
  if (reason?.includes("ENOSPC"))
    return "The disk is full: npm needs about 1 GB free. Nothing was kept; make room and run the command again.";
  if (reason)
    return `npm could not install the packages: ${reason.replace(/^npm (error|ERR!)\s*/, "").trim()}. Check the network and run the command again.`;
  return `npm failed with code ${code}: ${output.trim().split("\n").slice(-1)[0] ?? ""}`;
}

/** Every file below `folder` that `wanted` accepts, sorted, so that a digest does not depend on the file system. */
export function filesBelow(folder, wanted, skip = ["dist", "node_modules", ".astro"]) {
  const found = [];
  const visit = (directory) => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (skip.includes(entry.name)) continue;
      const file = path.join(directory, entry.name);
      if (entry.isDirectory()) visit(file);
      else if (wanted(file)) found.push(file);
    }
  };
  if (existsSync(folder)) visit(folder);
  return found.sort();
}

/** One digest of the contents of many files; unchanged content means an unchanged digest. */
export function digestOf(files) {
  const hash = createHash("sha256");
  for (const file of files)
    hash.update(path.relative(ROOT, file)).update("\0").update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

/** Compiles `lib` to `lib/dist` unless nothing changed since the last complete build. */
export async function ensureBuilt() {
  const inputs = () =>
    digestOf([
      ...filesBelow(path.join(ROOT, "lib"), (file) => /[.](ts|mjs)$/.test(file)),
      path.join(ROOT, "tsconfig.base.json"),
      path.join(ROOT, "lib/tsconfig.json"),
      path.join(ROOT, "lib/package.json"),
      path.join(ROOT, "package-lock.json"),
    ]);
  if (readIf(BUILD_STAMP) === inputs()) return;
  await withLock("build", async () => {
    const wanted = inputs();
    if (readIf(BUILD_STAMP) === wanted) return;
    rmSync(BUILD_STAMP, { force: true });
    const tsc = path.join(ROOT, "node_modules/typescript/bin/tsc");
    const { code, output } = await step("Compiling the library", () =>
      run(modernNode(), [tsc, "-p", path.join(ROOT, "lib/tsconfig.json"), "--pretty", "false"], {
        quiet: true,
      }),
    );
    if (code !== 0) throw new UserError(`The library does not compile:\n${output.trim()}`);
    removeOrphans();
    const { downLevelTypes } = await import("./down-level-types.mjs");
    await downLevelTypes(DIST);
    writeFileSync(BUILD_STAMP, wanted);
  });
}

/** Deletes compiled files whose source is gone, so that a renamed module cannot go on being imported. */
function removeOrphans() {
  for (const file of filesBelow(DIST, (name) => /[.](js|d[.]ts|js[.]map)$/.test(name), ["ts5.0"])) {
    const source = path.join(
      ROOT,
      "lib",
      path.relative(DIST, file).replace(/[.](js[.]map|d[.]ts|js)$/, ".ts"),
    );
    if (!existsSync(source)) rmSync(file);
  }
}

/** Holds a lock folder while `work` runs, so that two commands started together do not build over each other. */
export async function withLock(name, work) {
  const lock = path.join(ROOT, ".cache", `${name}.lock`);
  mkdirSync(path.dirname(lock), { recursive: true });
  while (!tryLock(lock)) await new Promise((resolve) => setTimeout(resolve, 200));
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function tryLock(lock) {
  try {
    mkdirSync(lock);
    writeFileSync(path.join(lock, "pid"), String(process.pid));
    return true;
  } catch (error) {
    if (error.code === "ENOSPC")
      throw new UserError("The disk is full: make room and run the command again.");
    if (error.code !== "EEXIST") throw error;
    const owner = Number(readIf(path.join(lock, "pid")) ?? 0);
    if (
      owner === 0 ? statSync(lock, { throwIfNoEntry: false })?.mtimeMs < Date.now() - 5000 : !isAlive(owner)
    ) {
      rmSync(lock, { recursive: true, force: true });
    }
    return false;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Runs one `dom0` command in the compiled command line, installing and building first. */
export async function runDom0(args) {
  await ensureInstalled();
  await ensureBuilt();
  const command = [...NODE_OPTIONS, path.join(DIST, "host/cli/main.js"), ...args];
  const { code } = await run(modernNode(), command, { cwd: process.cwd() });
  return code;
}
