/** Self-test of notebook 03: what notebooks 01 and 02 leave behind. */
import type { Question } from "../quiz.ts";

export const QUIZ_03 = [
  {
    ask: "A program in U-mode executes csrr a0, sstatus on our machine. What happens?",
    choices: { a: "a0 holds sstatus", b: "a0 holds 0", c: "an illegal-instruction exception" },
    right: "c",
    because:
      "A CSR is out of reach of modes below its own. The instruction traps, cause 2, and a0 keeps its value.",
  },
  {
    ask: "Which bits of a CSR\u2019s number say the lowest mode that may use it?",
    choices: { a: "1 and 0", b: "9 and 8", c: "11 and 10" },
    right: "b",
    because:
      "0x140, sscratch, has 01 there: S. 0x340, mscratch, has 11: M. Bits 11 and 10, both 1, mean read-only.",
  },
  {
    ask: "SRET returns to S-mode or to U-mode. What decides?",
    choices: { a: "SPP in sstatus", b: "SIE in sstatus", c: "the address in sepc" },
    right: "a",
    because: "SPP is the mode before the trap. sepc says where to go on, not in which mode.",
  },
  {
    ask: "A leaf has V, R, X, U, A and D, but no W. A program in U-mode stores there. What is the cause?",
    choices: { a: "2", b: "13", c: "15" },
    right: "c",
    because: "A store page fault. 13 would be a load\u2019s, 2 an illegal instruction.",
  },
  {
    ask: "What does a hart use after an entry has changed and before the fence?",
    choices: { a: "the old entry or the new one", b: "always the new one", c: "it traps" },
    right: "a",
    because: "It may have remembered the old one. That freedom will turn out to be useful.",
  },
  {
    ask: "10,000 instructions on one machine, 21,000 on another for the same work. What is the slowdown?",
    choices: { a: "1.1", b: "2.1", c: "11" },
    right: "b",
    because: "21,000 / 10,000. A slowdown of 1 would be none at all.",
  },
] as const satisfies readonly Question[];
