/** BASE: what this firmware is, and which extensions it has. @spec SBI 2.0 "Base Extension" */
import { type SbiCall, type SbiExtension, success } from "./sbi.ts";

/** Major version 2, minor version 0. */
const SPECIFICATION = 2n << 24n;
/** The letters "dom0": none of the numbers that the specification lists, for nobody has registered us. */
const IMPLEMENTATION = 0x646f_6d30n;
const IMPLEMENTATION_VERSION = 1n;

/** @param isKnown  Whether an extension with this number is there. */
export const base = (isKnown: (id: bigint) => boolean): SbiExtension => ({
  id: 0x10n,
  name: "BASE",
  functions: [
    () => success(SPECIFICATION),
    () => success(IMPLEMENTATION),
    () => success(IMPLEMENTATION_VERSION),
    (call: SbiCall) => success(isKnown(call.argument(0)) ? 1n : 0n),
    ({ context }) => success(context.csr.read("mvendorid")),
    ({ context }) => success(context.csr.read("marchid")),
    ({ context }) => success(context.csr.read("mimpid")),
  ],
});
