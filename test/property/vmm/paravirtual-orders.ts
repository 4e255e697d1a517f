/** Random orders to a paravirtualized guest, carried out by its own code and by the model; and what must be the same afterwards. */
import fc from "fast-check";
import { expect } from "vitest";
import { hpa } from "../../../lib/hs/address.ts";
import { PTE } from "../../../lib/mmu/pte.ts";
import { violationText } from "../../../lib/referee/violation.ts";
import { FrameType } from "../../../lib/vmm/layout.ts";
import type { Guest } from "../../../lib/vmm/loader.ts";
import { entryTo, FLAGS, Puppet, type PuppetOptions } from "../../unit/vmm/paravirtual-scene.ts";
import { guestBytes } from "../../unit/vmm/vmm-scene.ts";
import { ParavirtualModel } from "./paravirtual-model.ts";

const PAGES = 20;
/** Pages that orders are about; the last three are the first tables, the lowest level first. */
const MEMORY = [2, 3, 4, 5];
const LOW = PAGES - 3;
const MIDDLE = PAGES - 2;
const ROOT = PAGES - 1;
const CHOICE = [...MEMORY, LOW, MIDDLE, ROOT];
/** Entries: those that map the pages of memory, and two more. Nobody touches what the guest needs to go on. */
const ALIAS = 40;
const INDEXES = [...MEMORY, ALIAS, 511];
/** The root's entry for all memory. */
const BUILT = 2;

/** What an entry leads to besides pages of the guest's: the hypervisor, another guest's page, no RAM, a device. */
const STRANGERS = ["hypervisor", "neighbor", "nowhere", "device"] as const;
const LEAVES = [FLAGS.readWrite, FLAGS.readWrite, FLAGS.readOnly, FLAGS.execute, PTE.V | PTE.X | PTE.A];
const ODD = [
  ...[
    FLAGS.readWrite | PTE.U,
    FLAGS.table | PTE.A,
    FLAGS.table | PTE.U,
    PTE.V | PTE.W,
    FLAGS.readOnly | PTE.G,
  ],
  ...[FLAGS.table | PTE.G, FLAGS.readOnly | (1n << 63n), FLAGS.readOnly | (1n << 61n)],
  ...[FLAGS.readOnly | (1n << 57n), FLAGS.readOnly | (1n << 8n), 0n],
];

const page = fc.constantFrom(...CHOICE);
const memory = fc.constantFrom(...MEMORY);
const index = fc.constantFrom(...INDEXES);
const flags = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...LEAVES) },
  { weight: 4, arbitrary: fc.constant(FLAGS.table) },
  { weight: 3, arbitrary: fc.constant(0n) },
  { weight: 2, arbitrary: fc.constantFrom(...ODD) },
);
const to = fc.oneof({ weight: 8, arbitrary: page }, { weight: 1, arbitrary: fc.constantFrom(...STRANGERS) });
/** Above level 0: the built tables, mostly, so that a root often has an alias of all memory. */
const LINKS = [LOW, MIDDLE] as const;
const entry = fc.record({ to, flags });
/** What is written into a page that shall be a table of a level: entries as they belong there, mostly. */
const contents = (level: number) =>
  fc.array(
    fc.record({
      index: level === 0 ? index : fc.oneof(fc.constant(ALIAS), index),
      entry: fc.record({
        to: level === 0 ? to : fc.oneof({ weight: 3, arbitrary: fc.constant(LINKS[level - 1] ?? LOW) }, to),
        flags: fc.oneof(
          { weight: 4, arbitrary: level === 0 ? fc.constantFrom(...LEAVES) : fc.constant(FLAGS.table) },
          flags,
        ),
      }),
    }),
    { maxLength: 3 },
  );
const table = fc.nat({ max: 2 }).chain((level) =>
  fc.record({
    act: fc.constant("table"),
    page: memory,
    level: fc.constant(level),
    contents: contents(level),
  }),
);
const root = fc.oneof(memory, fc.constant(ROOT));
const place = fc.record({ page: memory, index, isAlias: fc.boolean() });

