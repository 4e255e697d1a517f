/** Hints and reference answers of notebook 03, as source text that a test puts in place of each stub. */
import type { Help } from "../exercises/landing-answers.ts";
import { exitReading } from "./exit-reading.ts";

function readExits(seed: number): string {
  const { exits, sscratch } = exitReading(seed);
  const kinds = exits.map(({ handling }) => `"${handling}"`).join(", ");
  return `const mine = { seed: SEED, kinds: [${kinds}], value: 0x${sscratch.guest.toString(16)}n, call: 9 };`;
}

/** Help for each exercise of notebook 03. */
export const POPEK_GOLDBERG_HELP = {
  "03.1": {
    hints: [
      "Ask of each: what would a bare hart have done, in the mode that the guest believes in? If it had trapped too, the exception is the guest\u2019s own.",
      "A page fault: no leaf, then it is the guest\u2019s own; a leaf that leads to RAM, a shadow; one that leads below 0x8000_0000, a device. 0x140 is sscratch, which S may read; 0x340 is mscratch, which it may not.",
    ],
    source: readExits,
    because:
      "The hart knows one mode and one table, the monitor\u2019s. Whose trap it was can only be told by what the guest believes: its mode, its CSRs, its tables.",
  },
  "03.2": {
    hints: [
      "A kernel disables interrupts while it handles a trap, and a second one must not fall in between. What was the state before the trap, and which bit remembers it?",
      "The fourth line sets bit 1 always. Bit 5 says whether it was set: ((sstatus >> 5n) & 1n) << 1n.",
    ],
    source: () => `function sret(sstatus: bigint) {
  const mode = Number((sstatus >> 8n) & 1n);
  let next = sstatus & ~0x122n;
  next |= 1n << 5n;
  next |= ((sstatus >> 5n) & 1n) << 1n;
  return { mode, sstatus: next };
}`,
    because:
      "SIE becomes what SPIE was. With SIE always 1 a kernel that had interrupts off finds them on, and is interrupted where it never expected it: the lie shows, though not at once.",
  },
  "03.3": {
    hints: [
      "Three reasons to say illegal: the map has no such CSR; the mode is below bits 9 and 8 of its number; it would be written and bits 11 and 10 are both 1. rw always writes, rs and rc only if rs1 is not 0.",
      "Read the operand and the old value first, then write: rd and rs1 may be the same register. sepc is 0x141, mepc 0x341; their bit 0 stays 0.",
    ],
    source: () => `function emulate(operation: CsrOp, vcpu: Vcpu): Emulated {
  const { op, csr, rd, rs1, isImmediate } = operation;
  const old = vcpu.csrs.get(csr);
  const writes = op === "rw" || rs1 !== 0;
  if (old === undefined || vcpu.mode < ((csr >> 8) & 3)) return "illegal";
  if (writes && csr >> 10 === 3) return "illegal";
  const operand = isImmediate ? BigInt(rs1) : vcpu.x[rs1] ?? 0n;
  const next = { rw: operand, rs: old | operand, rc: old & ~operand }[op];
  const x = vcpu.x.map((value, index) => (index === rd && rd !== 0 ? old : value));
  const csrs = new Map(vcpu.csrs);
  const legal = csr === 0x141 || csr === 0x341 ? next & ~1n : next;
  if (writes) csrs.set(csr, legal);
  return { ...vcpu, pc: vcpu.pc + 4n, x, csrs };
}`,
    because:
      "The decision uses the mode that the guest believes in; the hart\u2019s own is U all the time. What it may do has the hart\u2019s effect on the words that the monitor keeps, and nothing else changes.",
  },
  "03.4": {
    hints: [
      "Three questions in this order. May the guest do it by its own leaf (V, U, SUM, R W X, A, and D for a store)? If not, deliver. Is the place RAM? If not, device. Else build the entry.",
      "The entry: bits V U A D (0xd1n), and of R, W and X what the guest has in its mode: W only with D; in S-mode on a page with U never X.",
    ],
    source: () => `function fill(fault: ShadowFault): ShadowAnswer {
  const { kind, va, user, sum, leaf, bytes } = fault;
  const has = (bit: bigint) => (leaf & bit) !== 0n;
  const mine = user ? has(0x10n) : !has(0x10n) || sum;
  const rights = {
    load: mine && has(2n), store: mine && has(4n) && has(0x80n),
    fetch: has(8n) && (user ? has(0x10n) : !has(0x10n)),
  };
  if (!has(1n) || !has(0x40n) || !rights[kind]) return { deliver: { fetch: 12, load: 13, store: 15 }[kind] };
  const place = ((leaf >> 10n) << 12n) | (va & (bytes - 1n));
  if (place < GUEST_MEMORY.base || place >= GUEST_MEMORY.end) return { device: place };
  const page = (place + GUEST_MEMORY.shift) >> 12n;
  const flags = (rights.load ? 2n : 0n) | (rights.store ? 4n : 0n) | (rights.fetch ? 8n : 0n);
  return { entry: (page << 10n) | 0xd1n | flags };
}`,
    because:
      "A shadow may say less than the guest\u2019s tables, never more. What it lacks comes with the next fault; what it has too much, nobody will ever hear of.",
  },
  "03.5": {
    hints: [
      "On a bare machine a CSR holds what you wrote. As a guest your write to the one that leaks is lost, without a trap, and you read the hart\u2019s own.",
      "Bit 8 can be written in all four CSRs (in sstatus it is SPP): write 0x100, read it back, keep that bit, compare. Then store one letter, and jump to yourself.",
    ],
    source: () => `function seeThrough(csr: CsrName) {
  return program({ origin: 0x8000_0000n }, [
    asm.li("t0", 0x100),
    asm.csrw(csr, "t0"),
    asm.csrr("t1", csr),
    asm.andi("t1", "t1", 0x100),
    asm.li("a1", 0x1000_0000),
    asm.li("a0", 0x42),
    asm.beq("t0", "t1", "say"),
    asm.li("a0", 0x56),
    label("say"),
    asm.sb("a0", 0, "a1"),
    label("stay"),
    asm.j("stay"),
  ]);
}`,
    because:
      "Two instructions are enough, and neither traps: so the monitor never hears of them, and cannot lie. Patched code has them no longer, and the guest is back in its world.",
  },
  "03.6": {
    hints: [
      "Sum bare, machine and exits over all runs first. Then three divisions.",
      "price is (machine - bare) / exits: what was executed more, for each exit. Without exits it is 0.",
    ],
    source: () => `function price(runs: readonly DensityRun[]): Price {
  let bare = 0, machine = 0, exits = 0;
  for (const run of runs) {
    bare += run.bare;
    machine += run.machine;
    exits += run.exits;
  }
  return {
    perThousand: (1000 * exits) / bare, slowdown: machine / bare,
    price: exits === 0 ? 0 : (machine - bare) / exits,
  };
}`,
    because:
      "Every exit costs about the same, one way in and one way out. So the slowdown is a straight line over the density, and two numbers tell all of it.",
  },
} as const satisfies Readonly<Record<string, Help>>;

/** Exercises of notebook 03. */
export type PopekGoldbergExercise = keyof typeof POPEK_GOLDBERG_HELP;
