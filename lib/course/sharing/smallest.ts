/** What is shown of a mistake: the simplest case that is still answered wrongly for the same reason. */
import type { Broken } from "../../checks/property.ts";
import type { Span } from "./watch.ts";

const MOST_ROUNDS = 24;
const MOST_CHUNKS = 16;

/** How cases become simpler, and what is wrong with them; `width`: so many are asked about at once. */
export interface Simpler<Input> {
  /** Simpler cases, the boldest first. */
  readonly candidates: (input: Input) => readonly Input[];
  /** For each case what is wrong with its answer. */
  readonly broken: (batch: readonly Input[]) => readonly (Broken | undefined)[];
  readonly width?: number;
}

/** Makes a case simpler for as long as the answer to it is wrong with the same hint, and says what is wrong with the last one. */
export function smallest<Input>(input: Input, told: Broken, simpler: Simpler<Input>): Broken {
  let [kept, says] = [input, told];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = firstWith(told.hint, simpler.candidates(kept), simpler);
    if (next === undefined) break;
    [kept, says] = next;
  }
  return says;
}

function firstWith<Input>(
  hint: string,
  candidates: readonly Input[],
  { broken, width = candidates.length }: Simpler<Input>,
): readonly [Input, Broken] | undefined {
  for (let from = 0; from < candidates.length; from += width) {
    const batch = candidates.slice(from, from + width);
    const found = broken(batch);
    for (const [index, input] of batch.entries()) {
      const says = found[index];
      if (says?.hint === hint) return [input, says];
    }
  }
  return undefined;
}

/** A list without some of its neighbors: half of it at first, then less, down to `unit` of them. At least one remains. */
export function fewer<Item>(list: readonly Item[], unit = 1): readonly (readonly Item[])[] {
  const made: (readonly Item[])[] = [];
  const units = Math.floor(list.length / unit);
  const least = Math.max(1, Math.ceil(units / MOST_CHUNKS));
  for (let size = units >> 1; size >= least; size >>= 1)
    for (let at = 0; at + size * unit <= list.length; at += size * unit)
      made.push([...list.slice(0, at), ...list.slice(at + size * unit)]);
  return made.filter(({ length }) => length > 0);
}

/** A record of who had the hart with fewer stays, from time 0, or with stays half as long; without gaps. */
export const simplerSpans = (spans: readonly Span[], unit = 1): readonly (readonly Span[])[] => {
  const begin = spans[0]?.from ?? 0;
  const halves = (span: Span): Span => ({ ...span, to: span.from + Math.max(1, (span.to - span.from) >> 1) });
  return [
    ...fewer(spans, unit).map((some) => joined(some, begin)),
    ...(begin === 0 ? [] : [joined(spans, 0)]),
    ...(spans.some(({ from, to }) => to - from > 1) ? [joined(spans.map(halves), begin)] : []),
  ];
};

function joined(spans: readonly Span[], begin: number): readonly Span[] {
  let at = begin;
  return spans.map(({ domain, from, to }) => {
    const start = at;
    at += to - from;
    return { domain, from: start, to: at };
  });
}
