/** Rules of the manual that cannot be tested here, each with the reason. */
import { readFile } from "node:fs/promises";
import path from "node:path";

/** Where they are, from the project's folder. */
export const NOT_APPLICABLE_FILE = "test/spec-coverage/not-applicable.json";

/** One reason, and the rules for which it holds. */
export interface Exemption {
  readonly reason: string;
  readonly tags: readonly string[];
}

export async function readExemptions(root: string): Promise<readonly Exemption[]> {
  return JSON.parse(await readFile(path.join(root, NOT_APPLICABLE_FILE), "utf8")) as Exemption[];
}

/** A sentence: a capital letter or a name, several words, a full stop. */
const isSentence = (text: string): boolean => /^\S+( \S+){3,}[.]$/.test(text);

/** What is wrong with the list itself. */
export function exemptionProblems(
  exemptions: readonly Exemption[],
  known: ReadonlySet<string>,
  tested: ReadonlySet<string>,
): string[] {
  const seen = new Set<string>();
  return exemptions.flatMap(({ reason, tags }) => {
    const problems = isSentence(reason) ? [] : [`"${reason}" is no sentence that gives a reason`];
    if (tags.length === 0) problems.push(`"${reason}" has no rule`);
    for (const tag of tags) {
      if (!known.has(tag)) problems.push(`the manual has no rule norm:${tag}`);
      if (seen.has(tag)) problems.push(`norm:${tag} has two reasons`);
      if (tested.has(tag)) problems.push(`norm:${tag} is said not to apply, and is tested`);
      seen.add(tag);
    }
    return problems;
  });
}
