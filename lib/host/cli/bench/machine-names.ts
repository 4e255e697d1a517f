/** The machine and the versions that figures belong to. */
import os from "node:os";
import process from "node:process";

/** Names for people. */
export interface MachineNames {
  readonly processor: string;
  readonly threads: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  readonly v8: string;
  /** Processes that wanted to run when the figures were there, over the last minute: more than threads is noise. */
  readonly load: number;
}

/** This machine. */
export function machineNames(): MachineNames {
  const processors = os.cpus();
  return {
    processor: processors[0]?.model.trim() ?? "an unknown processor",
    threads: processors.length,
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    load: os.loadavg()[0] ?? 0,
  };
}
