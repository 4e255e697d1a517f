/**
 * Exercise A1.1: a dozen instructions that sum up a message. The submission is bytes; each random message runs on a
 * machine, and a model in TypeScript says what must come out.
 */
import fc from "fast-check";
import type { Board } from "../../../board/board.ts";
import { buildBoard } from "../../../board/virt.ts";
import type { Answer } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import { type Broken, fails, forAll } from "../../../checks/property.ts";
import { causeWords } from "../../../isa/trap.ts";
import { submittedProgram } from "./submitted-program.ts";

const MULTIPLIER = 31n;
const RAM_BYTES = 1 << 20;
/** Where the message lies: far from any program that starts at the beginning of RAM. */
const MESSAGE = 0x8008_0000n;
/** A dozen instructions a byte, and some to start and end. */
const INSTRUCTIONS_PER_BYTE = 24;
const INSTRUCTIONS_BESIDE = 64;

/** The model: h = h × 31 + byte, 64 bits. */
export const checksumOf = (message: Uint8Array): bigint =>
  message.reduce((sum, byte) => BigInt.asUintN(64, sum * MULTIPLIER + BigInt(byte)), 0n);

/** How one message went: what is in `a0`, or a sentence about what happened instead. */
function runOn(board: Board, message: Uint8Array): bigint | string {
  board.memory.write(MESSAGE, message);
  board.hart.write("a0", MESSAGE);
  board.hart.write("a1", BigInt(message.length));
  const traps: string[] = [];
  const stopListening = board.onTrap(({ trap }) => {
    if (traps.length === 0) traps.push(causeWords(trap));
  });
  const instructions = INSTRUCTIONS_BESIDE + INSTRUCTIONS_PER_BYTE * message.length;
  const stop = board.run({ instructions, until: { trap: true } });
  stopListening();
  const [trap] = traps;
  if (trap !== undefined) return `The program ran into a trap: ${trap}.`;
  if (stop.reason !== "wfi") {
    return `No wfi came within ${INSTRUCTIONS_BESIDE} instructions and ${INSTRUCTIONS_PER_BYTE} more for each byte. Does the loop end when a1 is 0?`;
  }
  return board.hart.read("a0");
}

function judge(
  answer: Answer,
  run: CheckRun,
  salt: number,
  messages: fc.Arbitrary<Uint8Array>,
  hint: string,
): Finding {
  if (!answer.isFunction) return fails("checksum must be a function that returns the program.");
  const outcome = answer.call();
  if (!outcome.ok) return fails(`checksum ${outcome.category}.`, outcome.message);
  const submitted = submittedProgram(outcome.value);
  if (typeof submitted === "string") return fails(submitted);
  const board = buildBoard({ ramBytes: RAM_BYTES });
  const refused = board.load(submitted);
  if (refused !== undefined) return fails(refused.message);
  const start = board.snapshot();
  return forAll(messages, run, salt, (message): Broken | undefined => {
    board.revert(start);
    const got = runOn(board, message);
    const wanted = checksumOf(message);
    if (got === wanted) return undefined;
    const input = `message [${[...message].map((byte) => `0x${byte.toString(16)}`).join(", ")}]`;
    if (typeof got === "string")
      return { hint: message.length === 0 ? `${got} ${hint}` : got, detail: input };
    return { hint, detail: `${input}: a0 is 0x${got.toString(16)}, the model says 0x${wanted.toString(16)}` };
  });
}

const LONGEST = 64;
const LONG = 1_000;

const textBytes = fc
  .array(fc.integer({ min: 1, max: 127 }), { minLength: 1, maxLength: LONGEST })
  .map((bytes) => Uint8Array.from(bytes));

const PROPERTIES: readonly Property[] = [
  {
    id: "empty",
    says: "an empty message has checksum 0",
    weight: 1,
    run: (answer, run) =>
      judge(
        answer,
        { ...run, instances: 1 },
        1,
        fc.constant(new Uint8Array(0)),
        "With a1 = 0 nothing may be loaded: test the count before the first byte, not after it.",
      ),
  },
  {
    id: "text",
    says: "text has the checksum of the model",
    weight: 2,
    run: (answer, run) =>
      judge(
        answer,
        run,
        2,
        textBytes,
        "The sum is wrong. Each byte: multiply the old sum by 31, then add the byte, all in 64 bits.",
      ),
  },
  {
    id: "bytes",
    says: "any bytes have the checksum of the model",
    weight: 1,
    run: (answer, run) =>
      judge(
        answer,
        run,
        3,
        fc.uint8Array({ minLength: 1, maxLength: LONGEST }),
        "Some bytes come out wrong. lb extends the sign of a byte above 0x7f; lbu does not.",
      ),
  },
];

/** Check of exercise A1.1. */
export const checksumCheck: Check = defineCheck({
  id: "A1.1",
  title: "A checksum in a dozen instructions",
  points: 4,
  properties: PROPERTIES,
});

/** For a hidden test: messages that nobody unrolls. */
export const longChecksumCheck: Check = defineCheck({
  id: "A1.1-long",
  title: "A long message",
  points: 1,
  properties: [
    {
      id: "long",
      says: "a message of a thousand bytes has the checksum of the model",
      weight: 1,
      run: (answer, run) =>
        judge(
          answer,
          { ...run, instances: Math.min(run.instances, 5) },
          4,
          fc.uint8Array({ minLength: LONG, maxLength: LONG }),
          "A thousand bytes of every value come out wrong. If short texts are right: lbu, 64 bits, and a loop that ends at 0 are all it takes.",
        ),
    },
  ],
});
