/** Programs as machine code: each domain has its own, straight on, and gives the hart to the next one where the list goes on elsewhere. */
import { PTE } from "../../../lib/mmu/pte.ts";
import { FIRST_HYPERCALL, HYPERCALLS } from "../../../lib/vmm/hypercalls.ts";
import { PARAVIRTUAL_BASE } from "../../../lib/vmm/layout.ts";
import { entryTo, FLAGS } from "../../unit/vmm/paravirtual-scene.ts";
import { CampaignModel, FAULT } from "./campaign-model.ts";
import {
  type Act,
  type CampaignProgram,
  domainOf,
  type Operation,
  PV,
  type SceneName,
  type Target,
  twinOf,
  type Way,
} from "./campaign-operations.ts";
import { ParavirtualModel } from "./paravirtual-model.ts";

const RAM = 0x8000_0000n;
const THERE = 0x4000_0000n;
/** Behind the first 2 MiB of RAM, where the first guest has a large page. */
const FIRST = RAM + 0x20_0000n + 0x3000n;
const pageAt = (number: number): bigint => FIRST + 4096n * BigInt(number);
const placeAt = (number: number): bigint => THERE + 4096n * BigInt(number);
/** A guest's own tables: the root, the table for the window's GiB, and the one whose entries operations change. */
const TABLES = { root: 0x1000n, middle: 0x2000n, low: 0x3000n } as const;
const WINDOW = 0xc000_0000n;
const LARGE_WINDOW = WINDOW + 0x20_0000n;
/** A second address of all RAM, where the code runs: nothing and nobody else has program counters there. */
const aliasOf = (domain: number): bigint => BigInt(5 + domain) << 30n;
/** Where a page has its return instruction. */
const CODE_IN_PAGE = 0x800n;
const RETURN = 0x8067n;
const MOST_WORDS = 500;

/** Places in an ordinary guest's RAM, and in the paravirtualized one's: a domain's code and log. */
export const ORDINARY = { log: 0x4000, code: 0x8000, bytes: 0x1_0000 } as const;
export const VIRTUAL = { log: 0x6000, code: 0x8000, bytes: 0xf000 } as const;

const RIGHTS = { r: PTE.R, w: PTE.W, x: PTE.X } as const;
const KEPT = PTE.V | PTE.A | PTE.D;
const leaf = (address: bigint, rights: string): bigint =>
  entryTo(
    address,
    [...rights].reduce((bits, each) => bits | RIGHTS[each as keyof typeof RIGHTS], KEPT),
  );

const NAMES = Object.keys(HYPERCALLS);
const call = (name: string, ...args: readonly (bigint | number)[]): string =>
  [
    ...args.map((argument, index) => `li a${index}, ${argument}`),
    `li a7, ${FIRST_HYPERCALL + BigInt(NAMES.indexOf(name))}`,
    "ecall",
  ].join("\n");
const print = (letter: string): string => `li a0, ${letter.charCodeAt(0)}\n li a7, 1\n ecall`;

/** Behind a fault the code goes on where `s2` says, with the cause in `a0`. */
const HANDLER = `.align 2\n handler: csrr t1, scause\n li a0, ${FAULT}\n sub a0, a0, t1\n csrw sepc, s2\n sret`;

/** What an ordinary guest does before its program: its own tables, and then it waits for its turn. */
export const ordinaryStart = (domain: number): string => `la t0, handler\n csrw stvec, t0
  li t0, ${(8n << 60n) | ((RAM + TABLES.root) >> 12n)}\n csrw satp, t0\n sfence.vma
  li s0, ${RAM + BigInt(ORDINARY.log)}
  li t0, ${aliasOf(domain) + BigInt(ORDINARY.code)}\n la t1, handler\n li t2, ${aliasOf(domain) - RAM}\n add t1, t1, t2\n csrw stvec, t1
  ${call("yield")}\n jr t0
  ${HANDLER}
  .align 12\n .dword ${leaf(0n, "rwx")}, ${leaf(THERE, "rwx")}, ${leaf(RAM, "rwx")}, ${entryTo(RAM + TABLES.middle, PTE.V)}, 0, 0, ${[6, 7, 8].map(() => leaf(RAM, "rwx")).join(", ")}
  .align 12\n .dword ${entryTo(RAM + TABLES.low, PTE.V)}
  .align 12\n .dword 0`;
