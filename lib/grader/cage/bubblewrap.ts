/**
 * The wall on Linux: own user, pid, network, ipc, mount and cgroup namespaces, a read-only root that holds the kit
 * alone, an empty environment, resource limits, and death with the parent.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
} from "node:fs";
import path from "node:path";
import {
  CAGE_LIMITS,
  type Confined,
  cageMode,
  cageProgram,
  compilerProgram,
  type KitPaths,
  type Sandbox,
} from "./confined.ts";

/** Users that nobody is, one for each confined process: the limit on processes counts all that a user has. */
const FIRST_STRANGER = 59_000;
const STRANGERS = 1_000;
let strangers = process.pid % STRANGERS;

function nextStranger(): number {
  strangers = (strangers + 1) % STRANGERS;
  return FIRST_STRANGER + strangers;
}

/** User and group inside: the same for all, since the name of the cache holds it. */
const USER_INSIDE = "65534";
/** Processes and threads that one confined program may have. Node starts with about a dozen. */
const OWN_PROCESSES = 64;
/** Where the kit lies inside: the same on every machine, and nobody's home. */
const KIT_INSIDE = "/kit";
const CACHE_INSIDE = `${KIT_INSIDE}/.cache`;

const WALLS = [
  ...["--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--hostname", "cage"],
  ...["--uid", USER_INSIDE, "--gid", USER_INSIDE],
];

/** Starts processes behind bubblewrap. */
export function bubblewrap(kit: KitPaths, bwrap: string, prlimit: string): Sandbox {
  const node = realpathSync(process.execPath);
  const mounts = kitMounts(kit, node);
  // The limit on processes does not bind root, so root starts them as strangers where strangers can read the kit.
  const asStranger = process.getuid?.() === 0 && [node, kit.frontDoor].every(readableByAnybody);
  const start = (
    program: Confined,
    bind: "--bind" | "--ro-bind",
    mode: string,
    stranger = nextStranger(),
  ): ChildProcess => {
    const cache = existsSync(kit.cache) ? [bind, kit.cache, CACHE_INSIDE] : [];
    const files = [program.main, ...program.files].map((file) => insideKit(kit, file));
    const inside = ["/node", "--no-warnings", ...program.nodeFlags, ...files, CACHE_INSIDE, mode];
    const processes = asStranger ? OWN_PROCESSES : processesOfUser() + 2 * OWN_PROCESSES;
    const limits = [...program.limits, `--nproc=${processes}`];
    return spawn(prlimit, [...limits, bwrap, ...WALLS, ...mounts, ...cache, "--remount-ro", "/", ...inside], {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      env: {},
      ...(asStranger ? { uid: stranger, gid: stranger } : {}),
    });
  };
  return {
    isolation: "bubblewrap",
    startCage: (limits) => start(cageProgram(kit, limits), "--ro-bind", cageMode(limits)),
    startCompiler: () => start(compilerProgram(kit), "--ro-bind", "serve"),
    warmUp: async () => {
      const stranger = nextStranger();
      const programs = [cageProgram(kit, CAGE_LIMITS), compilerProgram(kit)];
      giveCache(kit.cache, asStranger ? stranger : undefined);
      await Promise.all(programs.map((program) => ended(start(program, "--bind", "warm-up", stranger))));
      giveCache(kit.cache, asStranger ? 0 : undefined);
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

/** Gives the cache to whoever warms it up, and back to root after that: then others only read it. */
function giveCache(folder: string, owner: number | undefined): void {
  try {
    mkdirSync(folder, { recursive: true });
    const inside = readdirSync(folder, { withFileTypes: true, recursive: true });
    for (const entry of [{ parentPath: folder, name: "", isDirectory: () => true }, ...inside]) {
      const file = path.join(entry.parentPath, entry.name);
      chmodSync(file, entry.isDirectory() ? 0o755 : 0o644);
      if (owner !== undefined) chownSync(file, owner, owner);
    }
  } catch {
    // Without a cache every process compiles the kit again: slower, otherwise the same.
  }
}

/** Threads that this user has now: an ordinary user's limit counts them all. */
function processesOfUser(): number {
  const user = process.getuid?.();
  let count = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (statSync(`/proc/${name}`).uid === user) count += readdirSync(`/proc/${name}/task`).length;
    } catch {
      // It ended meanwhile.
    }
  }
  return count;
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.on("error", () => resolve());
    child.on("exit", () => resolve());
    child.stdout?.resume();
    child.stderr?.resume();
  });
