/** Stock Linux on a board, for tests: boots it, types at it, and reads what it answers. */

import { dirname } from "node:path";
import type { Board } from "../../lib/board/board.ts";
import { WELCOME } from "../../lib/host/linux/file-systems.ts";
import { type LinuxOptions, linuxMachine } from "../../lib/host/linux/machine.ts";
import { type LinuxFiles, readLinuxFiles } from "../../lib/host/linux/packages.ts";
import { partPath } from "./optional.ts";

/** A boot takes minutes of a busy machine; timing never decides a test. */
export const LINUX_TIMEOUT_MS = 20 * 60_000;
const PIECE = 5_000_000;
/** A boot takes 0.6 thousand million instructions. */
const LIMIT = 3e9;

/** The packages' files. */
export const linuxFiles = (): LinuxFiles => readLinuxFiles(dirname(partPath("debianLinux")));

/** A machine that stands before its first instruction. */
export function newLinux(options: LinuxOptions = {}): Board {
  const machine = linuxMachine(linuxFiles(), options);
  if (machine.kind === "refused") throw new Error(machine.message);
  return machine.board;
}

/** Runs until the console shows a text behind `from`; what it shows there. Throws when it never does. */
export function runUntil(board: Board, shown: string | RegExp, from = 0): string {
  const limit = board.clock.retired + LIMIT;
  let reason = "budget";
  for (;;) {
    const text = board.console.text.slice(from);
    if (typeof shown === "string" ? text.includes(shown) : shown.test(text)) return text;
    if (reason !== "budget" || board.clock.retired >= limit)
      throw new Error(`${reason}, and the console never showed ${shown}; it ends with: ${text.slice(-2000)}`);
    reason = board.run({ instructions: PIECE }).reason;
  }
}

/** The prompt, behind which the shell asks the terminal where the cursor is. */
const PROMPT = /\n# \x1b\[6n$/;

/** Runs from power-on to the shell's first prompt. */
export function bootToShell(board: Board): void {
  runUntil(board, WELCOME);
  runUntil(board, PROMPT);
}

/** Types a command at the prompt; what is shown until the next prompt, the echo of the command included. */
export function ask(board: Board, command: string): string {
  const from = board.console.text.length;
  board.type(`${command}\n`);
  return runUntil(board, PROMPT, from);
}

/** Types `poweroff` and runs until the machine is off. */
export function switchOff(board: Board): string {
  board.type("poweroff -f\n");
  for (let done = 0; done < LIMIT; done += PIECE) {
    const { reason } = board.run({ instructions: PIECE });
    if (reason !== "budget") return reason;
  }
  return "never";
}
