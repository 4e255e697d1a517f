/**
 * The fast path against the reference engine: equal state blocks, events, counts and budgets after each step, from random
 * states; and the common cases must really be fast.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeededNumbers } from "../../../../../lib/bits/seeded-numbers.ts";
import { WORD } from "../../../../../lib/engine/translator/layout.ts";
import { forgetSpaces } from "../../../../../lib/engine/translator/privileged/space-code.ts";
import { writeCsr } from "../../../../../lib/hart/csr-write.ts";
import { interruptToTake } from "../../../../../lib/hart/interrupts.ts";
import { STORED_CSRS } from "../../../../../lib/hart/layout.ts";
import { isFloatOn, statusField } from "../../../../../lib/hart/status.ts";
import { CSR_NAMES, CSRS, type CsrName, encodeCsr } from "../../../../../lib/isa/csr-map.ts";
import { isVirtual, MODE_NUMBER, type ModeNumber } from "../../../../../lib/isa/mode.ts";
import { dataContext } from "../../../../../lib/mmu/access-context.ts";
import { fetchBank, PrivilegedMachine, RAM_BASE } from "./privileged-machine.ts";

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
  if (chance(30))
    writeCsr(hart, "mstatus", state.stored("mstatus") | encodeCsr("mstatus", { MPRV: 1, MPV: 1 }));
  if (chance(30)) writeCsr(hart, "mcounteren", 7n);
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
function expectedWords(machine: PrivilegedMachine): number[] {
  const { state } = machine.hart;
  const fetch = fetchBank(state.modeNumber);
  const bit = 1 << state.modeNumber;
  const statuses = isVirtual(state.modeNumber) ? (["mstatus", "vsstatus"] as const) : (["mstatus"] as const);
  const isOn = isFloatOn(state) && statuses.every((name) => statusField(state.stored(name), "FS") === 3n);
  const isFast = isOn && (state.stored("fcsr") & 0xe1n) === 1n;
  const { bankOf } = machine;
  return [bankOf(dataContext(state), state.stored("satp")), fetch, bit, isOn ? bit : 0, isFast ? bit : 0];
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

/** CSRs of which more must be asked than where they lie. */
const INTRICATE = [
  ...(["mstatus", "mstatus", "sstatus", "vsstatus", "hstatus", "cycle", "time", "instret", "satp"] as const),
  ...(["mie", "mip", "sie", "sip", "hie", "hip", "hvip", "vsie", "vsip", "mideleg", "hideleg"] as const),
] satisfies CsrName[];

