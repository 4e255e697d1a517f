/** Where QEMU 10.0 differs from our board on random programs with a hypervisor and its guest, and the manual's word on each. */
import type { TrapRecord } from "./compare.ts";
import { GUEST_ACCESSED } from "./guest-accessed.ts";
import { isUpdated, type KnownDifference, type Sight } from "./known-differences.ts";
import { GUEST_WINDOW, LOG_LIMIT, TABLES, WINDOW_PAGES } from "./layout.ts";
import type { Program } from "./program.ts";
import { isDirtyHere, QEMU_7_DIFFERENCES } from "./qemu-7-differences.ts";
import {
  entryPlace,
  guestEntry,
  HANDLERS,
  HYPERVISOR_GVA,
  isFromGuest,
  isGuestFault,
  lastOf,
  MACHINE_GVA,
  wroteGuestAddress,
} from "./trap-facts.ts";

const SD = 1n << 63n;
const FS = 0x6000n;
const SRET = 0x1020_0073n;
/** VSSIP, VSTIP and VSEIP. */
const VIRTUAL = 0x444n;
const [READ, WRITE, EXECUTE, ACCESSED, DIRTY] = [2n, 4n, 8n, 0x40n, 0x80n];
const VTSR = 1n << 22n;
/** The pseudoinstruction of an update of A or D. */
const UPDATE = 0x3020n;
/** That of a read of the guest's tables. */
const WALK = 0x3000n;

/** Faults of fetches, and those of loads that correspond to them. */
const LOAD_OF_FETCH: ReadonlyMap<bigint, bigint> = new Map([
  [1n, 5n],
  [12n, 13n],
  [20n, 21n],
]);
/** A guest-physical address, divided by four, in the page where programs may have the guest's lowest table. */
const isOfTable = (tval2: bigint): boolean =>
  (tval2 << 2n) >> 12n === BigInt(GUEST_WINDOW + 4096 * (WINDOW_PAGES - 1)) >> 12n;

/** GVA alone differs, beside what QEMU does not see of FS, and by the manual it is as we have it. */
function isTheirGva(sight: Sight): boolean {
  const { difference, ours: record, ourTraps, theirTraps, mnemonic } = sight;
  const { name, trap, ours, theirs } = difference;
  const bit = name === "status" ? MACHINE_GVA : HYPERVISOR_GVA;
  const differing = ours ^ theirs;
  if (!/^h?status$/.test(name) || (differing & bit) === 0n) return false;
  if (differing !== bit && !(name === "status" && isDirtyHere(ours, theirs, bit))) return false;
  const isSet = (ours & bit) !== 0n;
  const writer = name === "status" ? HANDLERS.machine : HANDLERS.supervisor;
  if (record?.handler === writer) return wroteGuestAddress(record, mnemonic) === isSet;
  if (name === "status") return false;
  // Left in hstatus by an earlier trap into HS-mode: it was explained there.
  const handlers = [HANDLERS.machine, HANDLERS.supervisor];
  const [own, other] = [lastOf(ourTraps, handlers, trap), lastOf(theirTraps, handlers, trap)];
  if (own === undefined || other === undefined || ((own.hstatus ^ ours) & bit) !== 0n) return false;
  // QEMU clears GVA on the guest's own traps, which write the guest's CSRs alone: norm:H_trap_vs_csrwrites.
  const later = ourTraps.slice(ourTraps.lastIndexOf(own) + 1, trap);
  const guestTrapped = later.some(({ handler }) => handler === HANDLERS.guest);
  return ((own.hstatus ^ other.hstatus) & bit) !== 0n || (guestTrapped && (theirs & bit) === 0n);
}

/** Where the manual has zero in mtval2 or htval they have an old address; or the guest's own trap cleared their htval. */
function isStale({ difference, ours: record, ourTraps }: Sight): boolean {
  const { name, ours, theirs } = difference;
  if (name === "tval2") return ours === 0n && record !== undefined && !isGuestFault(record);
  if (name !== "mtval2" && name !== "htval") return false;
  const handlers = [name === "mtval2" ? HANDLERS.machine : HANDLERS.supervisor];
  const own = lastOf(ourTraps, handlers);
  // The last call of a full log is not in it.
  if (ours === 0n) return own === undefined || !isGuestFault(own) || ourTraps.length === LOG_LIMIT;
  const later = ourTraps.slice(own === undefined ? 0 : ourTraps.lastIndexOf(own) + 1);
  return name === "htval" && theirs === 0n && later.some(({ handler }) => handler === HANDLERS.guest);
}

