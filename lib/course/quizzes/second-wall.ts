/** Self-test of notebook 04: what notebook 02 leaves behind, and what a guest is. */
import type { Question } from "../quiz.ts";

export const QUIZ_04 = [
  {
    ask: "Under Sv39, how many entries does the hart read for one page of 4 KiB, if it remembers nothing?",
    choices: { a: "1", b: "3", c: "9" },
    right: "b",
    because: "One in each of three tables.",
  },
  {
    ask: "A leaf stands in the table above the last one. How large is its page?",
    choices: { a: "2 MiB", b: "4 KiB", c: "1 GiB" },
    right: "a",
    because: "The nine bits of the last index become offset: 512 times 4 KiB.",
  },
  {
    ask: "A kernel changed an entry and gave no fence. What may a hart use?",
    choices: { a: "the new entry only", b: "the old one or the new one", c: "neither" },
    right: "b",
    because: "It may remember the old translation until sfence.vma.",
  },
  {
    ask: "An index has 11 bits. How many entries of 8 bytes are in its table, and how many bytes are they?",
    choices: { a: "512, 4 KiB", b: "1,024, 8 KiB", c: "2,048, 16 KiB" },
    right: "c",
    because: "2 to the power of 11 is 2,048; times 8 it is 16,384.",
  },
  {
    ask: "A guest-page fault reports htval = 0x2000_0400. Which guest-physical page is it about, if htval is shifted right by 2?",
    choices: { a: "0x8000_1000", b: "0x2000_0400", c: "0x0800_0100" },
    right: "a",
    because: "Shifted left by 2, 0x2000_0400 is 0x8000_1000.",
  },
  {
    ask: "A guest\u2019s kernel executes csrw satp. Without a second stage, why must a hypervisor see that?",
    choices: {
      a: "the instruction is slow",
      b: "satp is not there in a guest",
      c: "tables of the kernel\u2019s own could map any memory",
    },
    right: "c",
    because:
      "Whoever chooses the tables chooses what is reached. So a hypervisor either stands in the way of each change, or puts a second table behind the first.",
  },
] as const satisfies readonly Question[];
