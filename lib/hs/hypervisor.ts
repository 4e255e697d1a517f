/**
 * A hypervisor in TypeScript, as a module: what it keeps in RAM, its handlers, and what it does first. `installHypervisor` lays it
 * out, builds its machine code and page tables, and makes harts begin there.
 */
import type { Board } from "../board/board.ts";
import { deviceTreeAddress } from "../board/boot-rom.ts";
import { type LoadError, loadError } from "../board/load-error.ts";
import { decodeCsr } from "../isa/csr-map.ts";
import { causeWords } from "../isa/trap.ts";
import type { HPA } from "./address.ts";
import type { HsContext } from "./context.ts";
import { type Guards, type HypervisorLayout, layOut } from "./hypervisor-layout.ts";
import { HypervisorHandler, stubLabel } from "./hypervisor-vector.ts";
import {
  type HandlerOptions,
  type HsHandler,
  type HsHandlers,
  installHandlers,
  type Steps,
} from "./install.ts";
import { machineStub, STUB_BASE } from "./machine-stub.ts";
import type { FieldType } from "./struct.ts";

/** A handler of a hypervisor. It gets the hart, and where things lie; it keeps nothing. */
export type HypervisorHandle =
  | ((context: HsContext, map: HypervisorMap) => void)
  | ((context: HsContext, map: HypervisorMap) => Steps);

/** A hypervisor. */
export interface HypervisorModule {
  /** Lower case; messages and symbols begin with it. */
  readonly name: string;
  /** What it keeps, by name, in the order in which it lies in RAM: structures, arrays, words. All zero at first. */
  readonly layout: Readonly<Record<string, FieldType<unknown>>>;
  /** Calls of guests by name: number n is the n-th, and entry n of the table in RAM leads to it. */
  readonly hypercalls: Readonly<Record<string, HypervisorHandle>>;
  /** `a7` of the first hypercall; 0 when left out. Guests that also make SBI calls need numbers of their own. */
  readonly firstHypercall?: bigint;
  /** For every other trap. */
  readonly trap: HypervisorHandle;
  /**
   * Once on each hart, first of all. It ends in a guest when it has made `resume` the place `restore`; else the hart idles. `sp` points
   * to the hart's own area.
   */
  readonly init: HypervisorHandle;
  /** Behind each WFI of a hart that idles. */
  readonly idle?: HypervisorHandle;
}

/** Where everything is. */
export interface HypervisorMap extends HypervisorLayout {
  readonly harts: number;
  /** Names of the hypercalls, by number. */
  readonly hypercalls: readonly string[];
  readonly ram: { readonly base: HPA; readonly sizeBytes: bigint };
}

/** How to install. */
export interface HypervisorOptions {
  /** Who is in machine mode before: a stub that hands over at once (when left out), or the caller's firmware with `entry` as its payload. */
  readonly machineMode?: "stub" | "firmware";
  /** Physical address of the image, a multiple of 4096; 0x8020_0000 when left out. */
  readonly base?: bigint;
  /** Moves the image up by up to 511 pages, drawn by this seed: every boot elsewhere. */
  readonly slide?: { readonly seed: number };
  /** Switches of its defenses; see `Guards`. */
  readonly guards?: Partial<Guards>;
  /** How handlers run. */
  readonly handlers?: HandlerOptions;
}

/** An installed hypervisor. */
export interface Hypervisor {
  readonly kind: "hypervisor";
  /** Where a hart enters HS-mode, `a0` being its number. */
  readonly entry: HPA;
  readonly map: HypervisorMap;
}

/** Which hypervisor a board has: wiring, as its handlers are. */
const installed = new WeakMap<Board, HypervisorMap>();

/** Where the hypervisor lies that was installed on a board, or attached to it; `undefined`: there is none. */
export const hypervisorOn = (board: Board): HypervisorMap | undefined => installed.get(board);

/** What an installation is made of before anything is changed. */
interface Plan {
  readonly map: HypervisorMap;
  readonly image: Uint8Array;
}

/**
 * Puts a hypervisor into RAM, registers its handlers, publishes its symbols as `name.symbol`, and (with the stub) makes every hart begin
 * in machine mode before it.
 *
 * @param makeModule  Makes the module. It must make the same one each time, for amnesia mode calls it again and again.
 * @returns           What was installed, or why nothing was.
 * @example
 * const hypervisor = installHypervisor(board, () => myHypervisor);
 * board.run({ instructions: 1_000_000 });
 */
