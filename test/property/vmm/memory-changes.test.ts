/**
 * Random sequences of everything that moves memory between domains, done by guests and by the operator, against a model that knows pages,
 * grants, mappings and domains, and no frames. After each step counts are recounted, the referee looks, and no frame is lost.
 */
import { expect, it } from "vitest";
import { SeededNumbers } from "../../../lib/bits/seeded-numbers.ts";
import { violationText } from "../../../lib/index.ts";
import { DomainState, FrameType } from "../../../lib/vmm/layout.ts";
import { carryOut, createGuest } from "../../../lib/vmm/operator.ts";
import { ERROR, faulted, PUPPET, Puppets } from "../../unit/vmm/puppets.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const [SEEDS, STEPS] = isFull ? [200, 120] : [8, 60];
/** After so many steps each, all is recounted from nothing; the referee looks at what has changed behind every trap. */
const RECOUNTED = isFull ? 1 : 6;
const RAM = 0x8000_0000n;
const THERE = 0x4000_0000n;
const PAGES = 5;
const PLACES = 3;
/** Values are few, so that pages are often equal. */
const VALUES = 3;
/** In the second 2 MiB of RAM nothing is but what is stored there: it is large, where the guest has large pages. */
const FIRST = RAM + 0x20_0000n + 0x3000n;
const page = (number: number): bigint => FIRST + 4096n * BigInt(number);
const place = (number: number): bigint => THERE + 4096n * BigInt(number);
const LOAD_FAULT = faulted(5);
const STORE_FAULT = faulted(7);

/** Bytes that several may see: a page of a guest's. */
interface Cell {
  value: bigint;
}
interface Grant {
  readonly to: number;
  readonly page: number;
  readonly writable: boolean;
  readonly cell: Cell;
  mapped: number;
}
interface Mapping {
  readonly mapper: number;
  readonly place: number;
  readonly granter: Guest;
  readonly grant: number;
  readonly writable: boolean;
}
interface Guest {
  readonly id: number;
  readonly cells: Cell[];
  readonly grants: (Grant | undefined)[];
  isGone: boolean;
}

const newGuest = (id: number): Guest => ({
  id,
  cells: Array.from({ length: PAGES }, () => ({ value: 0n })),
  grants: [],
  isGone: false,
});

/** The lowest number that is free in a list. */
const firstFree = (list: readonly unknown[]): number => {
  const found = list.indexOf(undefined);
  return found < 0 ? list.length : found;
};

/** The machine beside its model. */
class Trial {
  readonly puppets: Puppets;
  readonly #guests = new Map<number, Guest>();
  readonly #mappings: (Mapping | undefined)[] = [];
  readonly #numbers: SeededNumbers;
  readonly #frames: number;

  constructor(seed: number) {
    const large = { ramBytes: 0x60_0000, largePages: true };
    const small = { ramBytes: 0x30_0000 };
    this.puppets = new Puppets(
      [large, small, small],
      {},
      {
        ramBytes: 16 * 1024 * 1024,
        translations: seed % 2 === 0 ? "sticky" : "coherent",
      },
    );
    this.#numbers = new SeededNumbers(seed);
    for (const id of [1, 2, 3]) this.#guests.set(id, newGuest(id));
    this.#frames = this.#allFrames();
  }

