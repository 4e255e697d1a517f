/** CSR instructions: `isa/zicsr.ts` in code. */
import { EventKind } from "../../../bus/event-sink.ts";
import { MODE_NUMBER } from "../../../isa/mode.ts";
import { CSR_TABLE, xOffset } from "../layout.ts";
import type { Code, Label, Local } from "../wasm/code.ts";
import { VIRTUAL } from "./context-code.ts";
import type { Access } from "./csr-access-code.ts";
import { GUARD_CODE } from "./csr-guards.ts";
import { CSR_READS, CSR_WRITES, ENTRY, GUARDS, type Guard, TWIN_DISTANCE } from "./csr-table.ts";
import { pushModeHead } from "./event-code.ts";
import type { Parts } from "./parts.ts";
import type { StateCode } from "./state-code.ts";

/** Pushes a field of an i32 in a local. */
function pushField(code: Code, local: Local, { lsb, width }: { lsb: number; width: number }): void {
  code.get(local);
  code.i32(lsb);
  code.op("i32.shr_u");
  code.i32((1 << width) - 1);
  code.op("i32.and");
}

/** Fields of the instruction. */
const INSN = {
  rd: { lsb: 7, width: 5 },
  /** 1 exchanges, 2 sets, 3 clears. */
  operation: { lsb: 12, width: 2 },
  isImmediate: { lsb: 14, width: 1 },
  source: { lsb: 15, width: 5 },
  csr: { lsb: 20, width: 12 },
} as const;
const EXCHANGE = 1;
const SET = 2;

/** Runs the case with the number that `push` pushes, counted from 1; branches away for others. */
function choose(code: Code, push: () => void, cases: readonly (() => void)[], otherwise: Label): void {
  const done = code.block();
  const labels = cases.map(() => code.block()).reverse();
  push();
  code.i32(1);
  code.op("i32.sub");
  code.brTable(labels, otherwise);
  for (const run of cases) {
    code.end();
    run();
    code.br(done);
  }
  code.end();
}

/** Pushes the address of the word that holds the register whose number is in a local. */
function pushRegister({ code, h }: StateCode, number: Local): void {
  code.get(number);
  code.i32(3);
  code.op("i32.shl");
  code.get(h);
  code.op("i32.add");
}

/** The body of `csr(h, budget, word)`. */
export function csrBody(parts: Parts, state: StateCode, slow: Label): void {
  const { code } = state;
  const word = 2 as Local;
  const mode = state.keep32(() => state.field("mode"));
  const csr = state.keep32(() => pushField(code, word, INSN.csr));
  const operation = state.keep32(() => pushField(code, word, INSN.operation));
  const source = state.keep32(() => pushField(code, word, INSN.source));
  const entry = state.keep32(() => pushEntry(code, csr, 0));
  const [at, old, value, next] = [code.local("i32"), code.local("i64"), code.local("i64"), code.local("i64")];
  const access: Access = { parts, state, slow, mode, csr, at, old, value, next };
  bailIfTooLow(access);
  guard(access, entry);
  useTwin(access, entry);
  pushField(code, entry, ENTRY.place);
  code.i32(3);
  code.op("i32.shl");
  code.get(state.h);
  code.op("i32.add");
  code.set(at);
  const reads = CSR_READS.map(({ push }) => () => {
    push(access);
    code.set(old);
  });
  choose(code, () => pushField(code, entry, ENTRY.read), reads, slow);
  pushWrites(code, operation, source);
  code.if();
  setValue(access, { word, operation, source });
  const writes = CSR_WRITES.map(
    ({ compute }) =>
      () =>
        compute(access),
  );
  choose(code, () => pushField(code, entry, ENTRY.write), writes, slow);
  commit(access);
  code.end();
  setRd(access, word);
  state.retire();
}

