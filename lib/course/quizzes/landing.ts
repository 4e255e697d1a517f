/** Self-test of notebook 01: what "any programming language, binary and hexadecimal" means, precisely. */
import type { Question } from "../quiz.ts";

export const QUIZ_01 = [
  {
    ask: "What is 0x2a in decimal?",
    choices: { a: "26", b: "42", c: "52" },
    right: "b",
    because: "2 \u00d7 16 + 10. One hexadecimal digit is four bits.",
  },
  {
    ask: "How many values fit into 12 bits?",
    choices: { a: "1,024", b: "4,095", c: "4,096" },
    right: "c",
    because:
      "2 to the power of 12, from 0 to 4,095. A page of memory has exactly so many bytes: that is no accident.",
  },
  {
    ask: "What is (0b1011 >> 1) & 0b11?",
    choices: { a: "0b01", b: "0b10", c: "0b11" },
    right: "a",
    because: "Shifting right by one leaves 0b101; the mask keeps its two low bits.",
  },
  {
    ask: "All 64 bits of a register are 1. Read as two\u2019s complement, which number is it?",
    choices: { a: "the largest positive one", b: "\u22121", c: "the smallest negative one" },
    right: "b",
    because: "Adding 1 carries through all bits and leaves 0, so it must be \u22121.",
  },
  {
    ask: "An array of 8-byte entries begins at address 0x1000. Where does entry 3 begin, counting from 0?",
    choices: { a: "0x1003", b: "0x1018", c: "0x1024" },
    right: "b",
    because: "3 \u00d7 8 is 24, which is 0x18.",
  },
  {
    ask: "What does TypeScript say to 2n ** 40n + 1?",
    choices: { a: "1099511627777", b: "1099511627777n", c: "a type error" },
    right: "c",
    because:
      "2n is a bigint and 1 a number, and the two do not mix. Registers here are bigints: a number holds 53 bits, a register 64.",
  },
] as const satisfies readonly Question[];