/** The same for the paravirtualized one. */
export const VIRTUAL_START = `la t0, handler\n csrw stvec, t0
  li s0, ${PARAVIRTUAL_BASE + BigInt(VIRTUAL.log)}\n li t0, ${PARAVIRTUAL_BASE + BigInt(VIRTUAL.code)}
  ${call("yield")}\n jr t0
  ${HANDLER}`;

/** Where a domain's code begins. */
export const codeOf = (scene: SceneName, domain: number): bigint =>
  isVirtual(scene, domain)
    ? PARAVIRTUAL_BASE + BigInt(VIRTUAL.code)
    : aliasOf(domain) + BigInt(ORDINARY.code);
export const isVirtual = (scene: SceneName, domain: number): boolean =>
  scene === "paravirtual" && domain === 3;

/** What the machine has when programs begin. */
export interface Beginning {
  /** Machine addresses of the paravirtualized domain's pages. */
  readonly frames: readonly bigint[];
  readonly neighbor: bigint;
  readonly hypervisor: bigint;
  word(address: bigint): bigint;
}

/** A word that a domain writes into its log, what it must be, and which operation that is. */
export interface Expected {
  readonly domain: number;
  readonly index: number;
  readonly operation: number;
  readonly answer: bigint;
}

/** A program in machine code. */
export interface Compiled {
  /** What is made, each about what there is. */
  readonly operations: readonly Operation[];
  /** By domain. */
  readonly texts: ReadonlyMap<number, string>;
  readonly expected: readonly Expected[];
  readonly printed: ReadonlyMap<number, string>;
  /** Domain of the last operation: where the program ends. */
  readonly last: number;
  /** Labels where the operator's orders come, in order. */
  readonly scans: readonly {
    readonly domain: number;
    readonly label: string;
    readonly hasCollisions: boolean;
  }[];
}

const addressOf = (target: Target): bigint =>
  "page" in target ? pageAt(target.page) : placeAt(target.place);
const wayTo = (way: Way): bigint =>
  "direct" in way
    ? addressOf(way.direct)
    : "slot" in way
      ? WINDOW + 4096n * BigInt(way.slot)
      : LARGE_WINDOW + 0x3000n + 4096n * BigInt(way.large);
const slotAt = (slot: number): bigint => RAM + TABLES.low + 8n * BigInt(slot);
/** A fence of one address, or of everything, in turn. */
const fence = (address: bigint): string => `li t0, ${address}\n sfence.vma t0\n li a0, 0`;

/** Makes one program's code. */
export class Compiler {
  readonly #scene: SceneName;
  readonly #domains: number;
  readonly #lines = new Map<number, string[]>();
  readonly #expected: Expected[] = [];
  readonly #scans: Compiled["scans"][number][] = [];
  readonly #model: CampaignModel;
  readonly #virtual: VirtualCompiler | undefined;
  #current = 1;
  #labels = 0;

