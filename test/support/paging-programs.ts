/**
 * Random programs that change their page tables: two address spaces with a window of five pages each, mapped, unmapped, protected, made
 * large, cleaned of A and D, with the fences that the manual wants and no others; loads, stores, atomic operations and calls into the
 * window from each mode. What they see they leave in the log of `guest-programs.ts`.
 */
import { programAround } from "./guest-programs.ts";
import { seededNumbers } from "./random.ts";

/** What programs do with pages, and how often a program did it. */
export const PAGING_DEEDS = [
  "map",
  "unmap",
  "protect",
  "clean",
  "unfenced",
  "fenced by address",
  "fenced by space",
  "large",
  "large access",
  "switch",
  "sum",
  "mxr",
  "adue",
  "mprv",
  "pmp",
  "load",
  "store",
  "atomic",
  "call",
  "split",
  "read entry",
] as const;
export type PagingDeed = (typeof PAGING_DEEDS)[number];
export type PagingDeeds = Readonly<Record<PagingDeed, number>>;

export interface PagingProgram {
  readonly text: string;
  readonly deeds: PagingDeeds;
}

const X = ["a0", "a1", "a2", "a3", "a4", "a5", "s2", "s3", "s4", "s5", "s6", "s7"];
/** The frames that windows show, and the window's address. */
const FRAMES = 0x8001_0000;
const FRAME_COUNT = 8;
const WINDOW = 0x4000_0000;
const SLOTS = 5;
/** A second window: a page of 2 MiB that shows the upper half of 4 MiB of RAM. */
const LARGE = 0x1_0000_0000;
const LARGE_FRAME = 0x8020_0000;
/** User mode sees all of RAM here, code included. */
const USER_ALIAS = 0x4000_0000;
const PTE = { V: 1, R: 2, W: 4, X: 8, U: 16, A: 64, D: 128 } as const;
/** Where frames have code that can be called, and its bytes: `addi a0, a0, n; ret`. */
const CODE_OFFSET = 0x800;
const TABLES = ["A", "B"] as const;

/**
 * The program with a number. With `machine` its machine mode also does what the H path's does not see: it loads and stores in another
 * mode's name (MPRV), and closes a frame to those below (PMP).
 */
export function pagingProgram(seed: number, { machine = false } = {}): PagingProgram {
  return new PagingProgramWriter(seed, machine).write();
}

class PagingProgramWriter {
  readonly #number: (below: number) => number;
  readonly #hasRules: boolean;
  readonly #deeds: Record<PagingDeed, number>;
  /** Slots whose entry was not valid when the last fence came, by table: what is put there needs no fence. */
  readonly #clean = new Set<string>();
  #active: (typeof TABLES)[number] = "A";
  #labels = 0;

  constructor(seed: number, machine: boolean) {
    this.#number = seededNumbers(seed);
    this.#hasRules = machine;
    this.#deeds = Object.fromEntries(PAGING_DEEDS.map((name) => [name, 0])) as Record<PagingDeed, number>;
    for (const table of TABLES) for (let slot = 0; slot < SLOTS; slot++) this.#clean.add(table + slot);
  }

  write(): PagingProgram {
    const delegated = this.#pick([0, 0xb00c | (1 << 8), 0xb000]);
    const adue = this.#pick(["", "li t3, 1\n slli t3, t3, 61\n csrs menvcfg, t3"]);
    const before = `li t0, ${delegated}\n csrw medeleg, t0\n ${adue}\n ${this.#frames()}`;
    const segments = Array.from({ length: 6 }, (_, index) => this.#segment(index)).join("\n");
    const text = programAround({ before, segments, behind: TABLES.map(tablesOf).join("\n") });
    return { text, deeds: this.#deeds };
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#number(list.length)] as T;
  }

  #did(deed: PagingDeed, text: string): string {
    this.#deeds[deed] += 1;
    return text;
  }

  #label(): string {
    return `l${this.#labels++}`;
  }

