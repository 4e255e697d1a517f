/**
 * Thread in the child that listens while a cell is busy: raises the interrupt flag, and ends the process when the
 * parent is gone.
 *
 * A loop of a cell sees the flag by itself, and a waiting cell is told by message. Code that does neither (a library's
 * loop, a regular expression) is terminated through the inspector after a grace time. Termination cuts through whatever
 * runs, so the main thread is told to verify afterwards that the cell has ended.
 */
import inspector from "node:inspector";
import { Socket } from "node:net";
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { CONTROL_FD, IS_STOPPING, WAS_SEEN, type WatcherMessage } from "./headless-protocol.ts";

const GRACE_MS = 400;
const VERIFY_MS = 400;

const flags = workerData as Int32Array;
const control = new Socket({ fd: CONTROL_FD, readable: true, writable: false });
const tell = (message: WatcherMessage) => parentPort?.postMessage(message);

control.on("data", () => {
  Atomics.store(flags, WAS_SEEN, 0);
  Atomics.store(flags, IS_STOPPING, 1);
  tell("stop");
  setTimeout(terminateIfUnseen, GRACE_MS);
});
control.on("close", dieWithParent);
control.on("error", dieWithParent);

/** The session lowers the flag when a cell ends: still raised and not seen means that the main thread is busy. */
function terminateIfUnseen(): void {
  if (Atomics.load(flags, IS_STOPPING) === 0 || Atomics.load(flags, WAS_SEEN) === 1) return;
  const session = new inspector.Session();
  session.connectToMainThread();
  session.post("Runtime.terminateExecution", () => {
    session.disconnect();
    setTimeout(() => tell("verify"), VERIFY_MS);
  });
}

/** The child leads a process group: programs that cells have started go too. */
function dieWithParent(): void {
  process.kill(process.platform === "win32" ? process.pid : -process.pid, "SIGKILL");
}
