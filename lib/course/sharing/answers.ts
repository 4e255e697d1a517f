/** Hints and reference answers of notebook 05, as source text that a test puts in place of each stub. */
import type { Help } from "../exercises/landing-answers.ts";
import { ganttFacts } from "./read-gantt.ts";

function reading(seed: number): string {
  const { turns, waited } = ganttFacts(seed);
  return `const mine = { seed: SEED, turns: [${turns.join(", ")}], waited: ${waited} };`;
}

/** Help for each exercise of notebook 05. */
export const SHARING_HELP = {
  "05.1": {
    hints: [
      "Go through one row at a time and count what is thick. The list below the picture says the same in numbers.",
      "waited is about thin lines: whose longest one is longest? Somebody who sleeps has no line at all.",
    ],
    source: reading,
    because:
      "Running, waiting and sleeping are three states, and only the first two cost anybody anything. A scheduler is judged by its thin lines.",
  },
  "05.2": {
    hints: [
      "deadline is a time on the guest's clock. What does that clock show when the machine's shows now?",
      "const guest = BigInt.asUintN(64, now + delta); and when it is due, the deadline to return is NEVER.",
    ],
    source: () => `const ring: Ring = (now, { deadline, delta }) => {
  const due = BigInt.asUintN(64, now + delta) >= deadline;
  return { due, deadline: due ? NEVER : deadline };
};`,
    because:
      "htimedelta is added modulo 2^64, so that a guest can be behind the machine as well as ahead of it. A deadline that has rung has done its work; what stays raised is the interrupt, until the guest sets its timer again.",
  },
  "05.3": {
    hints: [
      "save can be one line: keep exactly the CSRs that the table calls the guest's. restore writes them back, but not sstatus as a whole.",
      'Begin with ["vsatp", 0n], end with ["vsatp", saved.vsatp], everything else in between; for sstatus take SPP (0x100n) from saved and the rest from hart.',
    ],
    source:
      () => `const own = ["vsstatus", "vstvec", "vsscratch", "vsepc", "vscause", "vstval", "vstimecmp", "hie", "hvip", "hstatus", "hedeleg", "hideleg",
  "hcounteren", "scounteren", "henvcfg", "senvcfg", "htimedelta", "hgatp", "sepc"];
const save = (hart: Csrs): Csrs => Object.fromEntries([...own, "vsatp", "sstatus"].map((name) => [name, hart[name] ?? 0n]));
const restore = (saved: Csrs, hart: Csrs): CsrWrite[] => {
  const status = ((hart["sstatus"] ?? 0n) & ~0x100n) | ((saved["sstatus"] ?? 0n) & 0x100n);
  const rest = own.map((name): CsrWrite => [name, saved[name] ?? 0n]);
  return [["vsatp", 0n], ...rest, ["sstatus", status], ["vsatp", saved["vsatp"] ?? 0n]];
};`,
    because:
      "What is not saved leaks to the next guest, what is saved too much overwrites the hypervisor, and with vsatp 0 in between no table is ever walked in the wrong memory.",
  },
  "05.4": {
    hints: [
      "Count time in a currency: a tick costs 1 / weight. Then fair means that all who want the hart have used the same.",
      "choose takes the smallest used. wake: somebody who slept may not come back with less than the least of others; and others can be empty.",
    ],
    source: () => `const charge = (used: number, ran: number, weight: number) => used + ran / weight;
const wake = (used: number, others: readonly number[]) =>
  others.length === 0 ? used : Math.max(used, Math.min(...others));
const choose = (ready: readonly Sharer[]) =>
  ready.reduce((best, one) => (one.used < best.used ? one : best)).id;`,
    because:
      "Whoever has used least, measured by weight, is the one who is owed most. Sleeping is no saving: who wakes begins where the others stand.",
  },
  "05.5": {
    hints: [
      "The tick looks at one thing: who runs now. Ticks come when time is a multiple of the tick's length, and a guest can read time.",
      "Work until 300 ticks before the next multiple, set stimecmp to 40 behind it, and wfi. Bit 5 of sie wakes you; then stimecmp goes back to -1.",
    ],
    source: () => `const thief = (tick: number) => \`li t0, 0x20
  csrw sie, t0
  li s3, \${tick}
again: csrr t1, time
  remu t2, t1, s3
  sub t1, t1, t2
  add s2, t1, s3
  addi s4, s2, -300
work: addi s0, s0, 1
  csrr t1, time
  bltu t1, s4, work
  addi t1, s2, 40
  csrw stimecmp, t1
  wfi
  li t1, -1
  csrw stimecmp, t1
  j again\`;`,
    because:
      "The scheduler charges whoever it meets. The thief is never at home when it looks, wakes with all its credit, and is put first because it has just woken.",
  },
  "05.6": {
    hints: [
      "Add up to - from by domain, then divide by the sum of all. spans[i - 1] and spans[i + 1] are the neighbors of a stay.",
      "A switch: domain 0, with neighbors that are both there, both not 0, and different. Its price is the mean of to - from over these.",
    ],
    source: () => `function account(spans: readonly Span[]) {
  const all = spans.reduce((sum, { from, to }) => sum + to - from, 0);
  const shares: number[] = [];
  for (const { domain, from, to } of spans)
    shares[domain] = (shares[domain] ?? 0) + (to - from) / all;
  const between = spans.filter(({ domain }, i) => {
    const [before, behind] = [spans[i - 1]?.domain ?? 0, spans[i + 1]?.domain ?? 0];
    return domain === 0 && before !== 0 && behind !== 0 && before !== behind;
  });
  const cost = between.reduce((sum, { from, to }) => sum + to - from, 0);
  return {
    shares: Array.from(shares, (share) => share ?? 0),
    switches: between.length,
    perSwitch: between.length === 0 ? 0 : cost / between.length,
  };
}`,
    because:
      "Not every visit to the hypervisor is a switch: most end with the same guest. What all of them take is missing in everybody's share.",
  },
} as const satisfies Readonly<Record<string, Help>>;

/** Exercises of notebook 05. */
export type SharingExercise = keyof typeof SHARING_HELP;