  /** Each frame has words of its own at both ends, and code that gives itself away; windows have their tables. */
  #frames(): string {
    const frames = Array.from({ length: FRAME_COUNT }, (_, frame) => {
      const words = [-2048, -2040, 2032, 2040].map((offset) => `sd t3, ${offset}(t5)`).join("\n");
      const addi = 0x513 | (10 << 15) | ((frame + 1) << 20);
      return `li t5, ${FRAMES + 4096 * frame + CODE_OFFSET}\n li t3, ${0x1111 * (frame + 1)}\n ${words}
      li t3, ${addi}\n sw t3, 0(t5)\n li t3, 0x8067\n sw t3, 4(t5)`;
    });
    const point = (from: string, offset: number, to: string): string =>
      `la t3, ${to}\n srli t3, t3, 2\n ori t3, t3, 1\n la t4, ${from}\n sd t3, ${offset}(t4)`;
    const tables = TABLES.map(
      (space) => `${point(`root${space}`, 8, `middle${space}`)}
      ${point(`middle${space}`, 0, `leaf${space}`)}
      ${point(`root${space}`, 32, `large${space}`)}
      ${this.#firstEntries(space)}`,
    );
    return [...frames, ...tables].join("\n");
  }

  #firstEntries(space: string): string {
    const slots = Array.from({ length: SLOTS }, (_, slot) => slot).filter(() => this.#number(3) > 0);
    const stores = slots.map((slot) => {
      this.#clean.delete(space + slot);
      return `li t3, ${this.#entry()}\n sd t3, ${8 * slot}(t4)`;
    });
    return `la t4, leaf${space}\n ${stores.join("\n")}
      la t4, large${space}\n li t3, ${(LARGE_FRAME / 4096) * 1024 + this.#flags()}\n sd t3, (t4)`;
  }

  /** An entry of a window: some frame, with some rights. */
  #entry(): number {
    return (FRAMES / 4096 + this.#number(FRAME_COUNT)) * 1024 + this.#flags();
  }

  /** Begins in machine mode, with one of the address spaces or none, and goes down to a mode. */
  #segment(index: number): string {
    const mode = this.#pick(["S", "S", "S", "U", "U", "M"] as const);
    const space = mode === "M" ? "A" : this.#pick(TABLES);
    const level = { M: 3, S: 1, U: 0 }[mode];
    const alias = mode === "U" ? `li t3, ${USER_ALIAS}\n add t0, t0, t3` : "";
    const machine = Array.from({ length: 3 }, () => this.#operation("M", space));
    const activation = this.#activate(space);
    const first = Array.from({ length: SLOTS }, (_, slot) => this.#touch(slot));
    const rest = Array.from({ length: 8 + this.#number(10) }, () => this.#operation(mode, space));
    const lines = mode === "M" ? rest : [...first, ...rest];
    return `${machine.join("\n")}
      ${activation}
      li t0, 0x1800\n csrc mstatus, t0\n li t0, ${level << 11}\n csrs mstatus, t0
      la t0, body${index}\n ${alias}\n csrw mepc, t0\n mret
      body${index}: ${lines.join("\n")}
      la a6, next${index}\n ${mode === "U" ? `li t3, ${USER_ALIAS}\n sub a6, a6, t3` : ""}
      li a7, 0x77\n ecall\n next${index}:`;
  }

  /** Another address space. Each has its ASID, so that no fence is needed. */
  #activate(space: (typeof TABLES)[number]): string {
    this.#active = space;
    const asid = space === "A" ? 1 : 2;
    return this.#did(
      "switch",
      `la t3, root${space}\n srli t3, t3, 12\n li t4, ${0x80000 | asid}\n slli t4, t4, 44\n or t3, t3, t4\n csrw satp, t3`,
    );
  }

  #operation(mode: "M" | "S" | "U", own: string): string {
    const space = mode === "M" ? own : this.#active;
    const canChange = mode !== "U";
    switch (this.#number(canChange ? 16 : 8)) {
      case 0:
      case 1:
        return this.#did("load", this.#access(["lb", "lbu", "lh", "lw", "ld"], this.#address()));
      case 2:
      case 3:
        return this.#did("store", this.#access(["sb", "sh", "sw", "sd"], this.#address()));
      case 4: // the last bytes of a page and the first of the next
        return this.#did(
          "split",
          this.#access(["ld", "lw", "sd", "sw"], this.#slotAddress() + 4095 - this.#number(3)),
        );
      case 5:
        return this.#call();
      case 6: {
        const at = `li t3, ${this.#address()}`;
        return this.#did(
          "atomic",
          `${at}\n ${this.#pick(["amoadd.d", "amoswap.d"])} ${this.#pick(X)}, a5, (t3)`,
        );
      }
      case 7:
        return this.#did("large access", this.#access(["ld", "sd"], LARGE + 4096 * this.#number(16)));
      case 8:
      case 9:
      case 10:
        return this.#change(space);
      case 11:
        return this.#changeLarge(space);
      case 12:
        return this.#cleanEntry(space);
      case 13:
        return mode === "M" ? this.#machine() : this.#status();
      case 14:
        return this.#did(
          "read entry",
          `la t3, leaf${space}\n ld ${this.#pick(X)}, ${8 * this.#number(SLOTS)}(t3)`,
        );
      default:
        return mode === "S" ? this.#activate(this.#pick(TABLES)) : `addi ${this.#pick(X)}, a0, 3`;
    }
  }

  #slotAddress(): number {
    return WINDOW + 4096 * this.#number(SLOTS);
  }

  #address(): number {
    return this.#slotAddress() + 8 * this.#number(200);
  }

  #access(names: readonly string[], address: number, between = ""): string {
    return `li t6, ${address}\n ${between}\n ${this.#pick(names)} ${this.#pick(X)}, 0(t6)`;
  }

  #call(page = this.#slotAddress()): string {
    const back = this.#label();
    const text = `li t3, ${page + CODE_OFFSET}\n la ra, ${back}\n jr t3\n ${back}: nop`;
    return this.#did("call", text);
  }

  /** A new entry in a window, or none, and the fence that it needs. */
  #change(space: string): string {
    const slot = this.#number(SLOTS);
    const key = space + slot;
    const isUnmap = this.#number(4) === 0;
    const wasClean = this.#clean.has(key);
    const deed = isUnmap ? "unmap" : wasClean ? "map" : "protect";
    const entry = isUnmap ? 0 : this.#entry();
    const store = this.#did(deed, `li t3, ${entry}\n la t4, leaf${space}\n sd t3, ${8 * slot}(t4)`);
    if (isUnmap) this.#clean.add(key);
    else this.#clean.delete(key);
    // What was not there before needs no fence: the manual lets it fault once, and our harts do not.
    const isUnfenced = wasClean && this.#number(2) === 0;
    const fence = isUnfenced ? this.#did("unfenced", "") : this.#fence(space, WINDOW + 4096 * slot);
    return `${this.#touch(slot)}\n ${store}\n ${fence}\n ${this.#touch(slot)}`;
  }

  /** Some access to a page: a story is told by accesses before and behind a change. */
  #touch(slot: number): string {
    const page = WINDOW + 4096 * slot;
    switch (this.#number(4)) {
      case 0:
        return this.#did("load", this.#access(["lb", "lhu", "ld"], page + 8 * this.#number(200)));
      case 1:
        return this.#did("store", this.#access(["sb", "sw", "sd"], page + 8 * this.#number(200)));
      case 2:
        return this.#did("load", this.#access(["ld"], page));
      default:
        return this.#call(page);
    }
  }

  #flags(): number {
    const rights = this.#pick([PTE.R, PTE.R | PTE.W, PTE.X, PTE.R | PTE.X, PTE.R | PTE.W | PTE.X]);
    const user = this.#number(2) * PTE.U;
    const used = this.#pick([0, PTE.A, PTE.A | PTE.D, PTE.A | PTE.D]);
    return PTE.V | rights | user | used;
  }

  #fence(space: string, address: number): string {
    const asid = space === "A" ? 1 : 2;
    switch (this.#number(4)) {
      case 0:
        return "sfence.vma";
      case 1:
        return this.#did(
          "fenced by address",
          `li t3, ${address + this.#number(512) * 8}\n sfence.vma t3, zero`,
        );
      case 2:
        return this.#did("fenced by space", `li t3, ${asid}\n sfence.vma zero, t3`);
      default:
        return this.#did("fenced by address", `li t3, ${address}\n li t4, ${asid}\n sfence.vma t3, t4`);
    }
  }

  /** The entry of 2 MiB changes; an address in it stands for all of it. */
  #changeLarge(space: string): string {
    const flags = this.#number(3) === 0 ? 0 : this.#flags();
    const touched = LARGE + 4096 * this.#number(16);
    const touch = (): string => this.#did("large access", this.#access(["ld", "sd"], touched));
    const entry = `li t3, ${(LARGE_FRAME / 4096) * 1024 + flags}\n la t4, large${space}\n sd t3, (t4)`;
    const fence = this.#fence(space, LARGE + 4096 * this.#number(512));
    return `${touch()}\n ${this.#did("large", entry)}\n ${fence}\n ${touch()}`;
  }

  /** A and D are cleared, and whoever wants to see them set again fences. */
  #cleanEntry(space: string): string {
    const slot = this.#number(SLOTS);
    const bits = this.#pick([PTE.A | PTE.D, PTE.D]);
    const text = `la t3, leaf${space}\n li t4, ${bits}\n ld t5, ${8 * slot}(t3)\n not t4, t4\n and t5, t5, t4\n sd t5, ${8 * slot}(t3)`;
    const fence = this.#fence(space, WINDOW + 4096 * slot);
    return `${this.#touch(slot)}\n ${this.#did("clean", text)}\n ${fence}\n ${this.#touch(slot)}`;
  }

  #status(): string {
    const isSum = this.#number(2) === 0;
    const slot = this.#number(SLOTS);
    const change = `li t3, ${isSum ? 0x4_0000 : 0x8_0000}\n ${this.#pick(["csrs", "csrc"])} sstatus, t3`;
    return `${this.#touch(slot)}\n ${this.#did(isSum ? "sum" : "mxr", change)}\n ${this.#touch(slot)}`;
  }

  #machine(): string {
    if (this.#hasRules && this.#number(2) === 0)
      return this.#number(2) === 0 ? this.#protect() : this.#proxy();
    return this.#did(
      "adue",
      `li t3, 1\n slli t3, t3, 61\n ${this.#pick(["csrs", "csrc"])} menvcfg, t3\n sfence.vma`,
    );
  }

  /** PMP closes a frame to all below machine mode, or leaves it some rights; a fence follows. */
  #protect(): string {
    const region = FRAMES / 4 + 1024 * this.#number(FRAME_COUNT) + 511;
    const rights = this.#pick([0, 1, 3, 4, 7]);
    return this.#did(
      "pmp",
      `li t3, -1\n csrw pmpaddr1, t3\n li t3, ${region}\n li t4, ${0x1f18 | rights}\n csrw pmpcfg0, t4\n csrw pmpaddr0, t3\n sfence.vma`,
    );
  }

  /** A load or a store of machine mode with the rights of a mode below. */
  #proxy(): string {
    const level = this.#pick([0, 1]);
    const between = `li t3, 0x1800\n csrc mstatus, t3\n li t3, ${(level << 11) | 0x2_0000}\n csrs mstatus, t3`;
    const access = this.#pick([
      () => this.#access(["ld", "lbu", "sd", "sh"], this.#address(), between),
      () => `li t6, ${this.#address()}\n ${between}\n amoadd.w ${this.#pick(X)}, a5, (t6)`,
      () => `li t6, ${this.#address()}\n ${between}\n lr.d ${this.#pick(X)}, (t6)`,
    ])();
    return this.#did("mprv", `${access}\n li t3, 0x20000\n csrc mstatus, t3`);
  }
}

/** Root with devices, the window, RAM for the kernel and RAM for users; tables of the window. */
const tablesOf = (space: string): string => `
    .align 12
    root${space}: .dword 0xc7, 0, 0x200000cf, 0x200000df
    .zero 4064
    middle${space}: .zero 4096
    large${space}: .zero 4096
    leaf${space}: .zero 4096`;
