/** What several virtual machines print, on one screen: each line behind the number of its machine. */
import process from "node:process";
import { printedBy, type Vmm } from "../../vmm/hypervisor.ts";
import { OUTPUT_BEGINS, OUTPUT_ENDS, WELCOME } from "./file-systems.ts";

const CLEAR_LINE = "\r\x1b[K";
/** The shell asks where the cursor is; the answer would stand between lines of others. */
const WHERE_IS_THE_CURSOR = "\x1b[6n";

/** One machine's part. */
interface Part {
  /** Bytes seen so far. */
  seen: number;
  /** The line that is not ended. */
  line: string;
  lastLine: string;
  /** Whether lines are shown: the boot is over. */
  isOpen: boolean;
}

/** The screen. */
export class GuestScreen {
  readonly #vmm: Vmm;
  readonly #parts: readonly Part[];
  readonly #showsAll: boolean;
  /** The machine that the person types to; its unended line is shown, too. */
  #typing = 1;
  #shown = "";

  constructor(vmm: Vmm, count: number, showsAll: boolean) {
    this.#vmm = vmm;
    this.#showsAll = showsAll;
    this.#parts = Array.from({ length: count }, () => ({ seen: 0, line: "", lastLine: "", isOpen: false }));
  }

  /** Whether each machine has come to its shell, or to the commands that it was given. */
  get isReached(): boolean {
    return this.#parts.every(({ isOpen }) => isOpen);
  }

  /** The last line of each, for a boot that is under way. */
  get lastLines(): string {
    return this.#parts.map(({ lastLine }, index) => `${index + 1}| ${lastLine.slice(0, 40)}`).join("  ");
  }

  /** From now on the person types to another machine. */
  choose(machine: number): void {
    this.#typing = machine;
    this.#redraw();
  }

  /** Takes what was printed since the last time; true when something is shown. */
  update(): void {
    for (const [index, part] of this.#parts.entries()) {
      const text = printedBy(this.#vmm, index + 1, part.seen).replaceAll(WHERE_IS_THE_CURSOR, "");
      part.seen = Number(this.#vmm.state.domain(index + 1).console.written);
      const lines = (part.line + text).split("\n");
      part.line = lines.pop() ?? "";
      for (const line of lines) this.#endLine(index + 1, part, line.trimEnd());
    }
    this.#redraw();
  }

  #endLine(machine: number, part: Part, line: string): void {
    if (line !== "") part.lastLine = line;
    const isMark = line === OUTPUT_BEGINS || line === OUTPUT_ENDS;
    if (line === WELCOME || line === OUTPUT_BEGINS) part.isOpen = true;
    if (isMark || !(part.isOpen || this.#showsAll)) return;
    this.#clear();
    process.stdout.write(`${machine}| ${line}\n`);
  }

  #clear(): void {
    if (this.#shown !== "") process.stdout.write(CLEAR_LINE);
    this.#shown = "";
  }

  #redraw(): void {
    const { line = "", isOpen = false } = this.#parts[this.#typing - 1] ?? {};
    const wanted = isOpen && process.stdout.isTTY === true ? `${this.#typing}| ${line}` : "";
    if (wanted === this.#shown) return;
    this.#clear();
    process.stdout.write(wanted);
    this.#shown = wanted;
  }
}
