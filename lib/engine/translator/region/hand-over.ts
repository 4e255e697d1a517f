/** Where a region hands its registers over, to a callee or the privileged function, and takes them back. */
import { HART_LAYOUT } from "../../../hart/layout.ts";
import { fOffset, MAX_DEPTH, SLOT_PRIVILEGED, WORD, xOffset } from "../layout.ts";
import type { Block } from "./graph.ts";
import { Flow } from "./instruction.ts";
import type { Liveness } from "./liveness.ts";
import type { RegionFrame } from "./region-frame.ts";
import { eachRegister } from "./register-set.ts";

/** Loads what is live at the beginning of a block. */
export function writeReload(frame: RegionFrame, liveness: Liveness, number: number): void {
  const { code, hart } = frame;
  code.get(hart);
  code.load("i32.load", WORD.dataBank);
  code.set(frame.bank);
  frame.emission.looks.forget();
  eachRegister(liveness.liveX[number] as number, (register) => {
    code.get(hart);
    code.load("i64.load", xOffset(register));
    code.set(frame.localOfX(register));
  });
  eachRegister(liveness.liveF[number] as number, (register) => {
    code.get(hart);
    code.load("f64.load", fOffset(register));
    code.set(frame.localOfF(register));
  });
}

/** A call that would nest too deep is the interpreter's: it counts it. */
export function bailIfTooDeep({ code, depth, bailIf }: RegionFrame): void {
  code.get(depth);
  code.i32(MAX_DEPTH);
  code.op("i32.ge_s");
  bailIf();
}

/**
 * Calls another region.
 *
 * @param storePc  Stores its address.
 * @param slot     Where the callee is; undefined if the jump cache must be asked.
 */
export function writeCall(frame: RegionFrame, storePc: () => void, slot: number | undefined): void {
  const { code, hart, budget, depth } = frame;
  frame.storeDirty();
  storePc();
  code.get(hart);
  code.get(budget);
  code.get(depth);
  code.i32(1);
  code.op("i32.add");
  if (slot === undefined) frame.pushCachedSlot();
  else code.i32(slot);
  code.callIndirect(frame.functionType);
  code.set(budget);
}

/** Calls the privileged function for the last instruction of a block. */
export function writePrivileged(frame: RegionFrame, { insns, offsets }: Block): void {
  const { code, hart, budget } = frame;
  frame.storeDirty();
  frame.storePc(offsets.at(-1) as number);
  code.get(hart);
  code.get(budget);
  code.i32(1);
  code.op("i32.add");
  code.i32(insns.at(-1)?.word ?? 0);
  code.i32(SLOT_PRIVILEGED);
  code.callIndirect(frame.functionType);
  code.set(budget);
}

/**
 * Goes on behind a call if it came back to where it was called from, and the region still holds in the context of a word. Then
 * nothing is dirty, and nothing loaded.
 */
export function writeReturnCheck(frame: RegionFrame, { flow, nextOffset }: Block, codeBit: number): void {
  const { code, hart, budget } = frame;
  code.get(hart);
  code.load("i64.load", HART_LAYOUT.pc.offset);
  code.i64(frame.pcAt(nextOffset));
  code.op("i64.ne");
  frame.pushMayRun(codeBit);
  code.ops("i32.eqz", "i32.or");
  if (flow === Flow.PRIVILEGED) {
    frame.dispatchIf();
  } else {
    code.if();
    frame.tell("call", frame.offset);
    code.get(budget);
    code.op("return");
    code.end();
  }
  frame.dirtyX = 0;
  frame.dirtyF = 0;
}
