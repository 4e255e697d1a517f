/**
 * The launcher's Jupyter server: tslab's sockets and framing, our answers.
 *
 * What plain tslab lacks and this has: `execute_input`, `execute_result` and `error` messages, execution counts in
 * the reply, no time window after an error in which requests vanish (only cells that were already waiting are
 * aborted, and only if they asked for it), `interrupt_request`, and `idle` after the reply, never before.
 */
import { readFileSync } from "node:fs";
import type { KernelSession } from "./kernel-session.ts";
import {
  codePointOffset,
  errorReply,
  inspectionData,
  KERNEL_INFO,
  publishOutput,
  utf16Offset,
} from "./launcher-content.ts";
import { SendQueue, StreamBatch } from "./launcher-outgoing.ts";
import type {
  BoundSocket,
  OutgoingSocket,
  TslabMessage,
  TslabServer,
  TslabServerClass,
} from "./launcher-tslab.ts";

interface PendingExecution {
  readonly message: TslabMessage;
  readonly socket: OutgoingSocket;
  readonly finished: () => void;
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const numberOf = (value: unknown): number => (typeof value === "number" ? value : 0);

/** A server on one session; `whenClosed` is called when the last message of a shutdown has left. */
export type LauncherServerClass = new (
  session: KernelSession,
  connectionFile: string,
  whenClosed: () => void,
) => TslabServer;

/** Makes the server class on top of tslab's. */
export function launcherServerClass(Base: TslabServerClass): LauncherServerClass {
  return class LauncherServer extends Base implements TslabServer {
    readonly #session: KernelSession;
    readonly #waiting: PendingExecution[] = [];
    readonly #unanswered = new Map<TslabMessage, Promise<void>>();
    readonly #queues = new Map<BoundSocket, SendQueue>();
    readonly #whenClosed: () => void;
    #count = 0;
    #running = false;
    #replySocket: OutgoingSocket | undefined;
    #closing = false;

    constructor(session: KernelSession, connectionFile: string, whenClosed: () => void) {
      super({ close: () => undefined }, connectionFile);
      this.#session = session;
      this.#whenClosed = whenClosed;
    }

    override async bindSocket(socket: BoundSocket, port: number): Promise<void> {
      socket.sendHighWaterMark = 0; // nothing printed may be dropped
      await super.bindSocket(socket, port);
      this.#queues.set(socket, new SendQueue(socket));
    }

    override handleShellMessage(socket: BoundSocket, ...frames: Uint8Array[]): Promise<void> {
      // tslab parses and publishes "busy" before its first await, so publishStatus below sees the right socket.
      this.#replySocket = this.#queue(socket);
      return super.handleShellMessage(socket, ...frames);
    }

    override publishStatus(status: "busy" | "idle", parent: TslabMessage): void {
      const unanswered = status === "idle" ? this.#unanswered.get(parent) : undefined;
      if (unanswered === undefined) this.#publish("status", parent, { execution_state: status });
      else void unanswered.then(() => this.#publish("status", parent, { execution_state: status }));
      if (status === "busy") this.#answerWhatTslabDoesNot(parent);
    }

    override handleKernelInfo(socket: BoundSocket, message: TslabMessage): void {
      this.#reply(this.#queue(socket), message, "kernel_info_reply", KERNEL_INFO);
    }

    override handleCommInfoRequest(socket: BoundSocket, message: TslabMessage): void {
      this.#reply(this.#queue(socket), message, "comm_info_reply", { status: "ok", comms: {} });
    }

    override handleIsComplete(socket: BoundSocket, message: TslabMessage): void {
      const code = textOf(recordOf(message.content)["code"]);
      this.#answerLater(socket, message, "is_complete_reply", async () => {
        const status = await this.#session.completeness(code);
        return status === "incomplete" ? { status, indent: "  " } : { status };
      });
    }

    override handleComplete(socket: BoundSocket, message: TslabMessage): void {
      const { code, cursor_pos: cursor } = recordOf(message.content);
      const text = textOf(code);
      this.#answerLater(socket, message, "complete_reply", async () => {
        const { from, to, entries } = await this.#session.complete(text, utf16Offset(text, numberOf(cursor)));
        const range = { start: codePointOffset(text, from), end: codePointOffset(text, to) };
        const typed = entries.map(({ name, kind }) => ({ ...range, text: name, type: kind }));
        return {
          status: "ok",
          cursor_start: range.start,
          cursor_end: range.end,
          matches: entries.map(({ name }) => name),
          metadata: { _jupyter_types_experimental: typed },
        };
      });
    }

    override handleInspect(socket: BoundSocket, message: TslabMessage): void {
      const { code, cursor_pos: cursor } = recordOf(message.content);
      const text = textOf(code);
      this.#answerLater(socket, message, "inspect_reply", async () => {
        const found = await this.#session.quickInfo(text, utf16Offset(text, numberOf(cursor)));
        return { status: "ok", found: found !== undefined, data: inspectionData(found), metadata: {} };
      });
    }

    override handleExecute(socket: BoundSocket, message: TslabMessage): Promise<void> {
      return new Promise((finished) => {
        this.#waiting.push({ message, socket: this.#queue(socket), finished });
        void this.#runWaiting();
      });
    }

    override handleShutdown(socket: BoundSocket, message: TslabMessage): void {
      const restart = recordOf(message.content)["restart"] === true;
      this.#reply(this.#queue(socket), message, "shutdown_reply", { status: "ok", restart });
    }

    override close(): void {
      if (this.#closing) return;
      this.#closing = true;
      const drained = Promise.all([...this.#queues.values()].map((queue) => queue.drained()));
      void Promise.all([drained, this.#session.close()]).then(() => {
        for (const queue of this.#queues.values()) queue.close();
        this.#whenClosed();
      });
    }

    async #runWaiting(): Promise<void> {
      if (this.#running) return;
      this.#running = true;
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const stop = await this.#execute(next);
        next.finished();
        if (stop) this.#abortWaiting();
      }
      this.#running = false;
    }

    /** Runs one request. @returns Whether the cells that wait behind it must not run. */
    async #execute({ message, socket }: PendingExecution): Promise<boolean> {
      const {
        code,
        silent,
        store_history: storeHistory,
        stop_on_error: stopOnError,
      } = recordOf(message.content);
      const quiet = silent === true;
      if (!quiet && storeHistory !== false) this.#count++;
      const count = this.#count;
      const publish = (kind: string, content: unknown): void => {
        if (!quiet) this.#publish(kind, message, content);
      };
      publish("execute_input", { code, execution_count: count });
      const text = new StreamBatch((name, joined) => publish("stream", { name, text: joined }));
      const { error } = await this.#session.execute(textOf(code), (output) =>
        publishOutput(output, count, text, publish),
      );
      text.flush();
      const rest =
        error === undefined ? { status: "ok", user_expressions: {}, payload: [] } : errorReply(error);
      this.#reply(socket, message, "execute_reply", { execution_count: count, ...rest });
      return error !== undefined && stopOnError !== false;
    }

    /** Answers the cells that were waiting when one failed: they were not run. */
    #abortWaiting(): void {
      for (const { message, socket, finished } of this.#waiting.splice(0)) {
        this.#reply(socket, message, "execute_reply", { status: "aborted" });
        finished();
      }
    }

    /** Requests of the protocol that tslab has no case for. It says so on the kernel's own terminal, which nobody reads. */
    #answerWhatTslabDoesNot(message: TslabMessage): void {
      const socket = this.#replySocket;
      if (socket === undefined) return;
      if (message.header.msg_type === "interrupt_request") {
        this.#session.interrupt();
        this.#reply(socket, message, "interrupt_reply", { status: "ok" });
      } else if (message.header.msg_type === "history_request") {
        this.#reply(socket, message, "history_reply", { status: "ok", history: [] });
      }
    }

    #answerLater(
      socket: BoundSocket,
      message: TslabMessage,
      kind: string,
      work: () => Promise<unknown>,
    ): void {
      const queue = this.#queue(socket);
      const answered = work()
        .then((content) => this.#reply(queue, message, kind, content))
        .finally(() => this.#unanswered.delete(message));
      this.#unanswered.set(message, answered);
    }

    #queue(socket: BoundSocket): OutgoingSocket {
      return this.#queues.get(socket) ?? socket;
    }

    #reply(socket: OutgoingSocket, message: TslabMessage, kind: string, content: unknown): void {
      const reply = message.createReply();
      reply.header.msg_type = kind;
      reply.content = content;
      reply.signAndSend(this.connInfo.key, socket);
    }

    #publish(kind: string, parent: TslabMessage, content: unknown): void {
      this.#reply(this.#queue(this.iopub), parent, kind, content);
    }
  };
}

/** The ports and the key that Jupyter wrote for this kernel, or `undefined` when the file cannot be used. */
export function readConnectionFile(file: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const info = recordOf(JSON.parse(readFileSync(file, "utf8")));
    return typeof info["shell_port"] === "number" && typeof info["key"] === "string" ? info : undefined;
  } catch {
    return undefined;
  }
}
