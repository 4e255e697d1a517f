/** Exercise 05.5, break: a guest that takes what others pay for. It runs on the hypervisor, beside an honest one. */
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { assemble } from "../../isa/assembler/text.ts";
import { SHARER_RAM, shareOf } from "./experiments.ts";

/** The tick that a reader sees in the notebook. */
export const SHOWN_TICK = 20_000;
const TICKS = 24;
/** Under exact counting a whole slice more or less must not decide: it is a hundredth and a half of so many. */
const LAWFUL_TICKS = 64;
const STOLEN = 90;
const LAWFUL = 55;
const LONGEST = 10_000;

function programOf(answer: Answer, tick: number): string | Finding {
  if (!answer.isFunction)
    return fails("The answer must be a function of the tick's length that returns assembly text.");
  const outcome = answer.call(tick);
  if (!outcome.ok) return fails(`Your function ${outcome.category}.`, outcome.message);
  if (typeof outcome.value !== "string" || outcome.value.length > LONGEST)
    return fails("Return assembly text, at most 10,000 characters of it.");
  const built = assemble(outcome.value, { origin: 0x8000_0000n });
  if (built.kind !== "program") return fails("The assembler refuses your text.", built.message);
  return built.bytes.length <= SHARER_RAM
    ? outcome.value
    : fails(`Your guest has ${SHARER_RAM} bytes of RAM, and this program has ${built.bytes.length}.`);
}

/** What it takes from a scheduler that samples; a finding when it cannot run. */
function stolenAt(answer: Answer, tick: number): number | Finding {
  const program = programOf(answer, tick);
  if (typeof program !== "string") return program;
  return shareOf(program, { scheduler: "TICK_SAMPLING", slice: tick, slices: TICKS });
}

function judgeSteals(answer: Answer, ticks: readonly number[]): Finding {
  for (const tick of ticks) {
    const share = stolenAt(answer, tick);
    if (typeof share !== "number") return share;
    if (share < STOLEN)
      return fails(adviceFor(share), `with a tick of ${tick}: ${share.toFixed(1)} % of the hart`);
  }
  return HOLDS;
}

function adviceFor(share: number): string {
  if (share < 20)
    return "It hardly runs. Does it wake again? sie needs bit 5, and stimecmp a time that comes soon behind the tick.";
  if (share <= 60)
    return "It gets no more than an honest guest: it is running when a tick comes, and pays. Ticks come when time is a multiple of the tick's length. (A guest that traps and has no handler runs, too: in circles.)";
  return "It steals, but less than 90 %. How long before the tick does it go to sleep, and how soon behind it does it wake?";
}

const otherTicks = (run: CheckRun): readonly number[] => {
  const word = seededWords(run.seed.value ^ 0x0505);
  return [0, 1].map(() => 12_000 + (word() % 18_000));
};

function judgeLawful(answer: Answer): Finding {
  const stolen = stolenAt(answer, SHOWN_TICK);
  if (typeof stolen !== "number") return stolen;
  if (stolen < STOLEN)
    return fails("A guest that steals nothing shows nothing about a scheduler that counts.");
  const program = programOf(answer, SHOWN_TICK);
  if (typeof program !== "string") return program;
  const share = shareOf(program, { scheduler: "CREDIT", slice: SHOWN_TICK, slices: LAWFUL_TICKS });
  return share <= LAWFUL
    ? HOLDS
    : fails(
        "It has more than 55 % under exact counting, too: then it is not the sampling that it uses. Let the run be longer than its start.",
        `${share.toFixed(1)} %`,
      );
}

/** Check of exercise 05.5. */
export const thiefCheck: Check = defineCheck({
  id: "05.5",
  title: "Rob the scheduler",
  points: 4,
  properties: [
    {
      id: "steals",
      says: "it takes at least 90 % from a scheduler that samples every 20,000 ticks",
      weight: 2,
      run: (answer) => judgeSteals(answer, [SHOWN_TICK]),
    },
    {
      id: "any",
      says: "and with ticks of other lengths",
      weight: 1,
      run: (answer, run) => judgeSteals(answer, otherTicks(run)),
    },
    { id: "lawful", says: "and at most 55 % from one that counts", weight: 1, run: judgeLawful },
  ],
});
