/**
 * Explains differences between our board and a peer by a table of what is known. What no row explains is a failure; so is, in
 * the long run, a row that explains nothing any more.
 */
import { decode } from "../../../lib/isa/decode.ts";
import { type Difference, differencesOf, type TrapRecord, trapsOf } from "./compare.ts";
import { CODE_BYTES } from "./layout.ts";
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
  readonly program: Program;
}

/** A known difference, and why ours stands. */
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
}

/** Two page-table entries differ in A and D only. */
export const isUpdated = (ours: bigint, theirs: bigint): boolean => ((ours ^ theirs) & ~0xc0n) === 0n;

/** Mnemonics of a program by offset. */
function mnemonicsOf(program: Program): ReadonlyMap<number, string> {
  return new Map(
    placed(program.items).map(({ offset, word }) => [offset, decode(word)?.mnemonic ?? "nonsense"]),
  );
}

/** Differences of one program that no row explains, and the rows that explained the others. */
export function explain(
  program: Program,
  index: number,
  machines: { readonly ours: Ram; readonly theirs: Ram },
  known: readonly KnownDifference[],
): Explanation {
  const differences = differencesOf(machines.ours, machines.theirs, index);
  if (differences.length === 0) return { unexplained: [], used: new Set() };
  const [ours, theirs] = [trapsOf(machines.ours, index), trapsOf(machines.theirs, index)];
  const mnemonics = mnemonicsOf(program);
  const at = (trap: TrapRecord | undefined): string | undefined =>
    trap === undefined ? undefined : mnemonics.get(Number(trap.epc & BigInt(CODE_BYTES - 1)));
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
      program,
    };
    const row = known.find((each) => each.matches(sight));
    if (row === undefined) {
      unexplained.push(difference);
      continue;
    }
    used.add(row.id);
    if (row.scope === "trap") return { unexplained, used };
  }
  return { unexplained, used };
}
