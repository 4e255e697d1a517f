/** What one step did: an instruction retired, or a trap was taken. The full trace of a debugger, one record at a time. */
import type { Width } from "../bus/device.ts";
import { PAGE_BYTES } from "../bus/machine-memory.ts";
import type { EngineStop, StopCondition } from "../engine/engine.ts";
import { guestMode } from "../hart/effective-mode.ts";
import type { Hart } from "../hart/hart.ts";
import { STORED_CSRS, type StoredCsr } from "../hart/layout.ts";
import { reservationWord } from "../hart/reservations.ts";
import type { HartState } from "../hart/state.ts";
import { a } from "../isa/a.ts";
import { type Vaddr, vaddr } from "../isa/address.ts";
import { type DecodedInsn, decode } from "../isa/decode.ts";
import { disassemble } from "../isa/disassemble.ts";
import { instructionBytes } from "../isa/encoding.ts";
import { FLOAT_REGISTER_NAMES, type FloatAbiName } from "../isa/float-register.ts";
import type { Mnemonic } from "../isa/instructions.ts";
import type { Mode } from "../isa/mode.ts";
import { type AbiName, REGISTER_NAMES } from "../isa/register.ts";
import type { Trap } from "../isa/trap.ts";
import { StageWalker } from "../mmu/stage-walker.ts";
import { type Rights, resolve } from "../mmu/translate.ts";
import type { Machine } from "./machine.ts";

/** A register that changed, integer or floating-point. Values are unsigned 64-bit. */
export interface RegisterWrite {
  readonly register: AbiName | FloatAbiName;
  readonly before: bigint;
  readonly after: bigint;
}

/** A stored CSR that changed. Values are unsigned 64-bit. */
export interface CsrChange {
  readonly csr: StoredCsr;
  readonly before: bigint;
  readonly after: bigint;
}

/** A load or store that was done. */
export interface MemoryAccess {
  readonly kind: "load" | "store";
  readonly vaddr: bigint;
  readonly paddr: bigint;
  readonly width: Width;
  /** Unsigned, `width` bytes. */
  readonly value: bigint;
}

/** One step of one hart. */
export interface StepRecord {
  /** Instructions that the machine had retired before this step. */
  readonly retired: number;
  readonly hart: number;
  /** Virtual address of the instruction. */
  readonly pc: bigint;
  /** The instruction's bits; undefined where there is nothing to fetch. */
  readonly word: number | undefined;
  /** Its assembly text. */
  readonly text: string;
  /** `symbol+0x10` for `pc`, when the image has a name for it. */
  readonly where?: string;
  readonly modeBefore: Mode;
  readonly modeAfter: Mode;
  readonly writes: readonly RegisterWrite[];
  readonly csrs: readonly CsrChange[];
  readonly memory?: MemoryAccess;
  /** The trap that was taken instead; then no instruction retired. */
  readonly trap?: Trap;
}

type Access = readonly ["load" | "store", Width];

/** An atomic instruction is shown as the store that it ends with; LR only loads. */
const ATOMIC_ACCESSES = Object.fromEntries(
  Object.keys(a).map((mnemonic): [string, Access] => [
    mnemonic,
    [mnemonic.startsWith("lr.") ? "load" : "store", /\.w\b/.test(mnemonic) ? 4 : 8],
  ]),
);

/** Loads and stores by mnemonic: what they do and how many bytes they move. */
const ACCESSES: { readonly [M in Mnemonic]?: Access } = {
  ...{ lb: ["load", 1], lbu: ["load", 1], lh: ["load", 2], lhu: ["load", 2] },
  ...{ lw: ["load", 4], lwu: ["load", 4], ld: ["load", 8], flw: ["load", 4], fld: ["load", 8] },
  ...{ sb: ["store", 1], sh: ["store", 2], sw: ["store", 4], sd: ["store", 8] },
  ...{ fsw: ["store", 4], fsd: ["store", 8] },
  ...{ "c.lw": ["load", 4], "c.ld": ["load", 8], "c.fld": ["load", 8] },
  ...{ "c.lwsp": ["load", 4], "c.ldsp": ["load", 8], "c.fldsp": ["load", 8] },
  ...{ "c.sw": ["store", 4], "c.sd": ["store", 8], "c.fsd": ["store", 8] },
  ...{ "c.swsp": ["store", 4], "c.sdsp": ["store", 8], "c.fsdsp": ["store", 8] },
  ...ATOMIC_ACCESSES,
  ...{ "hlv.b": ["load", 1], "hlv.bu": ["load", 1], "hlv.h": ["load", 2], "hlv.hu": ["load", 2] },
  ...{ "hlv.w": ["load", 4], "hlv.wu": ["load", 4], "hlv.d": ["load", 8] },
  ...{ "hlvx.hu": ["load", 2], "hlvx.wu": ["load", 4] },
  ...{ "hsv.b": ["store", 1], "hsv.h": ["store", 2], "hsv.w": ["store", 4], "hsv.d": ["store", 8] },
};

/** HLV, HLVX and HSV have a guest's rights; the others the hart's own. */
const rightsOf = (mnemonic: Mnemonic, state: HartState): Rights | undefined =>
  /^h[ls]v/.test(mnemonic)
    ? { mode: guestMode(state), needsExecute: mnemonic.startsWith("hlvx") }
    : undefined;

/** What the engine of a machine that is switched off would say. */
const OFF: EngineStop = { reason: "waiting", steps: 0 };

/**
 * Runs one step of the hart whose turn it is, unless the machine is off, and says what it did.
 *
 * @returns  The record, and how the engine ended: when it made no step, the record shows what would come next.
 */
