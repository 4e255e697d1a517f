/** Stock Linux in virtual machines of the reference hypervisor. */
import { expect, it } from "vitest";
import { PROMPT, WELCOME } from "../../lib/host/linux/file-systems.ts";
import { type GuestsOptions, guestsMachine } from "../../lib/host/linux/guests.ts";
import { referee } from "../../lib/referee/referee.ts";
import { diskOf, giveTerminal, printedBy } from "../../lib/vmm/hypervisor.ts";
import { DomainState, ExitKind } from "../../lib/vmm/layout.ts";
import { LINUX_TIMEOUT_MS, linuxFiles } from "../support/linux.ts";
import { describeWith } from "../support/optional.ts";
import { frameMistakes } from "../unit/vmm/vmm-scene.ts";

const PIECE = 5_000_000;
const PIECES = 300;

/** A machine with guests, and what one does at its terminals. */
function guests(options: GuestsOptions) {
  const machine = guestsMachine(linuxFiles(), { engine: "translator", ...options });
  if (machine.kind === "refused") throw new Error(machine.message);
  const { board, vmm } = machine;
  const runUntil = (isSo: () => boolean, what: string): void => {
    for (let piece = 0; !isSo(); piece++) {
      const { reason } = board.run({ instructions: PIECE });
      if (piece > PIECES || (reason !== "budget" && !isSo()))
        throw new Error(
          `${reason}, and ${what} never came; domain 1 ends with: ${printedBy(vmm, 1).slice(-500)}`,
        );
    }
  };
  const atPrompt = (domain: number): void =>
    runUntil(() => printedBy(vmm, domain).endsWith(PROMPT), `the prompt of domain ${domain}`);
  /** Types a command to a domain; what it shows until its next prompt. */
  const ask = (domain: number, command: string): string => {
    giveTerminal(vmm, domain);
    const { console } = vmm.state.domain(domain);
    const before = console.written;
    board.type(`${command}\n`);
    runUntil(
      () => console.written > before + BigInt(command.length) && printedBy(vmm, domain).endsWith(PROMPT),
      `an answer of domain ${domain}`,
    );
    const shown = printedBy(vmm, domain);
    return shown.slice(shown.lastIndexOf(command) + command.length, -PROMPT.length).trim();
  };
  return { board, vmm, runUntil, atPrompt, ask };
}

const holds = (disk: Uint8Array, text: string): boolean => Buffer.from(disk).includes(text);

describeWith(["debianLinux"], "two stock kernels side by side", () => {
  it(
    "boot to a shell on a virtio console each, keep files on a disk each, and switch themselves off alone",
    () => {
      const { board, vmm, runUntil, atPrompt, ask } = guests({ count: 2 });
      for (const domain of [1, 2]) atPrompt(domain);
      expect(board.console.text).toContain("Linux version");
      expect(printedBy(vmm, 1)).toContain(WELCOME);
      for (const domain of [2, 1]) {
        ask(domain, `echo this-is-guest-$((${domain} * 111)) > /root/mine`);
        ask(domain, "sync; echo 3 > /proc/sys/vm/drop_caches");
        expect(ask(domain, "cat /root/mine")).toBe(`this-is-guest-${111 * domain}`);
      }
      expect(ask(1, "cat /sys/class/tty/console/active")).toBe("hvc0");
      for (const [domain, other] of [
        [1, 2],
        [2, 1],
      ] as const) {
        const disk = diskOf(board, vmm, domain);
        expect(holds(disk, `this-is-guest-${111 * domain}`)).toBe(true);
        expect(holds(disk, `this-is-guest-${111 * other}`)).toBe(false);
        expect(printedBy(vmm, domain)).not.toContain(`this-is-guest-${111 * other}`);
      }
      // What is written needs no exit for each byte.
      expect(Number(vmm.state.vcpu(0).exits.get(ExitKind.MMIO))).toBeLessThan(5_000);
      giveTerminal(vmm, 1);
      board.type("poweroff -f\n");
      runUntil(() => vmm.state.domain(1).state === DomainState.OFF, "the end of domain 1");
      expect(vmm.state.domain(2).state).toBe(DomainState.RUNNING);
      expect(ask(2, "echo still $((40 + 2))")).toBe("still 42");
      expect(frameMistakes({ board, vmm })).toEqual([]);
      expect(referee(board, vmm).check()).toEqual([]);
    },
    LINUX_TIMEOUT_MS,
  );
});
