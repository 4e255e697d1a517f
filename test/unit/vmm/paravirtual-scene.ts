/**
 * A paravirtualized guest that does what it is told: the test says which hypercall, load or store is next, and the guest's own code makes
 * it, so that everything goes through the hart, its memory of translations, and the hypervisor's real way in.
 */
import type { BoardConfig } from "../../../lib/board/virt.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import { hpa } from "../../../lib/hs/address.ts";
import type { HypervisorModule, HypervisorOptions } from "../../../lib/hs/hypervisor.ts";
import { installHypervisor } from "../../../lib/hs/hypervisor.ts";
import { onlooker } from "../../../lib/hs/onlooker.ts";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import type { RegisterName } from "../../../lib/isa/register.ts";
import { PTE } from "../../../lib/mmu/pte.ts";
import { type Referee, referee } from "../../../lib/referee/referee.ts";
import { FIRST_HYPERCALL, HYPERCALLS } from "../../../lib/vmm/hypercalls.ts";
import { PARAVIRTUAL_BASE, paravirtualPlaces, StartInfo, vmmState } from "../../../lib/vmm/layout.ts";
import { type Guest, loadGuests } from "../../../lib/vmm/loader.ts";
import { vmmModule } from "../../../lib/vmm/module.ts";
import { guestBytes, type VmmScene } from "./vmm-scene.ts";

const PAGE = 4096n;
/** `s10` is 1 behind what trapped, `a1` says why. */
const PUPPET = `begin: mv s11, a1\n la t0, handler\n csrw stvec, t0
  idle: j idle
  call: li s10, 0\n ecall\n j idle
  load: li s10, 0\n ld a0, (a0)\n j idle
  store: li s10, 0\n sd a1, (a0)\n j idle
  satp: li s10, 0\n csrw satp, a0\n j idle
  fence: li s10, 0\n sfence.vma\n j idle
  .align 2
  handler: csrr a1, scause\n li s10, 1\n la t0, idle\n csrw sepc, t0\n sret
  # A second virtual CPU: goes to tables of its own, stores to its page 20, so that the hart remembers it, and stops.
  visitor: csrw satp, a1\n li t0, ${PARAVIRTUAL_BASE + 20n * PAGE}\n sd zero, (t0)\n li a7, 0x48534d\n li a6, 1\n ecall
  # And once more: stores there what it finds in page 3, as soon as that is not zero.
  returner: li t1, ${PARAVIRTUAL_BASE + 3n * PAGE}\n li t0, ${PARAVIRTUAL_BASE + 20n * PAGE}
  wait: ld t2, (t1)\n beqz t2, wait\n sd t2, (t0)\n spin: j spin`;

/** Places in the puppet's code. */
const built = assemble(PUPPET, { origin: PARAVIRTUAL_BASE });
/** Address of a place in it. */
export const placeOf = (label: string): bigint => {
  const at = built.kind === "program" ? built.symbols.get(label) : undefined;
  if (at === undefined) throw new Error(`no ${label}`);
  return at;
};

/** More than any call takes, traps and handlers included. */
const PLENTY = 400_000;

/** What the guest got: a value, or the cause of its trap. */
export type Told = { readonly value: bigint } | { readonly trap: bigint };

/** How a scene is made. */
export interface PuppetOptions {
  readonly pages?: number;
  readonly vcpus?: number;
  readonly others?: readonly Guest[];
  readonly config?: BoardConfig;
  readonly hypervisor?: HypervisorOptions;
  /** The hypervisor: the product's when left out. */
  readonly module?: (ramBytes: number) => HypervisorModule;
}

/** The guest, and a referee beside it. */
export class Puppet {
  readonly scene: VmmScene;
  readonly judge: Referee;
  /** Machine addresses of the guest's pages. */
  readonly frames: readonly bigint[];
  /** Numbers of the pages that are its first tables: level 0, 1, 2. */
  readonly tables: readonly number[];
  readonly pages: number;

  constructor({
    pages = 48,
    vcpus = 1,
    others = [],
    config = {},
    hypervisor = {},
    module = vmmModule,
  }: PuppetOptions = {}) {
    const board = buildBoard({ ramBytes: 16 << 20, ...config });
    const { sizeBytes } = board.bus.ram;
    const made = installHypervisor(board, () => module(sizeBytes), hypervisor);
    if (made.kind !== "hypervisor") throw new Error(made.message);
    const guest: Guest = { image: guestBytes(PUPPET), begins: "paravirtual", vcpus, ramBytes: pages * 4096 };
    const refused = loadGuests(board, made.map, { guests: [guest, ...others] });
    if (refused !== undefined) throw new Error(refused.message);
    const state = vmmState(onlooker(board), made.map);
    this.scene = { board, vmm: { ...made, kind: "vmm", state } };
    this.judge = referee(board, this.scene.vmm);
    this.pages = pages;
    this.run();
    const { list, tables } = paravirtualPlaces(pages);
    this.tables = [tables, tables + 1, tables + 2];
    // The list of frames lies where the start page says; the first entry of the first table leads to page 0, and so on.
    const listAt = this.#listFrame(list);
    this.frames = Array.from({ length: pages }, (_, page) => this.word(listAt + 8n * BigInt(page)) * PAGE);
  }

