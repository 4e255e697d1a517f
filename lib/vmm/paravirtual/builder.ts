/**
 * Builds paravirtualized domains: their frames, which may lie anywhere, their first page tables, and a page that tells them what they
 * have. All memory is there from the start, mapped in a row; at its end lie the start page, the list of frames and the tables.
 */
import { beyond, gpa, type HPA, hpa } from "../../hs/address.ts";
import { PTE } from "../../mmu/pte.ts";
import { loadedPage, vcpusOf } from "../domain.ts";
import { adoptFrame, takeFrame } from "../frames.ts";
import type { Host } from "../host.ts";
import {
  DomainState,
  type DomainView,
  FrameType,
  PAGE_BYTES,
  PAGE_SHIFT,
  PARAVIRTUAL_BASE,
  paravirtualPlaces,
  START_MAGIC,
  StartInfo,
  TABLE_ENTRIES,
  TableFlag,
} from "../layout.ts";
import { startVcpu } from "../vcpu.ts";
import { entryTo } from "./entries.ts";
import { getTyped, ROOT, tableOf } from "./page-types.ts";
import { isParavirtual, vsatpOf } from "./roots.ts";

const PAGE = BigInt(PAGE_BYTES);
/** What the first tables let the guest do: with memory everything, with tables nothing but read. */
const MEMORY = PTE.V | PTE.R | PTE.W | PTE.X | PTE.A | PTE.D;
const READABLE = PTE.V | PTE.R | PTE.A;
/** The builder's own work has no bound. */
const UNBOUNDED = { tables: Number.POSITIVE_INFINITY };

const virtual = (page: number): bigint => PARAVIRTUAL_BASE + BigInt(page) * PAGE;

/** Builds those of the domains that are paravirtualized, and makes the first virtual CPU of each ready. */
export function buildParavirtual(host: Host): void {
  const count = host.state.bootInfo.domains;
  for (let id = 1; id <= count; id++) {
    const domain = host.state.domain(id);
    if (isParavirtual(domain) && !build(host, domain)) domain.state = DomainState.CRASHED;
  }
}

/** False: there are not enough frames. */
function build(host: Host, domain: DomainView): boolean {
  const { id } = domain;
  const boot = host.state.bootInfo.domain.get(id - 1);
  const pages = Number(boot.ramBytes >> PAGE_SHIFT);
  domain.root = hpa(0n);
  domain.ramBytes = 0n;
  const frames: HPA[] = [];
  for (let page = 0; page < pages; page++) {
    const frame = frameFor(host, id, page);
    if (frame === undefined) return false;
    frames.push(frame);
  }
  listFrames(host, frames);
  const root = makeTables(host, frames);
  tell(host, domain, frames, root);
  start(host, domain, root);
  return true;
}

/** The frame of a page: one that the loader has left, or any. */
function frameFor(host: Host, id: number, page: number): HPA | undefined {
  const loaded = loadedPage(host, id, gpa(virtual(page)));
  if (loaded === undefined) return takeFrame(host, id, FrameType.RAM);
  adoptFrame(host, loaded, id);
  return loaded;
}

const frameAt = (frames: readonly HPA[], page: number): HPA => frames[page] ?? hpa(0n);

/** The list of frames that the guest gets. */
function listFrames({ context }: Host, frames: readonly HPA[]): void {
  const { list } = paravirtualPlaces(frames.length);
  for (const [page, frame] of frames.entries()) {
    const at = frameAt(frames, list + Math.floor(page / TABLE_ENTRIES));
    context.store(beyond(at, 8 * (page % TABLE_ENTRIES)), 8, frame >> PAGE_SHIFT);
  }
}

/** Writes tables while they are still memory. Where the root is. */
function makeTables({ context }: Host, frames: readonly HPA[]): HPA {
  const { tables, lowTables } = paravirtualPlaces(frames.length);
  const low = (number: number): HPA => frameAt(frames, tables + number);
  const [middle, root] = [low(lowTables), low(lowTables + 1)];
  for (const [page, frame] of frames.entries()) {
    const at = beyond(low(Math.floor(page / TABLE_ENTRIES)), 8 * (page % TABLE_ENTRIES));
    context.store(at, 8, entryTo(frame, page < tables ? MEMORY : READABLE));
  }
  for (let number = 0; number < lowTables; number++)
    context.store(beyond(middle, 8 * number), 8, entryTo(low(number), PTE.V));
  context.store(beyond(root, 8n * (PARAVIRTUAL_BASE >> 30n)), 8, entryTo(middle, PTE.V));
  return root;
}

function tell({ context, state }: Host, { id }: DomainView, frames: readonly HPA[], root: HPA): void {
  const { info, list, tables, lowTables } = paravirtualPlaces(frames.length);
  const { pieces } = state.bootInfo.domain.get(id - 1);
  const files = pieces.get(2);
  const start = StartInfo.at(context, frameAt(frames, info));
  start.magic = START_MAGIC;
  start.domain = id;
  start.lowTables = lowTables;
  start.pages = BigInt(frames.length);
  start.frames = virtual(list);
  start.tables = virtual(tables);
  start.root = root;
  start.files = files.at;
  start.filesBytes = files.bytes;
}

/** The tables become tables: pinned, and the first virtual CPU's. From now on the guest cannot write them. */
function start(host: Host, { id, entry, tree }: DomainView, root: HPA): void {
  const { state } = host;
  for (let use = 0; use < 2; use++)
    if (getTyped(host, id, root, tableOf(ROOT), UNBOUNDED) !== 0n)
      throw new Error("the first page tables of a paravirtualized domain are not what they may be");
  state.frame(state.frameNumber(root)).flags |= TableFlag.PINNED;
  const [first] = vcpusOf(host, id);
  if (first !== undefined) startVcpu(first, entry, tree, vsatpOf(root, first));
}
