/**
 * The referee: an onlooker who checks a machine's invariants behind every trap, hypercall and fence, and can say what is wrong, where, and how
 * one gets there. It shares no walking and no counting with the machine or the hypervisor.
 *
 * It looks at what has changed since the last look, so that it can stay during whole runs; `check` looks at everything, from nothing.
 */
import type { Board } from "../board/board.ts";
import type { HandlerCall, HandlerOutcome, HostHandler } from "../hart/handler-table.ts";
import type { Hart } from "../hart/hart.ts";
import type { TrapEvent } from "../hart/trap-event.ts";
import { type HypervisorMap, hypervisorOn } from "../hs/hypervisor.ts";
import { HsArea, HypervisorHandler } from "../hs/hypervisor-vector.ts";
import { SaveArea } from "../hs/vector.ts";
import { registerIndex } from "../isa/register.ts";
import { causeWords } from "../isa/trap.ts";
import { ChangedPages, UNWATCHED } from "./changed-pages.ts";
import { HypervisorBook, type HypervisorRules } from "./hypervisor-book.ts";
import { dueNow, Liveness } from "./liveness.ts";
import type { Step } from "./page-tables.ts";
import { type Finding, type Invariant, type Violation, violationsText } from "./violation.ts";

/** What the referee knows and how it judges, beside the hypervisor's own tables. */
export interface RefereeOptions extends Partial<HypervisorRules> {
  /** Whether a domain may make a hypercall, by number (I7). All may when left out. */
  readonly mayCall?: (domain: number, hypercall: number) => boolean;
  /** Within how many instructions an interrupt is delivered (I11); 5,000,000 when left out. */
  readonly deliveredWithin?: number;
  /** Invariants that are looked at; all when left out. */
  readonly invariants?: readonly Invariant[];
  /** Told of each violation when it is first noticed. */
  readonly onViolation?: (violation: Violation) => void;
}

/** How often the referee looked. */
export interface Looks {
  readonly traps: number;
  readonly calls: number;
  readonly fences: number;
  /** Pages that had changed, all looks together. */
  readonly pages: number;
}

const DELIVERED_WITHIN = 5_000_000;
/** Violations of one invariant that are kept; the first ones count. */
const MOST_OF_ONE = 20;
const LINES = 20;
const FENCES: ReadonlySet<string> = new Set(["sfence.vma", "hfence.gvma", "hfence.vvma", "fence.i"]);
const ROLES: Readonly<Record<number, string>> = {
  [HypervisorHandler.INIT]: "the first handler",
  [HypervisorHandler.TRAP]: "the handler of traps",
  [HypervisorHandler.NESTED]: "a trap in a trap",
  [HypervisorHandler.IDLE]: "the handler of an idle hart",
};
/** Where the vector has saved the guest's `a0`. */
const SAVED_A0 = BigInt(HsArea.offsetOf("saved") + SaveArea.offsetOf("x") + 8 * registerIndex("a0"));

/**
 * Sets a referee beside a board whose hypervisor has just been installed: what its code is now is what it must stay. Throws `RangeError` when
 * the board has no hypervisor.
 *
 * @param hypervisor  What `installHypervisor` or `installVmm` returned; the one that the board has when left out. All frames are judged where
 *                    it keeps the reference hypervisor's tables; of any other, what its guests reach of its own memory.
 * @example
 * const judge = referee(board);
 * board.run({ instructions: 1_000_000 });
 * console.log(judge.report());
 */
export function referee(
  board: Board,
  hypervisor?: { readonly map: HypervisorMap },
  options: RefereeOptions = {},
): Referee {
  const map = hypervisor?.map ?? hypervisorOn(board);
  if (map === undefined)
    throw new RangeError("this board has no hypervisor: install one before you ask for a referee");
  return new Referee(board, map, options);
}

/** Watches a board. `referee` makes one. */
export class Referee {
  readonly #board: Board;
  readonly #map: HypervisorMap;
  readonly #options: RefereeOptions;
  readonly #book: HypervisorBook;
  readonly #liveness: Liveness;
  readonly #violations: Violation[] = [];
  readonly #known = new Set<string>();
  readonly #kept = new Map<Invariant, number>();
  readonly #looks = { traps: 0, calls: 0, fences: 0, pages: 0 };
  readonly #stops: (() => void)[] = [];
  /** Handlers that work at this moment: what they keep may be half done. */
  #working = 0;

  constructor(board: Board, map: HypervisorMap, options: RefereeOptions) {
    this.#board = board;
    this.#map = map;
    this.#options = options;
    this.#book = new HypervisorBook(board, map, options, new ChangedPages(board.bus.ram));
    this.#liveness = new Liveness(options.deliveredWithin ?? DELIVERED_WITHIN);
    this.#stops.push(board.onTrap((event) => this.#afterTrap(event)));
    for (const number of board.handlers.numbers) this.#accompany(number);
  }

  /** What was found while the machine ran, in the order of finding; each object once for each invariant. */
  get violations(): readonly Violation[] {
    return this.#violations;
  }

