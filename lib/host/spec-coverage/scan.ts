/** Reads every citation of the project: what the library's code and the tests cite. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { CitedTest, Place, StrayCitation } from "./citation.ts";
import { codeCitations } from "./code-citations.ts";
import { testCitations } from "./test-citations.ts";

/** Every citation, by the rule it names. */
export interface Citations {
  readonly places: readonly Place[];
  readonly tests: readonly CitedTest[];
  readonly strays: readonly StrayCitation[];
}

/**
 * The layers that are the machine. Software that runs on it, pictures of it and tools cite rules, too, but to flip them
 * shows nothing about the machine. The translator is held to the reference engine by lockstep, where bugs are planted, too.
 */
const MACHINE = /^lib[/](isa|bus|hart|mmu|engine|devices|board)[/](?!translator[/]|.*explain-)/;

async function sources(root: string, folder: string, ending: string): Promise<string[]> {
  const names = await readdir(path.join(root, folder), { recursive: true });
  return names
    .map((name) => `${folder}/${name.split(path.sep).join("/")}`)
    .filter((file) => file.endsWith(ending) && !/\/(dist|node_modules|fixtures)\//.test(file))
    .sort();
}

/** Text of a source; empty if somebody has taken the file away since it was listed. */
const textOf = (root: string, file: string): Promise<string> =>
  readFile(path.join(root, file), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });

/** Scans `lib` and `test` below the project's folder. */
export async function scanCitations(root: string): Promise<Citations> {
  const places: Place[] = [];
  const strays: StrayCitation[] = [];
  const tests: CitedTest[] = [];
  for (const file of await sources(root, "lib", ".ts")) {
    if (!MACHINE.test(file)) continue;
    const found = codeCitations(file, await textOf(root, file));
    places.push(...found.places);
    strays.push(...found.strays);
  }
  for (const file of await sources(root, "test", ".test.ts"))
    tests.push(...testCitations(file, await textOf(root, file)));
  return { places, tests, strays };
}

/** Groups by rule. */
export function byTag<T extends { readonly tags: readonly string[]; readonly rowTags?: readonly string[] }>(
  cited: readonly T[],
): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>();
  for (const one of cited)
    for (const tag of [...one.tags, ...(one.rowTags ?? [])]) found.set(tag, [...(found.get(tag) ?? []), one]);
  return found;
}
