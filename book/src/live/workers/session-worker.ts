/** The session worker: runs emitted cells with the kit at hand. */
import * as kit from "../../../../lib/index.ts";
import { createCellConsole } from "../../../../lib/notebook/console.ts";
import { setDisplaySink } from "../../../../lib/notebook/display.ts";
import type { SessionEvent, SessionRequest } from "../../../../lib/notebook/kernel-protocol.ts";
import { type CellSession, createCellSession } from "../../../../lib/notebook/session.ts";

const modules: Readonly<Record<string, object>> = { "dom0-kit": kit };
let session: CellSession | undefined;
let run = 0;
const send = (event: SessionEvent): void => postMessage(event);
kit.setAssetSource(kit.fetchedAssets(new URL("/assets/", location.href).href));
const evaluate = globalThis.eval;

addEventListener("message", async ({ data }: MessageEvent<SessionRequest>) => {
  if (data.type === "boot") {
    session = createCellSession({
      evaluate: (code, fileName) => evaluate(`${code}\n//# sourceURL=${fileName}`),
      load: async ({ specifier }) => {
        const found = modules[specifier];
        if (found) return found;
        throw new Error(`Cannot load "${specifier}" here.`);
      },
      meta: {},
      emit: (_cell, output) => send({ type: "output", run, output }),
      turn: () => new Promise((resolve) => setTimeout(resolve)),
      ...(data.interrupt ? { interruptFlag: new Int32Array(data.interrupt) } : {}),
    });
    Object.assign(globalThis, {
      console: createCellConsole((name, text) =>
        send({ type: "output", run, output: { type: "stream", name, text } }),
      ),
    });
    setDisplaySink((bundle, options) =>
      send({ type: "output", run, output: { type: "display_data", data: bundle, ...options } }),
    );
    send({ type: "ready" });
  } else if (data.type === "execute") {
    run = data.run;
    const outcome = await session?.execute(data.cell);
    if (outcome) send({ type: "done", run: data.run, outcome });
  } else session?.interrupt();
});
