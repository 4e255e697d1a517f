/** A kernel in user mode: a board without the hypervisor extension, the classic monitor on it, and the kernel as its guest. */
import type { Board } from "../../board/board.ts";
import { parseElf } from "../../board/elf.ts";
import { RAM_BASE } from "../../board/memory-map.ts";
import { type BoardConfig, buildBoard } from "../../board/virt.ts";
import type { CsrName } from "../../isa/csr-map.ts";
import { type ClassicView, Exit, GUEST_OFFSET } from "../../vmm/classic/layout.ts";
import { installClassic } from "../../vmm/classic/monitor.ts";

/** What kind of machine the guest is put on. */
export interface GuestMachineOptions {
  /** CSRs that user mode can name without a trap. None on a machine that follows the manual. */
  readonly leaks?: readonly CsrName[];
  /** Whether the monitor patches the guest's code before it runs. */
  readonly patches?: boolean;
  readonly seed?: number;
  /** Bytes of the guest's RAM, whole pages; 4 MiB when left out. The machine has 2 MiB more, which are the monitor's. */
  readonly ramBytes?: number;
  readonly engine?: BoardConfig["engine"];
}

/** Why a guest came to its monitor, by count. */
export interface ExitCounts {
  readonly privileged: number;
  readonly shadow: number;
  readonly device: number;
  readonly own: number;
  readonly interrupt: number;
  readonly patch: number;
}
export type ExitKind = keyof ExitCounts;

/** A guest on its machine. */
export interface GuestMachine {
  /** The real machine, monitor included. */
  readonly board: Board;
  /** What the monitor keeps about the guest. */
  readonly state: ClassicView;
  /** The mode that the guest believes in. */
  mode(): "M" | "S" | "U";
  /** A CSR as the guest sees it; `undefined` for those that the monitor does not keep as one word. */
  csr(name: CsrName): bigint | undefined;
  /** How often it came to the monitor, so far. */
  exits(): ExitCounts;
}

/** What each kind of exit is. */
export const EXIT_WORDS: Readonly<Record<ExitKind, string>> = {
  privileged: "a privileged instruction, done for the guest",
  shadow: "a page that the shadow did not have yet",
  device: "a load or store of a device",
  own: "an exception that is the guest\u2019s own",
  interrupt: "an interrupt",
  patch: "code that is looked through before it runs",
};

/** How far the guest's RAM lies above the addresses that the guest believes in. */
export const GUEST_SHIFT: bigint = GUEST_OFFSET;

const exitsOf = ({ exits }: ClassicView): ExitCounts => {
  const of = (kind: number): number => Number(exits.get(kind));
  return {
    privileged: of(Exit.PRIVILEGED),
    shadow: of(Exit.SHADOW),
    device: of(Exit.ACCESS),
    own: of(Exit.EXCEPTION),
    interrupt: of(Exit.INTERRUPT),
    patch: of(Exit.PATCH),
  };
};

/** No exits. */
export const NO_EXITS: ExitCounts = { privileged: 0, shadow: 0, device: 0, own: 0, interrupt: 0, patch: 0 };

/** Exits of all kinds. */
export const totalExits = (counts: ExitCounts): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** The exits between two counts. */
export function exitsBetween(before: ExitCounts, after: ExitCounts): ExitCounts {
  const kinds = Object.keys(before) as ExitKind[];
  return Object.fromEntries(kinds.map((kind) => [kind, after[kind] - before[kind]])) as unknown as ExitCounts;
}

/** Names of places in an ELF file; none for other bytes. */
function symbolsOf(image: Uint8Array, sizeBytes: number): ReadonlyMap<string, bigint> {
  const elf = image[0] === 0x7f ? parseElf(image, { base: RAM_BASE, sizeBytes }) : undefined;
  return new Map(elf?.kind === "elf" ? elf.symbols.symbols.map(({ name, address }) => [name, address]) : []);
}

/**
 * Puts a kernel into user mode.
 *
 * @param image  An ELF file, or bytes for the beginning of RAM: the same that a bare board would run.
 */
export function guestMachine(image: Uint8Array, options: GuestMachineOptions = {}): GuestMachine {
  const { leaks = [], patches = false, seed, ramBytes = 4 << 20, engine } = options;
  const board = buildBoard({
    isa: { hypervisor: false, leaks },
    ramBytes: ramBytes + Number(GUEST_SHIFT),
    ...(seed === undefined ? {} : { seed }),
    ...(engine === undefined ? {} : { engine }),
  });
  const classic = installClassic(board, { image, ramBytes }, { patches });
  if (classic.kind !== "classic") throw new Error(classic.message);
  board.addSymbols(symbolsOf(image, board.bus.ram.sizeBytes));
  const { state } = classic;
  const csr = (name: CsrName): bigint | undefined => {
    const word: unknown = name in state.csrs ? Reflect.get(state.csrs, name) : undefined;
    return typeof word === "bigint" ? word : undefined;
  };
  return {
    board,
    state,
    mode: () => (state.mode === 3n ? "M" : state.mode === 1n ? "S" : "U"),
    csr,
    exits: () => exitsOf(state),
  };
}

/** A stretch of a run, and the exits in it. */
export interface ExitSlice {
  /** Instructions of the machine, the monitor's included: from, and to. */
  readonly from: number;
  readonly to: number;
  readonly exits: ExitCounts;
}

/** Runs a guest to its end and counts its exits in stretches of equal length. @param every  Instructions of a stretch. */
export function exitsOverTime(guest: GuestMachine, every: number, most = 22_000_000): ExitSlice[] {
  const slices: ExitSlice[] = [];
  for (let from = 0; from < most; ) {
    const before = guest.exits();
    const { reason, retired } = guest.board.run({ instructions: every });
    slices.push({ from, to: retired, exits: exitsBetween(before, guest.exits()) });
    if (reason !== "budget" || retired === from) break;
    from = retired;
  }
  return slices;
}
