/** Exercise 01.4, break: find the loose brick. An attack wins on loose islands of fresh seeds and must lose on tight ones. */
import type { Answer, Outcome } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { islandPages, vaultSecrets } from "../island-image.ts";

/** Islands that one check visits. */
const ISLANDS = 20;

const seedsOf = (run: CheckRun): number[] => {
  const word = seededWords(run.seed.value);
  return Array.from({ length: Math.min(ISLANDS, run.instances) }, () => word());
};

/** The secret behind the loose brick, read off the page list. */
function prize(seed: number): bigint {
  const vault = islandPages({ seed, loose: true }).filter((page) => page.name.startsWith("vault"));
  return vaultSecrets(seed)[vault.findIndex((page) => page.flags.includes("U"))] ?? 0n;
}

function firstFailure(outcomes: readonly Outcome[]): Finding | undefined {
  for (const outcome of outcomes) {
    if (!outcome.ok) return fails(`Your function ${outcome.category}.`, outcome.message);
    if (typeof outcome.value !== "bigint") return fails("Return a bigint: the secret, or 0n.");
  }
  return undefined;
}

const secretOf = (outcome: Outcome | undefined): bigint | undefined =>
  outcome?.ok === true && typeof outcome.value === "bigint" ? BigInt.asUintN(64, outcome.value) : undefined;

function judgeLoose(answer: Answer, run: CheckRun): Finding {
  if (!answer.isFunction)
    return fails("The answer must be a function of a seed and whether the island is loose.");
  const seeds = seedsOf(run);
  const outcomes = answer.callEach(seeds.map((seed) => [seed, true]));
  const failure = firstFailure(outcomes);
  if (failure !== undefined) return failure;
  const stolen = seeds.map((seed, index) => secretOf(outcomes[index]) === prize(seed));
  const wins = stolen.filter(Boolean).length;
  if (wins === seeds.length) return HOLDS;
  const lost = seeds[stolen.indexOf(false)] ?? 0;
  const wrongPage = outcomes.some(
    (outcome, index) =>
      vaultSecrets(seeds[index] ?? 0).includes(secretOf(outcome) ?? 0n) && stolen[index] === false,
  );
  return fails(
    wins > 0
      ? `Stolen from ${wins} of ${seeds.length} islands. The loose page is not the same on every island.`
      : wrongPage
        ? "That is a secret of the vault, but of a page that user mode cannot read. It was not stolen from U-mode."
        : "No tape was stolen. Try each of the sixteen addresses from user mode; a landing that ends in cause 8 has survived its load.",
    `first lost on buildIsland({ seed: ${lost}, loose: true })`,
  );
}

function judgeTight(answer: Answer, run: CheckRun): Finding {
  if (!answer.isFunction)
    return fails("The answer must be a function of a seed and whether the island is loose.");
  const seeds = seedsOf(run);
  const outcomes = answer.callEach([...seeds.map((seed) => [seed, false]), [seeds[0] ?? 0, true]]);
  const failure = firstFailure(outcomes);
  if (failure !== undefined) return failure;
  if (secretOf(outcomes.at(-1)) !== prize(seeds[0] ?? 0))
    return fails("An attack that never steals says nothing about a tight island.");
  const wrong = seeds.find((_, index) => secretOf(outcomes[index]) !== 0n);
  return wrong === undefined
    ? HOLDS
    : fails(
        "On a tight island there is nothing to steal: return 0n when no page answers.",
        `buildIsland({ seed: ${wrong} })`,
      );
}

/** Check of exercise 01.4. */
export const theftCheck: Check = defineCheck({
  id: "01.4",
  title: "Find the loose brick",
  points: 3,
  properties: [
    { id: "loose", says: "the tape is stolen from every loose island", weight: 2, run: judgeLoose },
    { id: "tight", says: "nothing is stolen from a tight one", weight: 1, run: judgeTight },
  ],
});
