/** What of the console reaches the person's screen. */
import process from "node:process";
import type { Board } from "../../board/board.ts";
import { OUTPUT_BEGINS, OUTPUT_ENDS, WELCOME } from "./file-systems.ts";
import type { Progress } from "./progress.ts";

/** What is to be shown. */
export interface ScreenOptions {
  /** Commands were given beforehand: what they print, and nothing else. */
  readonly command?: string;
  /** All that the machine prints. */
  readonly log?: boolean;
  /** The machine has booted before. */
  readonly from?: string;
}

/**
 * What the person sees: nothing of the boot, then all (a shell), or what stands between two marks (commands).
 */
export class Screen {
  /** Whether the shell, or the output, has begun. */
  isReached = false;
  /** Called when the shell, or the output, begins. */
  onReached: () => void = () => {};
  readonly #opens: string;
  readonly #closes: string | undefined;
  readonly #showsAll: boolean;
  #line = "";
  #lastLine = "";
  #isClosed = false;

  constructor(board: Board, { command, log = false, from }: ScreenOptions, progress: Progress) {
    this.#opens = command === undefined ? WELCOME : OUTPUT_BEGINS;
    this.#closes = command === undefined ? undefined : OUTPUT_ENDS;
    this.#showsAll = log;
    if (from !== undefined) {
      this.isReached = true;
      process.stdout.write(board.console.text.split("\n").at(-1) ?? "");
    }
    board.console.onText((text) => {
      if (log) {
        progress.done();
        process.stdout.write(text);
      }
      this.#take(text);
    });
  }

  /** The last whole line that the machine printed. */
  get lastLine(): string {
    return this.#lastLine;
  }

  #take(text: string): void {
    for (const char of text) {
      if (this.#shows && this.#closes === undefined) this.#show(char);
      if (char !== "\n") {
        this.#line += char;
        continue;
      }
      this.#endLine(this.#line.trimEnd());
      this.#line = "";
    }
  }

  get #shows(): boolean {
    return this.isReached && !this.#isClosed;
  }

  #endLine(line: string): void {
    if (line !== "") this.#lastLine = line;
    if (line === this.#opens) {
      this.isReached = true;
      this.onReached();
      if (this.#closes === undefined) this.#show(`${line}\n`);
    } else if (line === this.#closes) this.#isClosed = true;
    else if (this.#closes !== undefined && this.#shows) this.#show(`${line}\n`);
  }

  #show(text: string): void {
    if (!this.#showsAll) process.stdout.write(text);
  }
}
