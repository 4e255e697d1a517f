/**
 * What the reader has built, as parts of the hypervisor: the function that reads a device access, and the one that answers a guest-page
 * fault, see what they saw in their exercises, and a real guest lives from what they return.
 */
import type { Width } from "../../bus/device.ts";
import { type GPA, gva, type HPA, hpa, pageOf } from "../../hs/address.ts";
import { isRefused } from "../../hs/context.ts";
import type { Access } from "../../vmm/access.ts";
import { isGuestRam, loadedPage } from "../../vmm/domain.ts";
import { disown, refer, takeFrame } from "../../vmm/frames.ts";
import type { Visit } from "../../vmm/host.ts";
import { ExitKind, FrameType } from "../../vmm/layout.ts";
import type { VmmParts } from "../../vmm/parts.ts";
import { lookUp } from "../../vmm/second-stage.ts";
import { type FigureBundle, markupBundle } from "../figure.ts";
import { type Table, tableHtml, tableText } from "../marks/html.ts";
import type { GuestFault, GuestMemory } from "./demand-history.ts";

/** What the reader has built; what is missing is the reference's. */
export interface Built {
  readonly decodeMmio?: (htinst: number, instruction: number) => unknown;
  readonly onGuestFault?: (
    vm: GuestMemory,
    fault: GuestFault,
    memory: Map<bigint, bigint>,
    free: bigint[],
  ) => unknown;
}

/** Who did how much. An onlooker's count: nothing in the machine depends on it. */
export interface PartsUse {
  readonly decoded: { yours: number; reference: number };
  readonly pages: { yours: number; reference: number };
}

/** The parts, and a count of what they did. */
export interface ReaderParts {
  readonly parts: VmmParts;
  readonly use: PartsUse;
}

/** Makes parts of the hypervisor out of what the reader has built. What is not written yet leaves the work to the reference. */
export function readerParts({ decodeMmio, onGuestFault }: Built): ReaderParts {
  const use: PartsUse = { decoded: { yours: 0, reference: 0 }, pages: { yours: 0, reference: 0 } };
  const parts: VmmParts = {
    ...(decodeMmio === undefined
      ? {}
      : {
          decodeAccess: (visit, reference) => {
            const own = accessIn(decodeMmio(Number(visit.context.csr.read("htinst")), instructionOf(visit)));
            use.decoded[own === undefined ? "reference" : "yours"] += 1;
            return own ?? reference();
          },
        }),
    ...(onGuestFault === undefined
      ? {}
      : {
          guestPageFault: (visit, address, _wish, reference) => {
            const given = isNew(visit, address) ? give(visit, address, onGuestFault) : undefined;
            if (given === undefined) {
              if (isGuestRam(visit.domain, address)) use.pages.reference += 1;
              return reference();
            }
            if (given) use.pages.yours += 1;
            return given;
          },
        }),
  };
  return { parts, use };
}

/** Shows who did how much. */
export function partsTable({ use }: ReaderParts): FigureBundle {
  const table: Table = {
    caption: "Whose code the guests lived from",
    columns: ["what", "yours", "the reference\u2019s"],
    rightColumns: [1, 2],
    namesRows: true,
    rows: [
      ["device accesses decoded", String(use.decoded.yours), String(use.decoded.reference)],
      ["pages given", String(use.pages.yours), String(use.pages.reference)],
    ],
  };
  return markupBundle(tableHtml(table), tableText(table));
}

const WIDTHS: readonly unknown[] = [1, 2, 4, 8];

/** An access, if a value has the shape of one. */
function accessIn(value: unknown): Access | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { isStore, width, isSigned, register, sizeBytes } = value as Partial<Record<keyof Access, unknown>>;
  const isRegister = typeof register === "number" && register >= 0 && register < 32;
  if (!isRegister || !WIDTHS.includes(width) || (sizeBytes !== 2 && sizeBytes !== 4)) return undefined;
  return {
    isStore: isStore === true,
    width: width as Width,
    isSigned: isSigned === true,
    register,
    sizeBytes,
  };
}

/** The instruction where the guest stands, fetched as the guest would; 0 if it cannot be. */
function instructionOf({ context }: Visit): number {
  const pc = context.csr.read("sepc");
  const word = context.attempt(() => {
    const low = Number(context.fetchAsGuest(gva(pc), 2));
    return (low & 3) === 3 ? (low | (Number(context.fetchAsGuest(gva(pc + 2n), 2)) << 16)) >>> 0 : low;
  });
  return isRefused(word) ? 0 : word;
}

