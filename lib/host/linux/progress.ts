/** The one line that says how a boot is going. On a terminal it overwrites itself; elsewhere only whole stages are told. */
import process from "node:process";

const MILLION = 1e6;
/** Milliseconds between two states of the line. */
const INTERVAL_MS = 200;
const CLEAR_LINE = "\r\x1b[K";

/** Progress on standard error. */
export class Progress {
  readonly #isLive = process.stderr.isTTY === true;
  /** When the present stage began. */
  #began = performance.now();
  #shownAt = 0;
  #isShowing = false;

  /** A stage that has begun. */
  stage(text: string): void {
    this.#began = performance.now();
    this.#write(text);
    if (!this.#isLive) process.stderr.write("\n");
  }

  /** How far the boot is: instructions so far, their speed, and the kernel's last line. */
  boot(instructions: number, lastLine: string): void {
    const now = performance.now();
    if (!this.#isLive || now - this.#shownAt < INTERVAL_MS) return;
    this.#shownAt = now;
    this.#write(`boot: ${bootWords(instructions, (now - this.#began) / 1000)}  ${lastLine}`);
  }

  /** Takes the line away. */
  done(): void {
    if (this.#isShowing) process.stderr.write(CLEAR_LINE);
    this.#isShowing = false;
  }

  #write(text: string): void {
    // A terminal that does not know its size says 0.
    const width = process.stderr.columns || 80;
    process.stderr.write(this.#isLive ? `${CLEAR_LINE}${text.slice(0, width - 1)}` : text);
    this.#isShowing = this.#isLive;
  }
}

/** Instructions and their speed in words. */
export function bootWords(instructions: number, seconds: number): string {
  const millions = instructions / MILLION;
  return `${millions.toFixed(0)} million instructions, ${(millions / seconds).toFixed(1)} MIPS`;
}
