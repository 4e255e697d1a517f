/**
 * The translating engine of one hart: generated code makes most steps, a slower engine makes those that it leaves.
 *
 * Budgets are exact. Generated code gets at most the steps to the next alarm; so it never runs past one, and a run that is
 * cut in pieces is the same run.
 */
import type { Clock } from "../../../bus/clock.ts";
import type { Hart } from "../../../hart/hart.ts";
import type { HartState } from "../../../hart/state.ts";
import type { Trap } from "../../../isa/trap.ts";
import type { AccessWatch } from "../../../mmu/access-watch.ts";
import type { Engine, EngineStop, SlowPath, StopCondition } from "../../engine.ts";
import { PrivilegedWords } from "../privileged/words.ts";
import type { Counters } from "./counters.ts";
import { HartWords } from "./hart-words.ts";
import { Attempt, PlainAccesses } from "./plain-access.ts";
import type { TranslationBanks } from "./translation-banks.ts";
import type { HartDoor, Translator } from "./translator.ts";

/** Budgets are i32 in generated code. They run out now and then, so that regions can be looked at. */
const MAX_BUDGET = 2 ** 24;

/** What an engine is made of. */
export interface TranslatorEngineParts {
  readonly hart: Hart;
  /** Address of its state block. */
  readonly h: number;
  readonly translator: Translator;
  readonly banks: TranslationBanks;
  readonly slow: SlowPath;
}

/** One hart's translating engine. Make it with `createTranslatorEngines`. */
export class TranslatorEngine implements Engine, HartDoor {
  readonly name = "translator";
  readonly h: number;
  readonly #hart: Hart;
  readonly #state: HartState;
  readonly #pcHalves: Int32Array;
  readonly #clock: Clock;
  readonly #slow: SlowPath;
  readonly #translator: Translator;
  readonly #banks: TranslationBanks;
  readonly #words: HartWords;
  readonly #privilegedWords: PrivilegedWords;
  readonly #accesses: PlainAccesses;
  readonly #counters: Counters;
  /** Steps of the present run that generated code has not been given. */
  #aside = 0;
  readonly #address = new BigUint64Array(1);
  readonly #halves = new Int32Array(this.#address.buffer);

