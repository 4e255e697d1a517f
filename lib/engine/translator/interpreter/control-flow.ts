/** How the cold tier's ops change the pc. */
import type { Emission } from "../emit/emission.ts";
import type { Emitter } from "../emit/emitter.ts";
import type { Code, Label, Local } from "../wasm/code.ts";
import { DATUM, Ending } from "./ending.ts";
import type { InterpreterOp } from "./op.ts";
import { SLOT_IMM, SLOT_SHIFT } from "./slot.ts";

/** Locals of the dispatch loop that say where the guest is. */
export interface ControlLocals {
  readonly hart: Local;
  readonly budget: Local;
  readonly depth: Local;
  readonly frames: Local;
  /** Address of the slot, and of its page. */
  readonly slot: Local;
  readonly page: Local;
  readonly bias: Local;
  /** An address of the guest to go to, i64. */
  readonly target: Local;
  /** Whether going to it is an arrival, at which heat is counted and regions are entered. */
  readonly arriving: Local;
  readonly ending: Local;
}

/** Where control goes on. */
export interface ControlLabels {
  /** With the slot. */
  readonly next: Label;
  /** With the slot, which is an arrival. */
  readonly arrive: Label;
  /** With `target`, wherever it is. */
  readonly look: Label;
  /** Out of the loop, with `target` as the pc. */
  readonly leave: Label;
}

/** Where a control-flow op is emitted. */
export interface ControlPlace {
  readonly e: Emission;
  readonly code: Code;
  readonly locals: ControlLocals;
  readonly labels: ControlLabels;
  /** Bytes from the first slot of a pair to this instruction's. */
  readonly offset: number;
  /** Instructions that have been executed when this one has. */
  readonly count: 1 | 2;
}

type ControlEmitter = Extract<Emitter, { kind: "branch" | "jump" | "jumpRegister" }>;

/** Emits a branch or jump of a slot. Control does not come out at its end. */
export function emitControl(place: ControlPlace, op: InterpreterOp, emitter: ControlEmitter): void {
  if (emitter.kind === "branch") {
    emitter.condition(place.e);
    place.code.if();
    goByOffset(place, op);
    place.code.end();
    goOn(place, op.sizeBytes);
    return;
  }
  if (emitter.kind === "jump") {
    if (op.variant !== "near" && op.variant !== "far") place.e.setRd(() => place.e.followingPc());
    if (op.variant === "callNear" || op.variant === "callFar") countFrame(place, 1);
    goByOffset(place, op);
    return;
  }
  emitJumpRegister(place, op);
}

/** Goes on with the instruction behind one of that size. */
export function goOn(place: ControlPlace, sizeBytes: number): void {
  spend(place);
  addToSlot(place, place.offset + (sizeBytes << SLOT_SHIFT));
  place.code.br(place.labels.next);
}

function goByOffset(place: ControlPlace, { variant }: InterpreterOp): void {
  const { code, locals, labels, e } = place;
  spend(place);
  if (variant === "far" || variant === "callFar" || variant === "link") {
    e.pc();
    pushImmediate(place);
    code.i32(SLOT_SHIFT);
    code.ops("i32.shr_s", "i64.extend_i32_s", "i64.add");
    code.set(locals.target);
    code.br(labels.look);
    return;
  }
  code.get(locals.slot);
  pushImmediate(place);
  code.op("i32.add");
  code.set(locals.slot);
  addToSlot(place, place.offset);
  code.br(variant === "forward" ? labels.next : labels.arrive);
}

/** The base is read before the link is written, for they may be the same. */
function emitJumpRegister(place: ControlPlace, { variant }: InterpreterOp): void {
  const { code, e, locals, labels } = place;
  e.rs1();
  e.imm();
  code.op("i64.add");
  code.i64(-2n);
  code.op("i64.and");
  code.set(locals.target);
  if (variant === "call" || variant === "link") e.setRd(() => e.followingPc());
  if (variant === "call") countFrame(place, 1);
  spend(place);
  if (variant === "return") leaveFrame(place);
  pushIsOtherPage(place);
  code.if();
  if (variant === "return") {
    code.i32(0);
    code.set(locals.arriving);
  }
  code.br(labels.look);
  code.end();
  code.get(locals.target);
  code.op("i32.wrap_i64");
  code.i32(0xffe);
  code.op("i32.and");
  code.i32(SLOT_SHIFT);
  code.op("i32.shl");
  code.get(locals.page);
  code.op("i32.add");
  code.set(locals.slot);
  code.br(variant === "return" ? labels.next : labels.arrive);
}

/** A return of the function that `interpret` was called for goes back to the caller; of another, it is a jump and no arrival. */
function leaveFrame(place: ControlPlace): void {
  const { code, locals, labels } = place;
  code.get(locals.frames);
  code.if();
  countFrame(place, -1);
  code.else();
  code.get(locals.depth);
  code.if();
  code.i32(Ending.RETURN);
  code.set(locals.ending);
  code.br(labels.leave);
  code.end();
  code.end();
}

/** Pushes whether `target` is in another page than the slot. */
function pushIsOtherPage({ code, locals }: ControlPlace): void {
  code.get(locals.page);
  code.i32(SLOT_SHIFT);
  code.ops("i32.shr_u", "i64.extend_i32_u");
  code.get(locals.bias);
  code.op("i64.add");
  code.get(locals.target);
  code.i64(-4096n);
  code.ops("i64.and", "i64.ne");
}

/** A privileged instruction: `interpret` calls the function for it. */
export function emitPrivileged(place: ControlPlace, exit: Label): void {
  const { code, locals } = place;
  code.get(locals.hart);
  pushImmediate(place);
  code.store("i32.store", DATUM);
  code.i32(Ending.PRIVILEGED);
  code.set(locals.ending);
  code.br(exit);
}

function pushImmediate({ code, locals, offset }: ControlPlace): void {
  code.get(locals.slot);
  code.load("i32.load", offset + SLOT_IMM);
}

function spend({ code, locals, count }: ControlPlace): void {
  code.get(locals.budget);
  code.i32(count);
  code.op("i32.sub");
  code.set(locals.budget);
}

function addToSlot({ code, locals }: ControlPlace, bytes: number): void {
  if (bytes === 0) return;
  code.get(locals.slot);
  code.i32(bytes);
  code.op("i32.add");
  code.set(locals.slot);
}

function countFrame({ code, locals }: ControlPlace, change: 1 | -1): void {
  code.get(locals.frames);
  code.i32(change);
  code.op("i32.add");
  code.set(locals.frames);
}
