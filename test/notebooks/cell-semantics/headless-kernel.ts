/** The headless kernel as a driver. */
import path from "node:path";
import { openHeadlessSession } from "../../../lib/host/kernel/headless-session.ts";
import { addOutput, type CellKernel, emptyOutcome } from "./kernel.ts";

export const NOTEBOOK_FOLDER = path.resolve(import.meta.dirname, "../../../notebooks");

export async function startHeadlessKernel(): Promise<CellKernel> {
  const session = openHeadlessSession({ folder: NOTEBOOK_FOLDER });
  await session.ready();
  return {
    async execute(source, onOutput) {
      const outcome = emptyOutcome();
      const { status } = await session.execute(source, (output) => {
        addOutput(outcome, output);
        onOutput?.();
      });
      outcome.status = status;
      return outcome;
    },
    interrupt: () => session.interrupt(),
    close: () => session.close(),
  };
}
