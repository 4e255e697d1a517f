/**
 * The post office of notebook 06: one machine with the reference hypervisor, a referee, and guests that carry out orders. An order is a
 * guest's own load, store or hypercall: whatever comes of it went through the hart, the page tables and the hypervisor's real way in.
 */
import { groupedHex } from "../../bits/hex.ts";
import type { Board } from "../../board/board.ts";
import { buildBoard } from "../../board/virt.ts";
import { causeWords } from "../../isa/trap.ts";
import { explainTranslation, type TranslationExplanation } from "../../mmu/explain-translation.ts";
import { type ReadWord, type Tables, tablesOf, walkTo } from "../../referee/page-tables.ts";
import { type Referee, referee } from "../../referee/referee.ts";
import { installVmm, type Vmm } from "../../vmm/hypervisor.ts";
import type { Guest as LoadedGuest } from "../../vmm/loader.ts";
import type { VmmParts } from "../../vmm/parts.ts";
import { hypercallNumber, MAILBOX, ORDER, puppetImage, ROOM, TRAPPED, UPDATE_LIST, WORD } from "./puppet.ts";

const PAGE = 4096n;
const RAM_BYTES = 8 << 20;
/** Pages of a guest when nobody says. */
const GUEST_PAGES = 32;
/** Instructions of one piece of a wait, and pieces that are waited. */
const PIECE = 1_000;
const PIECES = 2_000;

/** A guest to be. */
export interface GuestPlan {
  /** "paravirtual": no second stage, tables of machine frames that the hypervisor checks. */
  readonly kind?: "second stage" | "paravirtual";
  /** Pages of memory; 32 when left out. */
  readonly pages?: number;
}

/** How an office is made. */
export interface OfficeOptions {
  /** Parts of the hypervisor that are the reader's. */
  readonly parts?: VmmParts;
}

/** A machine on which guests exchange letters. */
export class Office {
  readonly board: Board;
  readonly vmm: Vmm;
  readonly judge: Referee;
  /** Names of the guests; the first is domain 1. */
  readonly names: readonly string[];

  constructor(plans: Readonly<Record<string, GuestPlan>>, { parts = {} }: OfficeOptions) {
    this.names = Object.keys(plans);
    this.board = buildBoard({ ramBytes: RAM_BYTES });
    const image = puppetImage();
    const guests = Object.values(plans).map(
      ({ kind, pages = GUEST_PAGES }): LoadedGuest => ({
        image,
        ramBytes: pages * Number(PAGE),
        begins: kind === "paravirtual" ? "paravirtual" : "supervisor",
      }),
    );
    const vmm = installVmm(this.board, { guests, slice: 5_000 }, { parts });
    if (vmm.kind !== "vmm") throw new Error(vmm.message);
    this.vmm = vmm;
    this.judge = referee(this.board, vmm);
    while (this.names.some((_, index) => this.#isSilent(index + 1))) this.run(PIECE);
  }

  /** Eight bytes of machine memory; `undefined` where none is. */
  readonly read: ReadWord = (address) => {
    const word = this.board.memory.load(address, 8);
    return typeof word === "bigint" ? word : undefined;
  };

  /** Lets everybody run. */
  run(instructions: number): void {
    const { board } = this;
    const stop = board.run({ instructions, untilInsns: board.clock.now + instructions });
    if (stop.reason === "handler-error") throw new Error(stop.message);
  }

  /** The tables that stand between a domain and the machine's memory: a second stage, or a paravirtualized guest's own. */
  tablesOf(domain: number): Tables | undefined {
    const { state } = this.vmm;
    if (!this.isParavirtual(domain)) return { register: "hgatp", root: state.root(domain), levels: 3 };
    const vcpu = state.vcpu(domain - 1);
    const runs = state.pcpu(0).current === vcpu.address;
    return tablesOf("vsatp", runs ? this.board.hart.state.stored("vsatp") : vcpu.vs.vsatp);
  }

  isParavirtual(domain: number): boolean {
    return (this.vmm.state.domain(domain).flags & 8) !== 0;
  }

  /** It has not written its number into its mailbox. */
  #isSilent(domain: number): boolean {
    const tables = this.tablesOf(domain);
    const mailbox = tables === undefined ? undefined : walkTo(tables, this.read, MAILBOX).page;
    return mailbox === undefined || this.read(mailbox.to + 64n) !== BigInt(domain);
  }
}

/** What a guest got for a load or store: a value, or the trap that it met. */
export type Got = bigint | string;

/** A guest, as somebody who gives it orders sees it. */
export class OfficeGuest {
  readonly office: Office;
  readonly name: string;
  /** Its number. */
  readonly id: number;
  /** Where its mailbox lies in the machine, whatever becomes of its tables. */
  readonly #mailbox: bigint;

  constructor(office: Office, name: string) {
    this.office = office;
    this.name = name;
    this.id = office.names.indexOf(name) + 1;
    this.#mailbox = this.frameOf(MAILBOX) ?? 0n;
  }

