/** Self-test of notebook 05: what the notebooks before leave behind, and arithmetic with time. */
import type { Question } from "../quiz.ts";

export const QUIZ_05 = [
  {
    ask: "A guest executes an ecall in VS-mode. Who runs next?",
    choices: { a: "the guest's own handler", b: "the hypervisor", c: "machine mode" },
    right: "b",
    because: "A call of the guest's kernel is not delegated to it: it traps to HS-mode, with cause 10.",
  },
  {
    ask: "What tells one guest's translations from another's while both are remembered?",
    choices: { a: "the VMID in hgatp", b: "the ASID in satp", c: "the order of fences" },
    right: "a",
    because: "A domain's number is its VMID. So switching guests needs no fence.",
  },
  {
    ask: "time counts ticks of 0.1 microseconds. How many are 10 milliseconds?",
    choices: { a: "10,000", b: "100,000", c: "1,000,000" },
    right: "b",
    because: "10 milliseconds are 10,000 microseconds, and each has ten ticks.",
  },
  {
    ask: "What does wfi do?",
    choices: {
      a: "it waits until an interrupt is pending",
      b: "it turns interrupts off",
      c: "it calls the timer's handler",
    },
    right: "a",
    because: "Wait for interrupt. It may also go on earlier, so programs use it in a loop.",
  },
  {
    ask: "Two guests have weights 512 and 256, and both always want the hart. What should the first have?",
    choices: { a: "one half", b: "two thirds", c: "three quarters" },
    right: "b",
    because: "512 of 768.",
  },
  {
    ask: "What is BigInt.asUintN(64, 5n - 7n)?",
    choices: { a: "-2n", b: "2n", c: "2n ** 64n - 2n" },
    right: "c",
    because: "In 64 bits there are no negative numbers: the count wraps around. CSRs do the same.",
  },
] as const satisfies readonly Question[];
