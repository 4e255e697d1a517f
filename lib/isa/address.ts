/** The address spaces that an access crosses, kept apart by the compiler. */

declare const space: unique symbol;

/** Virtual address: what a program computes. 64 bits, unsigned. */
export type Vaddr = bigint & { readonly [space]: "va" };
/** Guest-physical address: what the VS-stage yields and the G-stage takes. Unsigned. */
export type Gpaddr = bigint & { readonly [space]: "gpa" };
/** Physical address: what PMP checks and the bus takes. 56 bits, unsigned. */
export type Paddr = bigint & { readonly [space]: "pa" };

/** The low 64 bits as a virtual address. */
export const vaddr = (bits: bigint): Vaddr => BigInt.asUintN(64, bits) as Vaddr;
/** The low 64 bits as a guest-physical address. */
export const gpaddr = (bits: bigint): Gpaddr => BigInt.asUintN(64, bits) as Gpaddr;
/** The low 64 bits as a physical address. Without translation all 64 go to the bus, which has nothing above 2⁵⁶. */
export const paddr = (bits: bigint): Paddr => BigInt.asUintN(64, bits) as Paddr;
