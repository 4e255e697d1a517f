/** Checks that only hidden tests use. This file stays with the instructor: a release does not contain it. */
import { defineCheck, POPEK_GOLDBERG_ASSIGNMENT, registerChecks } from "dom0-kit";

const [law] = POPEK_GOLDBERG_ASSIGNMENT;

/** The visible check once more under another name, and so with other machines. */
const again = defineCheck({
  id: "A3.1-again",
  title: "Other machines",
  points: 1,
  properties: [
    {
      id: "again",
      says: "other machines are told from their experiments, too",
      weight: 1,
      run: (answer, run) => {
        const { score, most, message } = law.run(answer, run);
        return { share: score / most, message };
      },
    },
  ],
});

registerChecks([again]);
