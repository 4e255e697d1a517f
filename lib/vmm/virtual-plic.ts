/** The PLIC that guests see: SiFive's register map, all state in the domain's structure. @spec riscv-plic-1.0.0, chapters named below */
import { PlicOffset } from "../devices/plic.ts";
import type { Visit } from "./host.ts";
import { bestSource, notifyContexts, requestAgain } from "./interrupts.ts";
import { PLIC_CONTEXTS, PLIC_SOURCES } from "./layout.ts";

const PRIORITY_MASK = 7;
const WORD = 0xffff_ffffn;

/** A row of 64 bits as words of 32; those behind are zero. */
const wordOf = (row: bigint, word: number): bigint => (word > 1 ? 0n : (row >> BigInt(32 * word)) & WORD);

/** A context's enables by offset. */
function enablesAt(offset: number) {
  const place = offset - PlicOffset.ENABLE;
  return {
    context: Math.floor(place / PlicOffset.ENABLE_STRIDE),
    word: (place % PlicOffset.ENABLE_STRIDE) >> 2,
  };
}

/** A context's threshold or claim register by offset. */
function registerAt(offset: number) {
  const place = offset - PlicOffset.CONTEXT;
  return {
    context: Math.floor(place / PlicOffset.CONTEXT_STRIDE),
    register: place % PlicOffset.CONTEXT_STRIDE,
  };
}

/** A load. What does not exist reads as zero. */
export function loadPlic(visit: Visit, offset: number): bigint {
  const { plic } = visit.domain;
  if (offset < PlicOffset.PENDING)
    return offset >> 2 < PLIC_SOURCES ? BigInt(plic.priority.get(offset >> 2)) : 0n;
  if (offset < PlicOffset.ENABLE) return wordOf(plic.pending, (offset - PlicOffset.PENDING) >> 2);
  if (offset < PlicOffset.CONTEXT) {
    const { context, word } = enablesAt(offset);
    return context < PLIC_CONTEXTS ? wordOf(plic.enable.get(context), word) : 0n;
  }
  const { context, register } = registerAt(offset);
  if (context >= PLIC_CONTEXTS) return 0n;
  if (register === PlicOffset.THRESHOLD) return BigInt(plic.threshold.get(context));
  return register === PlicOffset.CLAIM ? BigInt(claim(visit, context)) : 0n;
}

/** A store. Pending bits are the gateways' and stay. */
export function storePlic(visit: Visit, offset: number, value: number): void {
  const { plic } = visit.domain;
  if (offset < PlicOffset.PENDING) {
    const source = offset >> 2;
    if (source >= 1 && source < PLIC_SOURCES) plic.priority.set(source, value & PRIORITY_MASK);
  } else if (offset >= PlicOffset.CONTEXT) storeRegister(visit, offset, value);
  else if (offset >= PlicOffset.ENABLE) storeEnables(visit, offset, value);
  notifyContexts(visit);
}

/** @spec riscv-plic-1.0.0 "Interrupt Enables" */
function storeEnables({ domain: { plic } }: Visit, offset: number, value: number): void {
  const { context, word } = enablesAt(offset);
  if (context >= PLIC_CONTEXTS || word > 1) return;
  const shift = BigInt(32 * word);
  const row = (plic.enable.get(context) & ~(WORD << shift)) | (BigInt(value >>> 0) << shift);
  plic.enable.set(context, row & ~1n);
}

function storeRegister(visit: Visit, offset: number, value: number): void {
  const { context, register } = registerAt(offset);
  if (context >= PLIC_CONTEXTS) return;
  if (register === PlicOffset.THRESHOLD) visit.domain.plic.threshold.set(context, value & PRIORITY_MASK);
  if (register === PlicOffset.CLAIM) complete(visit, context, value);
}

/** @spec riscv-plic-1.0.0 "Interrupt Claim Process" */
function claim(visit: Visit, context: number): number {
  const { plic } = visit.domain;
  const { source } = bestSource(visit, context);
  if (source === 0) return 0;
  const bit = 1n << BigInt(source);
  plic.pending &= ~bit;
  plic.claimed |= bit;
  notifyContexts(visit);
  return source;
}

/** Opens the gateway of a source that the context has enabled. @spec riscv-plic-1.0.0 "Interrupt Completion" */
function complete(visit: Visit, context: number, source: number): void {
  const { plic } = visit.domain;
  if (source < 1 || source >= PLIC_SOURCES) return;
  const bit = 1n << BigInt(source);
  if ((plic.enable.get(context) & bit) === 0n) return;
  plic.claimed &= ~bit;
  requestAgain(visit, source);
}
