/**
 * The pieces of tslab that the launcher kernel stands on: its Jupyter server (sockets, framing, signatures, routing).
 *
 * They are private files of one version, so the version is checked before anything else. tslab's own converter is not
 * loaded: our cell compiler takes its place, and a start without a second TypeScript is half a second shorter.
 */
import { createRequire } from "node:module";

/** The one version whose private files this launcher knows. */
export const TSLAB_VERSION = "1.0.22";

/** Header of a Jupyter message; the fields that we read. */
export interface MessageHeader {
  msg_type: string;
  readonly msg_id: string;
}

/** One Jupyter message in tslab's form. */
export interface TslabMessage {
  readonly header: MessageHeader;
  content: unknown;
  metadata: unknown;
  /** An empty reply to this message, addressed to its sender. */
  createReply(): TslabMessage;
  signAndSend(key: string, socket: OutgoingSocket): void;
}

/** What tslab does with a socket when it answers. */
export interface OutgoingSocket {
  send(frames: unknown): unknown;
}

/** A bound ZeroMQ socket. */
export interface BoundSocket extends OutgoingSocket {
  send(frames: unknown): Promise<void>;
  sendHighWaterMark: number;
  close(): void;
}

/** tslab's server, as far as the launcher overrides or calls it. */
export interface TslabServer {
  readonly connInfo: { readonly key: string };
  iopub: BoundSocket;
  bindSocket(socket: BoundSocket, port: number): Promise<void>;
  publishStatus(status: "busy" | "idle" | "starting", parent: TslabMessage): void;
  handleShellMessage(socket: BoundSocket, ...frames: Uint8Array[]): Promise<void>;
  handleKernelInfo(socket: OutgoingSocket, message: TslabMessage): void;
  handleExecute(socket: OutgoingSocket, message: TslabMessage): Promise<void>;
  handleIsComplete(socket: OutgoingSocket, message: TslabMessage): void;
  handleInspect(socket: OutgoingSocket, message: TslabMessage): void;
  handleComplete(socket: OutgoingSocket, message: TslabMessage): void;
  handleCommInfoRequest(socket: OutgoingSocket, message: TslabMessage): void;
  handleShutdown(socket: OutgoingSocket, message: TslabMessage): void;
  init(): Promise<void>;
  close(): void;
}

/** What tslab's server asks of the handler that it is given, once all `handle…` methods are overridden. */
export interface TslabHandler {
  close(): void;
}

export type TslabServerClass = new (handler: TslabHandler, connectionFile: string) => TslabServer;

/** Why tslab cannot be used, as one line. */
export interface TslabMismatch {
  readonly kind: "tslab-mismatch";
  readonly message: string;
}

/**
 * Loads tslab's server class.
 * @returns The class, or why this tslab cannot be used.
 */
export function loadTslabServer(): TslabServerClass | TslabMismatch {
  const require = createRequire(import.meta.url);
  const mismatch = (message: string): TslabMismatch => ({ kind: "tslab-mismatch", message });
  let version: unknown;
  try {
    ({ version } = require("tslab/package.json") as { version: unknown });
  } catch {
    return mismatch(`tslab ${TSLAB_VERSION} is not installed: run npm ci.`);
  }
  if (version !== TSLAB_VERSION) {
    return mismatch(`This kernel knows tslab ${TSLAB_VERSION} and found ${String(version)}: run npm ci.`);
  }
  for (const part of ["converter", "inspect"]) {
    const filename = require.resolve(`tslab/dist/${part}.js`);
    require.cache[filename] ??= emptyModule(filename);
  }
  const { ZmqServer } = require("tslab/dist/jupyter.js") as { ZmqServer?: TslabServerClass };
  return typeof ZmqServer === "function"
    ? ZmqServer
    : mismatch("tslab's server class is missing: run npm ci.");
}

/** A module that is already loaded and exports nothing. */
function emptyModule(filename: string): NodeJS.Module {
  const require = createRequire(filename);
  return {
    id: filename,
    filename,
    path: filename,
    loaded: true,
    exports: {},
    children: [],
    paths: [],
    parent: null,
    isPreloading: false,
    require,
  };
}
