/** Exercise A4.3: a device as a function of its state and one access, held against a model in random histories. */
import fc from "fast-check";
import type { Answer, Outcome } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import {
  describeInert,
  FunctionHandle,
  type Inert,
  isInertRecord,
  member,
  Opaque,
} from "../../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../../checks/property.ts";

/** One access to the device. `value` is 0 for loads. */
interface DeviceAccess {
  readonly isStore: boolean;
  readonly offset: number;
  readonly width: 1 | 2 | 4 | 8;
  readonly value: bigint;
}

/** What an access gives: a value of a load, nothing of a store, or a bus error. */
type Reply = { readonly value: bigint } | { readonly fault: true } | { readonly value: undefined };

const IDENTITY = 0x6430_6d30n;
const CAPACITY = 8;
const OFFSET = { id: 0, count: 4, data: 8, status: 12 } as const;

/** The model: a queue of bytes, and whether one was lost. */
class Mailbox {
  readonly #bytes: bigint[] = [];
  #isLost = false;

  serve({ isStore, offset, width, value }: DeviceAccess): Reply {
    const isData = offset === OFFSET.data;
    const isRegister = (Object.values(OFFSET) as number[]).includes(offset);
    if (!isRegister || (width !== 4 && !(isData && width === 1))) return { fault: true };
    return isStore ? this.#store(offset, value) : { value: this.#load(offset) };
  }

  #load(offset: number): bigint {
    if (offset === OFFSET.id) return IDENTITY;
    if (offset === OFFSET.count) return BigInt(this.#bytes.length);
    if (offset === OFFSET.data) return this.#bytes.shift() ?? 0n;
    return (this.#bytes.length > 0 ? 1n : 0n) | (this.#isLost ? 2n : 0n);
  }

  #store(offset: number, value: bigint): Reply {
    if (offset === OFFSET.data) {
      if (this.#bytes.length < CAPACITY) this.#bytes.push(value & 0xffn);
      else this.#isLost = true;
    }
    if (offset === OFFSET.status && (value & 2n) !== 0n) this.#isLost = false;
    return { value: undefined };
  }
}

type Family = "queue" | "status" | "widths" | "readonly";

const access = (
  isStore: fc.Arbitrary<boolean>,
  offset: fc.Arbitrary<number>,
  width: fc.Arbitrary<1 | 2 | 4 | 8>,
): fc.Arbitrary<DeviceAccess> =>
  fc.record({ isStore, offset, width, value: fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }) }).map((each) => ({
    ...each,
    value: each.isStore ? each.value & ((1n << BigInt(8 * each.width)) - 1n) : 0n,
  }));

const both = fc.boolean();
const data = access(both, fc.constant<number>(OFFSET.data), fc.constantFrom(1, 4));
const filling = access(fc.constant(true), fc.constant<number>(OFFSET.data), fc.constantFrom(1, 4));
const status = access(both, fc.constant<number>(OFFSET.status), fc.constant(4));
const count = access(fc.constant(false), fc.constant<number>(OFFSET.count), fc.constant(4));
const any = access(both, fc.constantFrom(0, 4, 8, 12, 16, 2, 9), fc.constantFrom(1, 2, 4, 8));
const fixed = access(both, fc.constantFrom<number>(OFFSET.id, OFFSET.count), fc.constant(4));

const HISTORIES: Readonly<Record<Family, fc.Arbitrary<DeviceAccess[]>>> = {
  queue: fc.array(fc.oneof({ weight: 4, arbitrary: data }, { weight: 1, arbitrary: count }), {
    minLength: 1,
    maxLength: 24,
    size: "max",
  }),
  status: fc.array(
    fc.oneof(
      { weight: 8, arbitrary: filling },
      { weight: 1, arbitrary: data },
      { weight: 4, arbitrary: status },
    ),
    { minLength: 1, maxLength: 40, size: "max" },
  ),
  widths: fc.array(fc.oneof({ weight: 2, arbitrary: any }, data), { minLength: 1, maxLength: 16 }),
  readonly: fc.array(fc.oneof(fixed, data), { minLength: 1, maxLength: 16 }),
};

const nameOf = (offset: number): string =>
  Object.entries(OFFSET)
    .find(([, at]) => at === offset)?.[0]
    .toUpperCase() ?? `+${offset}`;

const accessText = ({ isStore, offset, width, value }: DeviceAccess): string =>
  `${isStore ? "store" : "load"}${8 * width} ${nameOf(offset)}${isStore ? ` 0x${value.toString(16)}` : ""}`;

