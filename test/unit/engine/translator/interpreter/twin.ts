/** The cold tier and a reference machine side by side, with the same start. */
import { expect } from "vitest";
import { type BareMachine, bareMachine } from "../../../../support/bare-machine.ts";
import { seededNumbers } from "../../../../support/random.ts";
import { IdentityMachine, RAM_BASE } from "./identity-machine.ts";

export const RAM_BYTES = 1 << 17;
/** Where traps go: behind the instruction that raised them. */
export const HANDLER_OFFSET = 0xf000;
/** Where data is. */
const DATA_OFFSET = 0x10000;
/** What `mstatus` says of floating point: mostly Dirty, but also Off, Initial and Clean. */
const FLOAT_STATUS = [0x8000_0000_0000_6000n, 0n, 0x2000n, 0x4000n];
/** Rounding to nearest with NX set, mostly; with other flags; with none; rounding towards zero and down. */
const FCSR = [0x01n, 0x1fn, 0x00n, 0x21n, 0x41n];
/** Words that skip it: `csrr t6, mepc; addi t6, t6, 4; csrw mepc, t6; mret`. */
const HANDLER = new Uint8Array(
  new Int32Array([0x3410_2ff3, 0x004f_8f93, 0x341f_9073, 0x3020_0073].map((word) => word | 0)).buffer,
);

/** Two machines that must stay the same. */
export class Twin {
  readonly cold: IdentityMachine;
  readonly reference: BareMachine;

  constructor(cold: IdentityMachine = new IdentityMachine({ ramBytes: RAM_BYTES })) {
    this.cold = cold;
    this.reference = bareMachine({ ramBytes: RAM_BYTES });
  }

  /** Puts the same code into both, from an offset in RAM on, and the same random words into registers and RAM behind it. */
  start(code: Uint8Array, seed: number, offset = 0): void {
    for (const { ram } of [this.cold, this.reference]) {
      ram.fill(0, RAM_BYTES, 0);
      ram.write(HANDLER_OFFSET, HANDLER);
      ram.write(offset, code);
    }
    this.restart(seed, offset);
  }

  /** The same once more: code, and what the cold tier has decoded of it, stays. */
  restart(seed: number, offset = 0): void {
    const random = seededNumbers(seed);
    const word = (): bigint => (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
    const x = Array.from({ length: 32 }, (_, index) => registerValue(index, random, word));
    const f = Array.from({ length: 32 }, () => (random(2) === 0 ? word() : 0xffff_ffff_3f80_0000n));
    const floatStatus = FLOAT_STATUS[random(2) * random(FLOAT_STATUS.length)] ?? 0n;
    const fcsr = FCSR[random(2) * random(FCSR.length)] ?? 0n;
    const data = new BigUint64Array(64).map(word);
    for (const { ram, hart, clock } of [this.cold, this.reference]) {
      ram.write(DATA_OFFSET, new Uint8Array(data.buffer));
      hart.reset(BigInt(RAM_BASE + offset));
      hart.state.x.set(x.map((value) => BigInt.asIntN(64, value)));
      hart.state.f.set(f);
      hart.state.setStored("mtvec", BigInt(RAM_BASE + HANDLER_OFFSET));
      hart.state.setStored("mstatus", hart.state.stored("mstatus") | floatStatus);
      hart.state.setStored("fcsr", fcsr);
      clock.restore({ retired: 0, sleptInsns: 0, tickOffset: 0n });
    }
  }

  /** Makes so many steps in both, and compares all that a guest can see. */
  run(steps: number, what: string): void {
    const made = this.cold.run(steps);
    expect(made, `${what}: steps`).toBeLessThanOrEqual(steps);
    const { engine } = this.reference;
    expect(engine.run(made).steps, what).toBe(made);
    if (made < steps) expect(engine.isAsleep(), what).toBe(true);
    this.expectSame(what);
  }

  expectSame(what: string): void {
    const { hart, ram, clock } = this.reference;
    const cold = this.cold.hart.state;
    expect(cold.pc.toString(16), `${what}: pc`).toBe(hart.state.pc.toString(16));
    expect(cold.x, `${what}: registers`).toEqual(hart.state.x);
    expect(cold.instret, `${what}: instret`).toBe(hart.state.instret);
    expect(this.cold.clock.retired, `${what}: retired`).toBe(clock.retired);
    expect(Buffer.compare(cold.bytes, hart.state.bytes), `${what}: state block`).toBe(0);
    expect(Buffer.compare(this.cold.ram.u8, ram.u8), `${what}: RAM`).toBe(0);
  }
}

/** x8 to x15 point to data, x16 and x17 to code; the rest is anything. */
function registerValue(index: number, random: (limit: number) => number, word: () => bigint): bigint {
  if (index === 0) return 0n;
  if (index >= 8 && index < 16) return BigInt(RAM_BASE + DATA_OFFSET + 8 * random(64));
  if (index >= 16 && index < 18) return BigInt(RAM_BASE + 4 * random(64));
  if (random(3) === 0) return BigInt(random(64)) - 8n;
  return word();
}
