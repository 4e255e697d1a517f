/** Two guests' memory: what each believes to have, and in which frames of the machine it lies. */
import { groupedHex } from "../../bits/hex.ts";
import { type FigureBundle, pictureBundle } from "../figure.ts";
import { box, FIGURE_WIDTH, label, picture } from "../marks/svg.ts";
import { modePaint, paperPaint, partPaint } from "../palette.ts";
import type { VmHost } from "../vm-host.ts";
import { type SecondPage, secondStage, secondTables } from "./second-pages.ts";

/** Guests that the figure shows. */
const VMS = [1, 2] as const;
/** Frames of the machine in one row, and pages of a guest. */
const ACROSS = 48;
const GUEST_ACROSS = 24;
const CELL = 12;
const STEP = 13;
const LEFT = 24;
const GUEST_RAM = 0x8000_0000n;

const vmPaint = (vm: number): string => (vm === 1 ? modePaint("VS") : partPaint("device"));

/** What a frame of the machine is to the two guests. */
interface FrameUse {
  readonly sign: string;
  readonly paint: string;
  readonly isTable: boolean;
  readonly isShared: boolean;
}

/** Uses of frames by their addresses. */
function usesOf(host: VmHost): ReadonlyMap<bigint, FrameUse> {
  const uses = new Map<bigint, FrameUse>();
  for (const vm of VMS) {
    for (const table of secondTables(host, vm))
      uses.set(table, { sign: "t", paint: vmPaint(vm), isTable: true, isShared: false });
    for (const { hpa, bytes } of secondStage(host, vm))
      for (let offset = 0n; offset < bytes; offset += 4096n) {
        const isShared = uses.has(hpa + offset);
        uses.set(hpa + offset, {
          sign: isShared ? "!" : String(vm),
          paint: isShared ? partPaint("trap") : vmPaint(vm),
          isTable: false,
          isShared,
        });
      }
  }
  return uses;
}

function frameCell(use: FrameUse | undefined, x: number, y: number): string {
  if (use === undefined)
    return box(x, y, CELL, CELL, {
      fill: paperPaint("paper"),
      stroke: paperPaint("rule"),
      "stroke-width": 0.75,
    });
  const { sign, paint, isTable } = use;
  return [
    box(x, y, CELL, CELL, {
      fill: isTable ? paperPaint("paper") : paint,
      stroke: paint,
      "stroke-width": use.isShared ? 3 : 1.25,
    }),
    label(x + CELL / 2, y + 9.5, sign, {
      size: 9,
      anchor: "middle",
      mono: true,
      bold: true,
      paint: isTable ? paint : paperPaint("paper"),
    }),
  ].join("");
}

/** Pages of a guest's RAM from its beginning, as far as any of them is mapped. */
function guestMarks(vm: number, pages: readonly SecondPage[], count: number, x: number, y: number): string {
  const has = new Set(
    pages.flatMap(({ gpa, bytes }) =>
      Array.from({ length: Number(bytes >> 12n) }, (_, n) => Number((gpa - GUEST_RAM) >> 12n) + n),
    ),
  );
  return Array.from({ length: count }, (_, page) => {
    const [cx, cy] = [x + (page % GUEST_ACROSS) * STEP, y + Math.floor(page / GUEST_ACROSS) * STEP];
    const use = { sign: String(vm), paint: vmPaint(vm), isTable: false, isShared: false };
    return frameCell(has.has(page) ? use : undefined, cx, cy);
  }).join("");
}

/** Rows of the machine's frames in which something is used. */
function machineRows(uses: ReadonlyMap<bigint, FrameUse>): bigint[] {
  const span = BigInt(ACROSS) << 12n;
  return [...new Set([...uses.keys()].map((frame) => frame - (frame % span)))].sort((a, b) =>
    a < b ? -1 : 1,
  );
}

function machineMarks(uses: ReadonlyMap<bigint, FrameUse>, rows: readonly bigint[], y: number): string {
  let before: bigint | undefined;
  return rows
    .map((row, index) => {
      const top = y + index * (STEP + 3);
      // What is left out is not drawn, but it is said.
      const isGap = before !== undefined && row !== before + (BigInt(ACROSS) << 12n);
      before = row;
      const cells = Array.from({ length: ACROSS }, (_, cell) =>
        frameCell(uses.get(row + (BigInt(cell) << 12n)), LEFT + cell * STEP, top),
      );
      return (
        cells.join("") +
        (isGap ? label(LEFT - 12, top + 3, "\u22ee", { size: 12, paint: paperPaint("quiet") }) : "")
      );
    })
    .join("");
}

/** Draws two guests' pages above, and below the machine's frames in the colors of those who have them. */
export function vmQuilt(host: VmHost, title = "Two guests, one machine"): FigureBundle {
  const stages = VMS.map((vm) => secondStage(host, vm));
  const last = stages.flat().map(({ gpa, bytes }) => Number((gpa + bytes - GUEST_RAM) >> 12n));
  const count = GUEST_ACROSS * Math.ceil(Math.max(1, ...last) / GUEST_ACROSS);
  const uses = usesOf(host);
  const rows = machineRows(uses);
  const guestTop = 76;
  const machineTop = guestTop + (count / GUEST_ACROSS) * STEP + 58;
  const height = machineTop + rows.length * (STEP + 3) + 44;
  const shared = [...uses.values()].filter(({ isShared }) => isShared).length;
  const words = `VM 1 has ${stages[0]?.length ?? 0} pages, VM 2 has ${stages[1]?.length ?? 0}; ${shared} frames are reached by both.`;
  const quiet = { size: 11, paint: paperPaint("quiet") } as const;
  const svg = picture(
    { title, description: words },
    FIGURE_WIDTH,
    height,
    label(LEFT, 30, title, { size: 15, bold: true }),
    ...VMS.flatMap((vm, index) => [
      label(LEFT + index * 320, 58, `What VM ${vm} has, from ${groupedHex(GUEST_RAM, 8)}`, {
        size: 12,
        bold: true,
        paint: vmPaint(vm),
      }),
      guestMarks(vm, stages[index] ?? [], count, LEFT + index * 320, guestTop),
    ]),
    label(LEFT, machineTop - 30, "The machine\u2019s frames", { size: 12, bold: true }),
    label(
      LEFT,
      machineTop - 12,
      "1 and 2: a page of that VM.  t: a table of its second stage.  !: both VMs reach it.",
      quiet,
    ),
    machineMarks(uses, rows, machineTop),
    label(LEFT, height - 18, words, { size: 12, bold: true }),
  );
  const lines = rows.map((row) => {
    const signs = Array.from(
      { length: ACROSS },
      (_, cell) => uses.get(row + (BigInt(cell) << 12n))?.sign ?? ".",
    );
    return `  ${groupedHex(row, 8)}  ${signs.join("")}`;
  });
  return pictureBundle(svg, [title, ...lines.slice(0, 26), `  ${words}`].join("\n"));
}
