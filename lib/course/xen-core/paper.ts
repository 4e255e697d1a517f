/**
 * A hypervisor on paper: frames, page tables of four entries, grants, and the counts that hold all of it together. Small enough that a
 * thousand histories cost nothing, and with the rules of `lib/vmm`. Each of its mistakes is a line that a hypervisor once lacked, or could.
 */

/** Entries of a table; a large page is so many frames. */
export const ENTRIES = 4;
/** Domains 1 and 2 have so many frames each, in a row. */
export const FRAMES = 8;
/** Number of the first frame. */
export const FIRST_FRAME = 0x81a0;
export const DOMAINS = [1, 2] as const;

/** What a frame is used for: memory, a table of pages, or a root, which leads to tables. */
export type FrameUse = "free" | "memory" | "table" | "root";

/** An entry: a page (of one frame, or in a root of four) or a link to a table. */
export interface PaperEntry {
  readonly kind: "page" | "link";
  readonly frame: number;
  readonly writable: boolean;
}

/** What a domain asks for. */
export type PaperOp =
  | {
      readonly op: "update";
      readonly domain: number;
      readonly table: number;
      readonly index: number;
      readonly entry: PaperEntry | null;
    }
  | {
      readonly op: "grant";
      readonly domain: number;
      readonly to: number;
      readonly frame: number;
      readonly writable: boolean;
    }
  | {
      readonly op: "map";
      readonly domain: number;
      readonly grant: number;
      readonly table: number;
      readonly index: number;
      readonly writable: boolean;
    }
  | { readonly op: "unmap"; readonly domain: number; readonly mapping: number }
  | { readonly op: "revoke"; readonly domain: number; readonly grant: number }
  | { readonly op: "release"; readonly domain: number; readonly frame: number }
  | { readonly op: "claim"; readonly domain: number };

/** A frame as the hypervisor counts it. */
export interface PaperFrame {
  readonly frame: number;
  /** 0: nobody. */
  readonly owner: number;
  readonly use: FrameUse;
  /** Its owner, and each entry that maps it or leads to it, and each domain whose root it is. */
  readonly refs: number;
  /** For memory each writable entry; for a table each link; for a root each domain that uses it. */
  readonly typed: number;
}

/** An entry as somebody finds it who walks all tables. */
export interface FoundEntry {
  readonly domain: number;
  /** Frame of the table that it is in, and its place there. */
  readonly table: number;
  readonly index: number;
  readonly kind: "page" | "link";
  /** The first frame that it speaks of, and how many: a page in a root is a large one. */
  readonly frame: number;
  readonly frames: number;
  readonly writable: boolean;
}

export interface PaperGrant {
  readonly from: number;
  readonly to: number;
  readonly frame: number;
  readonly writable: boolean;
  readonly mapped: number;
}

export interface PaperMapping {
  readonly domain: number;
  readonly grant: number;
  readonly table: number;
  readonly index: number;
  readonly writable: boolean;
}

/** All that is to see of a machine; `null`: no such grant, no such mapping (any more). */
export interface PaperMachine {
  readonly frames: readonly PaperFrame[];
  readonly entries: readonly FoundEntry[];
  readonly grants: readonly (PaperGrant | null)[];
  readonly mappings: readonly (PaperMapping | null)[];
  /** The root that each domain uses. */
  readonly roots: readonly { readonly domain: number; readonly frame: number }[];
}

/** Errors, as in `lib/vmm/errors.ts`. */
export const NO = { permission: -1, entry: -2, address: -14, busy: -16, invalid: -22 } as const;

