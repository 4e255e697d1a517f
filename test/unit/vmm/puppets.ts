/** Guests that do what a test tells them, one thing at a time: loads, stores and hypercalls, as their own instructions. */
import { type Referee, referee, violationText } from "../../../lib/index.ts";
import { FIRST_HYPERCALL, HYPERCALLS } from "../../../lib/vmm/hypercalls.ts";
import { DomainState } from "../../../lib/vmm/layout.ts";
import type { Guest, LoadOptions } from "../../../lib/vmm/loader.ts";
import { carryOut } from "../../../lib/vmm/operator.ts";
import { frameMistakes, guestBytes, type VmmScene, vmmScene } from "./vmm-scene.ts";

/** Where a puppet finds what it shall do, and puts what came of it. Behind it everything is free for tests. */
const MAILBOX = 0x8000_1000n;
const WORD = { command: 0n, operands: 1n, answer: 7n } as const;
const COMMAND = { load: 1n, store: 2n, call: 3n } as const;
const NAMES = Object.keys(HYPERCALLS);
/** An access that faulted is answered with this, minus `scause`. */
const FAULT = -1_000n;
const call = (name: string): string => `li a7, ${FIRST_HYPERCALL + BigInt(NAMES.indexOf(name))}\n ecall`;

/** The program. It yields while there is nothing to do. Its number is in the mailbox, so that no two mailboxes are equal. */
export const PUPPET: Uint8Array = guestBytes(`la t0, handler\n csrw stvec, t0\n li s0, ${MAILBOX}
  ${call("domain")}
 sd a0, 64(s0)
  wait: ${call("yield")}\n ld t1, 0(s0)\n beqz t1, wait
  ld t2, 8(s0)\n ld t3, 16(s0)\n li t4, 1\n beq t1, t4, load\n li t4, 2\n beq t1, t4, store
  ld a0, 8(s0)\n ld a1, 16(s0)\n ld a2, 24(s0)\n ld a3, 32(s0)\n ld a4, 40(s0)\n ld a7, 48(s0)\n ecall\n sd a0, 56(s0)\n j done
  load: ld t3, (t2)\n sd t3, 56(s0)\n j done
  store: sd t3, (t2)\n sd zero, 56(s0)
  done: sd zero, 0(s0)\n j wait
  .align 2
  handler: csrr t1, scause\n li t2, ${FAULT}\n sub t2, t2, t1\n sd t2, 56(s0)\n la t1, done\n csrw sepc, t1\n sret`);

/** Where a page lies, and the entry that says so. */
export interface Place {
  readonly at: bigint;
  readonly entry: bigint;
  readonly level: number;
}

/** Walks to a domain's page, from outside. */
export function placeOf({ board, vmm }: VmmScene, domain: number, page: bigint): Place | undefined {
  let table: bigint = vmm.state.root(domain);
  for (let level = 2; level >= 0; level--) {
    const index = (page >> BigInt(12 + 9 * level)) & (level === 2 ? 2047n : 511n);
    const entry = board.memory.load(table + 8n * index, 8) as bigint;
    if ((entry & 1n) === 0n) return undefined;
    const to = ((entry >> 10n) & ((1n << 44n) - 1n)) << 12n;
    if ((entry & 0xen) !== 0n)
      return { at: to + (page & ((1n << BigInt(12 + 9 * level)) - 4096n)), entry, level };
    table = to;
  }
  return undefined;
}

/** Guests on one machine, a referee beside them. */
export class Puppets {
  readonly scene: VmmScene;
  readonly judge: Referee;

  /** @param guests  What each is like beside its program; 128 KiB of RAM when nobody says. */
  constructor(
    guests: readonly Partial<Guest>[],
    load: Partial<LoadOptions> = {},
    config: Parameters<typeof vmmScene>[2] = {},
    options: Parameters<typeof vmmScene>[1] = {},
  ) {
    const all = guests.map((guest) => ({ image: PUPPET, ramBytes: 32 * 4096, ...guest }));
    this.scene = vmmScene({ slice: 5_000, operated: true, ...load, guests: all }, options, config);
    this.judge = referee(this.scene.board, this.scene.vmm);
    this.run();
  }