/** They forbid SRET, the program's or that of the guest's handler, where the manual does not, or with another exception than it does. */
function isForbiddenReturn({ ours, theirs, theirMnemonic }: Sight): boolean {
  if (
    (theirMnemonic ?? "sret") !== "sret" ||
    theirs?.cause !== 2n ||
    theirs.tval !== SRET ||
    !isFromGuest(theirs)
  )
    return false;
  const isAtReturn = ours?.epc === theirs.epc;
  const isVirtual = isAtReturn && ours?.cause === 22n && ours.tval === SRET;
  // The guest's handler does not see hstatus.
  if (theirs.handler === HANDLERS.guest) return isVirtual || !isAtReturn;
  const previous = theirs.handler === HANDLERS.machine ? 0x1800n : 0x100n;
  const isUser = (theirs.status & previous) === 0n;
  return isUser || (theirs.hstatus & VTSR) !== 0n ? isVirtual : !isAtReturn;
}

/** HLVX, and they report a fetch where the manual has a load; or they alone fault, for they forget SUM. */
function isFetchOfLoad({ difference: { trap }, ours, theirs, theirMnemonic = "" }: Sight): boolean {
  if (trap === undefined || !theirMnemonic.startsWith("hlvx") || theirs === undefined) return false;
  const load = LOAD_OF_FETCH.get(theirs.cause);
  if (load === undefined) return false;
  // Faults of the bus and of the second stage are page faults there, too.
  if (ours?.epc === theirs.epc)
    return ours.cause === load || (theirs.cause === 12n && (ours.cause === 5n || ours.cause === 21n));
  return theirs.cause === 12n;
}

/** An update of A or D in the guest's lowest table, where the second stage lets that be read and not written. */
function isForbiddenUpdate({ ours, theirs, program }: Sight): boolean {
  if (ours === undefined || !isGuestFault(ours) || !isOfTable(ours.tval2)) return false;
  const table = program.entries.second[WINDOW_PAGES - 1] ?? 0n;
  const isElsewhere = theirs?.epc !== ours.epc || theirs.tinst !== ours.tinst;
  if (ours.tinst === UPDATE) return isElsewhere && (table & (READ | WRITE)) === READ;
  // MXR is for explicit loads (norm:vsstatus_mxr_vm), and they read tables through a page that may only be executed.
  return isElsewhere && ours.tinst === WALK && (table & (READ | EXECUTE)) === EXECUTE;
}

/** Rows that still hold for the newer QEMU. */
const OLD = ["interrupt-order", "flags-not-dirty", "sc-first", "odd-epc"];

