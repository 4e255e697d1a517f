/** The guest has come to the monitor: why, and what is done about it. */
import type { AccessKind } from "../../hart/effective-mode.ts";
import { type GVA, gva, pageOf } from "../../hs/address.ts";
import type { HsContext } from "../../hs/context.ts";
import { decodeCsr } from "../../isa/csr-map.ts";
import { EXCEPTION } from "../../isa/trap.ts";
import type { IsaVariant } from "../../isa/variant.ts";
import { fetchedWord, makeAccess } from "./emulated-access.ts";
import { accessFault, type Place, presentView, translate, ViewBit } from "./guest-translation.ts";
import { count, Mode, type Monitor, monitorOf } from "./host.ts";
import { Exit, hostAddress, isGuestRam } from "./layout.ts";
import { hasCopy, mapCode, RIGHTS_OF_DATA, reveal } from "./patching.ts";
import { privileged } from "./privileged.ts";
import { mapShadow, useShadow } from "./shadow.ts";
import { deliver, settleInterrupts } from "./virtual-traps.ts";

/** Exceptions by `mcause`. Those that are not here are the guest's own. */
const EXITS: ReadonlyMap<number, (monitor: Monitor) => void> = new Map<number, (monitor: Monitor) => void>([
  [EXCEPTION.illegalInstruction, illegal],
  [EXCEPTION.ecallFromU, call],
  [EXCEPTION.instructionPageFault, (monitor) => pageFault(monitor, "fetch")],
  [EXCEPTION.loadPageFault, (monitor) => pageFault(monitor, "load")],
  [EXCEPTION.storePageFault, (monitor) => pageFault(monitor, "store")],
]);

/** Each trap of the guest. */
export function handleTrap(context: HsContext, isa: IsaVariant): void {
  const monitor = monitorOf(context, isa);
  const { interrupt, code } = decodeCsr("mcause", context.csr.read("mcause"));
  if (interrupt === 1n) count(monitor, Exit.INTERRUPT);
  else answer(monitor, Number(code));
  if (!monitor.isUnfinished) goOn(monitor);
}

/** The register that the guest stores has come; `mepc` still says where the guest stands. */
export function handleFloat(context: HsContext, isa: IsaVariant): void {
  const monitor = monitorOf(context, isa);
  makeAccess(monitor, "store", monitor.state.float);
  goOn(monitor);
}

/** Before the guest goes on: its interrupts, and the page table for the mode that it is in now. */
export function goOn(monitor: Monitor): void {
  settleInterrupts(monitor);
  useShadow(monitor, presentView(monitor));
}

function answer(monitor: Monitor, cause: number): void {
  const exit = EXITS.get(cause);
  if (exit !== undefined) exit(monitor);
  else {
    count(monitor, Exit.EXCEPTION);
    deliver(monitor, cause, monitor.context.csr.read("mtval"));
  }
}

/** A call comes from the mode that the guest believes in. */
function call(monitor: Monitor): void {
  const { mode } = monitor.state;
  count(monitor, Exit.EXCEPTION);
  const { ecallFromM, ecallFromS, ecallFromU } = EXCEPTION;
  deliver(monitor, mode === Mode.M ? ecallFromM : mode === Mode.S ? ecallFromS : ecallFromU, 0n);
}

/** Where code is patched, what trapped may be no instruction of the guest's at all. */
function illegal(monitor: Monitor): void {
  const word =
    monitor.state.patches === 0n ? Number(monitor.context.csr.read("mtval")) : fetchedWord(monitor);
  if (word !== undefined && !reveal(monitor, word)) privileged(monitor, word);
}

/**
 * The shadow has no such page, or not with this right. The guest's own tables say whether there is one: then it goes into the shadow; it
 * may be a device's; or the guest gets the exception that a bare hart would have raised.
 */
function pageFault(monitor: Monitor, kind: AccessKind): void {
  const view = presentView(monitor);
  if (kind !== "fetch" && (view.view & ViewBit.FETCH_ONLY) !== 0n) {
    makeAccess(monitor, kind);
    return;
  }
  const address = gva(monitor.context.csr.read("mtval"));
  const place = translate(monitor, view, address, kind);
  const isRam = place.kind === "place" && isGuestRam(monitor.state, place.address);
  if (place.kind === "place" && !isRam && kind !== "fetch") {
    makeAccess(monitor, kind);
    return;
  }
  if (place.kind === "no-place" || !isRam) {
    count(monitor, Exit.EXCEPTION);
    deliver(monitor, place.kind === "no-place" ? place.cause : accessFault(kind).cause, address);
    return;
  }
  mapPage(monitor, kind, pageOf(address), place);
}

/** What may go into the shadow of the guest's page. Where code is patched, and under MPRV, not all of it is the hart's to do. */
function mapPage(monitor: Monitor, kind: AccessKind, address: GVA, place: Place): void {
  const page = hostAddress(pageOf(place.address));
  const { view } = presentView(monitor);
  const isPatched = monitor.state.patches !== 0n;
  if (isPatched && kind === "fetch") mapCode(monitor, address, page, place.pageBytes);
  else if (isPatched && hasCopy(monitor, page)) makeAccess(monitor, kind as "load" | "store");
  else {
    count(monitor, Exit.SHADOW);
    const isFetchOnly = (view & ViewBit.FETCH_ONLY) !== 0n;
    const rights = isPatched ? RIGHTS_OF_DATA : isFetchOnly ? ~RIGHTS_OF_DATA : -1n;
    mapShadow(monitor, address, page, place.rights & rights, place.pageBytes);
  }
}
