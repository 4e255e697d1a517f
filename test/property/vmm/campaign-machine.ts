/** Machines that random programs run on: each is built once, and every program begins at the same snapshot, with a referee beside it. */
import type { Snapshot } from "../../../lib/board/snapshot.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { hpa } from "../../../lib/hs/address.ts";
import type { HypervisorHandle, HypervisorModule } from "../../../lib/hs/hypervisor.ts";
import { installHypervisor } from "../../../lib/hs/hypervisor.ts";
import { onlooker } from "../../../lib/hs/onlooker.ts";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { type Referee, referee } from "../../../lib/referee/referee.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { OrderKind, PARAVIRTUAL_BASE, paravirtualPlaces, vmmState } from "../../../lib/vmm/layout.ts";
import { type Guest, loadGuests } from "../../../lib/vmm/loader.ts";
import { vmmModule } from "../../../lib/vmm/module.ts";
import { giveOrder } from "../../../lib/vmm/operator.ts";
import type { VmmScene } from "../../unit/vmm/vmm-scene.ts";
import {
  type Beginning,
  type Compiled,
  Compiler,
  codeOf,
  isVirtual,
  ORDINARY,
  ordinaryStart,
  VIRTUAL,
  VIRTUAL_START,
} from "./campaign-code.ts";
import {
  type CampaignProgram,
  operationText,
  PAGES,
  PV,
  programText,
  type SceneName,
} from "./campaign-operations.ts";

const BOARD_BYTES = 16 << 20;
const RAM = 0x8000_0000n;
/** No slice ends while a program runs: whose turn it is the programs say themselves. */
const LONG = 2 ** 40;
const PLENTY = 2_000_000;
const FOR_A_STEP = 6_000;
/** Place of the first of the pages that are looked at for equal ones. */
const FIRST_PAGE = 0x203;

/** What came of a program: how often each operation was made and done, and what was wrong. */
export interface Outcome {
  readonly finding: string | undefined;
  readonly done: readonly { readonly act: string; readonly isDone: boolean }[];
}

function guestsOf(name: SceneName): readonly Guest[] {
  const image = (text: string, origin: bigint, bytes: number): Uint8Array => {
    const built = assemble(text, { origin });
    if (built.kind !== "program") throw new Error(built.message);
    const whole = new Uint8Array(bytes);
    whole.set(built.bytes);
    return whole;
  };
  const ordinary = (domain: number): Uint8Array => image(ordinaryStart(domain), RAM, ORDINARY.bytes);
  const large: Guest = { image: ordinary(1), ramBytes: 0x60_0000, largePages: true };
  const small = (domain: number): Guest => ({ image: ordinary(domain), ramBytes: 0x40_0000 });
  if (name === "three") return [large, small(2), small(3)];
  if (name === "two") return [small(1), small(2)];
  const virtual = image(VIRTUAL_START, PARAVIRTUAL_BASE, VIRTUAL.bytes);
  return [large, small(2), { image: virtual, ramBytes: 4096 * PV.pages, begins: "paravirtual" }];
}

/** One machine. */
export class CampaignMachine {
  readonly #name: SceneName;
  readonly #scene: VmmScene;
  readonly #start: Snapshot;
  readonly #beginning: Beginning;
  #judge: Referee;
  /** The hypervisor from the snapshot on. */
  #module: HypervisorModule;
  readonly #right: HypervisorModule;