  /** Lets everybody run for a moment. */
  run(instructions = 20_000): void {
    const { board } = this.scene;
    board.run({ instructions, untilInsns: board.clock.now + instructions });
  }

  load(domain: number, address: bigint): bigint {
    return this.do(domain, COMMAND.load, [address]);
  }

  store(domain: number, address: bigint, value: bigint): bigint {
    return this.do(domain, COMMAND.store, [address, value]);
  }

  call(domain: number, name: string, ...args: readonly (bigint | number)[]): number {
    const number = NAMES.indexOf(name);
    if (number < 0) throw new Error(`there is no hypercall ${name}`);
    const words = Array.from({ length: 5 }, (_, index) => BigInt.asUintN(64, BigInt(args[index] ?? 0)));
    return Number(this.do(domain, COMMAND.call, [...words, FIRST_HYPERCALL + BigInt(number)]));
  }

  /** The operator destroys a domain, and waits until its memory has gone. */
  destroy(domain: number): number | undefined {
    const result = carryOut(this.scene, { kind: "DESTROY", domain });
    const { leaving } = this.scene.vmm.state;
    for (let piece = 0; piece < 100 && leaving.domain !== 0; piece++) this.run(4_000);
    return result;
  }

  /** Tells a puppet to do something, and waits. What came of it, signed. */
  do(domain: number, command: bigint, operands: readonly bigint[]): bigint {
    this.tell(domain, command, operands);
    for (let piece = 0; piece < 200; piece++) {
      const answer = this.answer(domain);
      if (answer !== undefined) return answer;
      this.run(2_000);
    }
    throw new Error(`domain ${domain} does not answer`);
  }

  /** The same without waiting. */
  tell(domain: number, command: bigint, operands: readonly bigint[]): void {
    for (const [index, operand] of operands.entries())
      this.#put(domain, WORD.operands + BigInt(index), operand);
    this.#put(domain, WORD.command, command);
  }

  /** What came of it; `undefined`: it is not done. */
  answer(domain: number): bigint | undefined {
    const { vmm } = this.scene;
    if (vmm.state.domain(domain).state !== DomainState.RUNNING)
      throw new Error(`domain ${domain} does not run`);
    if (this.#get(domain, WORD.command) !== 0n) return undefined;
    return BigInt.asIntN(64, this.#get(domain, WORD.answer));
  }

  /** All that is wrong: with the counts as a test recounts them, and as the referee does, now and since it came. */
  mistakes(): string[] {
    return [
      ...frameMistakes(this.scene),
      ...this.judge.check().map(violationText),
      ...this.judge.violations.map(violationText),
    ];
  }

  /** Frames that nobody has. */
  get free(): number {
    return this.scene.vmm.state.pool.free;
  }

  /** Where a domain's page lies. */
  frameOf(domain: number, page: bigint): Place | undefined {
    return placeOf(this.scene, domain, page);
  }

  #word(domain: number, index: bigint): bigint {
    const found = this.frameOf(domain, MAILBOX);
    if (found === undefined) throw new Error(`domain ${domain} has no mailbox`);
    return found.at + 8n * index;
  }

  #put(domain: number, index: bigint, value: bigint): void {
    this.scene.board.memory.store(this.#word(domain, index), 8, value);
  }

  #get(domain: number, index: bigint): bigint {
    return this.scene.board.memory.load(this.#word(domain, index), 8) as bigint;
  }
}

/** Errors of hypercalls. */
export const ERROR = {
  NOT_PERMITTED: -1,
  NO_ENTRY: -2,
  NO_DOMAIN: -3,
  NO_MEMORY: -12,
  BAD_ADDRESS: -14,
  BUSY: -16,
  INVALID: -22,
  NO_SPACE: -28,
} as const;
/** The answer of an access that faulted. */
export const faulted = (cause: number): bigint => FAULT - BigInt(cause);
