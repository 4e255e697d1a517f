/** Checks that only hidden tests use. This file stays with the instructor: a release does not contain it. */
import { defineCheck, registerChecks, XEN_CORE_ASSIGNMENT } from "dom0-kit";

const [, hands] = XEN_CORE_ASSIGNMENT;

/** The visible check once more under another name, and so with other histories. */
const again = defineCheck({
  id: "A6.2-again",
  title: "Other histories",
  points: 1,
  properties: [
    {
      id: "again",
      says: "other histories end as they should",
      weight: 1,
      run: (answer, run) => {
        const { score, most, message } = hands.run(answer, run);
        return { share: score / most, message };
      },
    },
  ],
});

registerChecks([again]);
