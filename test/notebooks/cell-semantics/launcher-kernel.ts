/** The launcher kernel as a driver, spoken to in Jupyter's protocol. */
import { executeRequest, KernelClient } from "../launcher-client.ts";
import { addOutput, type CellKernel, emptyOutcome, type Outcome } from "./kernel.ts";

export async function startLauncherKernel(): Promise<CellKernel> {
  const client = await KernelClient.start();
  return {
    async execute(source, onOutput) {
      const id = client.send("execute_request", executeRequest(source));
      if (onOutput !== undefined) {
        const hasPrinted = () => client.published(id).some(({ type }) => type === "stream");
        await client.until(hasPrinted);
        onOutput();
      }
      const { reply } = await client.finished(id);
      return liveOutcome(client, id, reply);
    },
    interrupt: () => void client.send("interrupt_request", {}, "control"),
    close: () => client.close(),
  };
}

/** An outcome that reads the published messages whenever it is looked at. */
function liveOutcome(client: KernelClient, id: string, reply: Readonly<Record<string, unknown>>): Outcome {
  const read = (): Outcome => {
    const outcome = emptyOutcome();
    for (const { type, content } of client.published(id)) addOutput(outcome, { ...content, type });
    const isStopped = outcome.error?.ename === "Interrupted";
    outcome.status = reply["status"] === "ok" ? "ok" : isStopped ? "interrupted" : "error";
    return outcome;
  };
  return new Proxy(emptyOutcome(), { get: (_, key) => Reflect.get(read(), key) as unknown });
}
