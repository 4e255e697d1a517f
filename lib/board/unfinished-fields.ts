/** Handlers in the middle of their work, as fields of an image. */
import type { LoggedOperation, UnfinishedCall } from "../hart/unfinished-calls.ts";
import type { Trap } from "../isa/trap.ts";
import type { Plain } from "./plain-data.ts";
import { PlainFields } from "./plain-fields.ts";

/** Calls, as plain data. */
export const unfinishedFields = (calls: readonly UnfinishedCall[]): Plain =>
  calls.map((call) => ({
    ...call,
    registers: [...call.registers],
    log: call.log.map(
      (operation): Plain =>
        operation.kind === "trap" ? { ...operation, trap: { ...operation.trap } } : { ...operation },
    ),
  }));

/** The calls of an image; older ones have none. */
export function unfinishedFrom(fields: PlainFields): readonly UnfinishedCall[] {
  if (fields.any("unfinishedCalls") === undefined) return [];
  return fields.list("unfinishedCalls").map((value) => {
    const call = new PlainFields(value, "unfinishedCalls");
    const registers = call.list("registers");
    return {
      hart: call.whole("hart", 0, 3),
      number: call.whole("number", 0, 4095),
      pc: call.bigint("pc"),
      mode: call.whole("mode", 0, 7),
      registers: registers.map((word) =>
        typeof word === "bigint" ? word : call.refuse("registers", "words"),
      ),
      log: call.list("log").map(operationFrom),
    };
  });
}

function operationFrom(value: Plain): LoggedOperation {
  const fields = new PlainFields(value, "log");
  const kind = fields.text("kind");
  if (kind === "yield") return { kind };
  const word = fields.whole("word", 0, 2 ** 32 - 1);
  if (kind === "value") return { kind, word, value: fields.bigint("value") };
  return kind === "trap"
    ? { kind, word, trap: trapFrom(fields.fields("trap")) }
    : fields.refuse("kind", "an operation");
}

const trapFrom = (fields: PlainFields): Trap => ({
  isInterrupt: fields.any("isInterrupt") === true,
  cause: fields.whole("cause", 0, 63),
  tval: fields.bigint("tval"),
  tval2: fields.bigint("tval2"),
  tinst: fields.bigint("tinst"),
  gva: fields.any("gva") === true,
});
