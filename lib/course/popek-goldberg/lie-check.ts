/** Exercise 03.5, break: a guest that finds out what runs it, on a machine that leaks. It must win there, and lose where its code is patched. */
import type { Board } from "../../board/board.ts";
import { buildBoard } from "../../board/virt.ts";
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import { type Inert, member } from "../../checks/inert.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import type { CsrName } from "../../isa/csr-map.ts";
import { guestMachine } from "./guest-machine.ts";

/** CSRs of which one leaks. */
export const LEAKING: readonly CsrName[] = ["sstatus", "sscratch", "sepc", "stvec"];

const ORIGIN = 0x8000_0000n;
const MOST_BYTES = 64 * 1024;
/** Instructions until something must have been said, and as many after it in which nothing more may be. */
const BUDGET = 30_000;
const STRETCH = 1_000;
const RAM_BYTES = 256 << 10;

/** A machine that the program finds itself on. */
export type Ground = "bare" | "monitored" | "patched";

interface Submitted {
  readonly bytes: Uint8Array;
}

function programOf(value: Inert): Submitted | string {
  const message = member(value, "message");
  if (member(value, "kind") === "assembly-error")
    return typeof message === "string" ? message : "The program has a mistake.";
  const bytes = member(value, "bytes");
  if (member(value, "origin") !== ORIGIN || !(bytes instanceof Uint8Array) || bytes.length === 0)
    return "Return what program({ origin: 0x8000_0000n }, [\u2026]) gives you.";
  return bytes.length > MOST_BYTES ? "The program is larger than 64 KiB." : { bytes };
}

/** Runs until a letter was printed, and as long again: who says one thing and then the other has said both. */
function saidBy(board: Board): string {
  for (const letters of [1, 2])
    for (let spent = 0; spent < BUDGET && board.console.text.length < letters; spent += STRETCH)
      board.run({ instructions: STRETCH });
  return board.console.text;
}

/** Runs a program on a machine of which `csr` leaks. @returns  What it printed. */
export function askProgram(bytes: Uint8Array, csr: CsrName, ground: Ground): string {
  if (ground === "bare") {
    const board = buildBoard({
      isa: { hypervisor: false, leaks: [csr] },
      ramBytes: RAM_BYTES,
      engine: "reference",
    });
    board.load({ origin: ORIGIN, bytes });
    return saidBy(board);
  }
  const patches = ground === "patched";
  return saidBy(
    guestMachine(bytes, { leaks: [csr], patches, ramBytes: RAM_BYTES, engine: "reference" }).board,
  );
}

/** What a program says on each ground, for each CSR in an order drawn by lot; or why it cannot be run. */
function sayings(answer: Answer, run: CheckRun, grounds: readonly Ground[]) {
  if (!answer.isFunction) return fails("The answer must be a function of the name of a CSR.");
  const word = seededWords(run.seed.value);
  const start = word() % LEAKING.length;
  const names = LEAKING.map((_, index) => LEAKING[(start + index) % LEAKING.length] ?? "sstatus");
  const found: { csr: CsrName; said: readonly string[] }[] = [];
  for (const [index, outcome] of answer.callEach(names.map((name) => [name])).entries()) {
    const csr = names[index] ?? "sstatus";
    if (!outcome.ok) return fails(`Your function ${outcome.category}.`, outcome.message);
    const submitted = programOf(outcome.value);
    if (typeof submitted === "string") return fails(submitted, `for ${csr}`);
    found.push({ csr, said: grounds.map((ground) => askProgram(submitted.bytes, csr, ground)) });
  }
  return found;
}

const SAID: Readonly<Record<Ground, string>> = {
  bare: "on the bare machine",
  monitored: "as a guest",
  patched: "as a guest whose code is patched",
};

function judge(answer: Answer, run: CheckRun, ground: Ground): Finding {
  const found = sayings(answer, run, ground === "monitored" ? [ground, "bare"] : [ground, "monitored"]);
  if (!Array.isArray(found)) return found as Finding;
  const wanted = ground === "monitored" ? "V" : "B";
  for (const { csr, said } of found) {
    const [here = "", asGuest = ""] = said;
    const detail = `${csr} leaks; ${SAID[ground]} it printed ${JSON.stringify(here.slice(0, 20))}`;
    if (here !== "V" && here !== "B")
      return fails(
        "It must print one letter, V or B, and nothing else: a byte to 0x1000_0000. Then it stays in a loop.",
        detail,
      );
    if (ground !== "monitored" && asGuest !== "V")
      return fails("A guest that never notices anything has not been fooled by patching.", detail);
    if (here === wanted) continue;
    if (ground === "monitored")
      return fails(
        "As a guest it did not notice. What it writes to the leaking CSR is lost, and what it reads there is the hart\u2019s: write something, read it back.",
        detail,
      );
    return ground === "bare"
      ? fails(
          "On a bare machine it says V: there, what is written can be read back. Write only bits that the CSR has.",
          detail,
        )
      : fails(
          "Patched, it still says V. If it says B on a bare machine, it looks at something else than the leak: time, perhaps. Popek and Goldberg promise nothing about time. If it does not, repair that first.",
          detail,
        );
  }
  // Bits that one CSR has and another has not are the other property's matter.
  if (ground === "monitored" && !found.some(({ said }) => said[1] === "B"))
    return fails(
      "On a bare machine it says V, too, whichever CSR leaks: who always says V has noticed nothing.",
      `on the bare machine it printed ${JSON.stringify(found[0]?.said[1]?.slice(0, 20))}`,
    );
  return HOLDS;
}

/** Check of exercise 03.5. */
export const lieCheck: Check = defineCheck({
  id: "03.5",
  title: "See through the lie",
  points: 4,
  properties: [
    {
      id: "monitored",
      says: "as a guest of a machine that leaks it says V",
      weight: 2,
      run: (answer, run) => judge(answer, run, "monitored"),
    },
    {
      id: "bare",
      says: "on the bare machine it says B",
      weight: 1,
      run: (answer, run) => judge(answer, run, "bare"),
    },
    {
      id: "patched",
      says: "where the leak is patched away it says B, too",
      weight: 1,
      run: (answer, run) => judge(answer, run, "patched"),
    },
  ],
});