  /** One change, drawn by lot. What it was. */
  step(): string {
    const acts = [
      this.#store,
      this.#store,
      this.#load,
      this.#storeFar,
      this.#loadFar,
      this.#give,
      this.#take,
      this.#scan,
      this.#scan,
      this.#grant,
      this.#grant,
      this.#map,
      this.#map,
      this.#unmap,
      this.#revoke,
      this.#destroy,
      this.#create,
    ];
    const act = acts[this.#below(acts.length)] ?? this.#load;
    const alive = [...this.#guests.values()];
    const guest = alive[this.#below(alive.length)];
    return guest === undefined ? this.#create() : act.call(this, guest);
  }

  /** Everything that anybody can see is as the model has it. */
  checkAll(): void {
    for (const guest of this.#guests.values())
      for (let number = 0; number < PAGES; number++)
        expect(this.puppets.load(guest.id, page(number))).toBe(guest.cells[number]?.value);
    for (const mapping of this.#mappings)
      if (mapping !== undefined)
        expect(this.puppets.load(mapping.mapper, place(mapping.place))).toBe(this.#cellOf(mapping).value);
  }

  /** What is wrong with the machine; each frame is somebody's or free. */
  mistakes(): string[] {
    const lost = this.#frames - this.#allFrames();
    return [...this.puppets.mistakes(), ...(lost === 0 ? [] : [`${lost} frames are lost`])];
  }

  #store(guest: Guest): string {
    const [number, value] = [this.#below(PAGES), BigInt(1 + this.#below(VALUES))];
    expect(this.puppets.store(guest.id, page(number), value)).toBe(0n);
    (guest.cells[number] as Cell).value = value;
    return `${guest.id}: store ${value} to page ${number}`;
  }

  #load(guest: Guest): string {
    const number = this.#below(PAGES);
    expect(this.puppets.load(guest.id, page(number))).toBe(guest.cells[number]?.value);
    return `${guest.id}: load page ${number}`;
  }

  #storeFar(guest: Guest): string {
    const [number, value] = [this.#below(PLACES), BigInt(1 + this.#below(VALUES))];
    const mapping = this.#mappingAt(guest, number);
    const isAllowed = mapping?.writable === true;
    expect(this.puppets.store(guest.id, place(number), value)).toBe(isAllowed ? 0n : STORE_FAULT);
    if (isAllowed) this.#cellOf(mapping).value = value;
    return `${guest.id}: store ${value} to place ${number}`;
  }

  #loadFar(guest: Guest): string {
    const number = this.#below(PLACES);
    const mapping = this.#mappingAt(guest, number);
    const expected = mapping === undefined ? LOAD_FAULT : this.#cellOf(mapping).value;
    expect(this.puppets.load(guest.id, place(number))).toBe(expected);
    return `${guest.id}: load place ${number}`;
  }

  #give(guest: Guest): string {
    const number = this.#below(PAGES);
    const isGranted = guest.grants.some((grant) => grant?.page === number);
    expect(this.puppets.call(guest.id, "balloon_give", page(number), 1)).toBe(isGranted ? ERROR.BUSY : 1);
    if (!isGranted) guest.cells[number] = { value: 0n };
    return `${guest.id}: give page ${number}`;
  }

  #take(guest: Guest): string {
    const number = this.#below(PAGES);
    expect(this.puppets.call(guest.id, "balloon_take", page(number), 1)).toBe(1);
    return `${guest.id}: take page ${number}`;
  }

  /** Looks at the pages of the test alone: the others are many, and all the same. */
  #scan(guest: Guest): string {
    const { pageSharing } = this.puppets.scene.vmm.state;
    pageSharing.hashBits = this.#below(2) === 0 ? 1 : 0;
    for (const each of [guest, ...this.#guests.values()]) {
      pageSharing.domain = each.id;
      pageSharing.page = 0x203;
      expect(carryOut(this.puppets.scene, { kind: "SCAN", words: [BigInt(PAGES)] })).toBe(0);
    }
    return "scan";
  }

  #grant(guest: Guest): string {
    const [to, number, writable] = [1 + this.#below(3), this.#below(PAGES), this.#below(2) === 1];
    const answer = this.puppets.call(guest.id, "grant", to, page(number), writable ? 1 : 0);
    if (!this.#guests.has(to)) expect(answer).toBe(ERROR.NO_DOMAIN);
    else if (guest.grants.filter((grant) => grant !== undefined).length === 32)
      expect(answer).toBe(ERROR.NO_SPACE);
    else {
      const free = firstFree(guest.grants);
      expect(answer).toBe(free);
      guest.grants[free] = { to, page: number, writable, cell: guest.cells[number] as Cell, mapped: 0 };
    }
    return `${guest.id}: grant page ${number} to ${to}${writable ? ", writable" : ""}: ${answer}`;
  }

  #map(guest: Guest): string {
    const [granter, at, writable] = [1 + this.#below(3), this.#below(PLACES), this.#below(2) === 1];
    const owner = this.#guests.get(granter);
    // Mostly a grant that there is.
    const mine = [...(owner?.grants.keys() ?? [])].filter((number) => owner?.grants[number]?.to === guest.id);
    const number = mine[this.#below(mine.length + 1)] ?? this.#below(4);
    const grant = owner?.grants[number];
    const answer = this.puppets.call(guest.id, "grant_map", granter, number, place(at), writable ? 1 : 0);
    if (owner === undefined) expect(answer).toBe(ERROR.NO_DOMAIN);
    else if (grant === undefined) expect(answer).toBe(ERROR.NO_ENTRY);
    else if (grant.to !== guest.id || (writable && !grant.writable)) expect(answer).toBe(ERROR.NOT_PERMITTED);
    else if (this.#mappingAt(guest, at) !== undefined) expect(answer).toBe(ERROR.BAD_ADDRESS);
    else {
      const free = firstFree(this.#mappings);
      expect(answer).toBe(free);
      this.#mappings[free] = { mapper: guest.id, place: at, granter: owner, grant: number, writable };
      grant.mapped += 1;
    }
    return `${guest.id}: map grant ${number} of ${granter} at place ${at}${writable ? ", writable" : ""}: ${answer}`;
  }

  #unmap(guest: Guest): string {
    const number = this.#below(this.#mappings.length + 1);
    const mapping = this.#mappings[number];
    const answer = this.puppets.call(guest.id, "grant_unmap", number);
    expect(answer).toBe(mapping?.mapper === guest.id ? 0 : ERROR.NO_ENTRY);
    if (answer === 0) this.#drop(number);
    return `${guest.id}: unmap ${number}: ${answer}`;
  }

  #revoke(guest: Guest): string {
    const number = this.#below(guest.grants.length + 1);
    const grant = guest.grants[number];
    const answer = this.puppets.call(guest.id, "grant_revoke", number);
    expect(answer).toBe(grant === undefined ? ERROR.NO_ENTRY : grant.mapped > 0 ? ERROR.BUSY : 0);
    if (answer === 0) guest.grants[number] = undefined;
    return `${guest.id}: revoke ${number}: ${answer}`;
  }

  #destroy(guest: Guest): string {
    if (this.#below(3) !== 0) return "nothing";
    expect(this.puppets.destroy(guest.id)).toBe(0);
    this.#guests.delete(guest.id);
    guest.isGone = true;
    for (const [number, mapping] of this.#mappings.entries())
      if (mapping?.mapper === guest.id) this.#drop(number);
    for (const other of this.#guests.values())
      for (const [number, grant] of other.grants.entries())
        if (grant?.to === guest.id) other.grants[number] = undefined;
    const isLent = guest.grants.some((grant) => grant !== undefined && grant.mapped > 0);
    const { state } = this.puppets.scene.vmm.state.domain(guest.id);
    expect(state).toBe(isLent ? DomainState.DYING : DomainState.NONE);
    return `destroy ${guest.id}`;
  }

  #create(): string {
    if (this.#guests.size === 3) return "nothing";
    const dying = new Set(
      this.#mappings.flatMap((mapping) => (mapping?.granter.isGone === true ? [mapping.granter.id] : [])),
    );
    const expected = [1, 2, 3, 4, 5, 6, 7].find((id) => !this.#guests.has(id) && !dying.has(id));
    const flags = this.#below(2) === 0 ? 0 : 32;
    const id = createGuest(this.puppets.scene, { image: PUPPET, ramBytes: 0x40_0000, flags });
    expect(id).toBe(expected);
    this.#guests.set(id ?? 0, newGuest(id ?? 0));
    this.puppets.run();
    return `create ${id}`;
  }

  #drop(number: number): void {
    const mapping = this.#mappings[number];
    const grant = mapping?.granter.grants[mapping.grant];
    if (grant !== undefined) grant.mapped -= 1;
    this.#mappings[number] = undefined;
  }

  #cellOf({ granter, grant }: Mapping): Cell {
    return granter.grants[grant]?.cell ?? { value: -1n };
  }

  #mappingAt({ id }: Guest, number: number): Mapping | undefined {
    return this.#mappings.find((mapping) => mapping?.mapper === id && mapping.place === number);
  }

  #below(limit: number): number {
    return limit === 0 ? 0 : this.#numbers.between(0, limit - 1);
  }

  /** Frames that are free, or that anybody has, or that the loader has left and nobody has had. */
  #allFrames(): number {
    const { state } = this.puppets.scene.vmm;
    let owned = 0;
    for (let id = 0; id < 8; id++) owned += state.domain(id).frames;
    let loaded = 0;
    for (let id = 1; id < 8; id++) {
      const { pieces } = state.bootInfo.domain.get(id - 1);
      for (let index = 0; index < pieces.length; index++) {
        const { from, bytes } = pieces.get(index);
        for (let at = 0n; at < bytes; at += 4096n) {
          const { type, flags } = state.frame(Number((from + at - 0x8000_0000n) >> 12n));
          if (type === FrameType.FREE && flags === 0) loaded += 1;
        }
      }
    }
    return state.pool.free + owned + loaded;
  }
}

it(
  `${SEEDS} random histories of three domains' memory are as a model has them`,
  () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const trial = new Trial(seed);
      const history: string[] = [];
      for (let step = 0; step < STEPS; step++) {
        try {
          history.push(trial.step());
          expect(trial.puppets.judge.violations.map(violationText)).toEqual([]);
          if (step % RECOUNTED === 0) expect(trial.mistakes()).toEqual([]);
        } catch (thrown) {
          throw new Error(`seed ${seed}, after:\n${history.slice(-12).join("\n")}`, { cause: thrown });
        }
      }
      trial.checkAll();
      expect([seed, trial.mistakes()]).toEqual([seed, []]);
    }
  },
  isFull ? 3_600_000 : 300_000,
);