  /** Instructions that the last order took, all of the hypervisor's with it. */
  get instructions(): number {
    return Number(this.#word(WORD.instructions));
  }

  /** A hypercall: its value or, negative, its error. */
  call(name: string, ...args: readonly (bigint | number)[]): number {
    const words = Array.from({ length: 5 }, (_, index) => BigInt.asUintN(64, BigInt(args[index] ?? 0)));
    return Number(this.#order(ORDER.call, [...words, hypercallNumber(name)]));
  }

  /** Loads eight bytes. */
  load(address: bigint): Got {
    return this.#gotOf(this.#order(ORDER.load, [address]), true);
  }

  /** Stores eight bytes: a number, or up to eight letters. */
  store(address: bigint, value: bigint | string): Got {
    return this.#gotOf(
      this.#order(ORDER.store, [address, typeof value === "string" ? lettersIn(value) : value]),
      false,
    );
  }

  /** Loads eight bytes and reads them as letters. */
  letters(address: bigint): string {
    const got = this.load(address);
    return typeof got === "string" ? got : lettersOf(got);
  }

  /** Loads so many bytes, eight at a time, and stores them in its own room. */
  move(from: bigint, bytes: number): Got {
    return this.#gotOf(this.#order(ORDER.move, [from, ROOM, BigInt(bytes)]), false);
  }

  /** Asks for an entry of its page tables to be changed: what `pv_update` answers. */
  update(at: bigint, entry: bigint): number {
    this.store(UPDATE_LIST, at);
    this.store(UPDATE_LIST + 8n, entry);
    return this.call("pv_update", UPDATE_LIST, 1n);
  }

  /** Machine address of the frame behind one of its addresses; `undefined`: nothing is mapped there. */
  frameOf(address: bigint): bigint | undefined {
    const page = this.#leaf(address);
    return page === undefined ? undefined : page.to + ((address - page.address) & ~(PAGE - 1n));
  }

  /** Machine address of the entry that decides about one of its addresses: level 0 when nobody says. */
  entryFor(address: bigint, level = 0): bigint {
    const tables = this.office.tablesOf(this.id);
    if (tables === undefined) return 0n;
    const step = walkTo(tables, this.office.read, address).steps.find((each) => each.level === level);
    return step?.at ?? 0n;
  }

  /** The walk that its own load or store would go, as the hart would now. */
  explain(address: bigint, access: "load" | "store"): TranslationExplanation {
    const { board, vmm } = this.office;
    const current = (): boolean => vmm.state.pcpu(0).current === vmm.state.vcpu(this.id - 1).address;
    for (let piece = 0; piece < PIECES && !(current() && board.hart.mode === "VS"); piece++)
      this.office.run(1);
    return explainTranslation(board.hart, address, access, "VS");
  }

  #leaf(address: bigint) {
    const tables = this.office.tablesOf(this.id);
    return tables === undefined ? undefined : walkTo(tables, this.office.read, address).page;
  }

  #order(order: bigint, operands: readonly bigint[]): bigint {
    for (const [index, operand] of operands.entries()) this.#setWord(WORD.operands + BigInt(index), operand);
    this.#setWord(WORD.order, order);
    for (let piece = 0; piece < PIECES; piece++) {
      if (this.#word(WORD.order) === 0n) return BigInt.asIntN(64, this.#word(WORD.answer));
      this.office.run(PIECE);
    }
    throw new Error(`${this.name} does not answer`);
  }

  #gotOf(answer: bigint, isValue: boolean): Got {
    const cause = TRAPPED - answer;
    // Words that guests exchange here are letters and addresses: none is so close to this number.
    if (cause >= 0n && cause < 64n) return causeWords({ isInterrupt: false, cause: Number(cause) });
    return isValue ? BigInt.asUintN(64, answer) : "done";
  }

  #word(index: bigint): bigint {
    return this.office.read(this.#mailbox + 8n * index) ?? 0n;
  }

  #setWord(index: bigint, value: bigint): void {
    this.office.board.memory.store(this.#mailbox + 8n * index, 8, BigInt.asUintN(64, value));
  }
}

/** Up to eight letters as a word, the first in the lowest byte. */
export function lettersIn(text: string): bigint {
  let word = 0n;
  for (const [index, letter] of [...text.slice(0, 8)].entries())
    word |= BigInt(letter.charCodeAt(0) & 0x7f) << BigInt(8 * index);
  return word;
}

/** And back. Bytes that are no letters are dots. */
export function lettersOf(word: bigint): string {
  const letters = Array.from({ length: 8 }, (_, index) => Number((word >> BigInt(8 * index)) & 0xffn));
  while (letters.at(-1) === 0) letters.pop();
  return (
    letters.map((code) => (code >= 32 && code < 127 ? String.fromCharCode(code) : ".")).join("") ||
    "(nothing)"
  );
}

/** Number of a frame as the figures write it. */
export const frameText = (address: bigint): string => groupedHex(address, 8);

/** Builds an office and its guests. */
export function buildOffice<const Name extends string>(
  plans: Readonly<Record<Name, GuestPlan>>,
  options: OfficeOptions = {},
): { readonly office: Office } & { readonly [Each in Name]: OfficeGuest } {
  const office = new Office(plans, options);
  const guests = Object.fromEntries(office.names.map((name) => [name, new OfficeGuest(office, name)]));
  return { office, ...guests } as { readonly office: Office } & { readonly [Each in Name]: OfficeGuest };
}
