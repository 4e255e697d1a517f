/** Stock Linux in virtual machines, to power-off, in a process of its own. Argument: a {@link GuestOrder}; answer: a {@link GuestAnswer}. */
import path from "node:path";
import type { EngineName } from "../../../board/engine-choice.ts";
import { printedBy } from "../../../vmm/hypervisor.ts";
import { ExitKind, VCPUS, VcpuState } from "../../../vmm/layout.ts";
import { DEBIAN_CACHE } from "../../debian-packages.ts";
import { OUTPUT_ENDS, type Terminal } from "../../linux/file-systems.ts";
import { guestsMachine } from "../../linux/guests.ts";
import { LINUX_FOLDER, readLinuxFiles } from "../../linux/packages.ts";
import { answerOrder } from "./child-answer.ts";

/** What to boot. */
export interface GuestOrder {
  readonly engine: EngineName;
  readonly count: number;
  readonly terminal: Terminal;
  /** What each shell runs before its machine switches itself off. */
  readonly command: string;
}

/** How it went. */
export interface GuestAnswer {
  readonly retired: number;
  /** How often guests came to the hypervisor, by kind, all together. */
  readonly exits: Readonly<Record<string, number>>;
}

/** More than two boots take. */
const BUDGET = 1e10;

function boot({ engine, count, terminal, command }: GuestOrder): GuestAnswer {
  const files = readLinuxFiles(path.join(DEBIAN_CACHE, LINUX_FOLDER));
  const machine = guestsMachine(files, { engine, count, terminal, command });
  if (machine.kind === "refused") throw new Error(machine.message);
  const { board, vmm } = machine;
  const stop = board.run({ instructions: BUDGET });
  for (let domain = 1; domain <= count; domain++) {
    const printed = printedBy(vmm, domain);
    if (stop.reason !== "poweroff" || !printed.includes(OUTPUT_ENDS))
      throw new Error(`guest ${domain} ended with ${stop.reason} after:\n${printed.slice(-300)}`);
  }
  const vcpus = Array.from({ length: VCPUS }, (_, index) => vmm.state.vcpu(index)).filter(
    ({ state }) => state !== VcpuState.NONE,
  );
  const exits = Object.entries(ExitKind).map(([name, kind]): [string, number] => [
    name,
    vcpus.reduce((sum, vcpu) => sum + Number(vcpu.exits.get(kind)), 0),
  ]);
  return { retired: stop.retired, exits: Object.fromEntries(exits.filter(([, count]) => count > 0)) };
}

answerOrder(boot);
