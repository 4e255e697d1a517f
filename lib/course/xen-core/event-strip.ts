/** Event channels as strips of bits: one row for each guest, one cell for each port. */
import { DOMAINS, PORTS, PortState } from "../../vmm/layout.ts";
import { type FigureBundle, pictureBundle } from "../figure.ts";
import { box, FIGURE_WIDTH, label, line, picture } from "../marks/svg.ts";
import { modePaint, paperPaint } from "../palette.ts";
import type { Office } from "./office.ts";

/** A port that is not free. */
export interface PortView {
  readonly port: number;
  readonly state: "waits" | "bound";
  readonly remote: string;
  readonly remotePort: number;
}

/** A guest's ports and bits. */
export interface EventView {
  readonly name: string;
  readonly ports: readonly PortView[];
  readonly pending: bigint;
  readonly masked: bigint;
}

/** Reads the hypervisor's tables. */
export function eventViews({ office }: { readonly office: Office }): EventView[] {
  const { state } = office.vmm;
  const nameOf = (domain: number): string => office.names[domain - 1] ?? `domain ${domain}`;
  const views: EventView[] = [];
  for (let id = 1; id < DOMAINS; id++) {
    const domain = state.domain(id);
    if (domain.id === 0) continue;
    const ports: PortView[] = [];
    for (let port = 1; port < PORTS; port++) {
      const end = domain.ports.get(port);
      if (end.state === PortState.FREE) continue;
      ports.push({
        port,
        state: end.state === PortState.BOUND ? "bound" : "waits",
        remote: nameOf(end.remote),
        remotePort: end.remotePort,
      });
    }
    views.push({ name: nameOf(id), ports, pending: domain.eventsPending, masked: domain.eventsMasked });
  }
  return views;
}

const LEFT = 92;
const CELL = 16;
const GAP = 2;
const has = (bits: bigint, port: number): boolean => ((bits >> BigInt(port)) & 1n) === 1n;

function cellMarks(view: EventView, port: number, y: number): string {
  const x = LEFT + port * (CELL + GAP);
  const isUsed = port === 0 || view.ports.some((each) => each.port === port);
  const isPending = has(view.pending, port);
  const paint = isUsed ? modePaint("VS") : paperPaint("rule");
  return [
    box(x, y, CELL, CELL, {
      fill: isPending ? paint : paperPaint("paper"),
      stroke: paint,
      "stroke-width": isUsed ? 1.5 : 1,
    }),
    label(x + CELL / 2, y + 12, isPending ? "1" : isUsed ? "0" : "", {
      size: 11,
      mono: true,
      bold: true,
      anchor: "middle",
      paint: isPending ? paperPaint("paper") : paperPaint("ink"),
    }),
    has(view.masked, port) ? line(x, y - 4, x + CELL, y - 4, paperPaint("ink"), { "stroke-width": 3 }) : "",
  ].join("");
}

const portText = ({ port, state, remote, remotePort }: PortView): string =>
  state === "bound" ? `port ${port} \u2194 ${remote}'s ${remotePort}` : `port ${port} waits for ${remote}`;

function viewText(view: EventView): string {
  const bits = Array.from({ length: PORTS }, (_, port) =>
    has(view.pending, port) ? (has(view.masked, port) ? "#" : "1") : has(view.masked, port) ? "/" : "0",
  ).join("");
  return `  ${view.name.padEnd(8)} ${bits}  ${view.ports.map(portText).join("; ") || "no ports"}`;
}

/** Draws the strips. */
export function eventStrip(
  scene: { readonly office: Office },
  title = "Event channels, bit by bit",
): FigureBundle {
  const views = eventViews(scene);
  const words = views
    .map(({ name, pending, masked }) => {
      const told = Array.from({ length: PORTS }, (_, port) => port).filter((port) => has(pending, port));
      const quiet = told.filter((port) => has(masked, port));
      return `${name}: ${told.length === 0 ? "nothing pending" : `pending ${told.join(", ")}${quiet.length > 0 ? ` (masked ${quiet.join(", ")})` : ""}`}`;
    })
    .join("; ");
  const description = `Cell n is port n. Filled with 1: an event is pending. A bar above: masked. ${words}.`;
  const marks = views.map((view, index) => {
    const y = 72 + index * 58;
    return [
      label(24, y + 12, view.name, { size: 13, bold: true, paint: modePaint("VS") }),
      ...Array.from({ length: PORTS }, (_, port) => cellMarks(view, port, y)),
      label(LEFT, y + 34, view.ports.map(portText).join("; ") || "no ports", {
        size: 11,
        paint: paperPaint("quiet"),
      }),
    ].join("");
  });
  const svg = picture(
    { title, description },
    FIGURE_WIDTH,
    72 + views.length * 58 + 10,
    label(24, 30, title, { size: 15, bold: true }),
    label(24, 50, "Cell n is port n. 1: an event is pending. A bar above: masked. Pale: free.", {
      size: 12,
      paint: paperPaint("quiet"),
    }),
    ...marks,
  );
  return pictureBundle(svg, [title, ...views.map(viewText), `  ${words}`].join("\n"));
}