  /** How often it has looked. */
  get looks(): Looks {
    return { ...this.#looks };
  }

  /** What was found, in words; or that nothing was, and how often it looked. */
  report(): string {
    const { traps, calls, fences } = this.#looks;
    const looked = `${traps} traps, ${calls} calls of handlers and ${fences} fences`;
    return this.#violations.length === 0
      ? `No invariant was broken: the referee looked behind ${looked}.`
      : violationsText(this.#violations);
  }

  /**
   * Looks at everything as it is now. What it finds is not added to `violations`.
   *
   * @param fresh  Whether it counts from nothing; if not, it takes what it has kept up to date while it watched, which is faster.
   */
  check({ fresh = true }: { readonly fresh?: boolean } = {}): readonly Violation[] {
    const book = fresh
      ? new HypervisorBook(this.#board, this.#map, this.#options, UNWATCHED, this.#book.sealed)
      : this.#book;
    book.refresh();
    const findings = [...book.everything(this.#isSettled)];
    const context = this.#contextOf(this.#board.hart, "being asked");
    return findings
      .filter(({ invariant }) => this.#isAsked(invariant))
      .map((finding, index) => ({
        ...finding,
        ...context,
        walk: index < MOST_OF_ONE ? this.#walkOf(finding) : (finding.walk ?? []),
      }));
  }

  /** Stops watching. The handlers stay as they are, and are no longer accompanied. */
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  get #isSettled(): boolean {
    return this.#working === 0 && this.#board.handlers.unfinished.count === 0;
  }

  get #isOff(): boolean {
    return this.#stops.length === 0 || this.#board.history.isRepeating;
  }

  #afterTrap(event: TrapEvent): void {
    if (this.#isOff) return;
    this.#looks.traps += 1;
    const hart = this.#board.harts[event.hart] ?? this.#board.hart;
    if (event.trap.isInterrupt) this.#liveness.delivered(hart.id);
    const after = `trap: ${causeWords(event.trap)}`;
    this.#report(this.#book.guestOf(hart, event.from), hart, after);
    this.#look(hart, after);
  }

  /** Stands behind a handler from now on. */
  #accompany(number: number): void {
    const { handlers } = this.#board;
    const inner = handlers.get(number);
    if (inner === undefined) return;
    const outer: HostHandler = (call) => (this.#isOff ? inner(call) : this.#call(inner, call, number));
    handlers.register(number, outer);
    this.#stops.push(() => {
      if (handlers.get(number) === outer) handlers.register(number, inner);
    });
  }

  #call(inner: HostHandler, call: HandlerCall, number: number): HandlerOutcome {
    const { hart } = call;
    const caller = number >= HypervisorHandler.HYPERCALL ? this.#book.domainOn(hart) : undefined;
    this.#working += 1;
    let outcome: HandlerOutcome;
    try {
      outcome = inner({ hart, issue: (insn) => this.#issue(call, insn) });
    } finally {
      this.#working -= 1;
    }
    if (outcome === "unfinished") return outcome;
    this.#looks.calls += 1;
    const after = this.#callName(number);
    if (outcome === undefined) this.#judgeCall(hart, caller, number, after);
    this.#look(hart, after);
    if (this.#isSettled)
      this.#report(
        this.#liveness.late(dueNow(this.#board.harts, this.#book.state), this.#board.clock.retired),
        hart,
        after,
      );
    return outcome;
  }

  #callName(number: number): string {
    const hypercall = this.#map.hypercalls[number - HypervisorHandler.HYPERCALL];
    const role = hypercall === undefined ? ROLES[number] : `hypercall "${hypercall}"`;
    return role === undefined ? `hx ${number}` : `${role} (hx ${number})`;
  }

  #issue({ hart, issue }: HandlerCall, insn: Parameters<HandlerCall["issue"]>[0]) {
    const trap = issue(insn);
    if (insn.mnemonic === undefined || !FENCES.has(insn.mnemonic)) return trap;
    this.#looks.fences += 1;
    this.#look(hart, insn.mnemonic);
    return trap;
  }

  /** I7. */
  #judgeCall(hart: Hart, domain: number | undefined, number: number, after: string): void {
    const hypercall = number - HypervisorHandler.HYPERCALL;
    if (domain === undefined || (this.#options.mayCall?.(domain, hypercall) ?? true)) return;
    const answer = this.#board.memory.load(hart.read("sp") + SAVED_A0, 8);
    if (typeof answer !== "bigint" || BigInt.asIntN(64, answer) < 0n) return;
    const sentence = `Domain ${domain} may not make hypercall ${hypercall} ("${this.#map.hypercalls[hypercall]}"), and was answered ${answer}, which is no error.`;
    this.#report(
      [{ invariant: "I7", object: `hypercall ${hypercall} of domain ${domain}`, sentence }],
      hart,
      after,
    );
  }

  #look(hart: Hart, after: string): void {
    const pages = this.#book.refresh();
    this.#looks.pages += pages;
    this.#report(this.#book.changed(this.#isSettled), hart, after);
  }

  #isAsked(invariant: Invariant): boolean {
    return this.#options.invariants?.includes(invariant) ?? true;
  }

  #report(findings: Iterable<Finding>, hart: Hart, after: string): void {
    for (const finding of findings) {
      const { invariant, object } = finding;
      const key = `${invariant} ${object}`;
      const kept = this.#kept.get(invariant) ?? 0;
      if (!this.#isAsked(invariant) || this.#known.has(key) || kept >= MOST_OF_ONE) continue;
      this.#known.add(key);
      this.#kept.set(invariant, kept + 1);
      const violation: Violation = {
        ...finding,
        ...this.#contextOf(hart, after),
        walk: this.#walkOf(finding),
      };
      this.#violations.push(violation);
      this.#options.onViolation?.(violation);
    }
  }

  /** The whole way: through the guest's own tables, where they come by, and through the second stage. */
  #walkOf({ walk = [], entry }: Finding): readonly Step[] {
    return entry === undefined ? walk : [...this.#book.guestWalkTo(entry), ...walk];
  }

  #contextOf(hart: Hart, after: string): Pick<Violation, "step" | "hart" | "pc" | "after" | "lastEvents"> {
    const step = this.#board.clock.retired;
    return { step, hart: hart.id, pc: hart.pc, after, lastEvents: this.#board.lastEvents(LINES) };
  }
}
