/**
 * Explains differences between our board and a peer by a table of what is known. What no row explains is a failure; so is, in
 * the long run, a row that explains nothing any more.
 */
import { decode } from "../../../lib/isa/decode.ts";
import { type Difference, differencesOf, type TrapRecord, trapsOf } from "./compare.ts";
import { CODE, CODE_BYTES, RAM_START } from "./layout.ts";
import type { Ram } from "./machines.ts";
import { type Program, placed } from "./program.ts";

/** What a row sees of a difference. */
export interface Sight {
  readonly difference: Difference;
  /** Mnemonic of the instruction at which our trap was taken, and theirs, if they are the program's. */
  readonly mnemonic: string | undefined;
  readonly theirMnemonic: string | undefined;
  /** The trap in question on both machines, for words of the log. */
  readonly ours: TrapRecord | undefined;
  readonly theirs: TrapRecord | undefined;
  /** All that both machines logged: what a register holds at the end came of an earlier trap. */
  readonly ourTraps: readonly TrapRecord[];
  readonly theirTraps: readonly TrapRecord[];
  readonly program: Program;
}

/**
 * A known difference, and why ours stands. A row forgives only what the manual forbids them or allows both: it says which side
 * has which value and where, so that a bug of ours with the same look is still found.
 */
export interface KnownDifference {
  readonly id: string;
  /** The rule of the manual that settles it: `norm:…` or a section's title. */
  readonly spec: string;
  readonly about: string;
  /**
   * `word`: this word may differ so, and nothing else. `trap`: from this trap on the machines go different ways, and nothing
   * after it is compared.
   */
  readonly scope: "word" | "trap";
  matches(sight: Sight): boolean;
}

export interface Explanation {
  readonly unexplained: readonly Difference[];
  readonly used: ReadonlySet<string>;
  /** A row of scope `trap` matched, and what came after was not compared. */
  readonly isCut: boolean;
}

/** Their page-table entry is ours with A or D set besides. */
export const isUpdated = (ours: bigint, theirs: bigint): boolean =>
  (ours & ~theirs) === 0n && ((ours ^ theirs) & ~0xc0n) === 0n;

/** Mnemonics of a program by offset. */
function mnemonicsOf(program: Program): ReadonlyMap<number, string> {
  return new Map(
    placed(program.items).map(({ offset, word }) => [offset, decode(word)?.mnemonic ?? "nonsense"]),
  );
}

/** Distance from the beginning of a program's code; its mapping does not matter. Outside of the code it is no instruction's. */
const offsetIn = (index: number, pc: bigint): number =>
  Number(pc & 0x3fff_ffffn) - (CODE - RAM_START) - index * CODE_BYTES;

/** Differences of one program that no row explains, and the rows that explained the others. */
export function explain(
  program: Program,
  index: number,
  machines: { readonly ours: Ram; readonly theirs: Ram },
  known: readonly KnownDifference[],
): Explanation {
  const differences = differencesOf(machines.ours, machines.theirs, index);
  if (differences.length === 0) return { unexplained: [], used: new Set(), isCut: false };
  const [ours, theirs] = [trapsOf(machines.ours, index), trapsOf(machines.theirs, index)];
  const mnemonics = mnemonicsOf(program);
  const at = (trap: TrapRecord | undefined): string | undefined =>
    trap === undefined ? undefined : mnemonics.get(offsetIn(index, trap.epc));
  const used = new Set<string>();
  const unexplained: Difference[] = [];
  for (const difference of differences) {
    const number = difference.trap ?? -1;
    const [own, other] = [ours[number], theirs[number]];
    const sight = {
      difference,
      ours: own,
      theirs: other,
      mnemonic: at(own),
      theirMnemonic: at(other),
      ourTraps: ours,
      theirTraps: theirs,
      program,
    };
    const row = known.find((each) => each.matches(sight));
    if (row === undefined) {
      unexplained.push(difference);
      continue;
    }
    used.add(row.id);
    if (row.scope === "trap") return { unexplained, used, isCut: true };
  }
  return { unexplained, used, isCut: false };
}
