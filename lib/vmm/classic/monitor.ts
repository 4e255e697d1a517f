/**
 * The classic virtual machine monitor, for machines without the hypervisor extension: trap and emulate, and shadow page tables.
 *
 * The guest is a whole machine's software, with a machine mode, a supervisor and programs of its own, and the hart runs all of it in user
 * mode. What is privileged traps to the monitor in machine mode, which does it to CSRs in RAM; what is not runs at full speed. It works
 * because, and as long as, each instruction that could tell or change in which mode it runs is privileged: Popek and Goldberg's condition.
 *
 * Reading order: `layout.ts` (what there is), `trap.ts` (why the guest comes here), `privileged.ts` and `csrs.ts` (emulation),
 * `virtual-traps.ts`, `guest-translation.ts` and `shadow.ts` (memory), `emulated-access.ts` (devices), `patching.ts`.
 */
import type { Board } from "../../board/board.ts";
import { type LoadError, loadError } from "../../board/load-error.ts";
import type { HsContext } from "../../hs/context.ts";
import { type HandlerOptions, type HsHandlers, installHandlers } from "../../hs/install.ts";
import { onlooker } from "../../hs/onlooker.ts";
import { CSRS, decodeCsr } from "../../isa/csr-map.ts";
import { causeWords } from "../../isa/trap.ts";
import type { IsaVariant } from "../../isa/variant.ts";
import { ClassicHandler, classicCode } from "./code.ts";
import { Mode, monitorOf } from "./host.ts";
import { type ClassicView, CODE, classicState, GUEST_OFFSET, POOL, STATE } from "./layout.ts";
import { type ClassicGuest, loadGuest } from "./loader.ts";
import { goOn, handleFloat, handleTrap } from "./trap.ts";

export { hostAddress } from "./layout.ts";
export type { ClassicGuest } from "./loader.ts";

/** How to install. */
export interface ClassicOptions {
  /** Whether the guest's code is patched before it runs: what a machine needs whose CSRs leak. Off when left out. */
  readonly patches?: boolean;
  /** How handlers run. */
  readonly handlers?: HandlerOptions;
}

/** An installed monitor. */
export interface Classic {
  readonly kind: "classic";
  /** What it keeps, as an onlooker sees it. */
  readonly state: ClassicView;
}

/**
 * What user mode may reach at most, whatever shadows say: nothing of the monitor's code and state; the pool, which has tables that the
 * hart reads and copies of code, without W; all the rest. @spec norm:pmp_a_field_encoding
 */
const PMP = [
  [0x18n, (CODE >> 2n) | (((POOL - CODE) >> 3n) - 1n)],
  [0x1dn, (CODE >> 2n) | ((GUEST_OFFSET >> 3n) - 1n)],
  [0x1fn, 2n ** 54n - 1n],
] as const;
const A0 = 10;
const A1 = 11;

/** Once, first of all: the hart as the monitor wants it, the guest as a hart is after reset. */
function start(context: HsContext, isa: IsaVariant): void {
  const monitor = monitorOf(context, isa);
  const { state } = monitor;
  const { csr } = context;
  csr.write("pmpaddr0", PMP[0][1]);
  csr.write("pmpaddr1", PMP[1][1]);
  csr.write("pmpaddr2", PMP[2][1]);
  csr.write("pmpcfg0", PMP[0][0] | (PMP[1][0] << 8n) | (PMP[2][0] << 16n));
  csr.write("mcounteren", 0n);
  csr.write("mstatus", 0n);
  state.mode = Mode.M;
  state.csrs.mstatus = CSRS.mstatus.reset;
  state.saved.x.set(A0, csr.read("mhartid"));
  state.saved.x.set(A1, state.tree);
  csr.write("mepc", state.entry);
  goOn(monitor);
}

/** The monitor cannot go on: it has trapped itself. The machine stops with this sentence. */
function panic({ csr }: HsContext): never {
  const { code, interrupt } = decodeCsr("mcause", csr.read("mcause"));
  const words = causeWords({ isInterrupt: interrupt === 1n, cause: Number(code) });
  const [epc, tval] = [csr.read("mepc"), csr.read("mtval")].map((word) => `0x${word.toString(16)}`);
  throw new Error(`the monitor itself trapped: ${words} at ${epc}, tval ${tval}`);
}

const handlersFor = (isa: IsaVariant): HsHandlers => ({
  [ClassicHandler.START]: { name: "classic start", handle: (context) => start(context, isa) },
  [ClassicHandler.TRAP]: { name: "classic trap", handle: (context) => handleTrap(context, isa) },
  [ClassicHandler.FLOAT]: { name: "classic float", handle: (context) => handleFloat(context, isa) },
  [ClassicHandler.NESTED]: { name: "classic trap in a trap", handle: panic },
});

/**
 * Puts the monitor and its guest into a board's RAM. The board has one hart; it may have the hypervisor extension or not.
 *
 * @returns  What was installed, or why nothing can run.
 * @example
 * const board = buildBoard({ isa: { hypervisor: false } });
 * installClassic(board, { image: kernel });
 * board.run({ instructions: 10_000_000 });
 */
export function installClassic(
  board: Board,
  guest: ClassicGuest,
  options: ClassicOptions = {},
): Classic | LoadError {
  if (board.harts.length !== 1)
    return loadError("bad-entry", `The monitor runs one hart; the board has ${board.harts.length}.`);
  const { bytes, symbols } = classicCode();
  board.memory.write(CODE, new Uint8Array(Number(GUEST_OFFSET)));
  board.memory.write(CODE, bytes);
  const state = classicState(onlooker(board));
  const refused = loadGuest(board, state, guest);
  if (refused !== undefined) return refused;
  state.patches = options.patches === true ? 1n : 0n;
  attachClassic(board, options.handlers);
  board.hart.pc = CODE;
  board.hart.state.waiting = false;
  board.hart.stateReplaced();
  const places = new Map<string, bigint>([...symbols, ["state", STATE]]);
  board.addSymbols(new Map([...places].map(([name, address]) => [`classic.${name}`, address])));
  return { kind: "classic", state };
}

/**
 * Registers the handlers alone, for a board whose RAM has the monitor and its guest already: one that was opened from an image, or that a
 * replay is about to begin with.
 */
export function attachClassic(board: Board, handlers: HandlerOptions = {}): void {
  installHandlers(board, () => handlersFor(board.hart.isa), handlers);
}
