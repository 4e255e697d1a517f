/** An `HsContext` that issues instructions to the hart which called the handler. */
import type { Width } from "../bus/device.ts";
import type { Issue } from "../hart/handler-table.ts";
import type { Hart } from "../hart/hart.ts";
import { enabledPending } from "../hart/interrupts.ts";
import type { Gpaddr, Paddr, Vaddr } from "../isa/address.ts";
import type { CsrName } from "../isa/csr-map.ts";
import type { DecodedInsn } from "../isa/decode.ts";
import { REGISTER_NAMES } from "../isa/register.ts";
import type { Trap } from "../isa/trap.ts";
import type { CallLog } from "./call-log.ts";
import type { AtomicChange, CsrAccess, HsContext, Refused, SavedRegisters } from "./context.ts";
import {
  ADDRESS_REGISTER,
  ATOMIC,
  type CsrOperation,
  csrInsn,
  FENCE_I,
  FENCES,
  GUEST_FETCH,
  GUEST_LOAD,
  GUEST_STORE,
  LOAD,
  LOAD_SAVED,
  STORE,
  STORE_SAVED,
  VALUE_REGISTER,
  WFI,
} from "./operation-words.ts";

/** Why a handler is being unwound: the reason is in the context. Thrown through the handler, never out of its call. */
class Unwind {}
const UNWIND = new Unwind();

/** Something that a handler asked for and no instruction can do. */
export class HandlerMistake extends Error {}

/**
 * Why a call did not come to its own end: an exception, too many operations, or, between two operations, somebody else's turn.
 */
export type Ending =
  | { readonly kind: "trap"; readonly trap: Trap }
  | { readonly kind: "budget" }
  | { readonly kind: "preempted" };

const BUDGET: Ending = { kind: "budget" };
const PREEMPTED: Ending = { kind: "preempted" };

type Fences = (typeof FENCES)[keyof typeof FENCES];

/** What a call may do. */
export interface CallLimits {
  /** Operations that it may still make. */
  readonly operations: number;
  /** What it has done before, and where that is noted; none: it runs to its end at once. */
  readonly log: CallLog | undefined;
  /** Whether it is unwound behind each operation, for others to run. It needs a log. */
  readonly isPreempted: boolean;
}

/** The context of one hart's calls. Between them it can do nothing, whoever has kept it. */
export class IssuingContext implements HsContext {
  readonly hart: number;
  readonly registers: SavedRegisters;
  readonly csr: CsrAccess = {
    read: (name) => {
      this.#operateCsr("read", name, undefined);
      return this.#value;
    },
    write: (name, value) => this.#operateCsr("write", name, value),
    set: (name, bits) => this.#operateCsr("set", name, bits),
    clear: (name, bits) => this.#operateCsr("clear", name, bits),
  };
  readonly #hart: Hart;
  readonly #x: BigInt64Array;
  readonly #unsigned: BigUint64Array;
  readonly #otherHarts: () => boolean;
  #issue: Issue | undefined;
  #operationsLeft = 0;
  #log: CallLog | undefined;
  #isPreempted = false;
  #ending: Ending | undefined;
  /** What a replayed operation gave, in place of the register. */
  #replayed: bigint | undefined;

  /** @param isAnyoneElse  Whether another hart is awake. */
  constructor(hart: Hart, isAnyoneElse: () => boolean) {
    const { x } = hart.state;
    this.#hart = hart;
    this.hart = hart.id;
    this.#x = x;
    this.#unsigned = new BigUint64Array(x.buffer, x.byteOffset, x.length);
    this.#otherHarts = isAnyoneElse;
    this.registers = new SavedBySp(this) as unknown as SavedRegisters;
  }

  /** Whether it is working for a call. */
  get isOpen(): boolean {
    return this.#issue !== undefined;
  }

  /** From now on it works for a call. */
  open(issue: Issue, { operations, log, isPreempted }: CallLimits): void {
    this.#issue = issue;
    this.#operationsLeft = operations;
    this.#log = log;
    this.#isPreempted = isPreempted;
    this.#ending = undefined;
    this.#replayed = undefined;
  }

  /** The call is over, or interrupted. */
  close(): void {
    this.#issue = undefined;
  }

  /** Why the handler did not come to its own end; `undefined` if it did. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  load(address: Paddr, width: Width): bigint {
    this.#operate(byWidth(LOAD, width), address, undefined);
    return this.#value;
  }

  store(address: Paddr, width: Width, value: bigint): void {
    this.#operate(byWidth(STORE, width), address, word("the value", value));
  }

  /** A saved register. `sp` points to the save area for as long as handlers run. */
  loadSaved(insn: DecodedInsn): bigint {
    this.#operate(insn, undefined, undefined);
    return this.#value;
  }

  /** The same, changed. */
  storeSaved(insn: DecodedInsn, value: bigint): void {
    this.#operate(insn, undefined, word("the value", value));
  }

  atomic(change: AtomicChange, address: Paddr, operand: bigint): bigint {
    const insn = ATOMIC[change];
    if (insn === undefined)
      throw new HandlerMistake(`there is no atomic change "${String(change)}": swap, add, and, or`);
    this.#operate(insn, address, word("the value", operand));
    return this.#value;
  }

  loadAsGuest(address: Vaddr, width: Width): bigint {
    this.#operate(byWidth(GUEST_LOAD, width), address, undefined);
    return this.#value;
  }

