/**
 * How a machine may differ from the one that the manual describes: without the hypervisor extension, or with CSRs of supervisor mode
 * that user mode can name without a trap, as programs on x86 could read and write flags that were not theirs (SMSW, POPF).
 */

import { lowestMode } from "./csr.ts";
import { CSRS, type CsrName, encodeCsr, findCsr } from "./csr-map.ts";

/** What a machine is. */
export interface IsaVariant {
  /** Whether there is the hypervisor extension: HS-mode's CSRs and instructions, and guests' modes. */
  readonly hypervisor: boolean;
  /**
   * CSRs that *leak*: in user mode an instruction that names one does not trap. It reads what the machine really has there, and what it
   * writes is ignored. None on a machine that follows the manual.
   */
  readonly leaks: readonly CsrName[];
}

/** The manual's machine. */
export const STANDARD_ISA: IsaVariant = { hypervisor: true, leaks: [] };

/** Whether a machine is the manual's. */
export const isStandardIsa = ({ hypervisor, leaks }: IsaVariant): boolean => hypervisor && leaks.length === 0;

/** The level that CSR addresses call the hypervisor's. @spec priv §"CSR Address Mapping Conventions" */
const HYPERVISOR_LEVEL = 2;
/** Machine mode's CSRs that the extension adds. @spec priv §"Machine Second Trap Value (mtval2) Register" */
const ADDED_FOR_MACHINE: ReadonlySet<number> = new Set([CSRS.mtval2.address, CSRS.mtinst.address]);
const GUEST_INTERRUPTS = 0x1444n;

/** Fields of other CSRs that the extension adds: zero without it, whatever is written. */
const ADDED_FIELDS: { readonly [N in CsrName]?: bigint } = {
  mstatus: encodeCsr("mstatus", { GVA: 1, MPV: 1 }),
  misa: 1n << BigInt("H".charCodeAt(0) - "A".charCodeAt(0)),
  medeleg: encodeCsr("medeleg", {
    ecallFromVs: 1,
    instructionGuestPageFault: 1,
    loadGuestPageFault: 1,
    virtualInstruction: 1,
    storeGuestPageFault: 1,
  }),
  mideleg: GUEST_INTERRUPTS,
  mie: GUEST_INTERRUPTS,
  mip: GUEST_INTERRUPTS,
};

/** Whether the machine lacks a CSR that the full one has. */
export const lacksCsr = ({ hypervisor }: IsaVariant, address: number): boolean =>
  !hypervisor && (lowestMode(address) === HYPERVISOR_LEVEL || ADDED_FOR_MACHINE.has(address));

/** The bits of a CSR that the machine has. */
export const presentBits = ({ hypervisor }: IsaVariant, name: CsrName): bigint =>
  hypervisor ? -1n : ~(ADDED_FIELDS[name] ?? 0n);

/** What traces and images call a variant; empty for the manual's machine. */
export const variantText = ({ hypervisor, leaks }: IsaVariant): string =>
  [...(hypervisor ? [] : ["no-h"]), ...(leaks.length === 0 ? [] : [`leaks=${leaks.join(",")}`])].join(" ");

/** The variant of this name; `undefined`: there is none. */
export function variantFrom(text: string): IsaVariant | undefined {
  const found = /^(no-h)?(?:(?:^| )leaks=([a-z0-9,]+))?$/.exec(text);
  if (found === null) return undefined;
  const leaks = found[2]?.split(",").map(findCsr) ?? [];
  const known = leaks.filter((name) => name !== undefined);
  return known.length === leaks.length ? { hypervisor: found[1] === undefined, leaks: known } : undefined;
}
