/**
 * Thread in the child that listens while a cell is busy: raises the interrupt flag, and ends the process when the
 * parent is gone.
 *
 * A loop of a cell sees the flag by itself. Code that never looks (a library's loop, a regular expression) is
 * terminated through the inspector after a grace time.
 */
import inspector from "node:inspector";
import { Socket } from "node:net";
import process from "node:process";
import { workerData } from "node:worker_threads";
import { CONTROL_FD } from "./headless-protocol.ts";

const GRACE_MS = 250;

const flag = workerData as Int32Array;
const control = new Socket({ fd: CONTROL_FD, readable: true, writable: false });

control.on("data", () => {
  Atomics.store(flag, 0, 1);
  setTimeout(terminateIfStillBusy, GRACE_MS);
});
control.on("close", dieWithParent);
control.on("error", dieWithParent);

/** The child leads a process group: programs that cells have started go too. */
function dieWithParent(): void {
  process.kill(process.platform === "win32" ? process.pid : -process.pid, "SIGKILL");
}

/** The session lowers the flag when a cell ends: still raised means that no loop of ours saw it. */
function terminateIfStillBusy(): void {
  if (Atomics.load(flag, 0) === 0) return;
  const session = new inspector.Session();
  session.connectToMainThread();
  session.post("Runtime.terminateExecution", () => session.disconnect());
}
