/** A dialog with a guest on QEMU: waits for what it shows, then types. */
import { spawn } from "node:child_process";

/** When the console shows this behind what it had shown before, type that. */
export interface Turn {
  readonly shown: RegExp;
  readonly type: string;
}

const LIMIT_MS = 5 * 60_000;

/**
 * Runs `qemu-system-riscv64 -M virt` with these arguments until the guest switches it off.
 *
 * @returns  All that the guest printed. Rejects when it does not end within five minutes.
 */
export function talkToQemu(args: readonly string[], turns: readonly Turn[]): Promise<string> {
  const terminal = ["-display", "none", "-monitor", "none", "-serial", "stdio"];
  const child = spawn("qemu-system-riscv64", ["-M", "virt", ...terminal, ...args]);
  const left = [...turns];
  let text = "";
  let seen = 0;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`QEMU did not end; its console ends with: ${text.slice(-2000)}`));
    }, LIMIT_MS);
    child.stdout.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      const [next] = left;
      if (next === undefined || !next.shown.test(text.slice(seen))) return;
      left.shift();
      seen = text.length;
      child.stdin.write(next.type);
    });
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

/** Lines that two texts do not share, in order: a longest common subsequence is taken away. */
export function differentLines(left: string, right: string): { onlyLeft: string[]; onlyRight: string[] } {
  const [a, b] = [left.split("\n"), right.split("\n")];
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  const at = (row: number, column: number): number => lengths[row]?.[column] ?? 0;
  for (let row = a.length - 1; row >= 0; row--)
    for (let column = b.length - 1; column >= 0; column--)
      (lengths[row] as Uint16Array)[column] =
        a[row] === b[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
  const onlyLeft: string[] = [];
  const onlyRight: string[] = [];
  let [row, column] = [0, 0];
  while (row < a.length || column < b.length) {
    if (row < a.length && column < b.length && a[row] === b[column]) {
      row++;
      column++;
    } else if (column >= b.length || (row < a.length && at(row + 1, column) >= at(row, column + 1)))
      onlyLeft.push(a[row++] ?? "");
    else onlyRight.push(b[column++] ?? "");
  }
  return { onlyLeft, onlyRight };
}
