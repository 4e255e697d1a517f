/**
 * Addresses as a hypervisor names them. Each is a type of its own: to give one where another is wanted is a compile error, and
 * numbers become addresses only through a function that says which.
 */
import { type Gpaddr, gpaddr, type Paddr, paddr, type Vaddr, vaddr } from "../isa/address.ts";

/** Guest-virtual: what the guest computes. HLV and HSV take it, and the guest's own tables (`vsatp`) translate it. */
export type GVA = Vaddr;
/** Guest-physical: what the guest takes for physical. The hypervisor's second stage (`hgatp`) translates it. */
export type GPA = Gpaddr;
/** Host-physical: where bytes are. A hypervisor that maps itself one to one loads and stores by it. */
export type HPA = Paddr;

/** The low 64 bits as a guest-virtual address. */
export const gva = vaddr;
/** The low 64 bits as a guest-physical address. */
export const gpa = gpaddr;
/** The low 64 bits as a host-physical address. */
export const hpa = paddr;

/** The address so many bytes further on, in the same space; it wraps at 2⁶⁴ as a register does. */
export const beyond = <A extends GVA | GPA | HPA>(address: A, bytes: bigint | number): A =>
  BigInt.asUintN(64, address + BigInt(bytes)) as A;

/** The first address of the page (or of a larger, power-of-two piece) that an address lies in. */
export const pageOf = <A extends GVA | GPA | HPA>(address: A, bytes = 4096n): A =>
  (address & ~(bytes - 1n)) as A;
