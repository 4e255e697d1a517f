/**
 * The fast path against the reference engine: equal state blocks, events, counts and budgets after each step, from random
 * states; and the common cases must really be fast.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeededNumbers } from "../../../../../lib/bits/seeded-numbers.ts";
import { WORD } from "../../../../../lib/engine/translator/layout.ts";
import { writeCsr } from "../../../../../lib/hart/csr-write.ts";
import { interruptToTake } from "../../../../../lib/hart/interrupts.ts";
import { STORED_CSRS } from "../../../../../lib/hart/layout.ts";
import { isFloatOn, statusField } from "../../../../../lib/hart/status.ts";
import { CSR_NAMES, CSRS, encodeCsr } from "../../../../../lib/isa/csr-map.ts";
import { isVirtual, MODE_NUMBER, type ModeNumber } from "../../../../../lib/isa/mode.ts";
import { dataContext } from "../../../../../lib/mmu/access-context.ts";
import { dataBank, fetchBank, PrivilegedMachine, RAM_BASE } from "./privileged-machine.ts";

const FULL = process.env["DOM0_TEST_FULL"] === "1";
const MODE_NUMBERS = Object.values(MODE_NUMBER);
/** csrrw, csrrs, csrrc and their immediate forms. */
const OPERATIONS = [1, 2, 3, 5, 6, 7];
const ECALL = 0x0000_0073;
const MRET = 0x3020_0073;
const SRET = 0x1020_0073;
const SFENCE = 0x1200_0073;
const OTHERS = [ECALL, ECALL, MRET, SRET, SRET, SFENCE, 0x2200_0073, 0x6200_0073, 0x1050_0073, 0x0010_0073];

const csrWord = (csr: number, operation: number, rd: number, source: number): number =>
  ((csr << 20) | (source << 15) | (operation << 12) | (rd << 7) | 0x73) >>> 0;

/** Words of all kinds: few bits, many bits, none, all. */
function anyWord(numbers: SeededNumbers): bigint {
  const random = (BigInt(numbers.next()) << 32n) | BigInt(numbers.next());
  const other = (BigInt(numbers.next()) << 32n) | BigInt(numbers.next());
  const words = [
    0n,
    2n ** 64n - 1n,
    random,
    random & other,
    random | other,
    random & 0xffn,
    1n << (random & 63n),
  ];
  return words[numbers.between(0, words.length - 1)] ?? 0n;
}

/** A legal state with everything in it, and no interrupt that should have been taken by now. */
function randomize(machine: PrivilegedMachine, seed: number): void {
  const numbers = new SeededNumbers(seed);
  const { hart } = machine;
  const { state } = hart;
  state.modeNumber = MODE_NUMBER.M;
  for (const name of STORED_CSRS) writeCsr(hart, name, anyWord(numbers));
  for (let register = 1; register < 32; register++) state.x[register] = BigInt.asIntN(64, anyWord(numbers));
  const chance = (percent: number): boolean => numbers.between(0, 99) < percent;
  state.softwarePending = chance(30) ? anyWord(numbers) & 0x1666n : 0n;
  state.wiresPending = chance(20) ? anyWord(numbers) & 0x1eean : 0n;
  state.guestExternal = chance(10) ? anyWord(numbers) & 0xfen : 0n;
  if (chance(50)) state.setStored("mie", 0n);
  if (chance(30)) writeCsr(hart, "mstatus", state.stored("mstatus") | encodeCsr("mstatus", { FS: 3 }));
  if (chance(30)) writeCsr(hart, "vsstatus", state.stored("vsstatus") | encodeCsr("vsstatus", { FS: 3 }));
  if (chance(50)) state.setStored("fcsr", 1n);
  state.mcycleBias = anyWord(numbers);
  state.minstretBias = anyWord(numbers);
  state.reservation = chance(50) ? 0x8000_0001n : 0n;
  machine.clock.retired = numbers.next() * 2 ** numbers.between(0, 20);
  state.instretWord[0] = BigInt(numbers.next());
  if (chance(30)) machine.clock.mtime = anyWord(numbers);
  state.modeNumber = MODE_NUMBERS[numbers.between(0, MODE_NUMBERS.length - 1)] as ModeNumber;
  open(machine);
  hart.stateReplaced();
  if (interruptToTake(state) !== undefined) state.setStored("mie", 0n);
}

/** Instructions can be fetched in every mode: no translation, and PMP allows all. */
function open({ hart: { state } }: PrivilegedMachine): void {
  for (const name of ["satp", "vsatp", "hgatp"] as const) state.setStored(name, 0n);
  state.setStored("pmpaddr0", 2n ** 54n - 1n);
  state.setStored("pmpcfg0", 0x1fn);
  state.setStored("pmpcfg2", 0n);
  state.waiting = false;
}

