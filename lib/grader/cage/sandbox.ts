/**
 * The wall around one submission: how the cage process is started, and what it is allowed.
 *
 * On Linux with bubblewrap: own user, pid, network, ipc, mount and cgroup namespaces, a read-only root that holds the
 * kit and nothing of the course, an empty environment, resource limits, death with its parent. Elsewhere: a plain
 * child under Node's permission model, good for practice and not for credit.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, existsSync, lstatSync, mkdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import path from "node:path";

/** Limits of one submission. */
export interface CageLimits {
  /** Processor seconds of any one process in the cage. */
  readonly cpuSeconds: number;
  /** Bytes of private memory of any one process, WebAssembly and array buffers included. */
  readonly memoryBytes: number;
  /** Bytes of stdout and stderr together, after which the cage is stopped. */
  readonly outputBytes: number;
  /** Milliseconds without an answer after which the cage is stopped although it used little processor time. */
  readonly silenceMs: number;
}

/** Limits of a grading run. */
export const CAGE_LIMITS: CageLimits = {
  cpuSeconds: 10,
  memoryBytes: 1 << 30,
  outputBytes: 1 << 20,
  silenceMs: 30_000,
};

/** How strong the wall is on this machine. */
export type Isolation = "bubblewrap" | "practice";

/** What a sandbox needs to know of the installed kit. */
export interface KitPaths {
  /** Folder of the package `dom0-kit`: its sources, or with them the built files. */
  readonly lib: string;
  /** Folder with the kit's dependencies. */
  readonly nodeModules: string;
  /** Module that `import "dom0-kit"` stands for, inside `lib`. */
  readonly frontDoor: string;
  /** Folder for the kit's compiled code; made when missing. Cages read it and never write it. */
  readonly cache: string;
}

/** A way to start cages. */
export interface Sandbox {
  readonly isolation: Isolation;
  /** Starts a cage whose file descriptor 3 is the only way in and out. */
  start(limits: CageLimits): ChildProcess;
  /** Loads the kit once, without a student, so that later cages find it compiled. Best effort: it only saves time. */
  warmUp(): Promise<void>;
}

const NOBODY = 65_534;
const CAGE_MAIN = path.join(import.meta.dirname, `main${path.extname(import.meta.filename)}`);

const programOnPath = (name: string): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file));

/** Chooses the strongest wall that this machine has. `practiceOnly` leaves bubblewrap out. */
export function chooseSandbox(kit: KitPaths, practiceOnly = false): Sandbox {
  const bwrap = process.platform === "linux" && !practiceOnly ? programOnPath("bwrap") : undefined;
  const prlimit = process.platform === "linux" ? programOnPath("prlimit") : undefined;
  return bwrap !== undefined && prlimit !== undefined
    ? bubblewrap(kit, bwrap, prlimit)
    : plainChild(kit, prlimit);
}

const nodeFlags = (limits: CageLimits): string[] => [
  "--no-warnings",
  `--max-old-space-size=${Math.floor(limits.memoryBytes / (2 << 20))}`,
  "--stack-size=900",
];

function resourceLimits(limits: CageLimits): string[] {
  return [
    `--cpu=${limits.cpuSeconds}:${limits.cpuSeconds + 1}`,
    `--data=${limits.memoryBytes}`,
    "--fsize=1048576",
    "--nofile=128",
    "--nproc=48",
    "--core=0",
  ];
}

/** Mounts the dynamic linker's folders as the host has them: links stay links, folders are bound read-only. */
function systemMounts(): string[] {
  return ["/usr/lib", "/usr/lib64", "/lib", "/lib64"].flatMap((folder) => {
    if (!existsSync(folder)) return [];
    return lstatSync(folder).isSymbolicLink()
      ? ["--symlink", readlinkSync(folder), folder]
      : ["--ro-bind", folder, folder];
  });
}

const insideKit = (kit: KitPaths, file: string): string =>
  path.posix.join("/kit/lib", path.relative(kit.lib, file));

/** May anybody read this file, so that the cage can run as nobody? */
function readableByAnybody(file: string): boolean {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === path.dirname(folder)) break;
  }
  return (statSync(file).mode & 0o004) !== 0;
}

function bubblewrap(kit: KitPaths, bwrap: string, prlimit: string): Sandbox {
  const node = realpathSync(process.execPath);
  const mounts = [
    ...systemMounts(),
    ...["--proc", "/proc", "--dir", "/dev"],
    ...["null", "urandom"].flatMap((name) => ["--dev-bind", `/dev/${name}`, `/dev/${name}`]),
    ...["--ro-bind", node, "/node"],
    ...["--ro-bind", kit.lib, "/kit/lib", "--ro-bind", kit.nodeModules, "/kit/node_modules"],
    ...["--chdir", "/"],
  ];
  const walls = ["--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--hostname", "cage"];
  const target = [insideKit(kit, CAGE_MAIN), insideKit(kit, kit.frontDoor)];
  const cacheInside = "/kit/.cache";
  // The limit on processes does not bind root, so root starts cages as nobody where nobody can read the kit.
  const asNobody = process.getuid?.() === 0 && [node, CAGE_MAIN].every(readableByAnybody);
  const run = (limits: CageLimits, bind: "--bind" | "--ro-bind", mode: string): ChildProcess => {
    const cache = existsSync(kit.cache) ? [bind, kit.cache, cacheInside] : [];
    const inside = ["/node", ...nodeFlags(limits), ...target, cacheInside, mode];
    return spawn(
      prlimit,
      [...resourceLimits(limits), bwrap, ...walls, ...mounts, ...cache, "--remount-ro", "/", ...inside],
      {
        stdio: ["ignore", "pipe", "pipe", "pipe"],
        env: {},
        ...(asNobody ? { uid: NOBODY, gid: NOBODY } : {}),
      },
    );
  };
  return {
    isolation: "bubblewrap",
    start: (limits) => run(limits, "--ro-bind", "serve"),
    warmUp: () =>
      new Promise((resolve) => {
        makeCache(kit.cache, asNobody);
        const child = run(CAGE_LIMITS, "--bind", "warm-up");
        child.on("error", () => resolve());
        child.on("exit", () => resolve());
      }),
  };
}

function makeCache(folder: string, asNobody: boolean): void {
  try {
    mkdirSync(folder, { recursive: true });
    if (asNobody) chownSync(folder, NOBODY, NOBODY);
  } catch {
    // Without a cache every cage compiles the kit again: slower, otherwise the same.
  }
}

function plainChild(kit: KitPaths, prlimit: string | undefined): Sandbox {
  const permissions = ["--permission", `--allow-fs-read=${kit.lib}`, `--allow-fs-read=${kit.nodeModules}`];
  return {
    isolation: "practice",
    warmUp: async () => {},
    start: (limits) => {
      const node = [process.execPath, ...nodeFlags(limits), ...permissions, CAGE_MAIN, kit.frontDoor];
      // The plain child shares its user's process table, so no limit on the number of processes there.
      const bounded = resourceLimits(limits).filter((limit) => !limit.startsWith("--nproc"));
      const [program = "", ...args] = prlimit === undefined ? node : [prlimit, ...bounded, ...node];
      return spawn(program, args, { stdio: ["ignore", "pipe", "pipe", "pipe"], env: {}, cwd: kit.lib });
    },
  };
}