  constructor(scene: SceneName, beginning: Beginning) {
    this.#scene = scene;
    this.#domains = scene === "two" ? 2 : 3;
    this.#model = new CampaignModel(scene);
    this.#virtual = scene === "paravirtual" ? new VirtualCompiler(beginning) : undefined;
    for (let id = 1; id <= this.#domains; id++) this.#lines.set(id, []);
  }

  compile({ operations }: CampaignProgram): Compiled {
    const made: Operation[] = [];
    for (const [index, operation] of operations.entries()) {
      const resolved = this.#model.resolve(operation);
      made.push(resolved);
      this.#operation(resolved, index);
    }
    const texts = new Map<number, string>();
    for (const [id, lines] of this.#lines)
      texts.set(id, [...lines, `end:\n ${call("yield")}\n j end`].join("\n"));
    const printed = new Map<number, string>();
    for (const id of texts.keys()) printed.set(id, this.#model.printedBy(id));
    return {
      operations: made,
      texts,
      expected: this.#expected,
      printed,
      last: this.#current,
      scans: this.#scans,
    };
  }

  #operation(operation: Operation, index: number): void {
    const { act } = operation;
    const domain = domainOf(this.#scene, operation);
    this.#turnTo(domain);
    if (act === "pv_print") {
      this.#step(domain, index, print(this.#model.print(domain, operation.value)), 0n);
      return;
    }
    const steps = this.#virtual?.steps(operation);
    if (steps !== undefined) {
      for (const { text, answer } of steps) this.#step(domain, index, text, answer);
      return;
    }
    const answer = this.#model.answer(operation);
    this.#step(domain, index, this.#text(operation, domain), answer);
    if (act === "yield") this.#current = (domain % this.#domains) + 1;
  }

  /** Everybody between gives the hart on. */
  #turnTo(domain: number): void {
    while (this.#current !== domain) {
      this.#lines.get(this.#current)?.push(call("yield"));
      this.#current = (this.#current % this.#domains) + 1;
    }
  }

  #step(domain: number, operation: number, text: string, answer: bigint): void {
    const index = this.#expected.filter((each) => each.domain === domain).length;
    if (index >= MOST_WORDS) throw new Error("a log is full");
    this.#expected.push({ domain, index, operation, answer });
    const label = `step${this.#labels++}`;
    this.#lines.get(domain)?.push(`la s2, ${label}\n ${text}\n ${label}: sd a0, ${8 * index}(s0)`);
  }

  #text(operation: Operation, domain: number): string {
    switch (operation.act) {
      case "map":
        return this.#entry(
          slotAt(operation.slot),
          leaf(addressOf(operation.target), operation.rights),
          wayTo(operation),
        );
      case "unmap":
        return this.#entry(slotAt(operation.slot), 0n, wayTo(operation));
      case "protect":
        return this.#protect(operation, domain);
      case "large":
        return this.#entry(
          RAM + TABLES.middle + 8n,
          operation.isOn ? leaf(RAM + 0x20_0000n, "rwx") : 0n,
          undefined,
        );
      case "load":
        return `li t0, ${wayTo(operation.way)}\n ld a0, (t0)`;
      case "store":
        return `li a0, 0\n li t0, ${wayTo(operation.way)}\n li t1, ${operation.value}\n sd t1, (t0)`;
      case "plant":
        return `li a0, 0\n li t0, ${wayTo(operation.way) + CODE_IN_PAGE}\n li t1, ${RETURN}\n sd t1, (t0)\n fence.i`;
      case "fetch":
        return `li a0, 0\n li t0, ${wayTo(operation.way) + CODE_IN_PAGE}\n jalr ra, (t0)`;
      case "print":
        return print(String.fromCharCode(96 + operation.value));
      case "device":
        return operation.isStore
          ? `li a0, 0\n li t0, 0x10000000\n li t1, ${96 + operation.value}\n sb t1, (t0)`
          : "li t0, 0x10000005\n lbu a0, (t0)";
      case "twins":
        return twins(operation);
      case "scan":
        return this.#scan(operation, domain);
      default:
        return this.#call(operation);
    }
  }

  #call(operation: Operation): string {
    const writable = "isWritable" in operation && operation.isWritable ? 1 : 0;
    switch (operation.act) {
      case "grant":
        return call("grant", operation.to, pageAt(operation.page), writable);
      case "grant_map":
        return call("grant_map", operation.granter, operation.number, placeAt(operation.place), writable);
      case "grant_copy":
        return call(
          "grant_copy",
          operation.granter,
          operation.number,
          pageAt(operation.page),
          8,
          operation.isStore ? 1 : 0,
        );
      case "balloon_give":
      case "balloon_take":
        return call(operation.act, pageAt(operation.page), 1);
      case "event_allocate":
        return call("event_allocate", operation.to);
      case "event_bind":
        return call("event_bind", operation.to, operation.number + 1);
      case "event_send":
        return call("event_send", operation.number + 1);
      case "grant_unmap":
      case "grant_revoke":
        return call(operation.act, operation.number);
      default:
        return call(operation.act);
    }
  }

  /** Stores an entry of the guest's own table, and fences. */
  #entry(at: bigint, entry: bigint, address: bigint | undefined): string {
    const fences = address === undefined ? "sfence.vma\n li a0, 0" : fence(address);
    return `li t0, ${at}\n li t1, ${entry}\n sd t1, (t0)\n ${fences}`;
  }

  #protect({ slot }: Act<"protect">, domain: number): string {
    const entry = this.#model.domain(domain)?.entries[slot];
    const word = entry === undefined ? 0n : leaf(addressOf(entry.target), entry.rights);
    return this.#entry(slotAt(slot), word, wayTo({ slot }));
  }

  /** The domain waits while the operator's orders are carried out. */
  #scan({ hasCollisions }: Act<"scan">, domain: number): string {
    const label = `scan${this.#scans.length}`;
    this.#scans.push({ domain, label, hasCollisions });
    return `li a0, 0\n li t0, 2000\n ${label}: addi t0, t0, -1\n bnez t0, ${label}`;
  }
}

