/**
 * One tab of a headless Chromium, spoken to over its debugging pipe: a page is opened, asked, photographed.
 *
 * The pipe (`--remote-debugging-pipe`) opens no port; messages are JSON, ended by a zero byte.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Readable, Writable } from "node:stream";

/** How a page is shown. */
export interface Showing {
  readonly media: "screen" | "print";
  readonly scheme: "light" | "dark";
  /** CSS pixels. */
  readonly widthPx: number;
}

/** A rectangle of the page, CSS pixels from its upper left corner. */
export interface PageBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const ARGUMENTS = [
  ...[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
  ],
  ...[
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
  ],
];
/** Pixels of a photograph for one of the page, so that small letters can be judged. */
const PIXELS_PER_PX = 1.5;
/** Longest answer of a busy machine. */
const ANSWER_MS = 120_000;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** An answer, or news. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** A tab. Every method throws when Chromium says no, dies or is silent for two minutes. */
export class ChromiumTab {
  readonly #browser: ChildProcess;
  readonly #folder: string;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onLoad: (() => void)[] = [];
  #session: string | undefined;
  #count = 0;
  #heard = Buffer.alloc(0);

  private constructor(program: string) {
    this.#folder = mkdtempSync(path.join(os.tmpdir(), "dom0-chromium-"));
    this.#browser = spawn(program, [...ARGUMENTS, `--user-data-dir=${this.#folder}`, "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    (this.#browser.stdio[4] as Readable).on("data", (bytes: Buffer) => this.#hear(bytes));
    (this.#browser.stdio[3] as Writable).on("error", () => {}); // Chromium is gone: "exit" says so
    this.#browser.on("error", (error) => this.#fail(error));
    this.#browser.on("exit", (code) => this.#fail(new Error(`Chromium ended with ${code}`)));
  }

  /** Starts Chromium. @param program  Its path. */
  static async open(program: string): Promise<ChromiumTab> {
    const tab = new ChromiumTab(program);
    const { targetId } = await tab.#ask<{ targetId: string }>("Target.createTarget", { url: "about:blank" });
    const attached = await tab.#ask<{ sessionId: string }>("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    tab.#session = attached.sessionId;
    await tab.#ask("Page.enable");
    return tab;
  }

  /** Opens an address and waits until it is loaded. */
  async goTo(url: string, { media, scheme, widthPx }: Showing): Promise<void> {
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.#ask("Emulation.setEmulatedMedia", { media, features });
    await this.#ask("Emulation.setDeviceMetricsOverride", {
      ...{ width: widthPx, height: 900, deviceScaleFactor: PIXELS_PER_PX, mobile: false },
    });
    const isLoaded = new Promise<void>((resolve) => this.#onLoad.push(resolve));
    await this.#ask("Page.navigate", { url });
    await isLoaded;
  }

  /** Runs a function of JavaScript in the page; it may use nothing from outside itself. Its result crosses as JSON. */
  async call<Result>(inPage: () => Result | Promise<Result>): Promise<Result> {
    interface Answer {
      readonly result: { readonly value: Result };
      readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
    }
    const { result, exceptionDetails } = await this.#ask<Answer>("Runtime.evaluate", {
      expression: `(${inPage})()`,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? "the page threw");
    return result.value;
  }

  /** A part of the page as PNG, also below the window's edge. @param scale  Of the picture, besides {@link PIXELS_PER_PX}. */
  async photograph(box: PageBox, scale = 1): Promise<Uint8Array> {
    const { data } = await this.#ask<{ data: string }>("Page.captureScreenshot", {
      format: "png",
      captureBeyondViewport: true,
      clip: { ...box, scale },
    });
    return Buffer.from(data, "base64");
  }

  /** The page as it is printed on A4, as PDF. */
  async print(): Promise<Uint8Array> {
    const { data } = await this.#ask<{ data: string }>("Page.printToPDF", {
      ...{ paperWidth: 8.27, paperHeight: 11.69, printBackground: true },
    });
    return Buffer.from(data, "base64");
  }

  /** Ends Chromium and removes what it wrote. */
  async close(): Promise<void> {
    const { exitCode, signalCode, pid } = this.#browser;
    if (exitCode === null && signalCode === null && pid !== undefined) {
      const gone = new Promise((resolve) => this.#browser.once("exit", resolve));
      this.#browser.kill();
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #ask<Result>(method: string, params: object = {}): Promise<Result> {
    this.#count += 1;
    const id = this.#count;
    const message = JSON.stringify({ id, method, params, sessionId: this.#session });
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => reject(new Error(`Chromium does not answer ${method}`)), ANSWER_MS);
    this.#waiting.set(id, { resolve, reject, timer });
    if (this.#browser.exitCode === null) (this.#browser.stdio[3] as Writable).write(`${message}\0`);
    else this.#fail(new Error(`Chromium ended with ${this.#browser.exitCode}`));
    return promise as Promise<Result>;
  }

  #hear(bytes: Buffer): void {
    this.#heard = Buffer.concat([this.#heard, bytes]);
    for (let end = this.#heard.indexOf(0); end >= 0; end = this.#heard.indexOf(0)) {
      const text = this.#heard.toString("utf8", 0, end);
      this.#heard = this.#heard.subarray(end + 1);
      this.#take(JSON.parse(text) as Message);
    }
  }

  #take(message: Message): void {
    if (message.method === "Page.loadEventFired") for (const go of this.#onLoad.splice(0)) go();
    const asked = this.#waiting.get(message.id ?? -1);
    if (asked === undefined) return;
    this.#waiting.delete(message.id ?? -1);
    clearTimeout(asked.timer);
    if (message.error === undefined) asked.resolve(message.result);
    else asked.reject(new Error(message.error.message));
  }

  #fail(error: Error): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
  }
}
