/** Checks that only hidden tests use. This file stays with the instructor: a release does not contain it. */
import { defineCheck, registerChecks, SHARING_ASSIGNMENT } from "dom0-kit";

const [timer] = SHARING_ASSIGNMENT;

/** The visible check once more under another name, and so with other histories. */
const again = defineCheck({
  id: "A5.1-again",
  title: "Other histories",
  points: 1,
  properties: [
    {
      id: "again",
      says: "in other histories no interrupt is lost, and none comes twice",
      weight: 1,
      run: (answer, run) => {
        const { score, most, message } = timer.run(answer, run);
        return { share: score / most, message };
      },
    },
  ],
});

registerChecks([again]);
