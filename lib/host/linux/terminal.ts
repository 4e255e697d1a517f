/**
 * The person's terminal as the guest's serial line. Every key goes to the guest, Ctrl-C too; Ctrl-A is the way out, as in
 * QEMU. The terminal is put back as it was, however the program ends.
 */
import process from "node:process";

/** Ctrl-A. */
const ESCAPE = 0x01;
const QUIT = "x";

/** What was typed, split into what the guest gets and whether the person wants to leave. */
export interface Typed {
  readonly text: string;
  readonly quits: boolean;
  /** Which of several machines the person wants to type to. */
  readonly chosen?: number;
}

/**
 * Reads the escape key out of a stream of keys: Ctrl-A x leaves, Ctrl-A Ctrl-A is one Ctrl-A for the guest, Ctrl-A and
 * a digit chooses a machine, Ctrl-A and anything else is nothing.
 */
export class EscapeKeys {
  #escaped = false;

  take(keys: string): Typed {
    let text = "";
    let chosen: number | undefined;
    for (const key of keys) {
      if (!this.#escaped) {
        if (key.charCodeAt(0) === ESCAPE) this.#escaped = true;
        else text += key;
        continue;
      }
      this.#escaped = false;
      if (key.toLowerCase() === QUIT) return { text, quits: true };
      if (key.charCodeAt(0) === ESCAPE) text += key;
      if (/^[1-9]$/.test(key)) chosen = Number(key);
    }
    return { text, quits: false, ...(chosen === undefined ? {} : { chosen }) };
  }
}

/** What the terminal tells a session. */
export interface KeyListener {
  onText(text: string): void;
  /** The person wants to type to another machine from now on. */
  onChoice?(machine: number): void;
  onQuit(): void;
}

/**
 * Listens to the keyboard (raw, if it is a terminal) until the returned function is called.
 *
 * A pipe has no Ctrl-A key that anybody would press: all of it is the guest's.
 */
export function listenToKeys(listener: KeyListener): () => void {
  const { stdin } = process;
  const isTerminal = stdin.isTTY === true;
  const escapeKeys = new EscapeKeys();
  const onData = (bytes: Buffer): void => {
    const keys = bytes.toString("utf8");
    const typed: Typed = isTerminal ? escapeKeys.take(keys) : { text: keys, quits: false };
    const { text, quits, chosen } = typed;
    if (text !== "") listener.onText(text);
    if (chosen !== undefined) listener.onChoice?.(chosen);
    if (quits) listener.onQuit();
  };
  const restore = (): void => {
    if (isTerminal) stdin.setRawMode(false);
  };
  const onSignal = (): void => listener.onQuit();
  if (isTerminal) stdin.setRawMode(true);
  stdin.on("data", onData);
  process.on("exit", restore);
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return () => {
    stdin.off("data", onData);
    stdin.pause();
    process.off("exit", restore);
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
    restore();
  };
}
