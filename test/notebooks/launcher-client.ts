/**
 * A Jupyter client of a few dozen lines, for tests of a kernel: the wire protocol over ZeroMQ, no Python.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { Dealer, Subscriber } from "zeromq";

export interface Message {
  readonly type: string;
  readonly parent: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** What one request brought: everything published for it, in order, and the reply. */
export interface Exchange {
  readonly published: readonly Message[];
  readonly reply: Message["content"];
}

const KEY = "a test's key";
const DELIMITER = "<IDS|MSG>";
const ROOT = path.resolve(import.meta.dirname, "../..");

/** The kernelspec's command line, from the sources. */
export const LAUNCHER = [
  process.execPath,
  "--disable-warning=ExperimentalWarning",
  path.join(ROOT, "lib/host/kernel/launcher.ts"),
];

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** A running kernel and the client's side of its sockets. */
export class KernelClient {
  readonly child: ChildProcess;
  readonly #folder: string;
  readonly #shell = new Dealer();
  readonly #control = new Dealer();
  readonly #iopub = new Subscriber();
  readonly #published: Message[] = [];
  readonly #replies = new Map<string, Message>();
  #wake: () => void = () => {};
  #hasEnded = false;
  stderr = "";

  private constructor(child: ChildProcess, folder: string) {
    this.child = child;
    child.once("exit", () => {
      this.#hasEnded = true;
      this.#wake();
    });
    this.#folder = folder;
  }

  /** Starts a kernel in a folder and waits until it answers. */
  static async start(
    cwd = path.join(ROOT, "notebooks"),
    command: readonly string[] = LAUNCHER,
  ): Promise<KernelClient> {
    const folder = mkdtempSync(path.join(tmpdir(), "dom0-kernel-"));
    const [shell = 0, iopub = 0, stdin = 0, control = 0, hb = 0] = await freePorts(5);
    const file = path.join(folder, "connection.json");
    const ports = {
      shell_port: shell,
      iopub_port: iopub,
      stdin_port: stdin,
      control_port: control,
      hb_port: hb,
    };
    writeFileSync(
      file,
      JSON.stringify({
        ...ports,
        ip: "127.0.0.1",
        transport: "tcp",
        key: KEY,
        signature_scheme: "hmac-sha256",
      }),
    );
    const [program = "", ...args] = command;
    const child = spawn(program, [...args, file], { cwd, stdio: ["ignore", "ignore", "pipe"] });
    const client = new KernelClient(child, folder);
    child.stderr?.on("data", (chunk) => {
      client.stderr += String(chunk);
    });
    client.#connect(shell, control, iopub);
    await client.request("kernel_info_request", {});
    await client.#untilSubscribed();
    return client;
  }

  #connect(shell: number, control: number, iopub: number): void {
    this.#shell.connect(`tcp://127.0.0.1:${shell}`);
    this.#control.connect(`tcp://127.0.0.1:${control}`);
    this.#iopub.connect(`tcp://127.0.0.1:${iopub}`);
    this.#iopub.subscribe();
    void this.#listen(this.#shell, (message) => this.#replies.set(message.parent, message));
    void this.#listen(this.#control, (message) => this.#replies.set(message.parent, message));
    void this.#listen(this.#iopub, (message) => this.#published.push(message));
  }

  async #listen(socket: AsyncIterable<Buffer[]>, take: (message: Message) => void): Promise<void> {
    for await (const frames of socket) {
      take(parsed(frames));
      this.#wake();
    }
  }

  /** A subscription takes a moment to reach the kernel; statuses show when it has. */
  async #untilSubscribed(): Promise<void> {
    for (;;) {
      await this.request("kernel_info_request", {});
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (this.#published.length > 0) return;
    }
  }

  /** Sends a request without waiting. @returns Its id. */
  send(type: string, content: unknown, channel: "shell" | "control" = "shell"): string {
    const id = randomUUID();
    const header = {
      msg_id: id,
      msg_type: type,
      session: "test",
      username: "test",
      version: "5.3",
      date: "",
    };
    const parts = [header, {}, {}, content].map((part) => JSON.stringify(part));
    const hash = createHmac("sha256", KEY);
    for (const part of parts) hash.update(part);
    void (channel === "shell" ? this.#shell : this.#control).send([DELIMITER, hash.digest("hex"), ...parts]);
    return id;
  }

  /** Everything about a request, once it was answered and the kernel is idle again. */
  async finished(id: string): Promise<Exchange> {
    const isIdle = (): boolean =>
      this.#published.some(
        ({ type, parent, content }) =>
          type === "status" && parent === id && content["execution_state"] === "idle",
      );
    await this.until(() => this.#replies.has(id) && (isIdle() || this.#published.length === 0));
    const published = this.#published.filter(({ parent, type }) => parent === id && type !== "status");
    return { published, reply: this.#replies.get(id)?.content ?? {} };
  }

  /** Waits until something holds; it is asked again after each message. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#hasEnded) throw new Error(`the kernel ended: ${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Messages published for a request so far. */
  published(id: string): readonly Message[] {
    return this.#published.filter(({ parent }) => parent === id);
  }

  async request(type: string, content: unknown, channel: "shell" | "control" = "shell"): Promise<Exchange> {
    return this.finished(this.send(type, content, channel));
  }

  /** Runs a cell as Jupyter does. */
  execute(code: string, more: Readonly<Record<string, unknown>> = {}): Promise<Exchange> {
    return this.request("execute_request", executeRequest(code, more));
  }

  /** Shuts the kernel down the polite way and waits for its end. */
  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = new Promise((resolve) => this.child.once("exit", resolve));
      this.send("shutdown_request", { restart: false }, "control");
      await gone;
    }
    this.#shell.close();
    this.#control.close();
    this.#iopub.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The content of an execute request. */
export function executeRequest(code: string, more: Readonly<Record<string, unknown>> = {}): object {
  return {
    code,
    silent: false,
    store_history: true,
    user_expressions: {},
    allow_stdin: false,
    stop_on_error: true,
    ...more,
  };
}

function parsed(frames: readonly Buffer[]): Message {
  const at = frames.findIndex((frame) => frame.toString() === DELIMITER);
  const json = (offset: number): Record<string, unknown> =>
    JSON.parse(String(frames[at + offset])) as Record<string, unknown>;
  return { type: String(json(2)["msg_type"]), parent: String(json(3)["msg_id"]), content: json(5) };
}