  fetchAsGuest(address: Vaddr, width: 2 | 4): bigint {
    this.#operate(GUEST_FETCH[width], address, undefined);
    return this.#value;
  }

  storeAsGuest(address: Vaddr, width: Width, value: bigint): void {
    this.#operate(byWidth(GUEST_STORE, width), address, word("the value", value));
  }

  fenceTranslations(address?: Vaddr, asid?: bigint): void {
    this.#fence(FENCES.own, address, asid);
  }

  fenceGuestTranslations(address?: Vaddr, asid?: bigint): void {
    this.#fence(FENCES.vs, address, asid);
  }

  /** The instruction takes the address without its two lowest bits. @spec norm:hfence-gvma_op */
  fenceSecondStage(address?: Gpaddr, vmid?: bigint): void {
    this.#fence(FENCES.g, address === undefined ? undefined : address >> 2n, vmid);
  }

  fenceInstructions(): void {
    this.#operate(FENCE_I, undefined, undefined);
  }

  waitForInterrupt(): void {
    this.#operate(WFI, undefined, undefined);
  }

  attempt<T>(action: () => T): T | Refused {
    try {
      return action();
    } catch (thrown) {
      const ending = this.#ending;
      if (thrown !== UNWIND || ending?.kind !== "trap") throw thrown;
      this.#ending = undefined;
      return { kind: "refused", trap: ending.trap };
    }
  }

  get #value(): bigint {
    return this.#replayed ?? (this.#unsigned[VALUE_REGISTER] as bigint);
  }

  #operateCsr(operation: CsrOperation, name: CsrName, value: bigint | undefined): void {
    const insn = csrInsn(operation, name);
    if (insn === undefined) throw new HandlerMistake(`there is no CSR called "${String(name)}"`);
    this.#operate(insn, undefined, operation === "read" ? undefined : word("the value", value));
  }

  #fence(insns: Fences, address: bigint | undefined, id: bigint | undefined): void {
    if (id !== undefined) word("the address-space number", id);
    if (address === undefined) this.#operate(id === undefined ? insns.all : insns.id, undefined, id);
    else this.#operate(id === undefined ? insns.address : insns.both, address, id);
  }

  /** One instruction. A handler that was unwound and caught it goes nowhere from here. */
  #operate(insn: DecodedInsn, address: bigint | undefined, value: bigint | undefined): void {
    const issue = this.#issue;
    if (issue === undefined)
      throw new HandlerMistake("a context was used outside the call that it was given for");
    if (address !== undefined) word("the address", address);
    if (this.#ending !== undefined) throw UNWIND;
    if (this.#log?.isReplaying === true) {
      this.#replay(this.#log, insn);
      return;
    }
    if (this.#operationsLeft === 0) this.#unwind(BUDGET);
    this.#operationsLeft -= 1;
    if (address !== undefined) this.#x[ADDRESS_REGISTER] = address;
    if (value !== undefined) this.#x[VALUE_REGISTER] = value;
    const trap = issue(insn);
    if (this.#log !== undefined) this.#note(this.#log, insn, trap);
    if (trap !== undefined) this.#unwind({ kind: "trap", trap });
    if (insn === WFI) this.#sleep();
    if (this.#isPreempted) this.#unwind(PREEMPTED);
  }

  #note(log: CallLog, insn: DecodedInsn, trap: Trap | undefined): void {
    const code = insn.word >>> 0;
    const value = this.#unsigned[VALUE_REGISTER] as bigint;
    this.#replayed = undefined;
    log.note(trap === undefined ? { kind: "value", word: code, value } : { kind: "trap", word: code, trap });
  }

  #replay(log: CallLog, insn: DecodedInsn): void {
    const operation = log.replay(insn.word >>> 0);
    if (operation.kind === "trap") this.#unwind({ kind: "trap", trap: operation.trap });
    this.#replayed = operation.value;
  }

  #sleep(): void {
    const { state, clock } = this.#hart;
    while (state.waiting && enabledPending(state) === 0n && !this.#otherHarts() && clock.sleep())
      clock.ringDue();
    state.waiting = false;
  }

  #unwind(ending: Ending): never {
    this.#ending = ending;
    throw UNWIND;
  }
}

function byWidth(insns: Readonly<Record<Width, DecodedInsn>>, width: Width): DecodedInsn {
  const insn = insns[width];
  if (insn === undefined) throw new HandlerMistake(`an access has 1, 2, 4 or 8 bytes, not ${String(width)}`);
  return insn;
}

/** Notebooks are checked less strictly than this library: a number in place of a bigint gets a sentence of its own. */
function word(what: string, value: bigint | undefined): bigint {
  if (typeof value !== "bigint")
    throw new HandlerMistake(
      `${what} is ${String(value)} (${typeof value}); it must be a bigint, such as 5n`,
    );
  return value;
}

/** The registers that the vector saved: a load or a store each, `sp` being the base. */
class SavedBySp {
  readonly context: IssuingContext;

  constructor(context: IssuingContext) {
    this.context = context;
  }
}

for (const [index, name] of REGISTER_NAMES.entries()) {
  const [load, store] = [LOAD_SAVED[index], STORE_SAVED[index]];
  if (name === "zero" || load === undefined || store === undefined) continue;
  Object.defineProperty(SavedBySp.prototype, name, {
    enumerable: true,
    get(this: SavedBySp): bigint {
      return this.context.loadSaved(load);
    },
    set(this: SavedBySp, value: bigint) {
      this.context.storeSaved(store, value);
    },
  });
}