/** What a hypervisor can have forgotten. */
export type MistakeName =
  | "superpage"
  | "fast path"
  | "double drop"
  | "read-only drop"
  | "grant rights"
  | "early revoke"
  | "kept reference"
  | "stranger"
  | "typed while writable"
  | "early release"
  | "lost mapping";

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The hypervisor. */
export class PaperHypervisor {
  readonly #mistake: MistakeName | undefined;
  readonly #frames = new Map<number, Mutable<PaperFrame>>();
  readonly #tables = new Map<number, (PaperEntry | null)[]>();
  readonly #grants: (Mutable<PaperGrant> | null)[] = [];
  readonly #mappings: (PaperMapping | null)[] = [];

  /** Each domain begins with a root, a table in it, and two pages in the table, writable; the rest of its frames is memory. */
  constructor(mistake?: MistakeName) {
    this.#mistake = mistake;
    for (const domain of DOMAINS) {
      const first = firstFrameOf(domain);
      for (let frame = first; frame < first + FRAMES; frame++)
        this.#frames.set(frame, { frame, owner: domain, use: "memory", refs: 1, typed: 0 });
      this.#become(first, "root");
      this.#refer(first, true);
      this.#put(first, 0, { kind: "link", frame: first + 1, writable: false });
      for (const index of [0, 1])
        this.#put(first + 1, index, { kind: "page", frame: first + 2 + index, writable: true });
    }
  }

  /** Does what a domain asks for: a value or, negative, an error. */
  do(op: PaperOp): number {
    switch (op.op) {
      case "update":
        return this.#update(op);
      case "grant":
        return this.#grant(op);
      case "map":
        return this.#map(op);
      case "unmap":
        return this.#unmap(op);
      case "revoke":
        return this.#revoke(op);
      case "release":
        return this.#release(op);
      case "claim":
        return this.#claim(op);
    }
  }

  /** Its grants and mappings, as they are now. */
  get lent(): Pick<PaperMachine, "grants" | "mappings"> {
    return { grants: this.#grants, mappings: this.#mappings };
  }

  /** The machine as it is: a copy. */
  look(): PaperMachine {
    const entries = [...this.#tables].flatMap(([table, list]) => {
      const { owner, use } = this.#frame(table);
      return list.flatMap((entry, index) =>
        entry === null
          ? []
          : [
              {
                domain: owner,
                table,
                index,
                ...entry,
                frames: use === "root" && entry.kind === "page" ? ENTRIES : 1,
              },
            ],
      );
    });
    return {
      frames: [...this.#frames.values()].map((frame) => ({ ...frame })),
      entries,
      grants: this.#grants.map((grant) => (grant === null ? null : { ...grant })),
      mappings: this.#mappings.map((mapping) => (mapping === null ? null : { ...mapping })),
      roots: DOMAINS.map((domain) => ({ domain, frame: firstFrameOf(domain) })),
    };
  }

  #has = (mistake: MistakeName): boolean => this.#mistake === mistake;

  #frame(number: number): Mutable<PaperFrame> {
    const frame = this.#frames.get(number);
    if (frame === undefined) throw new Error(`there is no frame ${number}`);
    return frame;
  }

