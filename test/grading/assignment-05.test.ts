/**
 * Tests for the tests: every exercise of assignment 05 with the instructor's answer, the released stub, and wrong answers that
 * must lose the right points and be told why. The cells run through the kit's own compiler; the table is printed.
 */
import { billCheck } from "../../lib/course/assignments/sharing/bill.ts";
import { capsCheck } from "../../lib/course/assignments/sharing/caps.ts";
import { contextCheck } from "../../lib/course/assignments/sharing/context.ts";
import { timerCheck } from "../../lib/course/assignments/sharing/timer.ts";
import { assignmentTrial, named, own, row } from "./support/assignment-trial.ts";

const trial = assignmentTrial({
  folder: "05-sharing-the-cpu",
  notebook: "sharing-the-cpu.ipynb",
  imports:
    'import { type CappedGuest, check, type Csrs, type CsrWrite, type HartTime, NEVER, type Span, type TimerEvent } from "dom0-kit";',
});

trial(timerCheck, named("timer", "timer"), [
  row(
    "a deadline that rings again and again",
    2,
    /canceled|woken for nothing|comes twice/,
    "[deadline, pending] = [NEVER, true]",
    "pending = true",
  ),
  row(
    "setting it leaves what was raised",
    1,
    /comes twice/,
    "[deadline, pending] = [event.deadline, false]",
    "deadline = event.deadline",
  ),
  row(
    "only behind the deadline",
    0,
    /has reached the deadline|due at once/,
    ">= deadline) [",
    "> deadline) [",
  ),
  row(
    "raised only for a moment",
    1,
    /stays raised/,
    "pending }, pending, alarm",
    "pending: false }, pending, alarm",
  ),
  row(
    "a deadline in the past waits for the next look",
    0,
    /already been is due at once/,
    "if (deadline !== NEVER && ",
    'if (event.what !== "set" && deadline !== NEVER && ',
  ),
  row("the guest's clock is the machine's", 3, /lost|early|signed numbers/, "event.now + delta", "event.now"),
  row("the alarm is the deadline", 3, /signed numbers/, "deadline - BigInt.asIntN(64, delta)", "deadline"),
  row("delta is no negative number", 3, /signed numbers/, "BigInt.asIntN(64, delta)", "delta"),
  own(
    "a state with methods",
    0,
    /must be plain data/,
    `class Timer {
  deadline = NEVER;
  alarm() { return this.deadline; }
}
function timer(state: Timer | undefined, event: TimerEvent) {
  const kept = state ?? new Timer();
  return { state: kept, pending: false, alarm: kept.alarm() };
}`,
  ),
  own(
    "a function for a state",
    0,
    /must be plain data/,
    "const timer = () => ({ state: { next: () => 1 }, pending: false, alarm: NEVER });",
  ),
]);

trial(capsCheck, named("next", "next"), [
  row(
    "weights forgotten",
    2,
    /by weight/,
    "a.ran / a.weight - b.ran / b.weight",
    "a.ran - b.ran",
    /^weight \d+, weight \d+: /,
  ),
  row(
    "whole slices, also near the cap",
    1,
    /more than its cap/,
    "Math.min(time.slice, time.left, room(first))",
    "Math.min(time.slice, time.left)",
    /^weight \d+ cap \d+: /,
  ),
  row("caps forgotten", 1, /more than its cap/, "cap === 0 ? time.slice :", "cap >= 0 ? time.slice :"),
  // The other caps of such a machine are never reached, and so these two say nothing about caps.
  row(
    "everybody waits for who is capped",
    1,
    /hardly has the hart/,
    "const open = guests.filter((guest) => room(guest) > 0);",
    "const open = guests.some((guest) => room(guest) <= 0) ? [] : [...guests];",
  ),
  row(
    "the heaviest first",
    1,
    /by weight|fairly/,
    "a.ran / a.weight - b.ran / b.weight",
    "b.weight - a.weight",
  ),
  own(
    "one tick for one guest, then nobody",
    0,
    /by weight|fairly/,
    `const next = (guests: readonly CappedGuest[], time: HartTime) =>
  guests.every(({ ran }) => ran === 0) ? { id: 1, ticks: 1 } : { id: 0, ticks: time.left };`,
  ),
]);

trial(
  contextCheck,
  { cells: ["context"], pick: ({ save, restore, inject }) => ({ save, restore, inject }) },
  [
    row("no floats", 3, /Floating-point/, "...own, ...floats,", "...own,"),
    row("fcsr forgotten", 3, /all 32, and fcsr/, ', "fcsr"]', "]"),
    row(
      "htimedelta forgotten",
      3,
      /does not come back/,
      "senvcfg htimedelta",
      "senvcfg",
      /^turns 1 [23]: guest [23] finds others' htimedelta$/,
    ),
    row(
      "all of sstatus",
      3,
      /Of sstatus only SPP/,
      "const status = ((hart",
      'const status = saved["sstatus"] ?? 0n; const unused = ((hart',
    ),
    row(
      "hgatp behind vsatp",
      3,
      /stand over another/,
      '[["vsatp", 0n], ...rest, ["sstatus", status], ["vsatp", saved["vsatp"] ?? 0n]]',
      '[["vsatp", saved["vsatp"] ?? 0n], ...rest, ["sstatus", status]]',
    ),
    row("an interrupt takes the place of another", 3, /add the bits/, '(saved["hvip"] ?? 0n) | bits', "bits"),
    row("interrupts for who is away are dropped", 3, /is lost/, "hvip: (saved", "hvap: (saved"),
    row(
      "everything is the guest's",
      3,
      /of the hypervisor is overwritten/,
      '[...own, ...floats, "vsatp", "sstatus"]',
      '[...own, ...floats, "vsatp", "sstatus", "stvec", "stimecmp"]',
    ),
    own(
      "one register is written, and nothing else",
      0,
      /do not come back|no switch yet/,
      `const save = (hart: Csrs): Csrs => ({});
const inject = (saved: Csrs): Csrs => saved;
const restore = (): CsrWrite[] => [["f0", 1n]];`,
    ),
  ],
);

trial(billCheck, named("bill", "bill"), [
  row("a tick each", 1, /all of it/, "(sampled[domain] ?? 0) + tick;", "(sampled[domain] ?? 0) + 1;"),
  row(
    "one tick a stay at most",
    1,
    /may meet several/,
    "at < to; at += tick",
    "at < to; at += 1e9",
    /^tick \d+: \d:\S+( \d:\S+)?$/,
  ),
  row(
    "the one who goes pays",
    1,
    /the one who comes pays/,
    "Math.ceil(from / tick) * tick; at < to",
    "(Math.floor(from / tick) + 1) * tick; at <= to",
  ),
  row("the hypervisor is accused", 2, /nobody's thief/, "domain > 0 && isThief", "isThief"),
  row("everybody with more than he paid is a thief", 2, /An innocent/, "> 2 * (sampled", "> (sampled"),
  row(
    "only those who had something are listed",
    2,
    /Those that had nothing|one who comes|several/,
    "fill(0);\n  const sampled",
    "fill(0).slice(0, 1);\n  const sampled",
  ),
  row(
    "thieves that are no numbers",
    2,
    /a list of domains/,
    "filter((domain) => domain > 0 && isThief(domain)) };",
    "filter((domain) => domain > 0 && isThief(domain)).flatMap((domain) => [{ domain }, { domain }]) as never };",
  ),
]);
