/** Exercise A6.3: event channels whole, from the first port to the last. */
import type { Answer } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import { fails } from "../../../checks/property.ts";
import {
  type EventCallName,
  eventCases,
  eventMistake,
  fewerCalls,
  inertDomains,
} from "../../xen-core/event-check.ts";
import { forAllFewest } from "../../xen-core/fewest-calls.ts";

/** Cases of a property at most: a submission has ten seconds. */
const MOST_CASES = 300;
const ALL: readonly EventCallName[] = ["allocate", "bind", "send", "mask", "take", "close"];

function judge(answer: Answer, run: CheckRun, names: readonly EventCallName[], salt: number): Finding {
  if (!answer.isFunction) return fails("eventCall must be a function.");
  // Calls are cheap, and what goes wrong with one of them is rare.
  const many = { ...run, instances: Math.min(MOST_CASES, 3 * run.instances) };
  return forAllFewest(
    eventCases(names, [...ALL, "send", "bind"]),
    many,
    salt,
    (batch) => {
      const outcomes = answer.callEach(
        batch.map(({ domains, last: { domain, call, a, b } }) => [inertDomains(domains), domain, call, a, b]),
      );
      return batch.map((each, index) => eventMistake(each, outcomes[index], "eventCall"));
    },
    fewerCalls,
  );
}

const property = (id: string, says: string, names: readonly EventCallName[], salt: number): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, names, salt),
});

/** Check of exercise A6.3. */
export const bellsCheck: Check = defineCheck({
  id: "A6.3",
  title: "Bells, from the first port to the last",
  points: 3,
  properties: [
    property("open", "ports are allocated and bound by whom they wait for", ["allocate", "bind"], 71),
    property("ring", "events are sent, masked and taken, and none is lost", ["send", "mask", "take"], 72),
    property("close", "a port that is closed leaves nothing behind", ["close"], 73),
  ],
});
