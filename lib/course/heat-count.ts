/** The heat map as data: how often each row of addresses ran, column by column of retired instructions. */
import { groupedHex } from "../bits/hex.ts";
import type { SymbolTable } from "../board/symbols.ts";
import type { LadderMode } from "./palette.ts";

/** The part of a step record that the heat map reads. */
export interface HeatStep {
  readonly pc: bigint;
  readonly modeBefore: LadderMode;
  readonly text?: string;
  readonly trap?: unknown;
}

/** One row: a range of addresses that ran. */
export interface HeatRow {
  readonly from: bigint;
  readonly label: string;
  /** Times an instruction of the row retired, for each column. */
  readonly counts: readonly number[];
  readonly total: number;
  readonly mode: LadderMode;
}

/** The map as data; `columnWidth` is in retired instructions. */
export interface HeatMap {
  readonly rows: readonly HeatRow[];
  readonly columnWidth: number;
  readonly length: number;
}

const MOST_COLUMNS = 100;
const MOST_ROWS = 28;

type Place = (step: HeatStep) => { readonly from: bigint; readonly label: string };

const byInstruction: Place = (step) => ({
  from: step.pc,
  label: `${groupedHex(step.pc, 8)}  ${step.text ?? ""}`,
});

/** Names a step by the function that it is in. */
function byFunction(symbols: SymbolTable): Place {
  return (step) => {
    const name = symbols.nameOf(step.pc)?.split("+")[0];
    const from = name === undefined ? undefined : symbols.addressOf(name);
    return from === undefined ? byInstruction(step) : { from, label: `${groupedHex(from, 8)}  ${name}` };
  };
}

/** Blocks of memory, as small as fit. */
function byBlock(steps: readonly HeatStep[]): Place {
  let bits = 4n;
  while (new Set(steps.map((step) => step.pc >> bits)).size > MOST_ROWS) bits += 1n;
  return (step) => {
    const from = (step.pc >> bits) << bits;
    return { from, label: `${groupedHex(from, 8)}  ${1n << bits} bytes` };
  };
}

function placeOf(steps: readonly HeatStep[], symbols: SymbolTable | undefined): Place {
  if (new Set(steps.map((step) => step.pc)).size <= MOST_ROWS) return byInstruction;
  if (symbols === undefined) return byBlock(steps);
  const place = byFunction(symbols);
  return new Set(steps.map((step) => place(step).from)).size <= MOST_ROWS + 12 ? place : byBlock(steps);
}

/** Counts a run into rows and columns. */
export function countHeat(steps: readonly HeatStep[], symbols?: SymbolTable): HeatMap {
  const retired = steps.filter((step) => step.trap === undefined);
  const columnWidth = Math.max(1, Math.ceil(retired.length / MOST_COLUMNS));
  const columns = Math.max(1, Math.ceil(retired.length / columnWidth));
  const place = placeOf(retired, symbols);
  const rows = new Map<
    bigint,
    { from: bigint; label: string; counts: number[]; total: number; mode: LadderMode }
  >();
  retired.forEach((step, index) => {
    const { from, label: name } = place(step);
    const row = rows.get(from) ?? {
      from,
      label: name,
      counts: new Array<number>(columns).fill(0),
      total: 0,
      mode: step.modeBefore,
    };
    const column = Math.floor(index / columnWidth);
    row.counts[column] = (row.counts[column] ?? 0) + 1;
    row.total += 1;
    rows.set(from, row);
  });
  return {
    rows: [...rows.values()].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0)),
    columnWidth,
    length: retired.length,
  };
}
