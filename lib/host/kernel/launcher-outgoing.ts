/**
 * What leaves the launcher kernel: one message at a time per socket, printed text joined.
 *
 * ZeroMQ refuses a second send while one is under way, and drops what exceeds its high-water mark; a cell that prints
 * 20,000 lines would lose some and take seconds for the rest. Here sends wait for each other and lines travel together.
 */
import type { BoundSocket, OutgoingSocket } from "./launcher-tslab.ts";

/** A socket whose sends wait for each other. */
export class SendQueue implements OutgoingSocket {
  readonly #socket: BoundSocket;
  #tail: Promise<void> = Promise.resolve();

  constructor(socket: BoundSocket) {
    this.#socket = socket;
  }

  send(frames: unknown): Promise<void> {
    this.#tail = this.#tail.then(() => this.#socket.send(frames)).catch(ignoreClosedSocket);
    return this.#tail;
  }

  /** Resolves when everything handed over so far has left. */
  drained(): Promise<void> {
    return this.#tail;
  }

  close(): void {
    this.#socket.close();
  }
}

/** A message to a client that has gone needs no reader; anything else is our bug. */
function ignoreClosedSocket(error: unknown): void {
  if (error instanceof Error && "code" in error && (error.code === "EBADF" || error.code === "EHOSTUNREACH"))
    return;
  throw error;
}

const LONGEST_WAIT_MS = 15;
const LARGEST_TEXT = 1 << 16; // UTF-16 units

/** Joins neighbouring pieces of printed text of one stream into one message. */
export class StreamBatch {
  readonly #publish: (name: string, text: string) => void;
  #name = "";
  #text = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(publish: (name: string, text: string) => void) {
    this.#publish = publish;
  }

  add(name: string, text: string): void {
    if (name !== this.#name) this.flush();
    this.#name = name;
    this.#text += text;
    if (this.#text.length >= LARGEST_TEXT) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), LONGEST_WAIT_MS);
  }

  /** Publishes what is waiting; called before any message that must come after it. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#text === "") return;
    const text = this.#text;
    this.#text = "";
    this.#publish(this.#name, text);
  }
}
