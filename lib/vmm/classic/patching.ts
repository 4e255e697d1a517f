/**
 * Binary patching, for machines with instructions that should trap and do not. The guest's code never runs itself: the hart runs copies
 * of its pages, in which each instruction that leaks is missing. A missing instruction is a zero halfword, which no hart executes.
 *
 * A copy is empty at first. Where the hart comes to a hole, the instructions from there to the next jump are copied, those that leak
 * left out; so code is told from data by being executed. A page with a copy can be executed and nothing else; loads and stores of it are
 * made by the monitor, which shows the guest its own bytes, and begins the copy anew when they change.
 *
 * Code that jumps into the middle of its own instructions is not looked for.
 */
import { beyond, type GVA, gva, type HPA, hpa, pageOf } from "../../hs/address.ts";
import { csrAt } from "../../isa/csr-map.ts";
import { decode } from "../../isa/decode.ts";
import { PTE } from "../../mmu/pte.ts";
import { type Place, presentView, translate } from "./guest-translation.ts";
import { count, type Monitor } from "./host.ts";
import { COPIES, Exit, hostAddress, isGuestRam, PAGE_BYTES, PATCHED_PAGES } from "./layout.ts";
import { forgetShadows, mapShadow } from "./shadow.ts";

/** What a page has that is not executed: while code is patched no page can be written and executed. */
export const RIGHTS_OF_DATA: bigint = PTE.R | PTE.W;

const JUMPS = new Set(["jal", "jalr", "c.j", "c.jr", "c.jalr", "mret", "sret"]);
const CSR_INSTRUCTION = /^csrr[wsc]i?$/;

/** The copy of a page of the guest's RAM, if it has one. */
function copyOf({ state }: Monitor, page: HPA): HPA | undefined {
  for (let index = 0; index < PATCHED_PAGES; index++)
    if (state.patched.get(index) === page) return copyAt(index);
  return undefined;
}

const copyAt = (index: number): HPA => hpa(COPIES + BigInt(index * PAGE_BYTES));

/** Whether loads and stores of a page are the monitor's to make. */
export const hasCopy = (monitor: Monitor, page: HPA): boolean => copyOf(monitor, page) !== undefined;

/** Empties a copy: every instruction is a hole again. */
function empty({ context }: Monitor, copy: HPA): void {
  for (let at = 0; at < PAGE_BYTES; at += 8) context.store(hpa(copy + BigInt(at)), 8, 0n);
  context.fenceInstructions();
}

/** A copy for a page. No shadow may show the page itself any longer, so all are forgotten. */
function makeCopy(monitor: Monitor, page: HPA): HPA {
  const { state } = monitor;
  const index = Number(state.copies % BigInt(PATCHED_PAGES));
  state.copies += 1n;
  state.patched.set(index, page);
  forgetShadows(monitor);
  empty(monitor, copyAt(index));
  return copyAt(index);
}

/** The hart wants to execute a page: it gets the copy, or, when there was none, a copy and another fault. */
export function mapCode(monitor: Monitor, address: GVA, page: HPA, pageBytes: bigint): void {
  count(monitor, Exit.PATCH);
  const copy = copyOf(monitor, page);
  if (copy === undefined) makeCopy(monitor, page);
  else mapShadow(monitor, address, copy, PTE.X, pageBytes);
  const pc = monitor.context.csr.read("mepc");
  // The second half of an instruction that began in the page before.
  if (pageOf(gva(pc)) !== address) copyHalf(monitor, page, 0);
}

function copyHalf(monitor: Monitor, page: HPA, offset: number): void {
  const copy = copyOf(monitor, page);
  const at = BigInt(offset);
  if (copy !== undefined) monitor.context.store(hpa(copy + at), 2, monitor.context.load(hpa(page + at), 2));
}

/** The guest's bytes have changed. */
export function codeChanged(monitor: Monitor, page: HPA): void {
  const copy = monitor.state.patches === 0n ? undefined : copyOf(monitor, page);
  if (copy !== undefined) empty(monitor, copy);
}

/** Whether an instruction names a CSR that leaks. */
function isLeaky({ isa }: Monitor, word: number): boolean {
  const decoded = decode(word);
  const name = CSR_INSTRUCTION.test(decoded?.mnemonic ?? "") ? csrAt(decoded?.csr ?? 0) : undefined;
  return name !== undefined && isa.leaks.includes(name);
}

/**
 * The hart has met something illegal. If it is a hole that is none in the guest's own code, it is filled.
 *
 * @param word  The guest's own instruction.
 * @returns     False: the instruction is really illegal in user mode, or one that leaks. It has to be done for the guest.
 */
export function reveal(monitor: Monitor, word: number): boolean {
  if (monitor.state.patches === 0n) return false;
  const { context, state } = monitor;
  const pc = gva(context.csr.read("mepc"));
  const place = translate(monitor, presentView(monitor), pc, "fetch");
  if (place.kind === "no-place" || !isGuestRam(state, place.address, 2)) return false;
  const page = hostAddress(pageOf(place.address));
  const copy = copyOf(monitor, page);
  const offset = Number(pc & 0xfffn);
  if (copy === undefined || isLeaky(monitor, word)) return false;
  if (context.load(hpa(copy + BigInt(offset)), 2) === BigInt(word & 0xffff)) return false;
  count(monitor, Exit.PATCH);
  fill(monitor, page, pc);
  context.fenceInstructions();
  return true;
}

/** Copies instructions from `pc` up to a jump, to what is no instruction, or to the end of the page. */
function fill(monitor: Monitor, page: HPA, pc: GVA): void {
  const { context } = monitor;
  for (let offset = Number(pc & 0xfffn); offset < PAGE_BYTES; ) {
    const low = Number(context.load(hpa(page + BigInt(offset)), 2));
    const isLong = (low & 3) === 3;
    const isSplit = isLong && offset === PAGE_BYTES - 2;
    const high = isSplit
      ? firstHalfOfNext(monitor, pc)
      : Number(context.load(hpa(page + BigInt(offset + 2)), 2));
    const word = isLong ? (low | (high << 16)) >>> 0 : low;
    if (!isLeaky(monitor, word)) copyHalf(monitor, page, offset);
    if (isLong && !isSplit) copyHalf(monitor, page, offset + 2);
    const mnemonic = decode(word)?.mnemonic;
    if (mnemonic === undefined || JUMPS.has(mnemonic)) return;
    offset += isLong ? 4 : 2;
  }
}

/** The halfword at the beginning of the page behind, which its copy must have too. */
function firstHalfOfNext(monitor: Monitor, pc: GVA): number {
  const next = beyond(pageOf(pc), PAGE_BYTES);
  const place: Place | { kind: "no-place" } = translate(monitor, presentView(monitor), next, "fetch");
  if (place.kind === "no-place" || !isGuestRam(monitor.state, place.address, 2)) return 0;
  const page = hostAddress(place.address);
  copyHalf(monitor, page, 0);
  return Number(monitor.context.load(page, 2));
}
