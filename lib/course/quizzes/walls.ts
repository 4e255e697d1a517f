/** Self-test of notebook 02: what notebook 01 leaves behind, and arithmetic with pages. */
import type { Question } from "../quiz.ts";

export const QUIZ_02 = [
  {
    ask: "A page has 4,096 bytes. How many bits of an address say which byte of the page?",
    choices: { a: "8", b: "12", c: "16" },
    right: "b",
    because: "2 to the power of 12 is 4,096. These bits are the offset; translation leaves them alone.",
  },
  {
    ask: "A table fills one page with entries of 8 bytes. How many entries?",
    choices: { a: "512", b: "1,024", c: "4,096" },
    right: "a",
    because: "4,096 / 8. Nine bits choose one of 512.",
  },
  {
    ask: "What is (0x4030_2000n >> 12n) & 511n?",
    choices: { a: "0x30", b: "0x102", c: "0x302" },
    right: "b",
    because: "Shifted right by 12 bits it is 0x40302; its low nine bits are 0x102.",
  },
  {
    ask: "Which bit of an entry kept user mode out of the vault?",
    choices: { a: "W was 0", b: "X was 0", c: "U was 0" },
    right: "c",
    because: "The vault was readable and writable, but not for user mode.",
  },
  {
    ask: "A program in U-mode meets cause 13. What happened?",
    choices: {
      a: "it called the kernel",
      b: "a load met a page fault",
      c: "it executed a page that it may not",
    },
    right: "b",
    because:
      "13 is a load page fault. 12 is the fetch\u2019s, 15 the store\u2019s, and 8 is a call from U-mode.",
  },
  {
    ask: "flags has the bits of W (4) and X (8) among others. When is (flags & 12) === 12?",
    choices: { a: "if both are set", b: "if one of them is set", c: "if no other bit is set" },
    right: "a",
    because: "The mask keeps the two bits; the comparison asks for both.",
  },
] as const satisfies readonly Question[];