  #refer(number: number, counts: boolean): void {
    const frame = this.#frame(number);
    frame.refs += 1;
    if (counts) frame.typed += 1;
  }

  /** A table that nothing leads to is memory again, and what it held goes. */
  #unrefer(number: number, counts: boolean): void {
    const frame = this.#frame(number);
    frame.refs -= 1;
    if (counts) frame.typed -= 1;
    if (frame.use === "table" && frame.typed === 0) this.#undo(number);
    if (frame.refs <= 0) Object.assign(frame, { owner: 0, use: "free", refs: 0, typed: 0 });
  }

  #undo(number: number): void {
    const entries = this.#tables.get(number) ?? [];
    this.#tables.delete(number);
    this.#frame(number).use = "memory";
    for (const entry of entries) if (entry !== null) this.#drop(entry);
  }

  #become(number: number, use: "table" | "root"): void {
    this.#frame(number).use = use;
    this.#tables.set(number, new Array<PaperEntry | null>(ENTRIES).fill(null));
  }

  #drop({ kind, frame, writable }: PaperEntry): void {
    this.#unrefer(frame, kind === "link" || writable);
  }

  /** Whether a domain may have an entry in a table of a kind; what it leads to becomes what it must be, and is counted. */
  #take(domain: number, use: FrameUse, { kind, frame: number, writable }: PaperEntry): number {
    const isLarge = use === "root" && kind === "page";
    if (isLarge && !this.#has("superpage")) return NO.invalid;
    if (kind === "link" && use !== "root") return NO.invalid;
    const frame = this.#frames.get(number);
    if (frame === undefined || (isLarge && number % ENTRIES !== 0)) return NO.permission;
    const mayRead = kind === "page" && !writable && this.#has("stranger") && frame.owner !== 0;
    if (frame.owner !== domain && !mayRead) return NO.permission;
    if (kind === "link") {
      if (frame.use === "root") return NO.busy;
      if (frame.use === "memory") {
        if (frame.typed > 0 && !this.#has("typed while writable")) return NO.busy;
        frame.typed = 0;
        this.#become(number, "table");
      }
    } else if (writable && frame.use !== "memory") return NO.busy;
    this.#refer(number, kind === "link" || writable);
    return 0;
  }

  #put(table: number, index: number, entry: PaperEntry): void {
    const { owner, use } = this.#frame(table);
    if (this.#take(owner, use, entry) !== 0) throw new Error("the first tables are not what they may be");
    this.#store(table, index, entry);
  }

  #store(table: number, index: number, entry: PaperEntry | null): void {
    const list = this.#tables.get(table);
    if (list !== undefined) list[index] = entry;
  }

  #tableOf(domain: number, table: number): FrameUse | number {
    const frame = this.#frames.get(table);
    if (frame?.owner !== domain) return NO.permission;
    return frame.use === "table" || frame.use === "root" ? frame.use : NO.invalid;
  }

  #isGranted = (table: number, index: number): boolean =>
    this.#mappings.some((mapping) => mapping?.table === table && mapping.index === index);

  #update({ domain, table, index, entry }: Extract<PaperOp, { op: "update" }>): number {
    const use = this.#tableOf(domain, table);
    if (typeof use === "number") return use;
    if (this.#isGranted(table, index)) return NO.busy;
    const old = this.#tables.get(table)?.[index] ?? null;
    if (
      this.#has("fast path") &&
      entry !== null &&
      old?.kind === "page" &&
      entry.kind === "page" &&
      old.frame === entry.frame
    ) {
      // The frame was looked at when the old entry was made.
      this.#store(table, index, entry);
      return 0;
    }
    // The table stays one while its own entry is looked at.
    this.#refer(table, true);
    const refused = entry === null ? 0 : this.#take(domain, use, entry);
    if (refused === 0) {
      this.#store(table, index, entry);
      if (old !== null && !this.#has("kept reference")) this.#drop(old);
    }
    this.#unrefer(table, true);
    return refused;
  }

  #grant({ domain, to, frame: number, writable }: Extract<PaperOp, { op: "grant" }>): number {
    const frame = this.#frames.get(number);
    if (frame?.owner !== domain || frame.use !== "memory") return NO.permission;
    this.#grants.push({ from: domain, to, frame: number, writable, mapped: 0 });
    return this.#grants.length - 1;
  }

  #map({ domain, grant: number, table, index, writable }: Extract<PaperOp, { op: "map" }>): number {
    const grant = this.#grants[number];
    if (grant === undefined || grant === null) return NO.entry;
    if (grant.to !== domain) return NO.permission;
    if (writable && !grant.writable && !this.#has("grant rights")) return NO.permission;
    const { use, owner } = this.#frame(grant.frame);
    if (use !== "memory" || owner !== grant.from) return NO.address;
    const place = this.#tableOf(domain, table);
    if (place !== "table") return NO.address;
    if ((this.#tables.get(table)?.[index] ?? null) !== null) return NO.busy;
    this.#refer(grant.frame, writable);
    this.#refer(table, true);
    this.#store(table, index, { kind: "page", frame: grant.frame, writable });
    if (!this.#has("lost mapping")) grant.mapped += 1;
    this.#mappings.push({ domain, grant: number, table, index, writable });
    return this.#mappings.length - 1;
  }

  #unmap({ domain, mapping: number }: Extract<PaperOp, { op: "unmap" }>): number {
    const mapping = this.#mappings[number];
    if (mapping === undefined || mapping === null || mapping.domain !== domain) return NO.entry;
    const grant = this.#grants[mapping.grant];
    const entry = this.#tables.get(mapping.table)?.[mapping.index];
    this.#mappings[number] = null;
    if (grant !== undefined && grant !== null && !this.#has("lost mapping")) grant.mapped -= 1;
    if (entry === undefined || entry === null) return 0;
    this.#store(mapping.table, mapping.index, null);
    this.#unrefer(entry.frame, entry.writable || this.#has("read-only drop"));
    if (this.#has("double drop") && grant !== undefined && grant !== null && grant.mapped > 0)
      this.#unrefer(entry.frame, entry.writable);
    this.#unrefer(mapping.table, true);
    return 0;
  }

  #revoke({ domain, grant: number }: Extract<PaperOp, { op: "revoke" }>): number {
    const grant = this.#grants[number];
    if (grant === undefined || grant === null || grant.from !== domain) return NO.entry;
    if (grant.mapped > 0 && !this.#has("early revoke")) return NO.busy;
    this.#grants[number] = null;
    return 0;
  }

  /** The owner gives a frame back, when nobody else would miss it. */
  #release({ domain, frame: number }: Extract<PaperOp, { op: "release" }>): number {
    const frame = this.#frames.get(number);
    if (frame?.owner !== domain) return NO.permission;
    if (this.#grants.some((grant) => grant?.frame === number)) return NO.busy;
    if (frame.refs > 1 && !(this.#has("early release") && frame.use === "memory")) return NO.busy;
    Object.assign(frame, { owner: 0, use: "free", refs: 0, typed: 0 });
    return 0;
  }

  #claim({ domain }: Extract<PaperOp, { op: "claim" }>): number {
    for (const frame of this.#frames.values()) {
      if (frame.owner !== 0) continue;
      Object.assign(frame, { owner: domain, use: "memory", refs: 1, typed: 0 });
      return frame.frame;
    }
    return -12;
  }
}

/** The first of a domain's frames: its root at first. */
export const firstFrameOf = (domain: number): number => FIRST_FRAME + (domain - 1) * FRAMES;

/** A frame's number as people read it. */
export const frameName = (frame: number): string => `0x${frame.toString(16)}`;

const rights = (writable: boolean): string => (writable ? "RW" : "R");

function entryWords(entry: PaperEntry | null): string {
  if (entry === null) return "nothing";
  return entry.kind === "link"
    ? `table ${frameName(entry.frame)}`
    : `page ${frameName(entry.frame)} ${rights(entry.writable)}`;
}

/** What was asked for, in words. */
export function opWords(op: PaperOp): string {
  const who = `dom${op.domain}`;
  switch (op.op) {
    case "update":
      return `${who} update(${frameName(op.table)}[${op.index}] = ${entryWords(op.entry)})`;
    case "grant":
      return `${who} grant(dom${op.to}, ${frameName(op.frame)}, ${rights(op.writable)})`;
    case "map":
      return `${who} map(grant ${op.grant}, ${frameName(op.table)}[${op.index}], ${rights(op.writable)})`;
    case "unmap":
      return `${who} unmap(mapping ${op.mapping})`;
    case "revoke":
      return `${who} revoke(grant ${op.grant})`;
    case "release":
      return `${who} release(${frameName(op.frame)})`;
    case "claim":
      return `${who} claim()`;
  }
}
