/** `dom0 gdb IMAGE`: a board with a debugger's port, on this machine alone. */
import { createServer, type Socket } from "node:net";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Board } from "../../board/board.ts";
import { GdbStub } from "../../board/gdb/stub.ts";
import { openReplay } from "../../board/open-replay.ts";
import { attachPresentFirmware } from "../../firmware/firmware.ts";
import { BOARD_HELP, BOARD_OPTIONS, boardWithFiles, recordingOfFile } from "./guest-files.ts";
import type { Command } from "./main.ts";
import { parsed, Refusal, refusing, wholeNumber } from "./refusal.ts";

/** Instructions between two looks at what the debugger sent: Ctrl-C takes a tenth of a second. */
const SLICE = 1_000_000;
const MAX_PORT = 65_535;
const HOST = "127.0.0.1";

const OPTIONS = {
  ...BOARD_OPTIONS,
  port: { type: "string", default: "1234" },
  stdio: { type: "boolean", default: false },
  replay: { type: "string" },
} as const;

export const command: Command = {
  summary: "run a program under gdb-multiarch, forward and backward",
  usage: `Usage: dom0 gdb FILE.elf [OPTIONS]
       dom0 gdb --replay RECORDING [--port N]

Waits for one debugger, then obeys it until it leaves:
  gdb-multiarch FILE.elf -ex "target remote localhost:1234"
Harts are threads. reverse-stepi, reverse-continue, watch, rwatch, awatch work; monitor help lists what else there is.

Options
${BOARD_HELP}
  --port N             TCP port on ${HOST} (default: 1234; 0: any, which is then named)
  --stdio              talk to the debugger on standard input and output: target remote | dom0 gdb --stdio FILE.elf
  --replay RECORDING   stand at the end of a recorded run, with all of it to go back to`,
  run: (args) => refusing("gdb", () => gdb(args)),
};

async function gdb(args: string[]): Promise<number> {
  const { values, positionals } = parsed(() => parseArgs({ args, options: OPTIONS, allowPositionals: true }));
  const port = wholeNumber(values.port, "--port", { least: 0, most: MAX_PORT });
  const [file] = positionals;
  if (positionals.length !== (values.replay === undefined ? 1 : 0))
    throw new Refusal("name one program file, or a recording with --replay; --help tells more.", 2);
  if (values.stdio && values.replay !== undefined)
    throw new Refusal("GDB on standard input does not wait for a replay: use --port.", 2);
  const board =
    values.replay === undefined ? await boardWithFiles(file ?? "", values) : await replayed(values.replay);
  board.history.keep();
  if (values.stdio) await serve(board, process.stdin, process.stdout, true);
  else await serveOnPort(board, port, file);
  return 0;
}

/** A board at the end of a recorded run, with its history. */
async function replayed(file: string): Promise<Board> {
  const replay = openReplay(await recordingOfFile(file), { prepare: attachPresentFirmware });
  if ("kind" in replay) throw new Refusal(`${file}: ${replay.message}`);
  replay.board.history.keep();
  const report = replay.toEnd();
  if (report.kind === "differs") throw new Refusal(`${file}: ${report.message}`);
  return replay.board;
}

async function serveOnPort(board: Board, port: number, file: string | undefined): Promise<void> {
  const server = createServer();
  const socket = await new Promise<Socket>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken =
        error.code === "EADDRINUSE" ? `port ${port} is in use: choose another with --port` : error.message;
      reject(new Refusal(`${taken}.`));
    });
    server.once("connection", resolve);
    server.listen(port, HOST, () => {
      const address = server.address();
      const bound = typeof address === "object" ? address?.port : port;
      process.stderr.write(
        `waiting for: gdb-multiarch ${file ?? ""} -ex "target remote localhost:${bound}"\n`,
      );
    });
  });
  server.close();
  board.console.onText((text) => process.stdout.write(text));
  const onKeys = (keys: Buffer): void => board.type(keys.toString("utf8"));
  process.stdin.on("data", onKeys);
  try {
    await serve(board, socket, socket, false);
  } finally {
    process.stdin.off("data", onKeys);
    process.stdin.pause();
    socket.destroy();
  }
}

/** Obeys one debugger until it leaves or its end of the line closes. */
async function serve(board: Board, from: Readable, to: Writable, showsConsole: boolean): Promise<void> {
  const stub = new GdbStub(board, { showsConsole });
  let isWorking = false;
  const say = (bytes: Uint8Array): void => {
    if (bytes.length > 0 && to.writable) to.write(bytes);
  };
  const work = async (): Promise<void> => {
    if (isWorking) return;
    isWorking = true;
    while (stub.isRunning && !stub.isOver) {
      say(stub.work(SLICE));
      await setImmediate();
    }
    isWorking = false;
  };
  await new Promise<void>((over) => {
    from.on("data", (bytes: Buffer) => {
      say(stub.receive(bytes));
      if (stub.isOver) over();
      else void work();
    });
    for (const event of ["end", "close", "error"]) from.once(event, () => over());
  });
  stub.close();
  from.removeAllListeners("data");
  from.pause();
}