  constructor({ hart, h, translator, banks, slow }: TranslatorEngineParts) {
    this.h = h;
    this.#hart = hart;
    this.#state = hart.state;
    this.#pcHalves = hart.state.pcHalves;
    this.#clock = hart.clock;
    this.#slow = slow;
    this.#translator = translator;
    this.#banks = banks;
    this.#counters = translator.counters;
    this.#words = new HartWords(translator.memory, h);
    this.#accesses = new PlainAccesses({
      memory: translator.memory,
      ram: translator.ram,
      storeFlags: translator.storeFlags,
      h,
      banks,
      slow,
    });
    this.#privilegedWords = new PrivilegedWords(hart.state.bytes.buffer as ArrayBuffer, h, hart);
    translator.join(this);
  }

  /** What the engines of this machine have counted. */
  get counters(): Counters {
    return this.#counters;
  }

  run(budgetSteps: number, until?: StopCondition): EngineStop {
    if (until !== undefined) return this.#watchedRun(budgetSteps, until);
    const { reservations } = this.#hart;
    const budget = Math.min(Math.ceil(budgetSteps), Number.MAX_SAFE_INTEGER);
    this.#aside = budget;
    let reason = this.#reasonToStop();
    while (reason === undefined) {
      this.#translator.flushIfDue();
      if (this.#hart.attention === 0 || this.#slow.settle()) {
        reservations.storing = this.#state;
        this.#runGenerated();
      } else {
        this.#slowStep();
        this.#counters.attendedSteps++;
      }
      reason = this.#reasonToStop();
    }
    reservations.storing = undefined;
    const steps = Math.max(0, budget - this.#aside);
    this.#counters.steps += steps;
    this.#counters.interpretedSteps += this.#words.takeInterpreted();
    return { reason, steps };
  }

  #reasonToStop(): EngineStop["reason"] | undefined {
    if (this.#aside <= 0) return "steps";
    if (this.#clock.retired >= this.#clock.alarmAtRetired) return "alarm";
    if (!this.#state.waiting) return undefined;
    if (this.#slow.isAsleep()) return "waiting";
    this.#state.waiting = false;
    return undefined;
  }

  #runGenerated(): void {
    this.#counters.entries++;
    const budget = this.#give();
    const left = this.#translator.run(this.h, budget);
    this.#banks.noteUse();
    this.#clock.retired = this.#words.take(left);
    this.#aside += left;
    this.#translator.events.drain(this.h);
  }

  /** Gives generated code what it may do at once, and keeps the rest. */
  #give(): number {
    const { retired, alarmAtRetired } = this.#clock;
    const budget = Math.max(0, Math.min(this.#aside, Math.ceil(alarmAtRetired - retired), MAX_BUDGET));
    this.#words.refresh(this.#translator.events.isWelcome(this.#hart));
    this.#privilegedWords.refresh();
    this.#words.give(budget, retired);
    this.#aside -= budget;
    return budget;
  }

  /** Nothing more for generated code. */
  #giveNothing(): number {
    this.#words.give(0, this.#clock.retired);
    return 0;
  }

  bail(budget: number): number {
    this.#banks.noteUse();
    const { bailsByOperation } = this.#counters;
    const slot = this.#banks.slotAt(this.#pcHalves[0] as number, this.#pcHalves[1] as number);
    const attempt = slot === 0 || budget === 0 ? Attempt.LEFT : this.#accesses.attempt(slot);
    if (attempt === Attempt.FOUND) {
      this.#counters.pagesFound++;
      return budget;
    }
    if (attempt === Attempt.DONE) {
      this.#counters.heardStores++;
      return this.#isUndisturbed() ? budget - 1 : this.#attend(budget - 1);
    }
    const operation = slot === 0 ? 0 : (this.#translator.memory.u16[slot >>> 1] as number);
    this.#counters.bails++;
    bailsByOperation[operation] = (bailsByOperation[operation] ?? 0) + 1;
    return this.#step(budget);
  }

  fetchMiss(budget: number): number {
    this.#banks.noteUse();
    if (this.#findsPage() && this.#isUndisturbed()) {
      this.#counters.pagesFound++;
      return budget;
    }
    this.#counters.fetchMisses++;
    return this.#step(budget);
  }

  /** No instruction is at an odd address, to which only a debugger or an image leads. */
  #findsPage(): boolean {
    const [low, high] = [this.#pcHalves[0] as number, this.#pcHalves[1] as number];
    if ((low & 1) !== 0) return false;
    this.#slow.lookUp(this.#state.pc, "fetch");
    return this.#banks.slotAt(low, high) !== 0;
  }

  #isUndisturbed(): boolean {
    return this.#hart.attention === 0 && !this.#translator.isFlushDue;
  }

  /** What must follow what was done without a step. */
  #attend(budget: number): number {
    this.#aside += budget;
    this.#clock.retired = this.#words.take(budget);
    this.#translator.events.drain(this.h);
    return this.#goOn();
  }

  #step(budget: number): number {
    this.#aside += budget;
    this.#clock.retired = this.#words.take(budget);
    this.#translator.events.drain(this.h);
    this.#slowStep();
    return this.#goOn();
  }

  /** One step by the slow path; what is stored after it is this hart's again. */
  #slowStep(): void {
    this.#slow.step();
    this.#hart.reservations.storing = this.#state;
    this.#aside--;
    this.#counters.slowSteps++;
  }

  /** Attends to all that has changed; the budget that generated code has then. */
  #goOn(): number {
    if (this.#translator.isFlushDue) return this.#giveNothing();
    while (this.#hart.attention !== 0) {
      if (this.#isOver() || this.#state.waiting) return this.#giveNothing();
      if (this.#slow.settle()) break;
      this.#slowStep();
      this.#counters.attendedSteps++;
    }
    return this.#state.waiting ? this.#giveNothing() : this.#give();
  }

  #isOver(): boolean {
    return this.#aside <= 0 || this.#clock.retired >= this.#clock.alarmAtRetired;
  }

  #watchedRun(budgetSteps: number, until: StopCondition): EngineStop {
    const stop = this.#slow.run(budgetSteps, until);
    this.#countWatched(stop.steps);
    return stop;
  }

  step(): Trap | undefined {
    this.#countWatched(1);
    return this.#slow.step();
  }

  #countWatched(steps: number): void {
    this.#counters.steps += steps;
    this.#counters.slowSteps += steps;
    this.#counters.watchedSteps += steps;
  }

  isAsleep(): boolean {
    return this.#slow.isAsleep();
  }

  watch(watch: AccessWatch | undefined): void {
    this.#slow.watch(watch);
  }

  get pc(): bigint {
    return this.#state.pc;
  }

  get codeBit(): number {
    return this.#words.codeBit;
  }

  get codeBitFloatOn(): number {
    return this.#words.codeBitFloatOn;
  }

  get codeBitFloatFast(): number {
    return this.#words.codeBitFloatFast;
  }

  codePageAt(vaddr: bigint): number {
    this.#address[0] = vaddr;
    const [low, high] = [this.#halves[0] as number, this.#halves[1] as number];
    const known = this.#banks.codePageAt(low, high);
    if (known >= 0 || this.#hart.attention !== 0) return known;
    this.#slow.foresee(BigInt.asUintN(64, vaddr));
    return this.#banks.codePageAt(low, high);
  }

  forgetFetches(): void {
    this.#banks.forgetFetches();
  }

  forgetCodePage(codePage: number): void {
    this.#banks.forgetCodePage(codePage);
  }
}
