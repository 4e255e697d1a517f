/**
 * Popek and Goldberg's question, put to a machine: which of its instructions are *privileged* (they trap in the mode in which guests run,
 * and not above), and which are *sensitive* (they change what belongs to the machine, or what they do depends on it)? A monitor by trap
 * and emulation is possible when every sensitive instruction is privileged.
 *
 * The answer is by experiment: each instruction is executed once in machine mode and once in the guest's, in two states of the machine
 * that differ in everything that is not the guest's. Nothing is looked up in a manual; so it can be told of machines that have none.
 */
import type { Board } from "../../board/board.ts";
import { buildBoard } from "../../board/virt.ts";
import { readCsr } from "../../hart/csr-read.ts";
import { writeCsr } from "../../hart/csr-write.ts";
import { assemble } from "../../isa/assembler/text.ts";
import { isReadOnlyCsr, lowestMode } from "../../isa/csr.ts";
import { CSR_NAMES, CSRS, type CsrName } from "../../isa/csr-map.ts";
import { MODE_NUMBER } from "../../isa/mode.ts";
import type { IsaVariant } from "../../isa/variant.ts";

/** What is asked. */
export interface Question {
  /** The machine; the manual's when left out. */
  readonly isa?: Partial<IsaVariant>;
  /** The mode in which guests run, whatever they believe: U, or VS with everything taken away that HS can take away. */
  readonly guest?: "U" | "VS";
  /** Whether the monitor leaves counters open to its guest. It does not, unless told to. */
  readonly countersOpen?: boolean;
}

/** What was found out about an instruction. */
export interface Classified {
  readonly instruction: string;
  readonly isPrivileged: boolean;
  /** Why it is sensitive; empty: it is not. `controls`: it changes what belongs to the machine; `shows`: its result depends on that. */
  readonly sensitive: readonly ("controls" | "shows")[];
}

const BASE = 0x8000_0000n;
/** Where the instruction may load and store. */
const MEMORY = BASE + 0x400n;
/** What is written to CSRs: as many fields as can be change by one or the other. */
const WRITTEN = [0x8000_0222n, 0x0f0f_0f0dn] as const;
const FLOATS_DIRTY = 0x6000n;

/** What is tried when nothing else is asked. */
export const INSTRUCTIONS: readonly string[] = [
  ...["add a0, a1, a2", "mul a0, a1, a2", "ld a0, (a2)", "sd a1, (a2)", "amoadd.d a0, a1, (a2)", "fence"],
  ...["fence.i", "fadd.d fa0, fa1, fa2", "auipc a0, 1", "jal a0, 0x80000010", "ecall", "ebreak"],
  ...["mret", "sret", "wfi", "sfence.vma", "hfence.vvma", "hfence.gvma", "hlv.d a0, (a2)", "hsv.d a1, (a2)"],
  ...CSR_NAMES.map((name) => `csrr a0, ${name}`),
  ...CSR_NAMES.filter((name) => !isReadOnlyCsr(CSRS[name].address)).map((name) => `csrw ${name}, a1`),
];

/** CSRs that an experiment sets by itself, or that would turn it into another: where memory is, who gets traps, what ticks. */
const KEPT =
  /^(m|s|vs)status$|atp$|^pmp|deleg|counteren|envcfg|tvec$|^mcountinhibit$|^(m|h)(ie|ip)$|^(s|vs)(ie|ip)$|^hvip$|^hge|^hstatus$|timecmp$|^f(csr|rm|flags)$|^mcycle$|^minstret$/;
const SEEDED = CSR_NAMES.filter((name) => !KEPT.test(name));
/** What changes by itself, and what is a guest's anyway. */
const ticks = (name: CsrName): boolean => /^(mcycle|minstret|cycle|instret|time|hpm.*)$/.test(name);
const WATCHED = CSR_NAMES.filter((name) => !ticks(name) && lowestMode(CSRS[name].address) > 0);

/** What an execution did. */
export interface Execution {
  readonly mode: "M" | "U" | "VS";
  /** Which of the two states everything was in that is not the guest's. */
  readonly state: 0 | 1;
  /** Which of two operands it had. */
  readonly operand: number;
  readonly trapped: boolean;
  /** Whether anything has changed that is not the guest's. */
  readonly controls: boolean;
  /** What the guest can see of it. */
  readonly result: string;
}

/** An instruction, executed above and in the guest's mode, in both states, with both operands. */
export interface Tried {
  readonly instruction: string;
  readonly executions: readonly Execution[];
}