function anyInstruction(numbers: SeededNumbers): number {
  const kind = numbers.between(0, 99);
  const register = (): number => (numbers.between(0, 3) === 0 ? 0 : numbers.between(0, 31));
  if (kind < 30) return OTHERS[numbers.between(0, OTHERS.length - 1)] ?? ECALL;
  if (kind < 33) return (numbers.next() & ~0x7f) | 0x73;
  if (kind < 55) {
    const name = INTRICATE[numbers.between(0, INTRICATE.length - 1)] ?? "mstatus";
    return csrWord(CSRS[name].address, OPERATIONS[numbers.between(0, 5)] ?? 1, register(), register());
  }
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
      { seed: 1, numRuns: FULL ? 20_000 : 400 },
    );
    console.log(fastSteps, steps);
    expect(fastSteps / steps).toBeGreaterThan(0.2);
  });

  /** A hart as kernels and hypervisors keep it: traps delegated, nothing pending, floating point dirty. */
  function ordinary(mode: ModeNumber): Pair {
    const machines = { fast: new PrivilegedMachine(), plain: new PrivilegedMachine() };
    for (const machine of [machines.fast, machines.plain]) {
      const { state } = machine.hart;
      writeCsr(machine.hart, "mstatus", encodeCsr("mstatus", { FS: 3, SIE: 1, MPP: 1, SPP: 1 }));
      writeCsr(machine.hart, "vsstatus", encodeCsr("vsstatus", { FS: 3, SPP: 1 }));
      for (const name of ["mcounteren", "hcounteren", "scounteren"] as const)
        writeCsr(machine.hart, name, 7n);
      for (const name of ["mtvec", "stvec", "vstvec"] as const) writeCsr(machine.hart, name, 0x8000_1000n);
      writeCsr(machine.hart, "mie", 0xaaan);
      for (let register = 1; register < 32; register++) state.x[register] = BigInt(0x1230 + register);
      state.modeNumber = mode;
      open(machine);
      machine.hart.stateReplaced();
    }
    setWords(machines.fast);
    return machines;
  }
  const exchange = (name: CsrName): number => csrWord(CSRS[name].address, 1, 5, 6);
  const read = (name: CsrName): number => csrWord(CSRS[name].address, 2, 5, 0);
  const clear = (name: CsrName): number => csrWord(CSRS[name].address, 7, 0, 2);
  const { U, S, M, VU, VS } = MODE_NUMBER;
  const supervisor = ["sscratch", "sepc", "scause", "stval", "stvec", "sstatus", "sie", "sip"] as const;
  const hypervisor = [
    "hstatus",
    "hvip",
    "hie",
    "hideleg",
    "hedeleg",
    "htval",
    "vsstatus",
    "vsepc",
    "vstvec",
  ] as const;
  const machine = ["mscratch", "mepc", "mcause", "mtval", "mstatus", "medeleg", "mideleg", "mie"] as const;
  const COMMON: readonly (readonly [string, ModeNumber, readonly number[]])[] = [
    [
      "supervisor mode",
      S,
      [...supervisor, ...hypervisor].flatMap((name) => [exchange(name), read(name), clear(name)]),
    ],
    ["a guest's supervisor", VS, supervisor.flatMap((name) => [exchange(name), read(name), clear(name)])],
    ["machine mode", M, machine.flatMap((name) => [exchange(name), read(name), clear(name)])],
    ["counters", VU, [read("time"), read("cycle"), read("instret")]],
    ["calls", U, [ECALL]],
    ["calls of a kernel", S, [ECALL]],
    ["hypercalls", VS, [ECALL]],
    ["a guest's calls", VU, [ECALL]],
    ["returns from machine mode", M, [MRET]],
    ["returns from supervisor mode", S, [SRET]],
    ["a guest's returns", VS, [SRET]],
    ["fences", S, [SFENCE, 0x2200_0073, 0x6200_0073]],
    ["a guest's fences", VS, [SFENCE]],
  ];
  it.each(COMMON)("is really taken: %s", (_what, mode, words) => {
    for (const [medeleg, hedeleg] of [
      [0n, 0n],
      [0xfffn, 0n],
      [0xfffn, 0xfffn],
    ] as const)
      for (const word of words) {
        const machines = ordinary(mode);
        for (const each of [machines.fast, machines.plain]) {
          writeCsr(each.hart, "medeleg", medeleg);
          writeCsr(each.hart, "hedeleg", hedeleg);
        }
        expect(step(machines, word, 64), `0x${word.toString(16)}`).toBe(true);
      }
  });

  /** What each is about lies in the setting; `writes` are CSRs by name. */
  const REFUSED: readonly (readonly [string, ModeNumber, Partial<Record<CsrName, bigint>>, number])[] = [
    ["counters closed to supervisor mode", S, { mcounteren: 0n }, read("cycle")],
    ["counters closed to a guest's supervisor", VS, { hcounteren: 0n }, read("time")],
    ["counters closed to a guest's user", VU, { scounteren: 0n }, read("instret")],
    ["counters closed to user mode", U, { scounteren: 5n }, read("time")],
    ["a status that unmasks", S, { mstatus: 0n, mideleg: 2n, mip: 2n, mie: 2n }, csrWord(0x100, 6, 0, 2)],
    ["a guest's status that unmasks", VS, { hideleg: 4n, mip: 4n, mie: 4n }, csrWord(0x100, 6, 0, 2)],
    ["machine mode's that unmasks", M, { mstatus: 0n, mip: 2n, mie: 2n }, csrWord(0x300, 6, 0, 8)],
    ["an enable of what is pending", S, { mideleg: 2n, mip: 2n, mie: 0n }, csrWord(0x104, 6, 0, 2)],
    ["machine mode's enable", M, { mstatus: 8n, mip: 2n, mie: 0n }, csrWord(0x304, 6, 0, 2)],
    ["what is raised and enabled", S, { mideleg: 2n, mie: 2n }, csrWord(0x144, 6, 0, 2)],
    ["a guest's interrupt, raised", S, { mie: 4n }, csrWord(0x645, 6, 0, 4)],
    ["a delegation while something is pending", M, { mip: 2n, mie: 2n }, csrWord(0x303, 6, 0, 2)],
    [
      "a call that unmasks",
      U,
      { mstatus: 0n, mideleg: 2n, medeleg: 0x100n, hideleg: 4n, mie: 4n, mip: 4n },
      ECALL,
    ],
    ["a return that unmasks", M, { mstatus: 0n, mip: 2n, mie: 2n, mideleg: 2n }, MRET],
    ["satp under TVM", S, { mstatus: 1n << 20n }, read("satp")],
    ["satp under VTVM", VS, { hstatus: 1n << 20n }, read("satp")],
    ["hgatp under TVM", S, { mstatus: 1n << 20n }, read("hgatp")],
    ["a return under TSR", S, { mstatus: 1n << 22n }, SRET],
    ["a return under VTSR", VS, { hstatus: 1n << 22n }, SRET],
    ["a fence under TVM", S, { mstatus: 1n << 20n }, SFENCE],
    ["a fence under VTVM", VS, { hstatus: 1n << 20n }, SFENCE],
    ["a hypervisor's CSR in a guest", VS, {}, read("hstatus")],
    ["machine mode's CSR", S, {}, read("mstatus")],
    ["a read-only CSR, written", M, {}, exchange("mhartid")],
  ];
  it.each(REFUSED)("leaves to the slow path: %s", (_what, mode, writes, word) => {
    const machines = ordinary(mode);
    for (const { hart } of [machines.fast, machines.plain]) {
      for (const [name, value] of Object.entries(writes)) {
        hart.state.modeNumber = M;
        writeCsr(hart, name as CsrName, value);
        hart.state.modeNumber = mode;
      }
      expect(interruptToTake(hart.state)).toBeUndefined();
    }
    setWords(machines.fast);
    expect(step(machines, word, 32)).toBe(false);
  });

  it("leaves a trap to the slow path if no instruction retired since the last one", () => {
    const machines = ordinary(M);
    expect(step(machines, ECALL, 0)).toBe(true);
    expect(step(machines, ECALL, 0)).toBe(false);
    expect(step(machines, read("mepc"), 0)).toBe(true);
    // The slow path's trap was a moment ago in time, but an instruction has retired since.
    expect(step(machines, ECALL, 0)).toBe(true);
  });

  it("leaves everything to the slow path while somebody listens to traps", () => {
    const machines = ordinary(S);
    machines.fast.hart.onTrap(() => {});
    machines.fast.refresh();
    for (const word of [exchange("sscratch"), SRET]) expect(step(machines, word, 0)).toBe(false);
  });

  it("fills its ring and no more, and all is told in order", () => {
    const { fast } = ordinary(S);
    fast.drains = false;
    const word = exchange("sscratch");
    fast.ram.store(0, 4, BigInt(word));
    for (let index = 0; index < 1030; index++) {
      fast.hart.pc = BigInt(RAM_BASE);
      fast.step(word);
    }
    expect(fast.slowSteps).toBe(1);
    expect(fast.events.length).toBe(1025);
    fast.drains = true;
    fast.step(word);
    expect(fast.events.map((event) => event[3])).toEqual(Array.from({ length: 1031 }, (_, index) => index));
  });

  it("changes to an address space that was left not long ago, and to no other", () => {
    const machines = ordinary(S);
    for (const each of [machines.fast, machines.plain])
      each.bankOf = (context, satp) => 0x1000 + context + 64 * Number(satp & 0xffn);
    const space = (number: number): bigint => BigInt(number) | (5n << 44n);
    const fastChanges: number[] = [];
    const numbers = new SeededNumbers(7);
    for (let index = 0; index < 400; index++) {
      const number = 1 + (index % (index < 200 ? 3 : 30));
      const mode = numbers.between(0, 1) === 0 ? S : M;
      for (const each of [machines.fast, machines.plain]) {
        each.hart.state.x[6] = space(number);
        each.hart.state.modeNumber = mode;
      }
      setWords(machines.fast);
      if (step(machines, exchange("satp"), 4 * (index % 100))) fastChanges.push(index);
      expect(machines.fast.hart.state.stored("satp")).toBe(space(number));
    }
    expect(fastChanges.filter((index) => index < 200).length).toBeGreaterThan(190);
    forgetSpaces(new Int32Array(machines.fast.view.buffer), 3);
    for (const each of [machines.fast, machines.plain]) each.hart.state.x[6] = space(2);
    expect(step(machines, exchange("satp"), 0)).toBe(false);
  });
});