  /** Runs until the guest waits for orders. */
  run(): string {
    const { board } = this.scene;
    const idle = placeOf("idle");
    // Firmware begins at the same addresses.
    while (board.hart.mode !== "VS") {
      const { reason } = board.run({ instructions: PLENTY, until: { mode: "VS" } });
      if (reason !== "breakpoint") return reason;
    }
    return board.hart.pc === idle
      ? "breakpoint"
      : board.run({ instructions: PLENTY, until: { pc: idle } }).reason;
  }

  /** Lets the guest go through one of its pieces. */
  tell(
    place: "call" | "load" | "store" | "satp" | "fence",
    registers: Partial<Record<RegisterName, bigint>>,
  ): Told {
    const { hart } = this.scene.board;
    if (hart.mode !== "VS") throw new Error(`the guest is not there: ${hart.mode}`);
    for (const [name, value] of Object.entries(registers)) hart.write(name as RegisterName, value);
    hart.pc = placeOf(place);
    hart.stateReplaced();
    const reason = this.run();
    if (reason !== "breakpoint") throw new Error(`the machine stopped: ${reason}`);
    return hart.read("s10") === 0n ? { value: hart.read("a0") } : { trap: hart.read("a1") };
  }

  /** A hypercall by name; the error or value, signed. */
  call(name: string, ...args: readonly bigint[]): bigint {
    const number = Object.keys(HYPERCALLS).indexOf(name);
    const told = this.tell("call", {
      a0: args[0] ?? 0n,
      a1: args[1] ?? 0n,
      a2: args[2] ?? 0n,
      a3: args[3] ?? 0n,
      a7: FIRST_HYPERCALL + BigInt(number),
    });
    if ("trap" in told) throw new Error(`${name} trapped`);
    return BigInt.asIntN(64, told.value);
  }

  /** Updates of entries, in one call: the list is written to page 1, which the guest never loses. */
  update(...updates: readonly { readonly at: bigint; readonly entry: bigint }[]): bigint {
    for (const [index, { at, entry }] of updates.entries()) {
      this.setWord(this.frame(1) + 16n * BigInt(index), at);
      this.setWord(this.frame(1) + 16n * BigInt(index) + 8n, entry);
    }
    return this.call("pv_update", this.virtual(1), BigInt(updates.length));
  }

  /** Machine address of a page. */
  frame(page: number): bigint {
    return this.frames[page] ?? 0n;
  }

  /** Number of its frame. */
  frameNumber(page: number): number {
    return this.scene.vmm.state.frameNumber(hpa(this.frame(page)));
  }

  virtual(page: number): bigint {
    return PARAVIRTUAL_BASE + BigInt(page) * PAGE;
  }

  /** Machine address of an entry of the table that lies in a page. */
  entryAt(page: number, index: number): bigint {
    return this.frame(page) + 8n * BigInt(index);
  }

  word(at: bigint): bigint {
    const word = this.scene.board.memory.load(at, 8);
    if (typeof word !== "bigint") throw new Error(`no RAM at 0x${at.toString(16)}`);
    return word;
  }

  setWord(at: bigint, value: bigint): void {
    this.scene.board.memory.store(at, 8, value);
  }

  /** What the start page says. */
  get info() {
    const { info } = paravirtualPlaces(this.pages);
    return StartInfo.at(onlooker(this.scene.board), hpa(this.frame(info)));
  }

  /** By hand: through the first tables. */
  #listFrame(list: number): bigint {
    const root = ((this.scene.board.hart.csr("vsatp") & ((1n << 44n) - 1n)) * PAGE) as bigint;
    const middle = (this.word(root + 16n) >> 10n) * PAGE;
    const low = (this.word(middle) >> 10n) * PAGE;
    return (this.word(low + 8n * BigInt(list)) >> 10n) * PAGE;
  }
}

/** An entry that leads to a machine address. */
export const entryTo = (address: bigint, flags: bigint): bigint => (address >> 2n) | flags;
/** Flags of entries. */
export const FLAGS = {
  table: PTE.V,
  readWrite: PTE.V | PTE.R | PTE.W | PTE.A | PTE.D,
  readOnly: PTE.V | PTE.R | PTE.A,
  execute: PTE.V | PTE.R | PTE.X | PTE.A,
  all: PTE.V | PTE.R | PTE.W | PTE.X | PTE.A | PTE.D,
} as const;