/** An order. */
export const order = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constant("update"), table: page, index, entry }) },
  // The first table has most of what goes on.
  { weight: 4, arbitrary: fc.record({ act: fc.constant("update"), table: fc.constant(LOW), index, entry }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("own"), page, index, flags }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant("store"), place, entry }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant("load"), place }) },
  { weight: 5, arbitrary: table },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("pin"), page, level: fc.nat({ max: 2 }) }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant("unpin"), page }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant("root"), page: root, isCsr: fc.boolean() }) },
);
export type Order = typeof order extends fc.Arbitrary<infer T> ? T : never;
type Entry = typeof entry extends fc.Arbitrary<infer T> ? T : never;
type Place = typeof place extends fc.Arbitrary<infer T> ? T : never;

/** A second guest, whose pages are nobody else's. */
const NEIGHBOR: Guest = {
  image: guestBytes("again: wfi\n j again"),
  begins: "paravirtual",
  ramBytes: 16 * 4096,
};

/** A guest and its model. */
export class Duet {
  readonly puppet: Puppet;
  readonly model: ParavirtualModel;

  constructor(options: PuppetOptions = {}) {
    const puppet = new Puppet({ pages: PAGES, others: [NEIGHBOR], ...options });
    this.puppet = puppet;
    this.model = new ParavirtualModel(puppet.frames, puppet.frame(ROOT), (at) => puppet.word(at));
  }

  /** Both do it, and must have the same answer. */
  do(what: Order): void {
    const { puppet, model } = this;
    switch (what.act) {
      case "update":
        this.#update(what.table, what.index, this.#wordOf(what.entry));
        return;
      case "own":
        this.#update(what.page, what.index, entryTo(puppet.frame(what.page), what.flags));
        return;
      case "store":
        this.#store(this.#addressOf(what.place), this.#wordOf(what.entry));
        return;
      case "load":
        this.#load(this.#addressOf(what.place));
        return;
      case "table":
        this.#makeTable(what.page, what.level, what.contents);
        return;
      case "pin":
        this.#pin(what.page, what.level);
        return;
      case "unpin": {
        const told = puppet.call("pv_unpin", puppet.frame(what.page));
        expect([what, told]).toEqual([what, model.unpin(puppet.frame(what.page))]);
        return;
      }
      case "root":
        this.#root(what.page, what.isCsr);
        return;
    }
  }

  /** What must be the same, and what the referee has found. */
  compare(): void {
    const { puppet, model } = this;
    const { state } = puppet.scene.vmm;
    const [is, shall]: [unknown[], unknown[]] = [[], []];
    for (const [number, address] of puppet.frames.entries()) {
      const { type, typeCount, refCount } = state.frame(state.frameNumber(hpa(address)));
      const level = type === FrameType.RAM ? "memory" : type - FrameType.PAGE_TABLE_0;
      const { typed, references } = model.countsOf(address);
      is.push([number, level, typeCount, refCount]);
      shall.push([number, model.levelOf(address), typed, references]);
    }
    expect(is).toEqual(shall);
    expect(puppet.judge.violations.map((each) => violationText(each))).toEqual([]);
  }

  /** What the hart reaches, page by page, is what the model says. */
  probe(): void {
    for (const number of MEMORY)
      for (const isAlias of [false, true]) this.#load(this.#addressOf({ page: number, index: 1, isAlias }));
  }

  #wordOf({ to: target, flags: bits }: Entry): bigint {
    return entryTo(this.#targetOf(target), bits);
  }

