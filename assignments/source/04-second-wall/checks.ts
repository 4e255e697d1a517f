/** Checks that only hidden tests use. This file stays with the instructor: a release does not contain it. */
import { defineCheck, registerChecks, SECOND_WALL_ASSIGNMENT } from "dom0-kit";

const [, translate] = SECOND_WALL_ASSIGNMENT;

/** The visible check once more under another name, and so with other walks. */
const again = defineCheck({
  id: "A4.2-again",
  title: "Other walks",
  points: 1,
  properties: [
    {
      id: "again",
      says: "other walks end where the machine ends them",
      weight: 1,
      run: (answer, run) => {
        const { score, most, message } = translate.run(answer, run);
        return { share: score / most, message };
      },
    },
  ],
});

registerChecks([again]);
