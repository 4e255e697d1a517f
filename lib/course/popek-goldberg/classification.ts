/** Popek and Goldberg's two questions as a picture of four fields: privileged or not, sensitive or not. */
import type { CsrName } from "../../isa/csr-map.ts";
import { type Classified, classify, violations } from "../../vmm/classic/classify.ts";
import { type FigureBundle, pictureBundle } from "../figure.ts";
import { box, FIGURE_WIDTH, label, picture } from "../marks/svg.ts";
import { modePaint, paperPaint, partPaint } from "../palette.ts";

/** What was found out about a machine's instructions. */
export interface Classification {
  readonly instructions: readonly Classified[];
  /** Sensitive, and does not trap. None: a monitor by trap and emulation can be built. */
  readonly breaking: readonly Classified[];
}

/** Tries out every instruction of a machine without the hypervisor extension. @param leaks  CSRs that user mode may name. */
export function classifyMachine(leaks: readonly CsrName[] = []): Classification {
  const instructions = classify({ isa: { hypervisor: false, leaks } });
  return { instructions, breaking: violations(instructions) };
}

interface Field {
  readonly title: string;
  readonly paint: string;
  readonly found: readonly Classified[];
}

const isSensitive = ({ sensitive }: Classified): boolean => sensitive.length > 0;

const fieldsOf = ({ instructions, breaking }: Classification): readonly Field[] => [
  {
    title: "sensitive, privileged",
    paint: modePaint("M"),
    found: instructions.filter((each) => isSensitive(each) && each.isPrivileged),
  },
  { title: "sensitive, NOT privileged", paint: partPaint("trap"), found: breaking },
  {
    title: "no sign of it, privileged",
    paint: modePaint("S"),
    found: instructions.filter((each) => !isSensitive(each) && each.isPrivileged),
  },
  {
    title: "no sign of it, not privileged",
    paint: modePaint("U"),
    found: instructions.filter((each) => !isSensitive(each) && !each.isPrivileged),
  },
];

/** Examples of a field: the instructions that tell most, shortened. */
const EXAMPLES =
  /^(mret|sret|wfi|sfence\.vma|csrr a0, (sstatus|scause|misa|cycle|mhartid|mhpmevent3|marchid|fcsr)$|csrw (sepc|misa|tdata1),|add |ld |sd |ecall|jal)/;
const shown = ({ found }: Field): string[] => {
  const chosen = found.length <= 6 ? found : found.filter(({ instruction }) => EXAMPLES.test(instruction));
  return chosen.slice(0, 6).map(({ instruction }) => instruction);
};

const TOP = 72;
const WIDTH = (FIGURE_WIDTH - 24 * 2 - 16) / 2;
const HEIGHT = 132;

function fieldMarks(field: Field, index: number): string {
  const x = 24 + (index % 2) * (WIDTH + 16);
  const y = TOP + Math.floor(index / 2) * (HEIGHT + 16);
  const isBreaking = index === 1 && field.found.length > 0;
  return [
    box(x, y, WIDTH, HEIGHT, {
      fill: field.paint,
      "fill-opacity": 0.1,
      stroke: field.paint,
      "stroke-width": isBreaking ? 3.5 : 1.5,
      rx: 3,
    }),
    label(x + 12, y + 24, field.title, { size: 13, bold: true }),
    label(x + WIDTH - 12, y + 26, String(field.found.length), { size: 20, bold: true, anchor: "end" }),
    ...shown(field).map((text, row) =>
      label(x + 12 + (row % 2) * (WIDTH / 2), y + 54 + Math.floor(row / 2) * 20, text, {
        size: 11,
        mono: true,
      }),
    ),
    ...(field.found.length > 6
      ? [label(x + 12, y + HEIGHT - 10, "and others", { size: 11, italic: true, paint: paperPaint("quiet") })]
      : field.found.length === 0
        ? [label(x + 12, y + 54, "none", { size: 12, italic: true, paint: paperPaint("quiet") })]
        : []),
  ].join("");
}

/** Draws what was found. */
export function classificationPicture(
  classification: Classification,
  title = "Every instruction, tried in M-mode and in U-mode",
): FigureBundle {
  const fields = fieldsOf(classification);
  const { breaking, instructions } = classification;
  const verdict =
    breaking.length === 0
      ? "Every sensitive instruction traps: the theorem holds."
      : `${breaking.length} sensitive instructions do not trap: the theorem does not apply.`;
  const svg = picture(
    {
      title,
      description: `${fields.map(({ title: name, found }) => `${name}: ${found.length}`).join("; ")}. ${verdict}`,
    },
    FIGURE_WIDTH,
    TOP + 2 * HEIGHT + 16 + 44,
    label(24, 30, title, { size: 15, bold: true }),
    label(24, 54, "it traps in U-mode and not in M-mode", {
      size: 11,
      italic: true,
      paint: paperPaint("quiet"),
    }),
    label(24 + WIDTH + 16, 54, "it does not trap in U-mode, or traps everywhere", {
      size: 11,
      italic: true,
      paint: paperPaint("quiet"),
    }),
    ...fields.map(fieldMarks),
    label(24, TOP + 2 * HEIGHT + 16 + 26, verdict, { size: 12, bold: true }),
  );
  const lines = fields.map(
    (field) =>
      `  ${field.title.padEnd(26)} ${String(field.found.length).padStart(4)}  ${shown(field).join("; ") || "none"}`,
  );
  return pictureBundle(svg, [`${title} (${instructions.length})`, ...lines, `  ${verdict}`].join("\n"));
}
