/** The address spaces that an access crosses, kept apart by the compiler. */

declare const space: unique symbol;

/** Virtual address: what a program computes. 64 bits, unsigned. */
export type Vaddr = bigint & { readonly [space]: "va" };
/** Guest-physical address: what the VS-stage yields and the G-stage takes. Unsigned. */
export type Gpaddr = bigint & { readonly [space]: "gpa" };
/** Physical address: what PMP checks and the bus takes. 56 bits, unsigned. */
export type Paddr = bigint & { readonly [space]: "pa" };

export const vaddr = (bits: bigint): Vaddr => BigInt.asUintN(64, bits) as Vaddr;
export const gpaddr = (bits: bigint): Gpaddr => BigInt.asUintN(64, bits) as Gpaddr;
/** 56 bits in Sv39/Sv48; in Bare mode all 64 bits of the address go to the bus, which decodes none above 2⁵⁶. */
export const paddr = (bits: bigint): Paddr => BigInt.asUintN(64, bits) as Paddr;
