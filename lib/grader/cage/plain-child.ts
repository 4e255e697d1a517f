/**
 * Where there is no wall: a plain child under Node's permission model and what limits the system has. A seat belt, not
 * a wall: it cannot keep a program from the network or from signals. Good for practice, not for credit.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  type Confined,
  cageMode,
  cageProgram,
  compilerProgram,
  type KitPaths,
  type Sandbox,
} from "./confined.ts";

/** Starts plain children. */
export function plainChild(kit: KitPaths, prlimit: string | undefined): Sandbox {
  const permissions = ["--permission", `--allow-fs-read=${kit.lib}`, `--allow-fs-read=${kit.nodeModules}`];
  const start = (program: Confined, mode: string): ChildProcess => {
    const { main, files, nodeFlags } = program;
    const node = [process.execPath, "--no-warnings", ...nodeFlags, ...permissions, main, ...files, "", mode];
    const [first = "", ...args] = prlimit === undefined ? node : [prlimit, ...program.limits, ...node];
    return spawn(first, args, { stdio: ["ignore", "pipe", "pipe", "pipe"], env: {}, cwd: kit.lib });
  };
  return {
    isolation: "practice",
    startCage: (limits) => start(cageProgram(kit, limits), cageMode(limits)),
    startCompiler: () => start(compilerProgram(kit), "serve"),
    warmUp: async () => {},
  };
}