  constructor(name: SceneName) {
    const board = buildBoard({ ramBytes: BOARD_BYTES, translations: name === "two" ? "coherent" : "sticky" });
    this.#name = name;
    this.#right = vmmModule(BOARD_BYTES);
    this.#module = this.#right;
    const made = installHypervisor(board, () => this.#changeable());
    if (made.kind !== "hypervisor") throw new Error(made.message);
    const scheduler = name === "two" ? "CREDIT" : "ROUND_ROBIN";
    const load = { guests: guestsOf(name), operated: true, slice: LONG, period: LONG, scheduler } as const;
    const refused = loadGuests(board, made.map, load);
    if (refused !== undefined) throw new Error(refused.message);
    this.#scene = { board, vmm: { ...made, kind: "vmm", state: vmmState(onlooker(board), made.map) } };
    if (!this.#runTo(codeOf(name, 1), PLENTY)) throw new Error("the guests do not begin");
    this.#beginning = this.#look();
    this.#start = board.snapshot();
    this.#judge = referee(board, this.#scene.vmm);
  }

  /** From now on this is the hypervisor; `undefined`: the right one. */
  use(module: ((ramBytes: number) => HypervisorModule) | undefined): void {
    this.#module = module?.(BOARD_BYTES) ?? this.#right;
  }

  /** A program in plain words. */
  words({ scene, operations }: CampaignProgram): string {
    const made = new Compiler(this.#name, this.#beginning).compile({ scene, operations }).operations;
    return programText({ scene, operations: made });
  }

  /** Runs a program from the beginning. */
  run(program: CampaignProgram): Outcome {
    const { board } = this.#scene;
    board.revert(this.#start);
    const compiled = new Compiler(this.#name, this.#beginning).compile(program);
    let thrown: string | undefined;
    let isEnded = false;
    try {
      isEnded = this.#play(compiled);
    } catch (error) {
      thrown = `the hypervisor threw: ${error instanceof Error ? error.message : String(error)}`;
    }
    const done = this.#done(program, compiled);
    const [violation] = this.#judge.violations;
    if (violation !== undefined || thrown !== undefined) {
      this.#judge.stop();
      board.revert(this.#start);
      this.#judge = referee(board, this.#scene.vmm);
    }
    const finding =
      violation === undefined
        ? (thrown ?? this.#difference(compiled, isEnded))
        : `${violation.invariant}: ${violation.sentence}`;
    return { finding, done };
  }

  #changeable(): HypervisorModule {
    const hypercalls = Object.fromEntries(
      Object.keys(this.#right.hypercalls).map((name) => [
        name,
        (...[context, map]: Parameters<HypervisorHandle>) => this.#module.hypercalls[name]?.(context, map),
      ]),
    );
    return {
      ...this.#right,
      hypercalls,
      trap: (...args) => this.#module.trap(...args),
      idle: (...args) => this.#module.idle?.(...args),
    };
  }

  /** Whether the program came to its end. Nobody judges what it did. */
  #play({ texts, expected, last, scans }: Compiled): boolean {
    const { board } = this.#scene;
    const symbols = new Map<number, ReadonlyMap<string, bigint>>();
    for (const [domain, text] of texts) {
      const built = assemble(text, { origin: codeOf(this.#name, domain) });
      if (built.kind !== "program") throw new Error(built.message);
      board.memory.write(this.#pieceOf(domain) + this.#placesOf(domain).code, built.bytes);
      symbols.set(domain, built.symbols);
    }
    const at = (domain: number, label: string): bigint => symbols.get(domain)?.get(label) ?? 0n;
    const budget = PLENTY / 20 + FOR_A_STEP * expected.length;
    for (const { domain, label, hasCollisions } of scans) {
      if (!this.#runTo(at(domain, label), budget)) return false;
      this.#scan(hasCollisions);
    }
    return this.#runTo(at(last, "end"), budget);
  }

  /** The operator has the pages looked at that programs are about; the guest that has the hart waits for that. */
  #scan(hasCollisions: boolean): void {
    const { board, vmm } = this.#scene;
    const { pageSharing, order } = vmm.state;
    pageSharing.hashBits = hasCollisions ? 1 : 0;
    for (const domain of [1, 2]) {
      pageSharing.domain = domain;
      pageSharing.page = FIRST_PAGE;
      giveOrder(this.#scene, { kind: "SCAN", words: [BigInt(PAGES)] });
      writeCsr(board.hart, "stimecmp", 0n);
      board.hart.stateReplaced();
      for (let piece = 0; piece < 40 && order.kind !== OrderKind.NONE; piece++)
        board.run({ instructions: 20 });
    }
  }

  #runTo(pc: bigint, budget: number): boolean {
    const { board } = this.#scene;
    const end = board.clock.retired + budget;
    while (board.clock.retired < end) {
      const { reason } = board.run({ instructions: end - board.clock.retired, until: { pc } });
      if (board.hart.mode === "VS" && board.hart.pc === pc) return true;
      if (reason !== "breakpoint") return false;
    }
    return false;
  }

  /** The first thing that a guest saw and should not have, in words. */
  #difference({ operations, expected, printed }: Compiled, isEnded: boolean): string | undefined {
    for (const each of expected) {
      const answer = this.#answerOf(each);
      if (answer === each.answer) continue;
      const operation = operations[each.operation];
      const words = operation === undefined ? "nothing" : operationText(this.#name, operation);
      return `${words}: ${answer} instead of ${each.answer}${isEnded ? "" : "; the program does not end"}`;
    }
    if (!isEnded) return "the program does not end";
    for (const [domain, text] of printed) {
      const seen = printedBy(this.#scene.vmm, domain);
      if (seen !== text) return `domain ${domain} printed "${seen}" instead of "${text}"`;
    }
    return undefined;
  }

  #done({ operations }: CampaignProgram, { expected }: Compiled): Outcome["done"] {
    return expected.flatMap((each, index) => {
      if (expected[index + 1]?.operation === each.operation) return [];
      const { act } = operations[each.operation] ?? { act: "?" };
      return [{ act, isDone: this.#answerOf(each) >= 0n }];
    });
  }

  #answerOf({ domain, index }: Compiled["expected"][number]): bigint {
    const at = this.#pieceOf(domain) + this.#placesOf(domain).log + 8n * BigInt(index);
    return BigInt.asIntN(64, this.#word(at));
  }

  #placesOf(domain: number) {
    const { log, code } = isVirtual(this.#name, domain) ? VIRTUAL : ORDINARY;
    return { log: BigInt(log), code: BigInt(code) };
  }

  /** Where the loader has put a domain's image: its pages are the domain's own from the first touch on. */
  #pieceOf(domain: number): bigint {
    return this.#scene.vmm.state.bootInfo.domain.get(domain - 1).pieces.get(0).from;
  }

  #word = (at: bigint): bigint => {
    const word = this.#scene.board.memory.load(at, 8);
    if (typeof word !== "bigint") throw new Error(`no RAM at 0x${at.toString(16)}`);
    return word;
  };

  #look(): Beginning {
    const { vmm } = this.#scene;
    const { info, list } = paravirtualPlaces(PV.pages);
    const frames: bigint[] = [];
    if (this.#name === "paravirtual") {
      const told = vmm.state.bootInfo.domain.get(2).pieces.get(1).from + 4096n * BigInt(list - info);
      for (let page = 0; page < PV.pages; page++) frames.push(this.#word(told + 8n * BigInt(page)) << 12n);
    }
    return {
      frames,
      neighbor: hpa(this.#pieceOf(1)),
      hypervisor: vmm.map.addressOf("frame_table"),
      word: this.#word,
    };
  }
}
