/** Exercise A3.2: scan and patch. What is code was decided when the block was drawn, before there was a word of it. */
import fc from "fast-check";
import { groupedHex } from "../../../bits/hex.ts";
import type { Answer } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import { type Inert, member } from "../../../checks/inert.ts";
import { fails } from "../../../checks/property.ts";
import { CSRS, type CsrName } from "../../../isa/csr-map.ts";
import { disassemble } from "../../../isa/disassemble.ts";
import { forAllAtWork, type Work } from "../../popek-goldberg/work-share.ts";

const NAMES: readonly CsrName[] = ["sstatus", "sscratch", "sepc", "scause"];
const numberOf = (name: CsrName): number => CSRS[name].address;

/** An instruction without a jump: a CSR is named by its place in `NAMES`. */
type Plain =
  | { readonly is: "plain"; readonly word: number }
  | { readonly is: "csr"; readonly csr: number; readonly form: number };

/** How a piece of code ends. */
type End = "falls" | "skips data" | "branches on" | "branches back" | "calls";

interface Piece {
  readonly body: readonly Plain[];
  readonly end: End;
  /** What lies behind the jump over data. */
  readonly data: readonly Plain[];
}

interface Plan {
  readonly pieces: readonly Piece[];
  /** The function that pieces call, and one that nobody calls. */
  readonly called: readonly Plain[];
  readonly dead: readonly Plain[];
  readonly leaking: number;
}

const csrWord = (csr: number, form: number): number =>
  ((csr << 20) | (6 << 15) | (((form % 6) + (form % 6 > 2 ? 2 : 1)) << 12) | (5 << 7) | 0x73) >>> 0;
const wordOf = (plain: Plain): number =>
  plain.is === "plain" ? plain.word : csrWord(numberOf(NAMES[plain.csr] ?? "sepc"), plain.form);

const jal = (offset: number, rd: number): number => {
  const bytes = offset * 4;
  return (
    ((((bytes >> 20) & 1) << 31) |
      (((bytes >> 1) & 0x3ff) << 21) |
      (((bytes >> 11) & 1) << 20) |
      (((bytes >> 12) & 0xff) << 12) |
      (rd << 7) |
      0x6f) >>>
    0
  );
};
const beq = (offset: number): number => {
  const bytes = offset * 4;
  return (
    ((((bytes >> 12) & 1) << 31) |
      (((bytes >> 5) & 0x3f) << 25) |
      (5 << 20) |
      (6 << 15) |
      (((bytes >> 1) & 0xf) << 8) |
      (((bytes >> 11) & 1) << 7) |
      0x63) >>>
    0
  );
};
const RETURN = 0x0000_8067;

/** How many words further a jump or branch leads; `undefined` for other instructions, and where a register says so. */
export function jumpOffset(word: number): number | undefined {
  const bit = (at: number, count: number): number => (word >>> at) & ((1 << count) - 1);
  if ((word & 0x7f) === 0x6f) {
    const bytes = (bit(31, 1) << 20) | (bit(12, 8) << 12) | (bit(20, 1) << 11) | (bit(21, 10) << 1);
    return ((bytes << 11) >> 11) / 4;
  }
  if ((word & 0x7f) === 0x63) {
    const bytes = (bit(31, 1) << 12) | (bit(7, 1) << 11) | (bit(25, 6) << 5) | (bit(8, 4) << 1);
    return ((bytes << 19) >> 19) / 4;
  }
  return undefined;
}

/** A block of a guest's code with its data. */
interface Block {
  readonly words: readonly number[];
  /** Numbers of CSRs that leak. */
  readonly leaking: readonly number[];
  /** Indexes of leaking instructions that the hart can come to, and of words that it cannot. */
  readonly holes: ReadonlySet<number>;
  readonly data: ReadonlySet<number>;
}

function blockOf({ pieces, called, dead, leaking }: Plan): Block {
  const names = NAMES.filter((_, index) => ((leaking >> index) & 1) === 1);
  const leaks = names.map(numberOf);
  const words: number[] = [];
  const holes = new Set<number>();
  const data = new Set<number>();
  const isLeaking = (plain: Plain): boolean =>
    plain.is === "csr" && leaks.includes(numberOf(NAMES[plain.csr] ?? "sepc"));
  const code = (list: readonly Plain[]): void => {
    for (const plain of list) {
      if (isLeaking(plain)) holes.add(words.length);
      words.push(wordOf(plain));
    }
  };
  const still = (list: readonly Plain[]): void => {
    for (const plain of list) {
      data.add(words.length);
      words.push(wordOf(plain));
    }
  };
  const starts: number[] = [];
  const pending: {
    readonly at: number;
    readonly piece: number;
    readonly make: (offset: number) => number;
  }[] = [];
  for (const [index, { body, end, data: between }] of pieces.entries()) {
    starts.push(words.length);
    code(body);
    const jump = (piece: number, make: (offset: number) => number): void => {
      pending.push({ at: words.length, piece, make });
      words.push(0);
    };
    if (end === "skips data") {
      jump(index + 1, (offset) => jal(offset, 0));
      still(between);
    }
    if (end === "branches on") jump(Math.min(index + 2, pieces.length), beq);
    if (end === "branches back") jump(index, beq);
    if (end === "calls") jump(pieces.length + 1, (offset) => jal(offset, 1));
  }
  starts.push(words.length);
  words.push(RETURN);
  still(dead);
  starts.push(words.length);
  // Nobody calls: then it is as dead as the rest.
  if (pieces.some(({ end }) => end === "calls")) code(called);
  else still(called);
  if (!pieces.some(({ end }) => end === "calls")) data.add(words.length);
  words.push(RETURN);
  for (const { at, piece, make } of pending) words[at] = make((starts[piece] ?? at + 1) - at);
  return { words, leaking: leaks, holes, data };
}

