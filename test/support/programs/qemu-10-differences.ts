/** Where QEMU 10.0 differs from our board on random programs with a hypervisor and its guest, and the manual's word on each. */

import { isUpdated, type KnownDifference } from "./known-differences.ts";
import { GUEST_WINDOW, WINDOW_PAGES } from "./layout.ts";
import { QEMU_7_DIFFERENCES } from "./qemu-7-differences.ts";

/** `mstatus.GVA` and `hstatus.GVA`. */
const MACHINE_GVA = 1n << 38n;
const HYPERVISOR_GVA = 1n << 6n;
const SD = 1n << 63n;
const FS = 0x6000n;
const SRET = 0x1020_0073n;
/** VSSIP, VSTIP and VSEIP. */
const VIRTUAL = 0x444n;

const FETCH_FAULTS = [1n, 12n, 20n];
const GUEST_FAULTS = [20n, 21n, 23n];
/** A guest-physical address, divided by four, in the page where programs may have the guest's lowest table. */
const isOfTable = (tval2: bigint): boolean =>
  (tval2 << 2n) >> 12n === BigInt(GUEST_WINDOW + 4096 * (WINDOW_PAGES - 1)) >> 12n;

/** The two differ in some bits and, at most, in what QEMU does not see of FS besides. */
const isDirtyOr = (ours: bigint, theirs: bigint, bits: bigint): boolean =>
  ((ours ^ theirs) & ~(bits | SD | FS)) === 0n && ((ours ^ theirs) & bits) !== 0n && (ours & FS) === FS;

/** Rows that still hold for the newer QEMU. */
const OLD = ["interrupt-order", "flags-not-dirty", "sc-first", "odd-epc"];

export const QEMU_10_DIFFERENCES: readonly KnownDifference[] = [
  ...QEMU_7_DIFFERENCES.filter(({ id }) => OLD.includes(id)),
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
    id: "hideleg-wide",
    spec: "norm:hideleg_sz_acc",
    about: "QEMU's hideleg keeps bits of interrupts that do not exist",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) => name === "hideleg" && (theirs & 0x1fffn) === ours,
  },
  {
    id: "hedeleg-wide",
    spec: "norm:hedeleg_img",
    about: "QEMU's hedeleg knows exception 18, the software check of control-flow integrity",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) => name === "hedeleg" && (ours ^ theirs) === 1n << 18n,
  },
  {
    id: "guest-accessed",
    spec: 'priv §"Addressing and Memory Protection": "a trap may occur between the PTE update and the memory access"',
    about: "QEMU sets A and D in the guest's entry before the second stage refuses the access",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) => name.includes("entry") && isUpdated(ours, theirs),
  },
  {
    id: "gva",
    spec: "norm:hstatus_gva_op",
    about: "QEMU sets GVA when tval holds no address, and not when HLV or HSV faults",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      (name === "status" && ((ours ^ theirs) === MACHINE_GVA || isDirtyOr(ours, theirs, MACHINE_GVA))) ||
      (name === "hstatus" && (ours ^ theirs) === HYPERVISOR_GVA),
  },
  {
    id: "hlvx-as-fetch",
    spec: "norm:hlsv_u_op",
    about: "QEMU treats HLVX as a fetch: it reports faults as such, and forgets SUM",
    scope: "trap",
    matches: ({ difference: { trap }, mnemonic = "", theirMnemonic = "", ours, theirs }) =>
      trap !== undefined &&
      ((mnemonic.startsWith("hlvx") && ours?.cause !== theirs?.cause) ||
        (theirMnemonic.startsWith("hlvx") && FETCH_FAULTS.includes(theirs?.cause ?? 0n))),
  },
  {
    id: "stale-address",
    spec: "norm:mtval2_trapval",
    about:
      "QEMU leaves an older guest-physical address in mtval2 or htval when a trap has none, and clears htval on the guest's own traps",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      (/tval2$/.test(name) && ours === 0n) || (name === "htval" && ours * theirs === 0n),
  },
  {
    id: "implicit-write",
    spec: "norm:H_trap_xtinst_guestpage_rw",
    about: "QEMU writes A and D into the guest's tables where the second stage does not let it write",
    scope: "trap",
    matches: ({ ours }) => ours !== undefined && GUEST_FAULTS.includes(ours.cause) && isOfTable(ours.tval2),
  },
  {
    id: "tsr-in-guest",
    spec: 'priv §"Machine Status (mstatus and mstatush) Registers": "The TSR and TVM fields of mstatus affect execution only in HS-mode"',
    about: "QEMU lets mstatus.TSR forbid SRET in VS-mode, where hstatus.VTSR is in charge",
    scope: "trap",
    matches: ({ theirs }) => theirs?.cause === 2n && theirs.tval === SRET,
  },
  {
    id: "amo-order",
    spec: "norm:H_exception_priority",
    about:
      "for an AMO, QEMU looks where its load would go before it looks at the guest's permission for its store",
    scope: "trap",
    matches: ({ ours, theirs, mnemonic = "" }) =>
      /^(amo|sc)/.test(mnemonic) && ours?.cause === 15n && (theirs?.cause === 23n || theirs?.cause === 7n),
  },
  {
    id: "guest-dirty",
    spec: "norm:vsstatus_sd_xs_op",
    about: "QEMU's vsstatus.SD stays zero when FS is dirty, and FS does not become dirty by flags alone",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      name === "vsstatus" && ((ours ^ theirs) & ~(SD | FS)) === 0n && (ours & FS) === FS,
  },
];