/** Two pages with the same bytes, in two places of each: whoever copies one and forgets a part is seen by the other part. */
const twins = ({ page, value }: Act<"twins">): string =>
  [page, twinOf(page)].reduce((text, each) => {
    const at = wayTo({ direct: { page: each } });
    return `${text}\n li t0, ${at}\n li t1, ${value}\n sd t1, (t0)\n li t0, ${at + CODE_IN_PAGE}\n li t1, ${RETURN}\n sd t1, (t0)\n fence.i`;
  }, "li a0, 0");

interface VirtualStep {
  readonly text: string;
  readonly answer: bigint;
}

/** The paravirtualized domain's part. */
class VirtualCompiler {
  readonly #beginning: Beginning;
  readonly #words = new Map<bigint, bigint>();
  readonly #model: ParavirtualModel;

  constructor(beginning: Beginning) {
    this.#beginning = beginning;
    this.#model = new ParavirtualModel(beginning.frames, this.#frame(PV.root), (at) => this.#word(at));
  }

  /** `undefined`: not an operation of this domain's. */
  steps(operation: Operation): readonly VirtualStep[] | undefined {
    switch (operation.act) {
      case "pv_update":
        return this.#update(operation.table, operation.index, this.#entryOf(operation));
      case "pv_table":
        return this.#table(operation);
      case "pv_pin":
        return [this.#pin(operation.page, operation.level)];
      case "pv_unpin": {
        const at = this.#frame(operation.page);
        return [{ text: call("pv_unpin", at), answer: this.#model.unpin(at) }];
      }
      case "pv_root":
        return this.#root(operation.page);
      case "pv_load": {
        const address = this.#addressOf(operation);
        const to = this.#model.walk(address);
        const answer = to?.isReadable === true ? this.#word(to.at) : FAULT - 13n;
        return [{ text: `li t0, ${address}\n ld a0, (t0)`, answer }];
      }
      case "pv_store":
        return [this.#store(this.#addressOf(operation), BigInt(operation.value))];
      default:
        return undefined;
    }
  }

  #frame = (page: number): bigint => this.#beginning.frames[page] ?? 0n;
  #word = (at: bigint): bigint => this.#words.get(at) ?? this.#beginning.word(at);

  #addressOf({ page, isAlias }: { readonly page: number; readonly isAlias: boolean }): bigint {
    const base = isAlias ? BigInt(PV.alias) << 30n : PARAVIRTUAL_BASE;
    return base + 4096n * BigInt(page) + 8n;
  }

  #entryOf({ to, kind }: Pick<Act<"pv_update">, "to" | "kind">): bigint {
    const flags = {
      rw: FLAGS.readWrite,
      r: FLAGS.readOnly,
      x: FLAGS.execute,
      table: FLAGS.table,
      none: 0n,
      global: FLAGS.readOnly | PTE.G,
      user: FLAGS.readWrite | PTE.U,
    }[kind];
    const address =
      to === "neighbor"
        ? this.#beginning.neighbor
        : to === "hypervisor"
          ? this.#beginning.hypervisor
          : this.#frame(to);
    return entryTo(address, flags);
  }

  #update(page: number, index: number, word: bigint): VirtualStep[] {
    const at = this.#frame(page) + 8n * BigInt(index);
    // The guest would lose its code.
    if (index === PV.built && this.#frame(page) === this.#model.root) return [];
    const wanted = this.#model.update(at, word);
    if (wanted === 0n) this.#words.set(at, word);
    const list = PARAVIRTUAL_BASE + 4096n;
    const text = `li t0, ${list}\n li t1, ${at}\n sd t1, (t0)\n li t1, ${BigInt.asIntN(64, word)}\n sd t1, 8(t0)\n ${call("pv_update", list, 1)}`;
    return [{ text, answer: wanted === 0n ? 1n : wanted }];
  }

  #store(address: bigint, word: bigint): VirtualStep {
    const to = this.#model.walk(address);
    const isAllowed = to?.isWritable === true;
    if (isAllowed) this.#words.set(to.at, word);
    return {
      text: `li a0, 0\n li t0, ${address}\n li t1, ${word}\n sd t1, (t0)`,
      answer: isAllowed ? 0n : FAULT - 15n,
    };
  }

  #pin(page: number, level: number): VirtualStep {
    const at = this.#frame(page);
    return { text: call("pv_pin", at, level), answer: this.#model.pin(at, level) };
  }

  /** As a kernel does it: written while it is memory, then mapped to be read, then pinned. */
  #table(operation: Act<"pv_table">): VirtualStep[] {
    const { page, level, index } = operation;
    const own = this.#frame(page);
    const start = PARAVIRTUAL_BASE + 4096n * BigInt(page);
    const steps = this.#update(PV.low, page, entryTo(own, FLAGS.readWrite));
    for (const each of [...PV.memory, PV.alias]) steps.push(this.#store(start + 8n * BigInt(each), 0n));
    // A root or middle table leads to what is there, so that it has an alias of all memory.
    if (level > 0) {
      const below = this.#frame(level === 1 ? PV.low : PV.middle);
      steps.push(this.#store(start + 8n * BigInt(level === 1 ? 0 : PV.alias), entryTo(below, FLAGS.table)));
    }
    steps.push(this.#store(start + 8n * BigInt(index), this.#entryOf(operation)));
    if (level === 2)
      steps.push(this.#store(start + 8n * BigInt(PV.built), entryTo(this.#frame(PV.middle), PTE.V)));
    steps.push(...this.#update(PV.low, page, entryTo(own, FLAGS.readOnly)));
    steps.push(this.#pin(page, level));
    return steps;
  }

  #root(page: number): VirtualStep[] {
    const at = this.#frame(page);
    // A root without the guest's code would be its end.
    if (this.#word(at + 8n * BigInt(PV.built)) !== entryTo(this.#frame(PV.middle), PTE.V)) return [];
    return [{ text: call("pv_set_root", at), answer: this.#model.setRoot(at) }];
  }
}