/** Pushes the table's word about a CSR. */
function pushEntry(code: Code, csr: Local, distance: number): void {
  code.get(csr);
  code.i32(2);
  code.op("i32.shl");
  code.load("i32.load", CSR_TABLE + 4 * distance);
}

/**
 * Who is less privileged than the CSR's address says traps. HS-mode counts as level 2, a guest's modes as what they would be
 * without V. @spec norm:Zicsr_access
 */
function bailIfTooLow({ state: { code }, mode, csr, slow }: Access): void {
  const { S } = MODE_NUMBER;
  code.i32(2);
  code.get(mode);
  code.i32(VIRTUAL - 1);
  code.op("i32.and");
  code.get(mode);
  code.i32(S);
  code.ops("i32.eq", "select");
  code.get(csr);
  code.i32(8);
  code.op("i32.shr_u");
  code.i32(3);
  code.ops("i32.and", "i32.lt_u");
  code.brIf(slow);
}

function guard(access: Access, entry: Local): void {
  const { code } = access.state;
  const questions = GUARDS.filter((name): name is Exclude<Guard, "none"> => name !== "none");
  pushField(code, entry, ENTRY.guard);
  code.if();
  choose(
    code,
    () => pushField(code, entry, ENTRY.guard),
    questions.map((name) => () => GUARD_CODE[name](access)),
    access.slow,
  );
  code.end();
}

/** In a guest, the VS twin's entry. @spec norm:H_vscsrs_sub */
function useTwin({ state: { code }, mode, csr }: Access, entry: Local): void {
  pushField(code, entry, ENTRY.hasTwin);
  code.get(mode);
  code.i32(VIRTUAL);
  code.ops("i32.ge_u", "i32.and");
  code.if();
  pushEntry(code, csr, TWIN_DISTANCE);
  code.set(entry);
  code.end();
}

/** Pushes whether the instruction writes. @spec norm:csrrs_csrrc_rs1_x0 @spec norm:csrrsi_csrrci_uimm_zero */
function pushWrites(code: Code, operation: Local, source: Local): void {
  code.get(operation);
  code.i32(EXCHANGE);
  code.op("i32.eq");
  code.get(source);
  code.op("i32.or");
}

/** What is written: the operand, or the old value with bits set or cleared. */
function setValue(
  access: Access,
  { word, operation, source }: Record<"word" | "operation" | "source", Local>,
): void {
  const { state, old, value } = access;
  const { code } = state;
  pushField(code, word, INSN.isImmediate);
  code.if("i64");
  code.get(source);
  code.op("i64.extend_i32_u");
  code.else();
  pushRegister(state, source);
  code.load("i64.load", xOffset(0));
  code.end();
  code.set(value);
  code.get(operation);
  code.i32(EXCHANGE);
  code.op("i32.ne");
  code.if();
  code.get(old);
  code.get(value);
  code.op("i64.or");
  code.get(old);
  code.get(value);
  code.i64(-1n);
  code.ops("i64.xor", "i64.and");
  code.get(operation);
  code.i32(SET);
  code.ops("i32.eq", "select");
  code.set(value);
  code.end();
}

/** Reports and stores. */
function commit({ state, parts, mode, csr, at, value, next }: Access): void {
  const { code, h, budget } = state;
  code.get(h);
  code.get(budget);
  pushModeHead(state, EventKind.CSR_WRITE, mode);
  code.get(csr);
  code.op("i64.extend_i32_u");
  code.get(value);
  state.field("pc");
  code.call(parts.recordEvent);
  code.get(at);
  code.get(next);
  code.store("i64.store", 0);
}

/** x0 is written like the others, and is zero again. */
function setRd({ state, old }: Access, word: Local): void {
  const { code, h } = state;
  const rd = state.keep32(() => pushField(code, word, INSN.rd));
  pushRegister(state, rd);
  code.get(old);
  code.store("i64.store", xOffset(0));
  code.get(h);
  code.i64(0n);
  code.store("i64.store", xOffset(0));
}
