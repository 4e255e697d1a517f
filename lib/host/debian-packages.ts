/**
 * Debian packages as plain files: fetched by exact name, version and SHA-256, kept in `.cache/`, unpacked into a folder
 * of their own. Nothing is installed and nobody's rights are needed; the system's own packages stay as they are.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { PROJECT_ROOT } from "./node-assets.ts";

/** One package file of the archive, exactly. */
export interface DebianPackage {
  /** Path below the mirror's root, `pool/main/…`. */
  readonly file: string;
  readonly sha256: string;
}

/** Where something was put, or why it could not be. */
export type Fetched =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "refused"; readonly message: string };

/** Who hears of progress: one short line at a time, without a line end. */
export type Say = (line: string) => void;

/** Options of a fetch; all have defaults that suit the command line. */
export interface FetchOptions {
  /** Roots of mirrors in order of preference. */
  readonly mirrors?: readonly string[];
  /** Folder for the package files and what is unpacked from them. */
  readonly cache?: string;
  readonly say?: Say;
}

/** Where packages and what is unpacked from them are kept. */
export const DEBIAN_CACHE: string = path.join(PROJECT_ROOT, ".cache/debian");
const FALLBACK_MIRROR = "http://deb.debian.org/debian";
const MINUTE = 60_000;

/**
 * Roots of the Debian mirrors that apt is configured with, then Debian's own. Security archives and other people's
 * repositories do not count.
 */
export function debianMirrors(aptFolder = "/etc/apt"): string[] {
  const parts = path.join(aptFolder, "sources.list.d");
  const files = [
    path.join(aptFolder, "sources.list"),
    ...listed(parts).map((name) => path.join(parts, name)),
  ];
  const urls = files
    .filter((file) => /\.(list|sources)$/.test(file) && existsSync(file))
    .flatMap((file) => mirrorsIn(readFileSync(file, "utf8")));
  return [...new Set([...urls, FALLBACK_MIRROR])];
}

const listed = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);

function mirrorsIn(text: string): string[] {
  const lines = text.split("\n").filter((line) => /^\s*(deb\s|URIs:)/.test(line));
  return lines
    .flatMap((line) => line.match(/https?:\/\/\S+/g) ?? [])
    .map((url) => url.replace(/\/+$/, ""))
    .filter((url) => /\/debian$/.test(url));
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/**
 * Brings one package file into the cache and gives its path. A file that is there already is only verified. What a
 * mirror sends under the right name with wrong content is refused and the next mirror is asked.
 */
export async function fetchDebianPackage(
  wanted: DebianPackage,
  options: FetchOptions = {},
): Promise<Fetched> {
  const { mirrors = debianMirrors(), cache = DEBIAN_CACHE, say = printLine } = options;
  const name = path.basename(wanted.file);
  const target = path.join(cache, "packages", name);
  if (existsSync(target) && sha256(readFileSync(target)) === wanted.sha256)
    return { kind: "path", path: target };
  mkdirSync(path.dirname(target), { recursive: true });
  const refusals: string[] = [];
  for (const mirror of mirrors) {
    say(`fetching ${name} from ${mirror}`);
    const answer = await download(`${mirror}/${wanted.file}`);
    if (typeof answer === "string") refusals.push(`${mirror}: ${answer}`);
    else if (sha256(answer) !== wanted.sha256) refusals.push(`${mirror}: its content is not the pinned one`);
    else {
      writeAtomically(target, answer);
      return { kind: "path", path: target };
    }
  }
  return { kind: "refused", message: `${name} is not to be had (${refusals.join("; ")}).` };
}

/** The bytes at an address, or one line that says why not. */
async function download(url: string): Promise<Uint8Array | string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5 * MINUTE) });
    if (response.status === 404) return "gone; a newer version has probably replaced it";
    if (!response.ok) return `answered ${response.status}`;
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    return String(cause instanceof Error ? cause.message : error);
  }
}

/** A file is there whole or not at all, whoever else writes it at the same time. */
function writeAtomically(target: string, bytes: Uint8Array): void {
  const draft = `${target}.${process.pid}`;
  writeFileSync(draft, bytes);
  renameSync(draft, target);
}

/**
 * Fetches packages and unpacks them together into `.cache/debian/NAME`, which is there whole or not at all. A folder
 * that holds these very packages already is left as it is. `finish` may add to the folder before it appears.
 */
export async function unpackDebianPackages(
  name: string,
  packages: readonly DebianPackage[],
  options: FetchOptions & { readonly finish?: (folder: string) => void } = {},
): Promise<Fetched> {
  const { cache = DEBIAN_CACHE, say = printLine } = options;
  const folder = path.join(cache, name);
  const stamp = packages.map((each) => `${each.sha256}  ${each.file}\n`).join("");
  const stampFile = (where: string): string => path.join(where, ".packages");
  if (existsSync(stampFile(folder)) && readFileSync(stampFile(folder), "utf8") === stamp)
    return { kind: "path", path: folder };
  const draft = `${folder}.${process.pid}`;
  try {
    for (const wanted of packages) {
      const fetched = await fetchDebianPackage(wanted, options);
      if (fetched.kind === "refused") return fetched;
      const problem = unpack(fetched.path, draft);
      if (problem !== undefined) return { kind: "refused", message: problem };
    }
    options.finish?.(draft);
    writeFileSync(stampFile(draft), stamp);
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
    say(`unpacked ${packages.length} packages into ${folder}`);
    return { kind: "path", path: folder };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Unpacks one package over a folder; gives one line when that fails. */
function unpack(deb: string, folder: string): string | undefined {
  mkdirSync(folder, { recursive: true });
  const { status, stderr, error } = spawnSync("dpkg-deb", ["-x", deb, folder], { encoding: "utf8" });
  if (error !== undefined)
    return "dpkg-deb is missing: unpacking Debian packages needs it (apt-get install dpkg).";
  return status === 0 ? undefined : `${path.basename(deb)} cannot be unpacked: ${stderr.trim()}`;
}

const printLine: Say = (line) => process.stderr.write(`${line}\n`);
