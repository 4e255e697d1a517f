/** Where QEMU 10.0 differs from our board on random programs with a hypervisor and its guest, and the manual's word on each. */
import type { KnownDifference } from "./known-differences.ts";
import { QEMU_7_DIFFERENCES } from "./qemu-7-differences.ts";

/** `mstatus.GVA` and `hstatus.GVA`. */
const MACHINE_GVA = 1n << 38n;
const HYPERVISOR_GVA = 1n << 6n;
const SD = 1n << 63n;
/** VSSIP, VSTIP and VSEIP. */
const VIRTUAL = 0x444n;
const ACCESSED = 0x40n;

/** Rows that still hold for the newer QEMU. */
const OLD = ["ebreak-tval", "misaligned-tval", "interrupt-order", "flags-not-dirty"];

export const QEMU_10_DIFFERENCES: readonly KnownDifference[] = [
  ...QEMU_7_DIFFERENCES.filter(({ id }) => OLD.includes(id)),
  {
    id: "tinst-zero",
    spec: "norm:H_trap_xtinst_val",
    about: "where we describe the instruction that faulted, QEMU may write zero",
    scope: "word",
    matches: ({ difference: { name, theirs } }) => name === "tinst" && theirs === 0n,
  },
  {
    id: "htinst-write",
    spec: "norm:htinst_sz_acc_op",
    about: "QEMU ignores writes to htinst, also those of zero before a program",
    scope: "word",
    matches: ({ difference: { name } }) => name === "htinst",
  },
  {
    id: "hvip-reads-mip",
    spec: "norm:hvip_sz_op",
    about: "QEMU's hvip shows pending bits of HS-mode, where the manual has read-only zeros",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      name === "hvip" && ((ours ^ theirs) & VIRTUAL) === 0n,
  },
  {
    id: "guest-accessed",
    spec: 'priv §"Addressing and Memory Protection": "Updates of the A bit may be performed as a result of speculation"',
    about: "QEMU sets A in the guest's entry before the second stage refuses the access",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      name.includes("entry") && theirs === (ours | ACCESSED),
  },
  {
    id: "gva",
    spec: "norm:hstatus_gva_op",
    about: "QEMU sets GVA when tval holds no address, and not when HLV or HSV faults",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      (name === "status" && (ours ^ theirs) === MACHINE_GVA) ||
      (name === "hstatus" && (ours ^ theirs) === HYPERVISOR_GVA),
  },
  {
    id: "guest-dirty",
    spec: "norm:vsstatus_sd_xs_op",
    about: "QEMU's vsstatus.SD stays zero when vsstatus.FS is dirty",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) => name === "vsstatus" && (ours ^ theirs) === SD,
  },
];