/** The words that generated code relies on, as `layout.ts` describes them. */
function expectedWords({ hart: { state } }: PrivilegedMachine): number[] {
  const fetch = fetchBank(state.modeNumber);
  const bit = 1 << state.modeNumber;
  const statuses = isVirtual(state.modeNumber) ? (["mstatus", "vsstatus"] as const) : (["mstatus"] as const);
  const isOn = isFloatOn(state) && statuses.every((name) => statusField(state.stored(name), "FS") === 3n);
  const isFast = isOn && (state.stored("fcsr") & 0xe1n) === 1n;
  return [dataBank(dataContext(state)), fetch, bit, isOn ? bit : 0, isFast ? bit : 0];
}

const WORDS = ["dataBank", "fetchBank", "codeBit", "codeBitFloatOn", "codeBitFloatFast"] as const;

interface Pair {
  readonly fast: PrivilegedMachine;
  readonly plain: PrivilegedMachine;
}

function pair(seed: number): Pair {
  const machines = { fast: new PrivilegedMachine(), plain: new PrivilegedMachine() };
  for (const machine of [machines.fast, machines.plain]) randomize(machine, seed);
  setWords(machines.fast);
  return machines;
}

/** What the runtime would have written. */
function setWords(machine: PrivilegedMachine): void {
  const { view, h } = machine;
  for (const [index, word] of expectedWords(machine).entries())
    view.setInt32(h + WORD[WORDS[index] ?? "dataBank"], word, true);
  machine.refresh();
}

/** Makes one step on both; whether it was fast. */
function step({ fast, plain }: Pair, word: number, offset: number): boolean {
  for (const machine of [fast, plain]) {
    machine.hart.pc = BigInt(RAM_BASE + offset);
    machine.ram.store(offset, 4, BigInt(word >>> 0));
  }
  const slowBefore = fast.slowSteps;
  const left = fast.step(word);
  plain.stepSlowly();
  const isFast = fast.slowSteps === slowBefore;
  expect(left).toBe(99);
  compare({ fast, plain });
  if (isFast) {
    expect(interruptToTake(fast.hart.state)).toBeUndefined();
    const words = WORDS.map((name) => fast.view.getInt32(fast.h + WORD[name], true));
    expect(words).toEqual(expectedWords(fast));
  }
  return isFast;
}

function compare({ fast, plain }: Pair): void {
  for (const name of CSR_NAMES) {
    const [a, b] = [fast.hart.csr(name), plain.hart.csr(name)];
    if (a !== b) expect(`${name} 0x${a.toString(16)}`).toBe(`${name} 0x${b.toString(16)}`);
  }
  expect(fast.hart.state.mode).toBe(plain.hart.state.mode);
  expect(fast.hart.pc).toBe(plain.hart.pc);
  expect(fast.events).toEqual(plain.events);
  expect(fast.clock.retired).toBe(plain.clock.retired);
  expect(Buffer.from(fast.hart.state.bytes).equals(Buffer.from(plain.hart.state.bytes))).toBe(true);
}

const ADDRESSES = CSR_NAMES.map((name) => CSRS[name].address);

function anyInstruction(numbers: SeededNumbers): number {
  const kind = numbers.between(0, 99);
  const register = (): number => (numbers.between(0, 3) === 0 ? 0 : numbers.between(0, 31));
  if (kind < 30) return OTHERS[numbers.between(0, OTHERS.length - 1)] ?? ECALL;
  if (kind < 33) return (numbers.next() & ~0x7f) | 0x73;
  const address =
    kind < 36 ? numbers.between(0, 4095) : (ADDRESSES[numbers.between(0, ADDRESSES.length - 1)] ?? 0);
  return csrWord(address, OPERATIONS[numbers.between(0, 5)] ?? 1, register(), register());
}

describe("the privileged fast path", () => {
  it("does what the reference engine does, and tells the same, from any state", () => {
    let fastSteps = 0;
    let steps = 0;
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const machines = pair(seed);
        const numbers = new SeededNumbers(seed + 1);
        for (let index = 0; index < 12; index++) {
          steps++;
          if (step(machines, anyInstruction(numbers), 4 * numbers.between(0, 1000))) fastSteps++;
          for (const machine of [machines.fast, machines.plain]) {
            open(machine);
            machine.hart.stateReplaced();
            if (interruptToTake(machine.hart.state) !== undefined) machine.hart.state.setStored("mie", 0n);
          }
          setWords(machines.fast);
        }
      }),
      { seed: 1, numRuns: FULL ? 20_000 : 250 },
    );
    console.log(fastSteps, steps);
    expect(fastSteps / steps).toBeGreaterThan(0.2);
  });
});
