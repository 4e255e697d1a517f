/** The function that reports: `(h, budget, head, a, b, c)`, where `head` holds kind and detail where a record has them. */
import { RECORD } from "../../../bus/event-record.ts";
import type { EventKind } from "../../../bus/event-sink.ts";
import { EVENT_BYTES, EVENT_RING, WORD } from "../layout.ts";
import { Code, type Local } from "../wasm/code.ts";
import type { ModuleWriter } from "../wasm/module.ts";
import { type Push, StateCode } from "./state-code.ts";
import { PRIVILEGED_WORD } from "./words.ts";

/** Bits from one byte of a record's head to the next. */
const BYTE = 8;

/** Writes the function; its number. The ring must have room. */
export function writeRecordEvent(module: ModuleWriter): number {
  const type = module.type({ parameters: ["i32", "i32", "i32", "i64", "i64", "i64"], results: [] });
  const index = module.declare(type);
  const code = new Code(6);
  const state = new StateCode(code);
  const [head, ...words] = [2, 3, 4, 5] as Local[] as [Local, Local, Local, Local];
  const waiting = state.keep32(() => state.word(WORD.waitingEvents));
  const at = state.keep32(() => {
    code.get(waiting);
    code.i32(EVENT_BYTES);
    code.op("i32.mul");
  });
  code.get(at);
  code.get(head);
  state.word(PRIVILEGED_WORD.hartId);
  code.i32(BYTE * RECORD.hart);
  code.ops("i32.shl", "i32.or", "i64.extend_i32_u");
  code.store("i64.store", EVENT_RING + RECORD.kind);
  code.get(at);
  state.retired();
  code.op("i64.trunc_f64_u");
  code.store("i64.store", EVENT_RING + RECORD.retired);
  for (const [number, word] of words.entries()) {
    code.get(at);
    code.get(word);
    code.store("i64.store", EVENT_RING + RECORD.a + 8 * number);
  }
  state.setWord(WORD.waitingEvents, () => {
    code.get(waiting);
    code.i32(1);
    code.op("i32.add");
  });
  module.define(index, code.finish());
  module.name(index, "recordEvent");
  return index;
}

/** Pushes the head of a record with a detail that is a mode. */
export function pushModeHead({ code }: StateCode, kind: EventKind, mode: Local): void {
  code.get(mode);
  code.i32(BYTE * RECORD.detail);
  code.op("i32.shl");
  code.i32(kind);
  code.op("i32.or");
}

/** Pushes the head of a record whose detail is a change of modes. */
export function pushChangeHead({ code }: StateCode, kind: EventKind, from: Local, to: Push): void {
  code.get(from);
  code.i32(4);
  code.op("i32.shl");
  to();
  code.op("i32.or");
  code.i32(BYTE * RECORD.detail);
  code.op("i32.shl");
  code.i32(kind);
  code.op("i32.or");
}
