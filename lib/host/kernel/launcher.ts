/**
 * The course's Jupyter kernel: `node launcher.js CONNECTION_FILE`, as the kernelspec that `npm run lab` writes says.
 *
 * tslab's server in front, our session behind. This process only passes messages: cells are compiled in a thread and
 * run in a child process, so completion answers and interrupts arrive while a cell spins.
 */
import process from "node:process";
import { openHeadlessSession } from "./headless-session.ts";
import { launcherServerClass, readConnectionFile } from "./launcher-server.ts";
import { loadTslabServer } from "./launcher-tslab.ts";

const PARENT_CHECK_MS = 1000;

/** Ends the kernel when the program that started it is gone; a kernel without a front end serves nobody. */
function dieWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent || !isAlive(parent)) process.exit(0);
  }, PARENT_CHECK_MS).unref();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Refuses to start, with one line for Jupyter's log. */
function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

async function main(connectionFile: string | undefined): Promise<void> {
  if (connectionFile === undefined)
    refuse("Usage: launcher CONNECTION_FILE (Jupyter gives it; see npm run lab)");
  if (readConnectionFile(connectionFile) === undefined)
    refuse(`${connectionFile} is no connection file of Jupyter's.`);
  const Base = loadTslabServer();
  if ("kind" in Base) refuse(Base.message);
  dieWithParent();
  // tslab warns of requests that it has no case for; they are answered by the class below.
  console.warn = () => {};
  const session = openHeadlessSession({ folder: process.cwd() });
  const server = new (launcherServerClass(Base))(session, connectionFile, () => process.exit(0));
  process.on("SIGINT", () => session.interrupt());
  process.on("SIGTERM", () => server.close());
  await server.init();
  // Jupyter has its answer; the seconds until the first cell go into reading the declarations that it will need.
  void session.check('import "dom0-kit";');
}

await main(process.argv[2]);
