/**
 * Privileged instructions without the slow path: CSR accesses, ECALL, MRET, SRET and fences, as functions of WebAssembly that
 * do to the state block, and report, what the reference engine does.
 *
 * They are specialized: each handles the case in which nothing happens but that stored bits move, and leaves every other to the
 * slow path, before the first effect. What each has specialized away stands at the head of its file:
 * - `csr-code.ts`, `csr-reads.ts`, `csr-writes.ts`, `csr-guards.ts`: CSR instructions, from tables that `csr-table.ts` derives
 * - `trap-code.ts`, `trap-entry-code.ts`, `trap-return-code.ts`: trap entry by ECALL, and the returns
 * - `fence-code.ts`: fences, where there is nothing to forget
 * - `context-code.ts`, `space-code.ts`: the change of mode and rights, and of address space; `event-code.ts`: what the trace is told
 *
 * Who calls: generated code, with pc and registers in the block and a budget of at least 1. What it may find changed: all of the
 * block, and the words of `layout.ts`. The runtime keeps its part with `PrivilegedWords` and `EventRing`.
 */
import { h as hypervisorInsns } from "../../../isa/h.ts";
import { privileged as privilegedInsns } from "../../../isa/privileged.ts";
import { rv64i } from "../../../isa/rv64i.ts";
import { EVENT_RING_EVENTS, WORD } from "../layout.ts";
import { Code, type Label, type Local } from "../wasm/code.ts";
import type { ModuleWriter } from "../wasm/module.ts";
import { writeSelectContext } from "./context-code.ts";
import { csrBody } from "./csr-code.ts";
import { writeRecordEvent } from "./event-code.ts";
import { FENCES, fenceBody } from "./fence-code.ts";
import type { Parts } from "./parts.ts";
import { writeSwitchSpace } from "./space-code.ts";
import { StateCode } from "./state-code.ts";
import { ecallBody } from "./trap-entry-code.ts";
import { mretBody, sretBody } from "./trap-return-code.ts";

type Body = (parts: Parts, state: StateCode, slow: Label) => void;

/** Instructions of opcode SYSTEM and funct3 0, by their encodings. */
const SYSTEM: readonly {
  readonly name: string;
  readonly insn: { readonly mask: number; readonly match: number };
  readonly body: Body;
}[] = [
  { name: "ecall", insn: rv64i.ecall, body: ecallBody },
  { name: "sret", insn: privilegedInsns.sret, body: sretBody },
  { name: "mret", insn: privilegedInsns.mret, body: mretBody },
  { name: "sfence.vma", insn: privilegedInsns["sfence.vma"], body: fenceBody(FENCES["sfence.vma"]) },
  { name: "hfence.vvma", insn: hypervisorInsns["hfence.vvma"], body: fenceBody(FENCES["hfence.vvma"]) },
  { name: "hfence.gvma", insn: hypervisorInsns["hfence.gvma"], body: fenceBody(FENCES["hfence.gvma"]) },
];

const OPCODE = 0x7f;
const SYSTEM_OPCODE = 0x73;
/** Bits 13:12 are zero for all of funct3 that are no CSR instruction: 0, and 4, the hypervisor's loads and stores. */
const CSR_OPERATION = 0x3000;

/** A function whose body may give up before its first effect; then the slow path makes the step. */
interface Guarded {
  readonly name: string;
  /** Number of its signature: `h`, `budget`, and perhaps the instruction word. */
  readonly type: number;
  readonly parameters: 2 | 3;
  readonly body: Body;
}

function writeGuarded(module: ModuleWriter, parts: Parts, { name, type, parameters, body }: Guarded): number {
  const index = module.declare(type);
  const code = new Code(parameters);
  const state = new StateCode(code);
  const slow = code.block();
  body(parts, state, slow);
  code.end();
  code.get(state.h);
  code.get(state.budget);
  code.returnCall(parts.slow);
  module.define(index, code.finish());
  module.name(index, name);
  return index;
}

/**
 * Writes the functions into a module that imports the machine's memory.
 *
 * @param imports  `slow`: number of the function `(h, budget) → budget` that makes one step, whatever it is.
 * @returns        Number of the function `(h, budget, word) → budget` that makes one step: the instruction `word` at pc.
 */
export function writePrivileged(module: ModuleWriter, imports: { readonly slow: number }): number {
  const selectContext = writeSelectContext(module);
  const parts: Parts = {
    slow: imports.slow,
    selectContext,
    switchSpace: writeSwitchSpace(module, selectContext),
    recordEvent: writeRecordEvent(module),
  };
  const two = module.type({ parameters: ["i32", "i32"], results: ["i32"] });
  const three = module.type({ parameters: ["i32", "i32", "i32"], results: ["i32"] });
  const csr = writeGuarded(module, parts, { name: "csr", type: three, parameters: 3, body: csrBody });
  const system = SYSTEM.map(({ name, insn, body }) => ({
    insn,
    index: writeGuarded(module, parts, { name, type: two, parameters: 2, body }),
  }));
  const body: Body = (_parts, state, slow) => {
    const { code, h, budget } = state;
    const word = 2 as Local;
    bailUnlessFast(state, word, slow);
    code.get(word);
    code.i32(CSR_OPERATION);
    code.op("i32.and");
    code.if();
    for (const argument of [h, budget, word]) code.get(argument);
    code.returnCall(csr);
    code.end();
    for (const { insn, index } of system) {
      code.get(word);
      code.i32(insn.mask);
      code.op("i32.and");
      code.i32(insn.match);
      code.op("i32.eq");
      code.if();
      code.get(h);
      code.get(budget);
      code.returnCall(index);
      code.end();
    }
  };
  return writeGuarded(module, parts, { name: "privileged", type: three, parameters: 3, body });
}

/** Somebody wants to hear of each event at once, the ring is full, or this is another opcode. */
function bailUnlessFast(state: StateCode, word: Local, slow: Label): void {
  const { code } = state;
  state.word(WORD.fastPrivileged);
  code.op("i32.eqz");
  code.brIf(slow);
  state.word(WORD.waitingEvents);
  code.i32(EVENT_RING_EVENTS);
  code.op("i32.ge_u");
  code.brIf(slow);
  code.get(word);
  code.i32(OPCODE);
  code.op("i32.and");
  code.i32(SYSTEM_OPCODE);
  code.op("i32.ne");
  code.brIf(slow);
}
