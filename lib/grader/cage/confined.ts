/**
 * The walls around whatever handles a student's text: how such a process is started, and what it is allowed.
 *
 * Two kinds: the *cage* runs one submission's cells, the *compiler* only reads them. Both see the kit and nothing of the
 * course, so neither a file nor a type of the instructor's can be reached from a cell.
 */
import type { ChildProcess } from "node:child_process";
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
  /** Processor milliseconds that the checks may work on one property of an answer. */
  readonly judgeMs: number;
  /** What a cell may import. `anything` is for tests of the walls: as if a submission had found a way past the list. */
  readonly imports: "dom0-kit" | "anything";
}

/** Limits of a grading run. */
export const CAGE_LIMITS: CageLimits = {
  cpuSeconds: 10,
  memoryBytes: 1 << 30,
  outputBytes: 1 << 20,
  silenceMs: 30_000,
  judgeMs: 30_000,
  imports: "dom0-kit",
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
  /** Module with the compiler's view of the disk, inside `lib`; exports `nodeCompilerHost`. */
  readonly compilerHost: string;
  /** Folder for the kit's compiled code; made when missing. Confined processes read it and never write it. */
  readonly cache: string;
}

/** A way to start confined processes. File descriptor 3 is the only way in and out of each. */
export interface Sandbox {
  readonly isolation: Isolation;
  /** Starts a cage for one submission. */
  startCage(limits: CageLimits): ChildProcess;
  /** Starts a compiler for many. */
  startCompiler(): ChildProcess;
  /** Loads the kit once, without a student, so that later processes find it compiled. Best effort: it only saves time. */
  warmUp(): Promise<void>;
}

/** A program of ours that runs confined. */
export interface Confined {
  readonly main: string;
  /** Files among its arguments, as paths inside the kit. */
  readonly files: readonly string[];
  readonly nodeFlags: readonly string[];
  /** Options of `prlimit`. */
  readonly limits: readonly string[];
}

const entry = (...parts: readonly string[]): string =>
  path.resolve(
    import.meta.dirname,
    ...parts.slice(0, -1),
    `${parts.at(-1)}${path.extname(import.meta.filename)}`,
  );

/** How the cage's program is told what a cell may import. */
export const cageMode = ({ imports }: CageLimits): string =>
  imports === "anything" ? "serve-open" : "serve";

const sharedLimits = ["--fsize=1048576", "--core=0"];

/** The cage as a program. */
export const cageProgram = (kit: KitPaths, limits: CageLimits): Confined => ({
  main: entry("main"),
  files: [kit.frontDoor],
  // Half of the memory for objects, the rest for buffers and WebAssembly.
  nodeFlags: [`--max-old-space-size=${Math.floor(limits.memoryBytes / (2 << 20))}`, "--stack-size=900"],
  limits: [
    `--cpu=${limits.cpuSeconds}:${limits.cpuSeconds + 1}`,
    `--data=${limits.memoryBytes}`,
    "--nofile=128",
    ...sharedLimits,
  ],
});

/** The compiler as a program. Its time is limited cell by cell, by whoever started it. */
export const compilerProgram = (kit: KitPaths): Confined => ({
  main: entry("..", "compile", "main"),
  files: [kit.compilerHost],
  nodeFlags: ["--max-old-space-size=1024"],
  limits: [`--data=${2 ** 31}`, "--nofile=1024", ...sharedLimits],
});
