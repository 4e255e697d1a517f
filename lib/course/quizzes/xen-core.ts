/** Self-test of notebook 06: what notebooks 02 to 05 leave behind, and counting with bits. */
import type { Question } from "../quiz.ts";

export const QUIZ_06 = [
  {
    ask: "A guest executes ECALL in VS-mode, and medeleg hands the cause on to HS-mode. Who gets it?",
    choices: { a: "the guest's own trap handler", b: "the hypervisor", c: "the device that it meant" },
    right: "b",
    because:
      "Cause 10, environment call from VS-mode, cannot be delegated further than to HS-mode. This is how a guest asks for something.",
  },
  {
    ask: "What does the second stage of a guest translate?",
    choices: {
      a: "guest-physical addresses to machine addresses",
      b: "virtual addresses to guest-physical ones",
      c: "machine addresses to frames",
    },
    right: "a",
    because: "The guest's own tables do the first half of the way; the second stage is the hypervisor's.",
  },
  {
    ask: "hstatus.VTVM is 1. What does csrw satp do in VS-mode?",
    choices: { a: "it writes vsatp", b: "nothing", c: "it traps to the hypervisor" },
    right: "c",
    because:
      "With VTVM the guest's supervisor cannot touch satp or fence translations: virtual-instruction exception, cause 22.",
  },
  {
    ask: "Three programs hold a file open, and one closes it. May its blocks be given to somebody else?",
    choices: { a: "yes, it was closed", b: "no, two still count", c: "yes, if they only read" },
    right: "b",
    because: "Who would miss it? Two references are left. The last one to go frees it.",
  },
  {
    ask: "pending is 0b0110 and masked is 0b0100. What is pending & ~masked?",
    choices: { a: "0b0010", b: "0b0100", c: "0b0110" },
    right: "a",
    because: "~masked keeps every bit but bit 2; of the two pending ones bit 1 is left.",
  },
  {
    ask: "A leaf stands in a level-1 table of Sv39. How much memory does it map?",
    choices: { a: "4 KiB", b: "2 MiB", c: "1 GiB" },
    right: "b",
    because: "512 pages of 4 KiB. You built a walk for these in notebook 02.",
  },
] as const satisfies readonly Question[];