export function stepMachine(
  machine: Machine,
  until?: StopCondition,
): { record: StepRecord; stop: EngineStop } {
  const { engine, current } = machine.turns;
  const hart = machine.harts[current] ?? machine.harts[0];
  const { state } = hart;
  const retired = machine.clock.retired;
  const pc = hart.pc;
  const modeBefore = hart.mode;
  const registers = state.x.slice();
  const floats = state.f.slice();
  const csrs = state.csrs.slice();
  const word = fetchWord(machine, hart, pc);
  const decoded = word === undefined ? undefined : decode(word);
  const access = decoded === undefined ? undefined : plannedAccess(machine, hart, decoded);
  let trap: Trap | undefined;
  const stopListening = hart.onTrap((event) => {
    trap = event.trap;
  });
  const stop = machine.finish === undefined ? engine.run(1, until) : OFF;
  stopListening();
  const where = machine.symbols.nameOf(pc);
  const record: StepRecord = {
    retired,
    hart: hart.id,
    pc,
    word,
    text: word === undefined ? "(nothing to fetch)" : disassemble(word, pc),
    ...(where === undefined ? {} : { where }),
    modeBefore,
    modeAfter: hart.mode,
    writes: [
      ...registerWrites(REGISTER_NAMES, registers, state.x),
      ...registerWrites(FLOAT_REGISTER_NAMES, floats, state.f),
    ],
    csrs: csrChanges(csrs, state.csrs),
    ...(access === undefined || stop.steps === 0 || trap !== undefined
      ? {}
      : { memory: doneAccess(machine, access) }),
    ...(trap === undefined ? {} : { trap }),
  };
  return { record, stop };
}

/** An access before it happens, with the register that gives or takes the value. */
interface PlannedAccess extends Omit<MemoryAccess, "value"> {
  readonly registers: BigInt64Array | BigUint64Array;
  readonly register: number;
}

function plannedAccess(machine: Machine, hart: Hart, decoded: DecodedInsn): PlannedAccess | undefined {
  const { mnemonic } = decoded;
  const access = ACCESSES[mnemonic];
  if (access === undefined) return undefined;
  const [kind, width] = access;
  const { state } = hart;
  const address = vaddr((state.x[decoded.rs1] ?? 0n) + decoded.imm);
  const physical = physicalAddress(machine, hart, address, kind, rightsOf(mnemonic, state));
  if (physical === undefined) return undefined;
  const willFail =
    mnemonic.startsWith("sc.") &&
    state.reservation !== reservationWord(Number(physical), width === 4 ? 4 : 8);
  if (willFail) return undefined;
  return {
    kind,
    width,
    vaddr: address,
    paddr: physical,
    registers: /^(c\.)?f/.test(mnemonic) ? state.f : state.x,
    register: kind === "load" ? decoded.rd : decoded.rs2,
  };
}

/**
 * What was moved. In a page of RAM it still stands where it was read or written; a device would be disturbed by another
 * question, and an access may span two pages: then the register tells. (A load to `zero` shows 0.)
 */
function doneAccess({ ram }: Machine, { registers, register, ...rest }: PlannedAccess): MemoryAccess {
  const offset = Number(rest.paddr) - ram.base;
  const isInPage = offset >= 0 && (offset % PAGE_BYTES) + rest.width <= PAGE_BYTES && offset < ram.sizeBytes;
  const value = isInPage ? ram.load(offset, rest.width) : (registers[register] ?? 0n);
  return { ...rest, value: BigInt.asUintN(8 * rest.width, value) };
}

/** The instruction at an address as a fetch would find it, 16 bits or 32; looking changes nothing. */
function fetchWord(machine: Machine, hart: Hart, pc: bigint): number | undefined {
  const first = fetchParcel(machine, hart, pc);
  if (first === undefined || instructionBytes(first) === 2) return first;
  const second = fetchParcel(machine, hart, pc + 2n);
  return second === undefined ? undefined : (second * 2 ** 16 + first) >>> 0;
}

function fetchParcel(machine: Machine, hart: Hart, address: bigint): number | undefined {
  const { ram } = machine;
  const physical = physicalAddress(machine, hart, vaddr(address), "fetch");
  const offset = Number(physical ?? 0n) - ram.base;
  return offset >= 0 && offset + 2 <= ram.sizeBytes ? ram.view.getUint16(offset, true) : undefined;
}

/** Where an access would go, without setting A or D; `undefined` where it traps. */
function physicalAddress(
  machine: Machine,
  hart: Hart,
  address: Vaddr,
  kind: "fetch" | "load" | "store",
  rights?: Rights,
): bigint | undefined {
  const walker = new StageWalker(hart.remembered, {});
  const found = resolve(hart.state, machine.bus, address, kind, 1, rights, undefined, walker);
  return found.kind === "translation" ? found.paddr : undefined;
}

function registerWrites<Name extends RegisterWrite["register"]>(
  names: readonly Name[],
  before: BigInt64Array | BigUint64Array,
  after: BigInt64Array | BigUint64Array,
): RegisterWrite[] {
  return names.flatMap((register, index) => {
    const [old, now] = [before[index] ?? 0n, after[index] ?? 0n];
    return old === now ? [] : [{ register, before: BigInt.asUintN(64, old), after: BigInt.asUintN(64, now) }];
  });
}

function csrChanges(before: BigUint64Array, after: BigUint64Array): CsrChange[] {
  return STORED_CSRS.flatMap((csr, slot) => {
    const [old, now] = [before[slot] ?? 0n, after[slot] ?? 0n];
    return old === now ? [] : [{ csr, before: old, after: now }];
  });
}