/** A page that the guest has not used, and for which the loader has left nothing. */
const isNew = (visit: Visit, address: GPA): boolean =>
  lookUp(visit, visit.domain.id, pageOf(address)) === undefined &&
  loadedPage(visit, visit.domain.id, pageOf(address)) === undefined;

/** Frames that one fault can need: two tables and the page. */
const MOST_FRAMES = 3;

/**
 * Shows the reader's function the entries on the way to an address and three free frames, and stores what it has changed.
 *
 * @returns  Whether the guest has the page now; `undefined`: the function is not written yet.
 */
function give(
  visit: Visit,
  address: GPA,
  onGuestFault: NonNullable<Built["onGuestFault"]>,
): boolean | undefined {
  const { context, domain, state } = visit;
  const { id, ramBase, ramBytes } = domain;
  const root = state.root(id);
  const taken: HPA[] = [];
  for (let count = 0; isGuestRam(domain, address) && count < MOST_FRAMES; count += 1) {
    const frame = takeFrame(visit, id, FrameType.RAM);
    if (frame !== undefined) taken.push(frame);
  }
  const before = pathTo(visit, root, address);
  const fault: GuestFault = {
    cause: Number(context.csr.read("scause")),
    stval: context.csr.read("stval"),
    htval: context.csr.read("htval"),
  };
  const result = onGuestFault({ root, ramBase, ramBytes }, fault, new Map(before), [...taken]);
  const { outcome, memory } = (result ?? {}) as { readonly outcome?: unknown; readonly memory?: unknown };
  const isMapped = outcome === "mapped" && memory instanceof Map;
  const used = isMapped ? commit(visit, before, memory, taken) : new Set<bigint>();
  // In reverse, so that the list of free frames is as it was; and nobody has written to them.
  for (const frame of taken.toReversed()) {
    if (used.has(frame)) continue;
    disown(visit, frame);
    state.frame(state.frameNumber(frame)).flags = 0;
  }
  if (isMapped) {
    visit.vcpu.exits.set(ExitKind.DEMAND_PAGE, visit.vcpu.exits.get(ExitKind.DEMAND_PAGE) + 1n);
    return true;
  }
  return outcome === "device" || outcome === "refused" ? false : undefined;
}

/** The entries that a walk for an address reads. */
function pathTo({ context }: Visit, root: HPA, address: GPA): Map<bigint, bigint> {
  const path = new Map<bigint, bigint>();
  let table: bigint = root;
  for (const [shift, mask] of [
    [30n, 2047n],
    [21n, 511n],
    [12n, 511n],
  ] as const) {
    const at = table + ((address >> shift) & mask) * 8n;
    const entry = context.load(hpa(at), 8);
    path.set(at, entry);
    if (entry === 0n) break;
    table = (entry >> 10n) << 12n;
  }
  return path;
}

/** Stores what is new, and counts what the new entries lead to. Frames that nothing leads to are given back. */
function commit(
  visit: Visit,
  before: ReadonlyMap<bigint, bigint>,
  after: ReadonlyMap<unknown, unknown>,
  taken: readonly HPA[],
): Set<bigint> {
  const used = new Set<bigint>();
  for (const [at, word] of after) {
    // Frames of the pool are clear already.
    if (typeof at !== "bigint" || typeof word !== "bigint" || word === (before.get(at) ?? 0n)) continue;
    const isOurs = before.has(at) || taken.some((frame) => at >= frame && at < frame + 4096n);
    if (!isOurs)
      throw new RangeError(
        `onGuestFault stores to 0x${at.toString(16)}, which is neither an entry on the way nor in a free frame.`,
      );
    visit.context.store(hpa(at), 8, BigInt.asUintN(64, word));
    const frame = taken.find((each) => each === (word >> 10n) << 12n);
    if (frame === undefined) continue;
    used.add(frame);
    const isTable = (word & 14n) === 0n;
    if (isTable) visit.state.frame(visit.state.frameNumber(frame)).type = FrameType.G_TABLE;
    refer(visit, frame, isTable || (word & 4n) !== 0n);
  }
  return used;
}