export function installHypervisor(
  board: Board,
  makeModule: () => HypervisorModule,
  options: HypervisorOptions = {},
): Hypervisor | LoadError {
  const module = makeModule();
  const plan = planOf(board, module, options);
  if ("kind" in plan) return plan;
  const { map, image } = plan;
  board.memory.write(map.base, image);
  attach(board, makeModule, map, options);
  const entry = map.addressOf("start");
  if (options.machineMode !== "firmware") beginInStub(board, entry);
  board.addSymbols(new Map([...map.symbols].map(([name, address]) => [`${module.name}.${name}`, address])));
  return { kind: "hypervisor", entry, map };
}

/**
 * Registers the handlers alone, for a board whose RAM has the hypervisor already: one that was opened from an image, or that a replay
 * is about to begin with. The options must be those of the installation.
 */
export function attachHypervisor(
  board: Board,
  makeModule: () => HypervisorModule,
  options: HypervisorOptions = {},
): LoadError | undefined {
  const plan = planOf(board, makeModule(), options);
  if ("kind" in plan) return plan;
  attach(board, makeModule, plan.map, options);
  return undefined;
}

function planOf(board: Board, module: HypervisorModule, options: HypervisorOptions): Plan | LoadError {
  const { ram } = board.bus;
  const laidOut = layOut(module, {
    ram: { base: BigInt(ram.base), end: BigInt(ram.base + ram.sizeBytes) },
    harts: board.harts.length,
    ...options,
  });
  if ("kind" in laidOut) return loadError("no-room", laidOut.message);
  const { image, layout } = laidOut;
  const map = {
    ...layout,
    harts: board.harts.length,
    hypercalls: Object.keys(module.hypercalls),
    ram: { base: BigInt(ram.base) as HPA, sizeBytes: BigInt(ram.sizeBytes) },
  };
  return { map, image };
}

function attach(
  board: Board,
  makeModule: () => HypervisorModule,
  map: HypervisorMap,
  options: HypervisorOptions,
): void {
  installHandlers(board, () => handlersOf(makeModule(), map), options.handlers);
  installed.set(board, map);
}

function beginInStub(board: Board, entry: bigint): void {
  const tree = BigInt(deviceTreeAddress(board.bus.ram, board.deviceTree.length));
  board.memory.write(STUB_BASE, machineStub(entry, tree));
  for (const hart of board.harts) {
    hart.pc = STUB_BASE;
    hart.state.waiting = false;
    hart.stateReplaced();
  }
}

/** What `hx` calls. */
function handlersOf(module: HypervisorModule, map: HypervisorMap): HsHandlers {
  const handler = (role: string, handle: HypervisorHandle): HsHandler => ({
    name: `${module.name} ${role}`,
    handle: (context: HsContext) => handle(context, map),
  });
  const calls = Object.entries(module.hypercalls).map(([name, handle], number) => [
    HypervisorHandler.HYPERCALL + number,
    handler(name, handle),
  ]);
  return {
    ...Object.fromEntries(calls),
    [HypervisorHandler.INIT]: handler("init", module.init),
    [HypervisorHandler.TRAP]: handler("trap", module.trap),
    [HypervisorHandler.IDLE]: handler("idle", module.idle ?? (() => {})),
    [HypervisorHandler.NESTED]: handler("trap in a trap", panic),
  };
}

/** The hypervisor cannot go on: it has trapped itself. The machine stops with this sentence. */
function panic({ csr }: HsContext, map: HypervisorMap): never {
  const { code, interrupt } = decodeCsr("scause", csr.read("scause"));
  const words = causeWords({ isInterrupt: interrupt === 1n, cause: Number(code) });
  const epc = csr.read("sepc");
  const call = map.hypercalls.find((_, number) => map.symbols.get(stubLabel(number)) === epc);
  const place = call === undefined ? "" : ` in hypercall "${call}"`;
  const [at, tval] = [epc, csr.read("stval")].map((word) => `0x${word.toString(16)}`);
  throw new Error(`the hypervisor itself trapped${place}: ${words} at ${at}, tval ${tval}`);
}

/** Address of the entry of a hypercall's table, and what it holds as long as nobody has changed it. */
export const hypercallEntry = (
  map: HypervisorLayout,
  number: number,
): { readonly at: HPA; readonly stub: HPA } => ({
  at: (map.addressOf("hypercall_table") + 8n * BigInt(number)) as HPA,
  stub: map.addressOf(stubLabel(number)),
});

/** Answers a hypercall: `a0` is the value, and the guest goes on behind its call. */
export function answerHypercall({ registers, csr }: HsContext, value: bigint): void {
  registers.a0 = value;
  csr.write("sepc", csr.read("sepc") + 4n);
}
