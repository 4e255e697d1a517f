/**
 * Translation schemes: how many levels of tables, and which bits of an address they use. Sv39 and Sv48 translate virtual
 * addresses; Sv39x4 and Sv48x4 guest-physical ones, through a root table with four times the entries.
 */
import { PAGE_BYTES, PAGE_SHIFT } from "../bus/machine-memory.ts";
import { BARE, SV39, SV48 } from "../isa/csr-map.ts";

/** Bits of a page number that one level of tables uses. @spec norm:Sv39_vpn_sz @spec norm:Sv48_vpn_sz */
const VPN_BITS = 9;
/** What the root table of guest-physical addresses takes more. @spec norm:hgatp_mode_x4 */
const MORE_ROOT_BITS = 2;

/** A translation scheme. */
export interface Scheme {
  readonly name: "Sv39" | "Sv48" | "Sv39x4" | "Sv48x4";
  /** Levels of tables; the root has the highest number, the last is 0. */
  readonly levels: number;
  /** Bits of an address that are translated. Those of a virtual address above repeat the highest one, those of a guest-physical one are zero. */
  readonly addressBits: number;
  readonly isGuestPhysical: boolean;
}

const virtual = (name: Scheme["name"], levels: number): Scheme => ({
  name,
  levels,
  addressBits: PAGE_SHIFT + VPN_BITS * levels,
  isGuestPhysical: false,
});

const guestPhysical = (name: Scheme["name"], levels: number): Scheme => ({
  name,
  levels,
  addressBits: PAGE_SHIFT + VPN_BITS * levels + MORE_ROOT_BITS,
  isGuestPhysical: true,
});

/**
 * All of them, by name.
 * @spec norm:Sv39_LEVELS
 * @spec norm:Sv48_LEVELS
 * @spec norm:hgatp_mode_sv39x4
 * @spec norm:hgatp_mode_sv48x4
 */
export const SCHEMES = {
  Sv39: virtual("Sv39", 3), // norm:Sv39_levels norm:Sv39_va_sz
  Sv48: virtual("Sv48", 4), // norm:Sv48_levels norm:Sv48_va_sz
  Sv39x4: guestPhysical("Sv39x4", 3),
  Sv48x4: guestPhysical("Sv48x4", 4),
} as const satisfies Record<Scheme["name"], Scheme>;

const BY_MODE: ReadonlyMap<bigint, { readonly virtual: Scheme; readonly guestPhysical: Scheme }> = new Map([
  [SV39, { virtual: SCHEMES.Sv39, guestPhysical: SCHEMES.Sv39x4 }],
  [SV48, { virtual: SCHEMES.Sv48, guestPhysical: SCHEMES.Sv48x4 }],
]);

/** The scheme that a MODE of `satp` or `vsatp` selects; `undefined`: Bare. @spec norm:satp_mode_sxlen64 */
export const schemeOf = (mode: bigint): Scheme | undefined =>
  mode === BARE ? undefined : BY_MODE.get(mode)?.virtual;

/** The scheme that a MODE of `hgatp` selects; `undefined`: Bare. */
export const guestSchemeOf = (mode: bigint): Scheme | undefined =>
  mode === BARE ? undefined : BY_MODE.get(mode)?.guestPhysical;

/** Whether an address has a place in the tables. @spec norm:Sv39_va_signext @spec norm:Sv48_va_signext @spec norm:H_vm_gpatrans */
export const isInScheme = ({ addressBits, isGuestPhysical }: Scheme, address: bigint): boolean =>
  isGuestPhysical
    ? address >> BigInt(addressBits) === 0n
    : BigInt.asIntN(64, address) === BigInt.asIntN(addressBits, address);

/** Index into the table of a level: nine bits, eleven in the root of a guest-physical scheme. */
export function tableIndex({ levels, isGuestPhysical }: Scheme, address: bigint, level: number): number {
  const isWideRoot = isGuestPhysical && level === levels - 1;
  const indexBits = VPN_BITS + (isWideRoot ? MORE_ROOT_BITS : 0);
  return Number(BigInt.asUintN(indexBits, address >> BigInt(PAGE_SHIFT + VPN_BITS * level)));
}

/** Bytes that an entry of a level spans: 4 KiB, 2 MiB, 1 GiB, 512 GiB. @spec norm:Sv39_page_sizes @spec norm:Sv48_page_sizes */
export const pageBytesAt = (level: number): bigint => BigInt(PAGE_BYTES) << BigInt(VPN_BITS * level);
