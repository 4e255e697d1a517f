/**
 * The wall on Linux: own user, pid, network, ipc, mount and cgroup namespaces, a read-only root that holds the kit
 * alone, an empty environment, resource limits, and death with the parent.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, existsSync, lstatSync, mkdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import {
  CAGE_LIMITS,
  type Confined,
  cageProgram,
  compilerProgram,
  type KitPaths,
  type Sandbox,
} from "./sandbox.ts";

const NOBODY = 65_534;
/** Where the kit lies inside: the same on every machine, and nobody's home. */
const KIT_INSIDE = "/kit";
const CACHE_INSIDE = `${KIT_INSIDE}/.cache`;

const WALLS = ["--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--hostname", "cage"];

/** Starts processes behind bubblewrap. */
export function bubblewrap(kit: KitPaths, bwrap: string, prlimit: string): Sandbox {
  const node = realpathSync(process.execPath);
  const mounts = kitMounts(kit, node);
  // The limit on processes does not bind root, so root starts them as nobody where nobody can read the kit.
  const asNobody = process.getuid?.() === 0 && [node, kit.frontDoor].every(readableByAnybody);
  const start = (program: Confined, bind: "--bind" | "--ro-bind", mode: string): ChildProcess => {
    const cache = existsSync(kit.cache) ? [bind, kit.cache, CACHE_INSIDE] : [];
    const files = [program.main, ...program.files].map((file) => insideKit(kit, file));
    const inside = ["/node", "--no-warnings", ...program.nodeFlags, ...files, CACHE_INSIDE, mode];
    const outside = [...program.limits, bwrap, ...WALLS, ...mounts, ...cache, "--remount-ro", "/"];
    return spawn(prlimit, [...outside, ...inside], {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      env: {},
      ...(asNobody ? { uid: NOBODY, gid: NOBODY } : {}),
    });
  };
  return {
    isolation: "bubblewrap",
    startCage: (limits) => start(cageProgram(kit, limits), "--ro-bind", "serve"),
    startCompiler: () => start(compilerProgram(kit), "--ro-bind", "serve"),
    warmUp: async () => {
      makeCache(kit.cache, asNobody);
      const programs = [cageProgram(kit, CAGE_LIMITS), compilerProgram(kit)];
      await Promise.all(programs.map((program) => ended(start(program, "--bind", "warm-up"))));
    },
  };
}

const insideKit = (kit: KitPaths, file: string): string =>
  path.posix.join(KIT_INSIDE, "lib", path.relative(kit.lib, file));

function kitMounts(kit: KitPaths, node: string): readonly string[] {
  return [
    ...systemMounts(),
    ...["--proc", "/proc", "--dir", "/dev"],
    ...["null", "urandom"].flatMap((name) => ["--dev-bind", `/dev/${name}`, `/dev/${name}`]),
    ...["--ro-bind", node, "/node"],
    ...["--ro-bind", kit.lib, `${KIT_INSIDE}/lib`],
    ...["--ro-bind", kit.nodeModules, `${KIT_INSIDE}/node_modules`],
    ...["--chdir", KIT_INSIDE],
  ];
}

/** Mounts the dynamic linker's folders as the host has them: links stay links, folders are bound read-only. */
function systemMounts(): readonly string[] {
  return ["/usr/lib", "/usr/lib64", "/lib", "/lib64"].flatMap((folder) => {
    if (!existsSync(folder)) return [];
    return lstatSync(folder).isSymbolicLink()
      ? ["--symlink", readlinkSync(folder), folder]
      : ["--ro-bind", folder, folder];
  });
}

/** May anybody read this file, so that a process can run as nobody? */
function readableByAnybody(file: string): boolean {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === path.dirname(folder)) break;
  }
  return (statSync(file).mode & 0o004) !== 0;
}

function makeCache(folder: string, asNobody: boolean): void {
  try {
    mkdirSync(folder, { recursive: true });
    if (asNobody) chownSync(folder, NOBODY, NOBODY);
  } catch {
    // Without a cache every process compiles the kit again: slower, otherwise the same.
  }
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.on("error", () => resolve());
    child.on("exit", () => resolve());
    child.stdout?.resume();
    child.stderr?.resume();
  });
