/** An `HsContext` that issues instructions to the hart which called the handler. It lives for one call. */
import type { Width } from "../bus/device.ts";
import type { HandlerCall } from "../hart/handler-table.ts";
import { enabledPending } from "../hart/interrupts.ts";
import type { Gpaddr, Paddr, Vaddr } from "../isa/address.ts";
import type { CsrName } from "../isa/csr-map.ts";
import type { DecodedInsn } from "../isa/decode.ts";
import { REGISTER_NAMES, registerIndex } from "../isa/register.ts";
import type { Trap } from "../isa/trap.ts";
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
  STORE,
  VALUE_REGISTER,
  WFI,
} from "./operation-words.ts";

const SP = registerIndex("sp");
const REGISTER_BYTES = 8n;

/** Why a handler is being unwound: the reason is in the context. Thrown through the handler, never out of its call. */
class Unwind {}

/** Something that a handler asked for and no instruction can do. */
export class HandlerMistake extends Error {}

/** How a call went wrong, if it did. */
export type Ending = { readonly kind: "trap"; readonly trap: Trap } | { readonly kind: "budget" };

type Fences = (typeof FENCES)[keyof typeof FENCES];

/** The context of one call. */
export class IssuingContext implements HsContext {
  readonly hart: number;
  readonly registers: SavedRegisters;
  readonly csr: CsrAccess = {
    read: (name) => {
      this.#issueCsr("read", name);
      return this.#value;
    },
    write: (name, value) => this.#csrWith("write", name, value),
    set: (name, bits) => this.#csrWith("set", name, bits),
    clear: (name, bits) => this.#csrWith("clear", name, bits),
  };
  readonly #call: HandlerCall;
  readonly #x: BigInt64Array;
  readonly #otherHarts: () => boolean;
  #operationsLeft: number;
  #ending: Ending | undefined;

  /**
   * @param operations    How many operations the handler may make.
   * @param isAnyoneElse  Whether another hart is awake.
   */
  constructor(call: HandlerCall, operations: number, isAnyoneElse: () => boolean) {
    this.#call = call;
    this.hart = call.hart.id;
    this.#x = call.hart.state.x;
    this.#otherHarts = isAnyoneElse;
    this.#operationsLeft = operations;
    this.registers = new SaveArea(
      this,
      BigInt.asUintN(64, this.#x[SP] ?? 0n) as Paddr,
    ) as unknown as SavedRegisters;
  }

  /** Why the handler did not come to its own end; `undefined` if it did. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  load(address: Paddr, width: Width): bigint {
    this.#issueAt(byWidth(LOAD, width), address);
    return this.#value;
  }

  store(address: Paddr, width: Width, value: bigint): void {
    this.#issueAt(byWidth(STORE, width), address, value);
  }

  atomic(change: AtomicChange, address: Paddr, operand: bigint): bigint {
    this.#issueAt(ATOMIC[change], address, operand);
    return this.#value;
  }

  loadAsGuest(address: Vaddr, width: Width): bigint {
    this.#issueAt(byWidth(GUEST_LOAD, width), address);
    return this.#value;
  }

  fetchAsGuest(address: Vaddr, width: 2 | 4): bigint {
    this.#issueAt(GUEST_FETCH[width], address);
    return this.#value;
  }

  storeAsGuest(address: Vaddr, width: Width, value: bigint): void {
    this.#issueAt(byWidth(GUEST_STORE, width), address, value);
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
    this.#issue(FENCE_I);
  }

  waitForInterrupt(): void {
    this.#issue(WFI);
    const { state, clock } = this.#call.hart;
    while (state.waiting && enabledPending(state) === 0n && !this.#otherHarts() && clock.sleep())
      clock.ringDue();
    state.waiting = false;
  }

  attempt<T>(action: () => T): T | Refused {
    try {
      return action();
    } catch (thrown) {
      const ending = this.#ending;
      if (!(thrown instanceof Unwind) || ending?.kind !== "trap") throw thrown;
      this.#ending = undefined;
      return { kind: "refused", trap: ending.trap };
    }
  }

  get #value(): bigint {
    return BigInt.asUintN(64, this.#x[VALUE_REGISTER] ?? 0n);
  }

  #csrWith(operation: CsrOperation, name: CsrName, value: bigint): void {
    this.#x[VALUE_REGISTER] = word("the value", value);
    this.#issueCsr(operation, name);
  }

  #issueCsr(operation: CsrOperation, name: CsrName): void {
    const insn = csrInsn(operation, name);
    if (insn === undefined) throw new HandlerMistake(`there is no CSR called "${String(name)}"`);
    this.#issue(insn);
  }

  #issueAt(insn: DecodedInsn, address: bigint, value?: bigint): void {
    this.#x[ADDRESS_REGISTER] = word("the address", address);
    if (value !== undefined) this.#x[VALUE_REGISTER] = word("the value", value);
    this.#issue(insn);
  }

  #fence(insns: Fences, address: bigint | undefined, id: bigint | undefined): void {
    if (address !== undefined) this.#x[ADDRESS_REGISTER] = word("the address", address);
    if (id !== undefined) this.#x[VALUE_REGISTER] = word("the address-space number", id);
    if (address === undefined) this.#issue(id === undefined ? insns.all : insns.id);
    else this.#issue(id === undefined ? insns.address : insns.both);
  }

  /** One instruction. A handler that was unwound and caught it goes nowhere from here. */
  #issue(insn: DecodedInsn): void {
    if (this.#ending !== undefined) throw new Unwind();
    if (this.#operationsLeft === 0) this.#unwind({ kind: "budget" });
    this.#operationsLeft -= 1;
    const trap = this.#call.issue(insn);
    if (trap !== undefined) this.#unwind({ kind: "trap", trap });
  }

  #unwind(ending: Ending): never {
    this.#ending = ending;
    throw new Unwind();
  }
}

function byWidth(insns: Readonly<Record<Width, DecodedInsn>>, width: Width): DecodedInsn {
  const insn = insns[width];
  if (insn === undefined) throw new HandlerMistake(`an access has 1, 2, 4 or 8 bytes, not ${String(width)}`);
  return insn;
}

/** Notebooks are checked less strictly than this library: a number in place of a bigint gets a sentence of its own. */
function word(what: string, value: bigint): bigint {
  if (typeof value !== "bigint")
    throw new HandlerMistake(
      `${what} is ${String(value)} (${typeof value}); it must be a bigint, such as 5n`,
    );
  return value;
}

/** The registers that the vector saved: a load or a store each. */
class SaveArea {
  readonly context: HsContext;
  readonly address: Paddr;

  constructor(context: HsContext, address: Paddr) {
    this.context = context;
    this.address = address;
  }
}

for (const [index, name] of REGISTER_NAMES.entries()) {
  if (name === "zero") continue;
  const at = (area: SaveArea): Paddr => (area.address + BigInt(index) * REGISTER_BYTES) as Paddr;
  Object.defineProperty(SaveArea.prototype, name, {
    enumerable: true,
    get(this: SaveArea): bigint {
      return this.context.load(at(this), 8);
    },
    set(this: SaveArea, value: bigint) {
      this.context.store(at(this), 8, value);
    },
  });
}
