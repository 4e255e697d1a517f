/** A chart's numbers as a table, for readers who do not see the drawing and for paper. */
import { escapeMarkup } from "./escape-markup.ts";

interface Trace {
  readonly type?: string;
  readonly name?: string;
  readonly x?: readonly unknown[];
  readonly y?: readonly unknown[];
  readonly z?: readonly (readonly unknown[])[];
}

/** What of a Plotly figure the table reads. */
export interface ChartSpec {
  readonly data: readonly Trace[];
  readonly layout?: {
    readonly title?: { readonly text?: string } | string;
    readonly xaxis?: Axis;
    readonly yaxis?: Axis;
  };
}
interface Axis {
  readonly title?: { readonly text?: string } | string;
}

const mostRows = 40;

/** HTML of the table, or `undefined` when the chart holds no points that a table can say. */
export function chartTable(spec: ChartSpec): string | undefined {
  const rows = spec.data.flatMap((trace) => traceRows(trace, spec.data.length > 1));
  if (rows.length === 0) return undefined;
  const named = spec.data.length > 1;
  const head = [
    ...(named ? ["Series"] : []),
    titleOf(spec.layout?.xaxis) ?? "x",
    titleOf(spec.layout?.yaxis) ?? "y",
    ...(rows.some((row) => row.length > (named ? 3 : 2)) ? ["value"] : []),
  ];
  const caption = `${titleOf(spec.layout) ?? "Data"}${rows.length > mostRows ? `: the first ${mostRows} of ${rows.length} points` : ""}`;
  const line = (cells: readonly string[]): string =>
    `<tr>${cells.map((cell) => `<td>${escapeMarkup(cell)}</td>`).join("")}</tr>`;
  return (
    `<table><caption>${escapeMarkup(caption)}</caption><thead><tr>${head.map((name) => `<th scope="col">${escapeMarkup(name)}</th>`).join("")}</tr></thead>` +
    `<tbody>${rows.slice(0, mostRows).map(line).join("")}</tbody></table>`
  );
}

function traceRows(trace: Trace, isNamed: boolean): string[][] {
  const name = isNamed ? [trace.name ?? ""] : [];
  if (trace.z !== undefined) {
    return trace.z.flatMap((row, y) =>
      row.flatMap((value, x) =>
        value === null || value === 0
          ? []
          : [[...name, cell(trace.x?.[x] ?? x), cell(trace.y?.[y] ?? y), cell(value)]],
      ),
    );
  }
  const length = Math.max(trace.x?.length ?? 0, trace.y?.length ?? 0);
  return Array.from({ length }, (_, at) => [
    ...name,
    cell(trace.x?.[at] ?? at),
    cell(trace.y?.[at] ?? ""),
  ]).filter((row) => row.at(-1) !== "");
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "number" && !Number.isInteger(value)
    ? String(Number(value.toPrecision(6)))
    : String(value);
}

function titleOf(
  titled: { readonly title?: { readonly text?: string } | string } | undefined,
): string | undefined {
  const title = titled?.title;
  const text = typeof title === "string" ? title : title?.text;
  return text === undefined ? undefined : text.replace(/<[^>]*>/g, "");
}
