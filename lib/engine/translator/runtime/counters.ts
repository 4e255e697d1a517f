/** What an engine counts about itself: for profiles, and for tests that must see where work was done. */

/** More than the cold tier has operations. */
const OPERATIONS = 2048;

/** Counts since the board was built. They say nothing about the guest and enter no digest. */
export class Counters {
  /** Steps made, by whatever part. */
  steps = 0;
  /** Steps that the slow path made: all of the three below. */
  slowSteps = 0;
  /** Steps that the cold tier's dispatch loop made. */
  interpretedSteps = 0;
  /** Because generated code gave an instruction up, or its page of code was not known. */
  bails = 0;
  fetchMisses = 0;
  /** What needed no step: translations looked up for generated code, and stores of which somebody had to hear first. */
  pagesFound = 0;
  heardStores = 0;
  /** Because somebody asked for single steps, or for a run that ends on a condition. */
  watchedSteps = 0;
  /** Interrupts taken between runs of generated code, and other steps that it may not make. */
  attendedSteps = 0;
  /** Slow steps of bails, by number of the operation in the cold tier (0: not known). */
  readonly bailsByOperation: number[] = new Array<number>(OPERATIONS).fill(0);
  /** Entries into generated code, and instructions decoded. */
  entries = 0;
  decodes = 0;
  /** Regions: made, there now, ended by stores, looked at for another context, and looked for at another address of the same code. */
  regions = 0;
  liveRegions = 0;
  invalidations = 0;
  resolves = 0;
  aliases = 0;
  modules = 0;
  /** Slots of the table of functions that are in use now. */
  slots = 0;
  compileFailures = 0;
  /** Times that all code, or all translations of addresses, was thrown away. */
  codeFlushes = 0;
  /** Pages of code that were given up because they hold data by now. */
  codePageClosings = 0;
  translationFlushes = 0;
  /** Banks given to another context. */
  bankEvictions = 0;

  /** Steps made by generated code. */
  get fastSteps(): number {
    return this.steps - this.slowSteps;
  }

  /** Of those, what neither the cold tier nor a store that was heard has made: steps in regions, and privileged ones in WebAssembly. */
  get regionSteps(): number {
    return this.fastSteps - this.heardStores - this.interpretedSteps;
  }
}