  #targetOf(target: Entry["to"]): bigint {
    const { state, map } = this.puppet.scene.vmm;
    switch (target) {
      case "hypervisor":
        return map.addressOf("frame_table");
      case "neighbor": {
        let number = state.pool.first as number;
        while (state.frame(number).owner !== 2) number += 1;
        return state.frameAddress(number);
      }
      case "nowhere":
        return 0x2_0000_0000n;
      case "device":
        return 0x1000_0000n;
      default:
        return this.puppet.frame(target);
    }
  }

  /** The same page through another entry of a root that has one. */
  #addressOf({ page: number, index: word, isAlias }: Place): bigint {
    const base = isAlias ? (BigInt(ALIAS) << 30n) + BigInt(number) * 4096n : this.puppet.virtual(number);
    return base + 8n * BigInt(word);
  }

  #update(page: number, place: number, word: bigint): void {
    const { puppet, model } = this;
    const at = puppet.entryAt(page, place);
    // The guest would lose its code.
    if (place === BUILT && puppet.frame(page) === model.root) return;
    const told = puppet.update({ at, entry: word });
    const wanted = model.update(at, word);
    expect([page, place, word, told]).toEqual([page, place, word, wanted === 0n ? 1n : wanted]);
    if (wanted === 0n) expect(puppet.word(at)).toBe(word);
  }

  #pin(number: number, level: number): void {
    const { puppet, model } = this;
    const told = puppet.call("pv_pin", puppet.frame(number), BigInt(level));
    expect([number, level, told]).toEqual([number, level, model.pin(puppet.frame(number), level)]);
  }

  /** As a kernel does it: writes the table while it is memory, maps it to be read, and pins it. Each step may be refused. */
  #makeTable(number: number, level: number, entries: readonly { index: number; entry: Entry }[]): void {
    const { puppet } = this;
    this.#update(LOW, number, entryTo(puppet.frame(number), FLAGS.readWrite));
    const start = puppet.virtual(number);
    for (const place of INDEXES) this.#store(start + 8n * BigInt(place), 0n);
    for (const { index: place, entry: what } of entries)
      this.#store(start + 8n * BigInt(place), this.#wordOf(what));
    if (level === 2) this.#store(start + 8n * BigInt(BUILT), entryTo(puppet.frame(MIDDLE), PTE.V));
    this.#update(LOW, number, entryTo(puppet.frame(number), FLAGS.readOnly));
    this.#pin(number, level);
  }

  #load(address: bigint): void {
    const told = this.puppet.tell("load", { a0: address });
    const place = this.model.walk(address);
    const wanted = place?.isReadable === true ? { value: this.puppet.word(place.at) } : { trap: 13n };
    expect([address, told]).toEqual([address, wanted]);
  }

  /** The guest stores by itself: it arrives where the model's tables lead, or faults. */
  #store(address: bigint, word: bigint): void {
    const { puppet, model } = this;
    const to = model.walk(address);
    const before = to === undefined ? 0n : puppet.word(to.at);
    const told = puppet.tell("store", { a0: address, a1: word });
    const isAllowed = to?.isWritable === true;
    expect([address, "trap" in told]).toEqual([address, !isAllowed]);
    if (to !== undefined) expect(puppet.word(to.at)).toBe(isAllowed ? word : before);
  }

  #root(number: number, isCsr: boolean): void {
    const { puppet, model } = this;
    const address = puppet.frame(number);
    // A root without the guest's code would be its end.
    if (puppet.word(address + 16n) !== entryTo(puppet.frame(MIDDLE), PTE.V)) return;
    const told = isCsr
      ? puppet.tell("satp", { a0: (8n << 60n) | (address >> 12n) })
      : { value: puppet.call("pv_set_root", address) };
    const wanted = model.setRoot(address);
    if (isCsr) expect([number, "trap" in told]).toEqual([number, wanted !== 0n]);
    else expect([number, told]).toEqual([number, { value: wanted }]);
  }
}

/** Lists of orders. */
export const orders = fc.array(order, { minLength: 1, maxLength: 60, size: "max" });

/** One run: after each order all must be as the model says. */
export function play(list: readonly Order[], options: PuppetOptions): void {
  const duet = new Duet(options);
  for (const each of list) {
    duet.do(each);
    duet.compare();
  }
  duet.probe();
}
