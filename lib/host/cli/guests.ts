/** `dom0 guests`: stock Debian kernels side by side in virtual machines of the hypervisor in TypeScript. */
import process from "node:process";
import { parseArgs } from "node:util";
import type { EngineName } from "../../board/engine-choice.ts";
import { giveTerminal } from "../../vmm/hypervisor.ts";
import { ExitKind } from "../../vmm/layout.ts";
import { GuestScreen } from "../linux/guest-screen.ts";
import { type GuestsMachine, guestsMachine } from "../linux/guests.ts";
import { fetchLinux, readLinuxFiles } from "../linux/packages.ts";
import { Progress } from "../linux/progress.ts";
import { Session } from "../linux/session.ts";
import { listenToKeys } from "../linux/terminal.ts";
import { ENGINE_OPTION, ENGINE_WORDS, engineOf } from "./engine-option.ts";
import type { Command } from "./main.ts";
import { parsed, Refusal, refusing, wholeNumber } from "./refusal.ts";

const MOST_GUESTS = 4;
/** Boots that have not shown their shells by then never will. */
const LIMIT = 40e9;

const OPTIONS = {
  count: { type: "string", default: "2" },
  command: { type: "string" },
  log: { type: "boolean", default: false },
  ...ENGINE_OPTION,
} as const;

export const command: Command = {
  summary: "boot stock Debian kernels side by side in virtual machines",
  usage: `Usage: dom0 guests [OPTIONS]

Boots the kernel of "dom0 linux" in several virtual machines on one board. The hypervisor is lib/vmm, and it runs in HS-mode on
that board; each guest has 96 MiB, a disk and a virtio console. What a guest prints stands behind its number. Keys go to
guest 1; Ctrl-A 2 goes to guest 2, and so on; Ctrl-A x leaves. poweroff ends one guest, the last one ends the machine.

Options
  --count N        guests, 1 to ${MOST_GUESTS} (default: 2)
  --command TEXT   run shell commands in each instead, then switch off
  --log            show all that guests print from their first line on
  --engine NAME    ${ENGINE_WORDS}

Exit code: 0 when all guests were switched off or were left; 1 when they could not be started or ended in any other way; 2 for
wrong use.`,
  run: (args) => refusing("guests", () => guests(args)),
};

async function guests(args: string[]): Promise<number> {
  const { values } = parsed(() => parseArgs({ args, options: OPTIONS }));
  const count = wholeNumber(values.count, "--count", { least: 1, most: MOST_GUESTS });
  const progress = new Progress();
  const fetched = await fetchLinux({ say: (line) => progress.stage(line) });
  if (fetched.kind === "refused") throw new Refusal(fetched.message);
  progress.stage("making the guests");
  const engine: { readonly engine?: EngineName } = engineOf(values.engine);
  const machine = guestsMachine(readLinuxFiles(fetched.path), {
    count,
    ...engine,
    ...(values.command === undefined ? {} : { command: values.command }),
  });
  if (machine.kind === "refused") throw new Refusal(machine.message);
  progress.stage(`booting ${count} guests (Ctrl-A x leaves)`);
  return runWithKeyboard(machine, count, values.log, progress);
}

type Running = Extract<GuestsMachine, { kind: "machine" }>;

async function runWithKeyboard(
  { board, vmm }: Running,
  count: number,
  showsAll: boolean,
  progress: Progress,
): Promise<number> {
  const session = new Session(board);
  const screen = new GuestScreen(vmm, count, showsAll);
  let isReached = false;
  const stopListening = listenToKeys({
    onText: (text) => session.type(text),
    onChoice: (guest) => {
      if (guest > count) return;
      giveTerminal(vmm, guest);
      screen.choose(guest);
    },
    onQuit: () => session.end(),
  });
  try {
    const stop = await session.run(LIMIT, () => {
      if (!isReached && !showsAll) progress.boot(board.clock.retired, screen.lastLines);
      if (screen.isReached && !isReached) {
        isReached = true;
        progress.done();
        session.pace();
      }
      screen.update();
    });
    screen.update();
    progress.done();
    process.stderr.write(`${exitWords({ board, vmm }, count)}\n`);
    if (stop === undefined || stop.reason === "poweroff") return 0;
    throw new Refusal(`the machine ended with "${stop.reason}", after ${stop.retired} instructions.`);
  } finally {
    stopListening();
  }
}

/** How often each guest came to the hypervisor, and for what. */
function exitWords({ board, vmm }: Pick<Running, "board" | "vmm">, count: number): string {
  const kinds = Object.entries(ExitKind);
  const lines = Array.from({ length: count }, (_, index) => {
    const { exits } = vmm.state.vcpu(index);
    const words = kinds.flatMap(([name, kind]) => {
      const often = Number(exits.get(kind));
      return often === 0 ? [] : [`${often} ${name.toLowerCase().replaceAll("_", " ")}`];
    });
    return `guest ${index + 1} came to the hypervisor for: ${words.join(", ")}`;
  });
  return [`${(board.clock.retired / 1e6).toFixed(0)} million instructions`, ...lines].join("\n");
}