/** Puts everything that is the machine's into one of two states. */
function prepare(board: Board, state: 0 | 1, mode: "M" | "U" | "VS", open: boolean): void {
  const { hart } = board;
  const set = (name: CsrName, value: bigint): void => writeCsr(hart, name, value);
  const vary = BigInt(state);
  hart.reset(BASE);
  hart.clock.mtime = 5_000n + 7_000n * vary;
  for (const name of SEEDED) set(name, BASE + 0x100n + 0x40n * vary);
  for (const name of ["stvec", "vstvec"] as const) set(name, BASE + 0x200n + 0x40n * vary);
  for (const name of ["mcycle", "minstret"] as const) set(name, 1_000n * vary);
  for (const name of ["stimecmp", "vstimecmp"] as const) set(name, 2n ** 62n + vary);
  set("mtvec", BASE + 0x300n);
  set("pmpaddr0", 2n ** 54n - 1n);
  set("pmpcfg0", 0x1fn);
  set("menvcfg", 1n << 63n);
  set("henvcfg", 1n << 63n);
  for (const name of ["mcounteren", "hcounteren", "scounteren"] as const)
    set(name, open || (mode === "VS" && name === "mcounteren") ? 7n : 0n);
  set("mideleg", 0x222n);
  set("hideleg", 0x444n);
  set("mip", 2n * vary);
  set("mie", vary === 0n ? 0x660n : 0x20n);
  set("hvip", 4n * vary);
  const varied = (vary << 18n) | (vary << 5n) | (vary << 8n);
  set("mstatus", FLOATS_DIRTY | 0x800n | varied);
  set("vsstatus", FLOATS_DIRTY | varied);
  set("hstatus", 0x70_0000n); // VTVM, VTW, VTSR
  hart.remembered?.remember(
    { stage: "only", asid: 0n },
    { start: 0n, bytes: 4096n, level: 0, isGlobal: false, path: [{ address: MEMORY, pte: 0xcfn }] },
  );
  hart.state.modeNumber = MODE_NUMBER[mode];
  hart.write("a2", MEMORY);
  hart.stateReplaced();
}

const machineState = ({ hart }: Board): string =>
  [
    hart.mode,
    hart.state.waiting,
    hart.remembered?.size,
    ...WATCHED.map((name) => readCsr(hart, name)),
  ].join();

/** Executes the instruction at the start of RAM once. */
function execute(
  board: Board,
  state: 0 | 1,
  mode: "M" | "U" | "VS",
  operand: number,
  open: boolean,
): Execution {
  prepare(board, state, mode, open);
  const { hart } = board;
  hart.write("a1", WRITTEN[operand] ?? 0n);
  const before = machineState(board);
  const { trap } = board.step();
  const registers = [hart.read("a0"), hart.pc, readCsr(hart, "fcsr"), board.memory.load(MEMORY, 8)];
  const controls = machineState(board) !== before;
  return { mode, state, operand, trapped: trap !== undefined, controls, result: registers.join() };
}

/** Tries one instruction; `undefined` for what is none. */
function tryOne(board: Board, instruction: string, question: Question): Tried | undefined {
  const built = assemble(instruction, { origin: BASE });
  if (built.kind !== "program") return undefined;
  board.memory.write(BASE, built.bytes);
  const run = (mode: "M" | "U" | "VS", operand: number): Execution[] =>
    ([0, 1] as const).map((state) => {
      board.memory.store(MEMORY, 8, 77n);
      return execute(board, state, mode, operand, question.countersOpen === true);
    });
  const modes = ["M", question.guest ?? "U"] as const;
  return { instruction, executions: modes.flatMap((mode) => WRITTEN.flatMap((_, at) => run(mode, at))) };
}

/** What the executions say of an instruction. */
export function judgeTried({ instruction, executions }: Tried): Classified {
  const above = executions.filter(({ mode }) => mode === "M");
  const below = executions.filter(({ mode }) => mode !== "M");
  const done = executions.filter(({ trapped }) => !trapped);
  const shows = WRITTEN.some((_, at) => {
    const results = done.filter(({ operand }) => operand === at).map(({ result }) => result);
    return new Set(results).size > 1;
  });
  return {
    instruction,
    isPrivileged: above.some(({ trapped }) => !trapped) && below.every(({ trapped }) => trapped),
    sensitive: [
      ...(done.some(({ controls }) => controls) ? (["controls"] as const) : []),
      ...(shows ? (["shows"] as const) : []),
    ],
  };
}

/**
 * Executes instructions, each in both modes, both states and with both operands.
 *
 * @param chosen  Those to try; all when left out.
 */
export function tryInstructions(
  question: Question = {},
  chosen: readonly string[] = INSTRUCTIONS,
): readonly Tried[] {
  const board = buildBoard({
    isa: question.isa ?? {},
    ramBytes: 1 << 20,
    translations: "sticky",
    engine: "reference",
  });
  return chosen
    .map((instruction) => tryOne(board, instruction, question))
    .filter((found) => found !== undefined);
}

/** Asks about every instruction that could matter, and some that should not. */
export const classify = (question: Question = {}): readonly Classified[] =>
  tryInstructions(question).map(judgeTried);

/** The theorem's condition, and what breaks it: instructions that are sensitive and not privileged. None: a monitor can be built. */
export const violations = (found: readonly Classified[]): readonly Classified[] =>
  found.filter(({ isPrivileged, sensitive }) => sensitive.length > 0 && !isPrivileged);
