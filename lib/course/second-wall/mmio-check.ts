/** Exercise 04.3, build: what did the guest want of the device? Out of `htinst`, or out of the instruction. */
import fc from "fast-check";
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding, type Property } from "../../checks/check.ts";
import { describeInert, type Inert, member } from "../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../checks/property.ts";
import { MMIO_CASES, type MmioAccess, type MmioCase } from "./mmio-cases.ts";

const hexWord = (word: number): string => `0x${word.toString(16)}`;

const caseText = ({ text, htinst, instruction }: MmioCase): string =>
  `${text}: htinst ${hexWord(htinst)}, instruction ${hexWord(instruction)}`;

/** What to say about each member that is wrong, where no habit explains it. */
const MEMBER_HINTS: Readonly<Record<keyof MmioAccess, string>> = {
  isStore: "The low seven bits are the opcode: 0x03 loads, 0x23 stores.",
  width: "The width is in funct3, bits 14 to 12: 1 << (funct3 & 3) bytes.",
  isSigned: "Bit 2 of funct3 makes a load unsigned: lbu, lhu, lwu are 4, 5, 6.",
  register: "A load names its register in bits 11 to 7, a store in bits 24 to 20.",
  sizeBytes:
    "In htinst bit 1 is 0 for an instruction of two bytes; in an instruction both low bits are 1 for one of four.",
};

function hintFor({ htinst, instruction, access }: MmioCase, name: keyof MmioAccess, got: Inert): string {
  const isShort = access?.sizeBytes === 2;
  if (name === "isStore" && isShort && htinst !== 0)
    return "htinst shows a compressed instruction as the long one that it stands for, with bit 1 clear. Set that bit before you compare the opcode.";
  if (name === "register" && htinst === 0 && isShort)
    return "A compressed load or store has three bits for its register, 4 to 2. They stand for x8 to x15.";
  if (name === "register" && got === ((htinst === 0 ? instruction : htinst) >>> 15) % 32)
    return "Bits 19 to 15 are the address register; in htinst they say something else. What is loaded or stored is elsewhere.";
  return MEMBER_HINTS[name];
}

function compare(each: MmioCase, value: Inert): Broken | undefined {
  const detail = `${caseText(each)} — you say ${describeInert(value)}`;
  const { access } = each;
  if (access === undefined)
    return value === undefined
      ? undefined
      : {
          hint:
            each.htinst === 0
              ? "That is no load or store of an integer register: return undefined, and the guest will get its fault."
              : "htinst is 0x3000 or 0x3020: the hart read or wrote a page table of the guest by itself. Bit 0 is clear. There is no register to load: return undefined.",
          detail,
        };
  if (value === undefined || value === null)
    return {
      hint:
        each.htinst === 0
          ? "htinst may be 0. Then the instruction itself tells; it may have two bytes."
          : access.sizeBytes === 2
            ? "htinst tells of a compressed instruction: bit 1 is clear, bit 0 is set, and the rest is the long form."
            : "htinst has the instruction, without its address register and offset: opcode, funct3 and register are in their places.",
      detail,
    };
  for (const name of Object.keys(access) as (keyof MmioAccess)[]) {
    // A register of 64 bits has no room for a sign, and a store loads nothing.
    if (name === "isSigned" && (access.isStore || access.width === 8)) continue;
    const got = member(value, name);
    if (typeof got !== typeof access[name])
      return { hint: `${name} must be a ${typeof access[name]}.`, detail };
    if (got !== access[name]) return { hint: hintFor(each, name, got), detail: `${detail}: ${name}` };
  }
  return undefined;
}

function judge(
  answer: Answer,
  run: CheckRun,
  cases: fc.Arbitrary<MmioCase>,
  salt: number,
  question = compare,
): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of htinst and the instruction.");
  return forAllAtOnce(cases, { ...run, instances: 5 * run.instances }, salt, (batch) => {
    const outcomes = answer.callEach(batch.map(({ htinst, instruction }) => [htinst, instruction]));
    return batch.map((each, index) => {
      const outcome = outcomes[index];
      return outcome?.ok === true
        ? question(each, outcome.value)
        : { hint: `Your function ${outcome?.category ?? "did not answer"}.`, detail: outcome?.message ?? "" };
    });
  });
}

/** Plain loads stand among what is no access; of a load its register alone is looked at, the rest is the other properties'. */
function compareOthers(each: MmioCase, value: Inert): Broken | undefined {
  const { access } = each;
  if (access === undefined) return compare(each, value);
  if (member(value, "register") === access.register) return undefined;
  return {
    hint: "Whoever decodes nothing is never wrong, and never of use: decode a plain load first.",
    detail: `${caseText(each)} — you say ${describeInert(value)}`,
  };
}

/** A stub that never decodes is right about everything that is no access: that alone earns nothing. */
function judgeOthers(answer: Answer, run: CheckRun): Finding {
  const decoded = answer.isFunction ? answer.call(0x1503, 0x0005_2503) : undefined;
  if (decoded?.ok === true && decoded.value === undefined)
    return fails("Whoever decodes nothing is never wrong, and never of use: decode a plain load first.");
  return judge(answer, run, fc.oneof(MMIO_CASES.others, MMIO_CASES.loads), 65, compareOthers);
}

const property = (id: keyof typeof MMIO_CASES, says: string, salt: number): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, MMIO_CASES[id], salt),
});

/** Check of exercise 04.3. */
export const mmioCheck: Check = defineCheck({
  id: "04.3",
  title: "Read what the guest wanted",
  points: 5,
  properties: [
    property("loads", "loads of every width, signed and unsigned, out of htinst", 61),
    property("stores", "stores of every width, out of htinst", 62),
    property("compressed", "instructions of two bytes, out of htinst", 63),
    property("fetched", "the instruction itself, long or short, where htinst is 0", 64),
    {
      id: "others",
      says: "what is no load or store of a register is refused",
      weight: 1,
      run: judgeOthers,
    },
  ],
});