const plain: fc.Arbitrary<Plain> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(0x0012_8293, 0x0062_82b3, 0x0003_3303, 0x3402_92f3, 0x0000_000f, 0x0000_0073)
      .map((word) => ({ is: "plain" as const, word })),
  },
  { weight: 2, arbitrary: fc.record({ is: fc.constant("csr" as const), csr: fc.nat(3), form: fc.nat(5) }) },
);

const plans = (end: fc.Arbitrary<End>): fc.Arbitrary<Plan> =>
  fc.record({
    pieces: fc.array(
      fc.record({
        body: fc.array(plain, { maxLength: 4 }),
        end,
        data: fc.array(plain, { minLength: 1, maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    called: fc.array(plain, { maxLength: 3 }),
    dead: fc.array(plain, { maxLength: 2 }),
    leaking: fc.integer({ min: 1, max: 15 }),
  });
const STRAIGHT = plans(fc.constant<End>("falls"));
const WITH_JUMPS = plans(
  fc.constantFrom<End>("falls", "skips data", "branches on", "branches back", "calls"),
);

const blockWords = ({ words, leaking, data }: Block): string =>
  `${NAMES.filter((name) => leaking.includes(numberOf(name))).join(" and ")} leak; ${words
    .map((word, index) => `${index}: ${data.has(index) ? `data ${groupedHex(word, 8)}` : disassemble(word)}`)
    .join("; ")}`;

/** What an answer made of a block. */
interface Patched {
  readonly code: readonly number[];
  readonly holes: ReadonlyMap<Inert, Inert>;
}

function patchedOf(value: Inert, { words }: Block): Patched | undefined {
  const [code, holes] = [member(value, "code"), member(value, "holes")];
  if (!Array.isArray(code) || code.length !== words.length || !(holes instanceof Map)) return undefined;
  return code.every((word): word is number => typeof word === "number")
    ? { code: code.map((word) => word >>> 0), holes }
    : undefined;
}

type Question = (block: Block, patched: Patched) => string | undefined;
const NOT_LEAKING = "An instruction was changed that does not leak.";

/** Whoever patches everything has found nothing: what else the hart can come to is as it was. */
const foundAll: Question = ({ words, holes, data }, { code }) => {
  const at = [...holes].find((index) => code[index] !== 0);
  if (at === undefined) {
    const isSpoiled = words.some(
      (word, index) => !holes.has(index) && !data.has(index) && code[index] !== word >>> 0,
    );
    return isSpoiled ? NOT_LEAKING : undefined;
  }
  return code[at] === words[at]
    ? `An instruction that leaks is still there, at index ${at}, and the hart can come to it.`
    : "A hole must be the word 0, which no hart executes.";
};

const nothingElse: Question = ({ words, holes, data }, { code }) => {
  const at = words.findIndex((word, index) => !holes.has(index) && code[index] !== word >>> 0);
  if (at < 0) return undefined;
  return data.has(at)
    ? "A word was changed that no hart ever executes. It may be data that only looks like an instruction: follow the jumps, and patch only what they lead to."
    : NOT_LEAKING;
};

const remembered: Question = ({ words, holes }, { holes: kept }) => {
  const lost = [...holes].find((index) => kept.get(index) !== words[index]);
  if (lost !== undefined)
    return "holes must map each patched index to the word that was there: without it the monitor does not know what to do.";
  return [...kept.keys()].some((index) => typeof index !== "number" || !holes.has(index))
    ? "holes has an index where nothing had to be patched."
    : undefined;
};

const SHAPE = "patch must return { code, holes }: as many words as it got, and a Map.";

/** Whoever patches nothing has harmed nothing, and helped nobody. */
const PATCHED = {
  least: 0.25,
  idle: "Nothing else is changed, but hardly one instruction that leaks is patched.",
};

function judge(
  answer: Answer,
  run: CheckRun,
  question: Question,
  inputs: fc.Arbitrary<Plan>,
  salt: number,
): Finding {
  if (!answer.isFunction) return fails("patch must be a function.");
  return forAllAtWork(inputs, { ...run, instances: 4 * run.instances }, salt, PATCHED, (batch) => {
    const blocks = batch.map(blockOf);
    const outcomes = answer.callEach(blocks.map(({ words, leaking }) => [[...words], [...leaking]]));
    return blocks.map((block, index): Work => {
      const [outcome, asked] = [outcomes[index], block.holes.size];
      if (outcome?.ok !== true) {
        const hint = `patch ${outcome?.category ?? "did not answer"}.`;
        return { broken: { hint, detail: outcome?.message ?? "" }, asked, done: 0 };
      }
      const patched = patchedOf(outcome.value, block);
      const done = [...block.holes].filter((at) => patched?.code[at] === 0).length;
      const hint = patched === undefined ? SHAPE : question(block, patched);
      return { broken: hint === undefined ? undefined : { hint, detail: blockWords(block) }, asked, done };
    });
  });
}

const property = (
  id: string,
  says: string,
  question: Question,
  inputs: fc.Arbitrary<Plan>,
  salt: number,
): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, question, inputs, salt),
});

/** Check of exercise A3.2. */
export const scanCheck: Check = defineCheck({
  id: "A3.2",
  title: "Scan and patch",
  points: 4,
  properties: [
    property(
      "straight",
      "in straight code every instruction that leaks becomes a hole",
      foundAll,
      STRAIGHT,
      321,
    ),
    property("reached", "behind branches, jumps and calls, too", foundAll, WITH_JUMPS, 322),
    property("data", "nothing else changes, whatever it looks like", nothingElse, WITH_JUMPS, 323),
    property("kept", "what was there is kept", remembered, WITH_JUMPS, 324),
  ],
});
