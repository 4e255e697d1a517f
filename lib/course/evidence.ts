/** What notebooks enter into the ledger: small campaigns whose counts follow from a seed. */
import { seededWords } from "../checks/seed.ts";
import { asm } from "../isa/assembler/typed.ts";
import { EXCEPTION } from "../isa/trap.ts";
import { buildIsland } from "./island.ts";

/** How many of how many. */
export interface Tally {
  readonly count: number;
  readonly trials: number;
}

/**
 * User-mode code tries to read every vault page of some islands.
 *
 * @returns  How many attempts ended in a load page fault, of all.
 */
export function knockOnEveryDoor(seed: number, islands: number): Tally {
  const word = seededWords(seed);
  let count = 0;
  let trials = 0;
  for (let visited = 0; visited < islands; visited += 1) {
    const island = buildIsland({ seed: word() });
    for (const address of island.vault) {
      const { cause } = island.land([asm.li("a1", address), asm.ld("a0", 0, "a1"), asm.ecall()]);
      trials += 1;
      if (cause === EXCEPTION.loadPageFault) count += 1;
    }
  }
  return { count, trials };
}