/** What to say about the first reply that differs. */
function hintFor({ isStore, offset, width }: DeviceAccess, wanted: Reply, reply: Inert): string {
  const isFault = member(reply, "fault") === true;
  if ("fault" in wanted)
    return "A register exists at 0, 4, 8 and 12 and has four bytes; DATA takes single bytes, too. Everything else is { state, fault: true }, and changes nothing.";
  if (isFault)
    return "That access is allowed: four bytes at 0, 4, 8 or 12, or one byte at 8. Stores to ID and COUNT are allowed, and do nothing.";
  if (isStore) return "Return { state } for a store.";
  if (offset === OFFSET.id) return "ID is always 0x64306d30.";
  if (offset === OFFSET.data)
    return width === 4
      ? "A load of DATA takes the oldest byte out, in the low eight bits; the rest is 0. Empty, it gives 0."
      : "A load of DATA takes the oldest byte out. Bytes come out in the order in which they went in; a refused access takes none.";
  if (offset === OFFSET.count)
    return "COUNT is how many bytes wait, 8 at most. Only the low byte of a store to DATA goes in.";
  return "STATUS: bit 0 says that a byte waits; bit 1 that one was lost, because 8 were waiting. Bit 1 stays until a store to STATUS has a 1 there.";
}

const PLAIN =
  "The state must be plain data (numbers, bigints, lists, records): the next call gets a copy of it, in which a class has neither methods nor private members.";

/** Most of a state that is looked at for functions. */
const MOST_LOOKED_AT = 1_000;

/** What of a state is no data, such as "a function". */
function foreignIn(state: Inert): string | undefined {
  const open: Inert[] = [state];
  for (let looked = 0; looked < MOST_LOOKED_AT && open.length > 0; looked += 1) {
    const each = open.pop();
    if (each instanceof FunctionHandle || each instanceof Opaque) return describeInert(each);
    if (Array.isArray(each)) for (const item of each.slice(0, MOST_LOOKED_AT) as Inert[]) open.push(item);
    else if (isInertRecord(each)) for (const item of Object.values(each)) open.push(item);
  }
  return undefined;
}

/** Why a call gave nothing. Objects of a class become records between two calls, and then their methods are missed. */
function lost(outcome: Outcome | undefined, state: Inert, done: readonly string[]): Broken {
  const category = outcome?.ok === false ? outcome.category : "did not answer";
  const isMissed = category === "threw TypeError" && state !== undefined;
  const message = outcome?.ok === false ? outcome.message : "";
  return {
    hint: `serve ${category}.${isMissed ? ` ${PLAIN}` : ""}`,
    detail: done.length === 0 ? message : `${message}; after ${done.join("; ")}`,
  };
}

function sameReply(wanted: Reply, reply: Inert): boolean {
  const isFault = member(reply, "fault") === true;
  if ("fault" in wanted) return isFault;
  return !isFault && (wanted.value === undefined || member(reply, "value") === wanted.value);
}

/** Plays histories side by side; the state is whatever the answer returned. */
function play(answer: Answer, histories: readonly (readonly DeviceAccess[])[]): (Broken | undefined)[] {
  const runs = histories.map((history) => ({
    history,
    model: new Mailbox(),
    state: undefined as Inert,
    done: [] as string[],
    broken: undefined as Broken | undefined,
  }));
  const longest = Math.max(0, ...histories.map(({ length }) => length));
  for (let round = 0; round < longest; round += 1) {
    const live = runs.flatMap((run) => {
      const next = run.history[round];
      return next === undefined || run.broken !== undefined ? [] : [{ run, next }];
    });
    const outcomes = answer.callEach(live.map(({ run, next }) => [run.state, { ...next }]));
    for (const [index, { run, next }] of live.entries()) {
      const outcome = outcomes[index];
      const wanted = run.model.serve(next);
      if (outcome?.ok !== true) {
        run.broken = lost(outcome, run.state, run.done);
        continue;
      }
      run.done.push(accessText(next));
      if (!sameReply(wanted, outcome.value)) {
        const should =
          "fault" in wanted
            ? "a fault"
            : wanted.value === undefined
              ? "nothing"
              : `0x${wanted.value.toString(16)}`;
        run.broken = {
          hint: hintFor(next, wanted, outcome.value),
          detail: `${run.done.join("; ")} — should give ${should}, you give ${describeInert(outcome.value)}`,
        };
      }
      run.state = member(outcome.value, "state");
      const foreign = foreignIn(run.state);
      if (foreign !== undefined)
        run.broken ??= { hint: PLAIN, detail: `${run.done.join("; ")} — the state holds ${foreign}` };
    }
  }
  return runs.map(({ broken }) => broken);
}

function judge(answer: Answer, run: CheckRun, family: Family, salt: number): Finding {
  if (!answer.isFunction) return fails("serve must be a function of a state and an access.");
  return forAllAtOnce(HISTORIES[family], run, salt, (batch) => play(answer, batch));
}

const property = (id: Family, says: string, salt: number): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, id, salt),
});

/** Check of exercise A4.3. */
export const deviceCheck: Check = defineCheck({
  id: "A4.3",
  title: "A device out of nothing",
  points: 4,
  properties: [
    property("queue", "bytes come out in the order in which they went in", 21),
    property("status", "a lost byte is reported until that is cleared", 22),
    property("widths", "accesses that the device does not know are refused and change nothing", 23),
    property("readonly", "ID and COUNT cannot be changed", 24),
  ],
});
