/** Exercise 03.1, read: six exits of a guest, as the monitor meets them. Which is whose? The run itself knows. */
import { groupedHex } from "../../bits/hex.ts";
import type { Answer } from "../../checks/answer.ts";
import { type Check, defineCheck, type Finding } from "../../checks/check.ts";
import { member } from "../../checks/inert.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { assemble } from "../../isa/assembler/text.ts";
import { disassemble } from "../../isa/disassemble.ts";
import { causeWords } from "../../isa/trap.ts";
import { seedOf } from "../exercises/countdown.ts";
import { type FigureBundle, markupBundle } from "../figure.ts";
import { type Table, tableHtml, tableText } from "../marks/html.ts";
import { type ExitCounts, type ExitKind, exitsBetween, GUEST_SHIFT, guestMachine } from "./guest-machine.ts";

/** What the monitor did about an exit. */
export type Handling = "done" | "shadow" | "device" | "own";

const KIND_OF: { readonly [K in ExitKind]?: Handling } = {
  privileged: "done",
  shadow: "shadow",
  device: "device",
  own: "own",
};

/** One exit, and what became of it. */
export interface ReadExit {
  readonly pc: bigint;
  readonly cause: number;
  readonly tval: bigint;
  readonly text: string;
  /** The guest's own leaf for `tval`, where it is an address; 0 where it has none. */
  readonly leaf: bigint | undefined;
  readonly handling: Handling;
}

/** What the reader gets. */
export interface ExitReading {
  readonly exits: readonly ReadExit[];
  /** `sscratch`: what the hart has, and what the monitor keeps for the guest. */
  readonly sscratch: { readonly hart: bigint; readonly guest: bigint };
  readonly dump: FigureBundle;
}

const ORIGIN = 0x8000_0000n;

/** What the guest's supervisor does, in an order drawn by lot. `s0` is the serial port, `s1` a page, `s2` one that is not mapped. */
const DEEDS = [
  "csrr t1, sscratch",
  "csrr t1, mscratch",
  "ld t1, 8(s1)",
  "lb t1, 5(s0)",
  "ld t1, 16(s2)",
  "ecall",
] as const;

/** Boot code in machine mode, then Sv39, then six deeds in supervisor mode. Whatever traps to the guest is stepped over. */
function guestText(seed: number): string {
  const word = seededWords(seed ^ 0x0301);
  const deeds: string[] = [...DEEDS];
  for (let at = deeds.length - 1; at > 0; at -= 1) {
    const other = word() % (at + 1);
    [deeds[at], deeds[other]] = [deeds[other] ?? "", deeds[at] ?? ""];
  }
  const secret = 0x1000 + (word() % 0xe000);
  return `la t0, trap\n csrw mtvec, t0\n li t0, -1\n csrw pmpaddr0, t0\n li t0, 0x1f\n csrw pmpcfg0, t0
    li t0, ${secret}\n csrw sscratch, t0
    la t0, root\n srli t0, t0, 12\n li t1, 8\n slli t1, t1, 60\n or t0, t0, t1\n csrw satp, t0
    li t0, 0x800\n csrs mstatus, t0\n la t0, deeds\n csrw mepc, t0
    li s0, 0x10000000\n li s1, ${0x80010000 + 4096 * (word() % 16)}\n li s2, ${0x4000_0000 + 4096 * (word() % 64)}\n mret
    .align 2\n trap: csrr t2, mepc\n addi t2, t2, 4\n csrw mepc, t2\n mret
    .align 12\n root: .dword 0xc7, 0, 0x200000cf\n .zero 4072
    deeds: ${deeds.join("\n ")}\n stay: j stay`;
}

