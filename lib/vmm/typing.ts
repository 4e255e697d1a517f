/** When a guest hears that somebody has typed: at once, or, when it stood still meanwhile, when it goes on. */
import type { Host } from "./host.ts";
import { DomainState, type DomainView } from "./layout.ts";
import { typedCount } from "./terminal.ts";
import { feedConsole } from "./virtio/registers.ts";
import { driveUart } from "./virtual-uart.ts";

/** Tells the consoles of a domain what was typed and not yet read. */
export function hearTyped(host: Host, domain: DomainView): void {
  if (domain.state !== DomainState.RUNNING || typedCount(domain) === 0) return;
  feedConsole({ ...host, domain });
  driveUart({ ...host, domain });
}
