/**
 * Loads and stores that are made for the guest: of devices, which no shadow maps, and those that the hart cannot be trusted with: under
 * MPRV, and of code that was patched.
 */

import { VIRT_MAP } from "../../board/memory-map.ts";
import type { Width } from "../../bus/device.ts";
import { beyond, type GPA, type GVA, gva, hpa, pageOf } from "../../hs/address.ts";
import { isRefused } from "../../hs/context.ts";
import { decode } from "../../isa/decode.ts";
import { EXCEPTION } from "../../isa/trap.ts";
import { guestRegister, setGuestRegister } from "../access.ts";
import { atomicChange, conditionalWidth, reservedWidth } from "./atomic-change.ts";
import { askForGuestFloat, hasFloats, setGuestFloat } from "./floats.ts";
import {
  accessFault,
  dataView,
  type NoPlace,
  type Place,
  presentView,
  translate,
} from "./guest-translation.ts";
import { count, type Monitor, skip } from "./host.ts";
import { Exit, hostAddress, isGuestRam, PAGE_BYTES } from "./layout.ts";
import { codeChanged } from "./patching.ts";
import { deliver } from "./virtual-traps.ts";

/** What an SC says that has not stored. @spec norm:sc_failure_code */
const FAILED = 1n;

/** What an instruction moves between a register and memory. */
interface Access {
  readonly kind: "load" | "store";
  readonly width: Width;
  readonly isSigned: boolean;
  /** Of a floating-point register, by number as the others. */
  readonly isFloat: boolean;
  /** The register that is loaded, or the floating-point one that is stored; and what is stored. */
  readonly register: number;
  readonly operand: bigint;
  /** An atomic operation: what it stores, from what it loads. */
  readonly change?: (old: bigint, operand: bigint) => bigint;
  /** An SC: it may store, and does not. */
  readonly isConditional: boolean;
  readonly address: GVA;
  readonly sizeBytes: 2 | 4;
}

type Shape = Pick<Access, "kind" | "width" | "isSigned" | "isFloat">;
const load = (width: Width, isSigned: boolean): Shape => ({ kind: "load", width, isSigned, isFloat: false });
const store = (width: Width): Shape => ({ kind: "store", width, isSigned: false, isFloat: false });
const float = (shape: Shape): Shape => ({ ...shape, isFloat: true });
const SHAPES: Readonly<Record<string, Shape>> = {
  lb: load(1, true),
  lh: load(2, true),
  lw: load(4, true),
  ld: load(8, true),
  lbu: load(1, false),
  lhu: load(2, false),
  lwu: load(4, false),
  sb: store(1),
  sh: store(2),
  sw: store(4),
  sd: store(8),
  flw: float(load(4, false)),
  fld: float(load(8, false)),
  fsw: float(store(4)),
  fsd: float(store(8)),
};

/** Devices that the guest may use: all that the board has without asking, but what could reach memory by itself. */
const DEVICES = [VIRT_MAP.testFinisher, VIRT_MAP.rtc, VIRT_MAP.clint, VIRT_MAP.plic, VIRT_MAP.uart];

const isDevice = (address: bigint): boolean =>
  DEVICES.some(({ base, sizeBytes }) => address >= BigInt(base) && address < BigInt(base + sizeBytes));

/**
 * The word of the instruction where the guest stands: 16 or 32 bits. It may be there no longer: the guest has changed its tables and not
 * fenced. Then it gets the exception of one who fetches now, which the manual allows.
 *
 * @returns  `undefined`: there is no instruction, and the exception has been delivered.
 */
export function fetchedWord(monitor: Monitor): number | undefined {
  const pc = gva(monitor.context.csr.read("mepc"));
  const low = fetchHalf(monitor, pc);
  if (low === undefined || (low & 3) !== 3) return low;
  const high = fetchHalf(monitor, beyond(pc, 2));
  return high === undefined ? undefined : (low | (high << 16)) >>> 0;
}

function fetchHalf(monitor: Monitor, address: GVA): number | undefined {
  const place = translate(monitor, presentView(monitor), address, "fetch");
  if (place.kind === "place" && isGuestRam(monitor.state, place.address, 2))
    return Number(monitor.context.load(hostAddress(place.address), 2));
  count(monitor, Exit.EXCEPTION);
  deliver(monitor, place.kind === "no-place" ? place.cause : accessFault("fetch").cause, address);
  return undefined;
}

function shapeOf(mnemonic: string, atomic: Width | undefined): Shape | undefined {
  if (atomic !== undefined) return store(atomic);
  const conditional = conditionalWidth(mnemonic);
  if (conditional !== undefined) return store(conditional);
  const reserved = reservedWidth(mnemonic);
  return reserved === undefined ? SHAPES[mnemonic.replace(/^c\.|sp$/g, "")] : load(reserved, true);
}

function accessOf(monitor: Monitor, word: number): Access | undefined {
  const decoded = decode(word);
  if (decoded === undefined) return undefined;
  const { rd, rs1, rs2, imm, sizeBytes, mnemonic } = decoded;
  const atomic = atomicChange(mnemonic);
  const shape = shapeOf(mnemonic, atomic?.width);
  if (shape === undefined) return undefined;
  const address = gva(guestRegister(monitor, rs1) + BigInt(imm));
  const operand = shape.isFloat ? 0n : guestRegister(monitor, rs2);
  const register = shape.isFloat && shape.kind === "store" ? rs2 : rd;
  const isConditional = conditionalWidth(mnemonic) !== undefined;
  const access = { ...shape, register, operand, address, sizeBytes, isConditional };
  return atomic === undefined ? access : { ...access, change: atomic.change };
}