export const QEMU_10_DIFFERENCES: readonly KnownDifference[] = [
  ...QEMU_7_DIFFERENCES.filter(({ id }) => OLD.includes(id)),
  {
    id: "htinst-write",
    spec: "norm:htinst_sz_acc_op",
    about: "QEMU ignores writes to htinst, also those of zero before a program",
    scope: "word",
    matches: ({ difference: { name, ours }, ourTraps }) =>
      name === "htinst" && ours === (lastOf(ourTraps, [HANDLERS.supervisor])?.tinst ?? 0n),
  },
  {
    id: "hvip-reads-mip",
    spec: "norm:hvip_sz_op",
    about: "QEMU's hvip shows pending bits of HS-mode, where the manual has read-only zeros",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) => name === "hvip" && (theirs & VIRTUAL) === ours,
  },
  {
    id: "hideleg-wide",
    spec: "norm:hideleg_sz_acc",
    about: "QEMU's hideleg keeps bits of interrupts that do not exist",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      name === "hideleg" && (ours & ~VIRTUAL) === 0n && (theirs & 0x1fffn) === ours,
  },
  {
    id: "hedeleg-wide",
    spec: "norm:hedeleg_img",
    about: "QEMU's hedeleg knows exception 18, the software check of control-flow integrity",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      name === "hedeleg" && theirs === (ours | (1n << 18n)),
  },
  GUEST_ACCESSED,
  {
    id: "amo-dirty",
    spec: 'priv §"Addressing and Memory Protection": "If a trap occurs then the A and/or D bit may be updated"',
    about: "before an AMO is refused, we have set D already, and QEMU has not",
    scope: "word",
    matches: ({ difference: { name, ours, theirs }, ourTraps }) => {
      const place = /^guest entry (\d)$/.exec(name)?.[1];
      const isRefused = ({ cause, tval }: TrapRecord): boolean =>
        (cause === 7n || cause === 23n) && `${entryPlace(tval)}` === place;
      return isUpdated(theirs, ours) && (theirs & WRITE) !== 0n && ourTraps.some(isRefused);
    },
  },
  {
    id: "amo-second-accessed",
    spec: 'priv §"Addressing and Memory Protection": "Updates of the A bit may be performed as a result of speculation"',
    about:
      "QEMU loads for an AMO before either stage refuses its store, which sets A for the page in the second stage",
    scope: "word",
    matches: ({ difference: { name, ours, theirs }, ourTraps, program }) => {
      const place = Number(/^second entry (\d)$/.exec(name)?.[1] ?? WINDOW_PAGES - 1);
      const isAtomic = ({ words }: Program["items"][number]): boolean =>
        words.some((word) => (word & 0x7f) === 0x2f);
      return (
        // Not the page of the guest's table: A there is set by both.
        place !== WINDOW_PAGES - 1 &&
        theirs === (ours | ACCESSED) &&
        program.items.some(isAtomic) &&
        ourTraps.some(({ cause }) => cause === 15n || (cause === 23n && (theirs & WRITE) === 0n))
      );
    },
  },
  {
    id: "implicit-dirty",
    spec: "norm:H_vm_gpapriv",
    about: "QEMU writes A and D into the guest's table and does not make the table's own page dirty",
    scope: "word",
    matches: ({ difference: { name, ours, theirs }, program }) =>
      name === `second entry ${WINDOW_PAGES - 1}` &&
      ours === (theirs | DIRTY) &&
      (theirs & WRITE) !== 0n &&
      (((program.entries.second[WINDOW_PAGES - 1] ?? 0n) >> 10n) << 12n) >> 12n ===
        BigInt(TABLES.guest.lowest) >> 12n,
  },
  {
    id: "gva",
    spec: "norm:hstatus_gva_op",
    about: "QEMU sets GVA when tval holds no address, and not when HLV or HSV faults",
    scope: "word",
    matches: isTheirGva,
  },
  {
    id: "hlvx-as-fetch",
    spec: "norm:hlsv_u_op",
    about: "QEMU treats HLVX as a fetch: it reports faults as such, and forgets SUM",
    scope: "trap",
    matches: isFetchOfLoad,
  },
  {
    id: "stale-address",
    spec: "norm:mtval2_trapval",
    about:
      "QEMU leaves an older guest-physical address in mtval2 or htval when a trap has none, and clears htval on the guest's own traps",
    scope: "word",
    matches: isStale,
  },
  {
    id: "implicit-write",
    spec: "norm:H_trap_xtinst_guestpage_rw",
    about: "QEMU writes A and D into the guest's tables where the second stage does not let it write",
    scope: "trap",
    matches: isForbiddenUpdate,
  },
  {
    id: "tsr-in-guest",
    spec: 'priv §"Machine Status (mstatus and mstatush) Registers": "The TSR and TVM fields of mstatus affect execution only in HS-mode"',
    about: "QEMU lets mstatus.TSR forbid SRET in VS-mode, where hstatus.VTSR is in charge",
    scope: "trap",
    matches: (sight) => sight.difference.trap !== undefined && isForbiddenReturn(sight),
  },
  {
    id: "amo-order",
    spec: "norm:H_exception_priority",
    about:
      "for an AMO, QEMU looks where its load would go before it looks at the guest's permission for its store",
    scope: "trap",
    matches: ({ ours, theirs, mnemonic = "", program }) =>
      /^(amo|sc)/.test(mnemonic) &&
      ours?.cause === 15n &&
      theirs?.epc === ours.epc &&
      (theirs.cause === 23n || theirs.cause === 7n) &&
      ((guestEntry(program, ours.tval) ?? WRITE) & WRITE) === 0n,
  },
  {
    id: "guest-dirty",
    spec: "norm:vsstatus_sd_xs_op",
    about: "QEMU's vsstatus.SD stays zero when FS is dirty, and FS does not become dirty by flags alone",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      name === "vsstatus" &&
      ((ours ^ theirs) & ~(SD | FS)) === 0n &&
      (ours & (SD | FS)) === (SD | FS) &&
      (theirs & FS) !== 0n &&
      (theirs & SD) === 0n,
  },
];