/** Runs the guest and notes its exits from supervisor code. */
export function exitReading(seed: number): ExitReading {
  const built = assemble(guestText(seed), { origin: ORIGIN });
  if (built.kind !== "program") throw new Error(built.message);
  const first = built.symbols.get("deeds") ?? 0n;
  const guest = guestMachine(built.bytes, { seed, ramBytes: 1 << 20, engine: "reference" });
  const { board } = guest;
  const seen: { pc: bigint; cause: number; tval: bigint; before: ExitCounts }[] = [];
  board.onTrap(({ epc, trap }) => {
    if (!trap.isInterrupt) seen.push({ pc: epc, cause: trap.cause, tval: trap.tval, before: guest.exits() });
  });
  board.run({ instructions: 30_000 });
  const root = (built.symbols.get("root") ?? 0n) + GUEST_SHIFT;
  const leafOf = (address: bigint): bigint => {
    const entry = board.memory.load(root + 8n * ((address >> 30n) & 511n), 8);
    return typeof entry === "bigint" ? entry : 0n;
  };
  const last = guest.exits();
  const exits = seen.flatMap(({ pc, cause, tval, before }, index): ReadExit[] => {
    if (pc < first || pc >= first + 24n || cause === 12) return [];
    const after = seen[index + 1]?.before ?? last;
    const counts = exitsBetween(before, after);
    const kind = (Object.keys(counts) as ExitKind[]).find((each) => counts[each] > 0) ?? "own";
    const word = board.memory.load(pc + GUEST_SHIFT, 4);
    const text = typeof word === "bigint" ? disassemble(Number(word)) : "";
    const leaf = cause === 13 ? leafOf(tval) : undefined;
    return [{ pc, cause, tval, text, leaf, handling: KIND_OF[kind] ?? "own" }];
  });
  const sscratch = { hart: board.hart.csr("sscratch"), guest: guest.csr("sscratch") ?? 0n };
  return { exits, sscratch, dump: dumpOf(exits, sscratch) };
}

function dumpOf(exits: readonly ReadExit[], { hart, guest }: ExitReading["sscratch"]): FigureBundle {
  const table: Table = {
    caption: `Six exits. The guest believes that it is in S-mode. sscratch: the hart has ${groupedHex(hart)}, the monitor keeps ${groupedHex(guest)} for the guest.`,
    columns: ["", "instruction", "mcause", "mtval", "the guest\u2019s own leaf"],
    rows: exits.map(({ text, cause, tval, leaf }, index) => [
      String(index + 1),
      { text, code: true },
      `${cause}, ${causeWords({ isInterrupt: false, cause })}`,
      { text: groupedHex(tval, 8), code: true },
      {
        text: leaf === undefined ? "" : leaf === 0n ? "none" : groupedHex(leaf, 8),
        code: leaf !== undefined,
      },
    ]),
  };
  return markupBundle(tableHtml(table), tableText(table));
}

const WORDS: Readonly<Record<Handling, string>> = {
  done: "The guest\u2019s supervisor may do that: the monitor does it for the guest (\u201cdone\u201d).",
  shadow: "The guest\u2019s tables have the page, in RAM; only the shadow had not: \u201cshadow\u201d.",
  device: "The guest\u2019s leaf leads to 0x1000_0000, a device: \u201cdevice\u201d.",
  own: "A bare machine would have trapped as well: it is the guest\u2019s \u201cown\u201d.",
};
const HANDLINGS = new Set<unknown>(Object.keys(WORDS));

function judgeKinds(answer: Answer, causes: readonly number[]): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const kinds = answer.at("kinds").value;
  const { exits } = exitReading(seed);
  if (!Array.isArray(kinds) || kinds.length !== exits.length)
    return fails(`kinds must list ${exits.length} words, one for each exit.`);
  const strange = kinds.find((kind: unknown) => !HANDLINGS.has(kind));
  if (strange !== undefined)
    return fails(
      "Each exit is one of \u201cdone\u201d, \u201cshadow\u201d, \u201cdevice\u201d and \u201cown\u201d.",
    );
  const at = exits.findIndex(
    ({ cause, handling }, index) => causes.includes(cause) && kinds[index] !== handling,
  );
  const wrong = exits[at];
  return wrong === undefined ? HOLDS : fails(`Exit ${at + 1} is something else. ${WORDS[wrong.handling]}`);
}

function judgeValues(answer: Answer): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const { sscratch } = exitReading(seed);
  const value = member(answer.value, "value");
  if (value === sscratch.hart)
    return fails("That is what the hart has. The guest must read what it wrote, and the monitor keeps that.");
  if (value !== sscratch.guest) return fails("value is what the guest reads out of sscratch, a bigint.");
  const call = member(answer.value, "call");
  if (call === 8)
    return fails("8 is what the hart saw: a call from U-mode. The guest believes that it is in S-mode.");
  return call === 9 ? HOLDS : fails("call is the cause that the guest finds behind its ECALL: a number.");
}

/** Check of exercise 03.1. */
export const exitReadingCheck: Check = defineCheck({
  id: "03.1",
  title: "Whose trap is it?",
  points: 3,
  properties: [
    {
      id: "instructions",
      says: "illegal instructions and calls: done for the guest, or its own",
      weight: 1,
      run: (answer) => judgeKinds(answer, [2, 8]),
    },
    {
      id: "pages",
      says: "page faults: a shadow that lags, a device, or the guest\u2019s own",
      weight: 1,
      run: (answer) => judgeKinds(answer, [13]),
    },
    { id: "values", says: "what the guest is shown", weight: 1, run: judgeValues },
  ],
});