/**
 * Makes the load or store at which the guest stands, or hands it the exception that it earns. What is no such instruction gets an access
 * fault: the guest has changed its code and not fenced, so that the hart has executed another.
 *
 * @param float  What a floating-point register has. When it is needed and left out, it is asked for, and nothing else is done.
 */
export function makeAccess(monitor: Monitor, kind: "load" | "store", float?: bigint): void {
  const word = fetchedWord(monitor);
  if (word === undefined) return;
  const access = accessOf(monitor, word);
  const tval = gva(monitor.context.csr.read("mtval"));
  if (access === undefined) {
    const place = translate(monitor, dataView(monitor), tval, kind);
    count(monitor, Exit.EXCEPTION);
    deliver(monitor, place.kind === "no-place" ? place.cause : accessFault(kind).cause, tval);
    return;
  }
  if (access.isFloat && !hasFloats(monitor)) {
    count(monitor, Exit.EXCEPTION);
    deliver(monitor, EXCEPTION.illegalInstruction, BigInt(word));
    return;
  }
  if (access.isFloat && access.kind === "store" && float === undefined) {
    askForGuestFloat(monitor, access.register);
    return;
  }
  count(monitor, Exit.ACCESS);
  const failed =
    access.kind === "load"
      ? makeLoad(monitor, access)
      : makeStore(monitor, access.isFloat ? { ...access, operand: float ?? 0n } : access);
  if (failed === undefined) skip(monitor, access.sizeBytes);
  else deliver(monitor, failed.cause, failed.address);
}

type Failed = NoPlace & { readonly address: GVA };

/** Pieces of an access that lie in one page each. */
function piecesOf(
  monitor: Monitor,
  { address, width, kind }: Access,
): Failed | (Place & { readonly width: Width })[] {
  const view = dataView(monitor);
  const isWhole = Number(address & 0xfffn) + width <= PAGE_BYTES;
  const pieces = isWhole ? [address] : Array.from({ length: width }, (_, byte) => beyond(address, byte));
  const places: (Place & { readonly width: Width })[] = [];
  for (const piece of pieces) {
    const place = translate(monitor, view, piece, kind);
    // The exception names the first byte that lies in the wrong page.
    if (place.kind === "no-place") return { ...place, address: piece };
    places.push({ ...place, width: isWhole ? width : 1 });
  }
  return places;
}

function makeLoad(monitor: Monitor, access: Access): Failed | undefined {
  const pieces = piecesOf(monitor, access);
  if ("kind" in pieces) return pieces;
  let value = 0n;
  for (const [index, { address, width }] of pieces.entries()) {
    const loaded = loadAt(monitor, address, width);
    if (loaded === undefined) return { ...accessFault("load"), address: access.address };
    value |= loaded << BigInt(8 * index);
  }
  const bits = 8 * access.width;
  if (access.isFloat) setGuestFloat(monitor, access.register, access.width, value);
  else setGuestRegister(monitor, access.register, access.isSigned ? BigInt.asIntN(bits, value) : value);
  return undefined;
}

function makeStore(monitor: Monitor, access: Access): Failed | undefined {
  const pieces = piecesOf(monitor, access);
  if ("kind" in pieces) return pieces;
  if (access.isConditional) {
    setGuestRegister(monitor, access.register, FAILED);
    return undefined;
  }
  const value = access.change === undefined ? access.operand : changed(monitor, access, pieces[0]?.address);
  if (value === undefined) return { ...accessFault("store"), address: access.address };
  for (const [index, { address, width }] of pieces.entries())
    if (!storeAt(monitor, address, width, value >> BigInt(8 * index)))
      return { ...accessFault("store"), address: access.address };
  return undefined;
}

/** What an atomic operation stores; the register gets what was there. It works on RAM and never crosses a page. */
function changed(monitor: Monitor, access: Access, at: GPA | undefined): bigint | undefined {
  const { width, register, operand, change } = access;
  const bits = 8 * width;
  if (at === undefined || change === undefined || !isGuestRam(monitor.state, at, width)) return undefined;
  const old = BigInt.asIntN(bits, monitor.context.load(hostAddress(at), width));
  setGuestRegister(monitor, register, old);
  return change(old, BigInt.asIntN(bits, operand));
}

function loadAt({ state, context }: Monitor, address: GPA, width: Width): bigint | undefined {
  if (isGuestRam(state, address, width)) return context.load(hostAddress(address), width);
  if (!isDevice(address)) return undefined;
  const loaded = context.attempt(() => context.load(hpa(address), width));
  return isRefused(loaded) ? undefined : loaded;
}

function storeAt(monitor: Monitor, address: GPA, width: Width, value: bigint): boolean {
  const { state, context } = monitor;
  const bytes = BigInt.asUintN(8 * width, value);
  if (isGuestRam(state, address, width)) {
    context.store(hostAddress(address), width, bytes);
    codeChanged(monitor, hostAddress(pageOf(address)));
    return true;
  }
  return isDevice(address) && !isRefused(context.attempt(() => context.store(hpa(address), width, bytes)));
}
