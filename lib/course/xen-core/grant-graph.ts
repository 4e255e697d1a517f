/** Who has lent what to whom: granters at the left, frames in the middle with their counts, mappers at the right. */
import { groupedHex } from "../../bits/hex.ts";
import { walkTo } from "../../referee/page-tables.ts";
import { DOMAINS, FOREIGN_MAPPINGS, GRANTS, GrantFlag } from "../../vmm/layout.ts";
import { type FigureBundle, pictureBundle } from "../figure.ts";
import { box, element, FIGURE_WIDTH, label, line, picture } from "../marks/svg.ts";
import { modePaint, paperPaint, partPaint } from "../palette.ts";
import type { Office } from "./office.ts";

/** A grant, and the mappings that stand on it. */
export interface GrantView {
  readonly number: number;
  readonly from: string;
  readonly to: string;
  readonly isWritable: boolean;
  /** Where the granter has the page, and the frame behind it. */
  readonly page: bigint;
  readonly frame: bigint;
  readonly refs: number;
  readonly typed: number;
  readonly mappings: readonly {
    readonly number: number;
    readonly page: bigint;
    readonly isWritable: boolean;
  }[];
}

/** Reads the hypervisor's grants. */
export function grantViews({ office }: { readonly office: Office }): GrantView[] {
  const { state } = office.vmm;
  const nameOf = (domain: number): string => office.names[domain - 1] ?? `domain ${domain}`;
  const views: GrantView[] = [];
  for (let domain = 1; domain < DOMAINS; domain++) {
    if (state.domain(domain).id === 0) continue;
    for (let number = 0; number < GRANTS; number++) {
      const grant = state.domain(domain).grants.get(number);
      if ((grant.flags & GrantFlag.VALID) === 0) continue;
      const tables = office.tablesOf(domain);
      const found =
        tables === undefined || office.isParavirtual(domain)
          ? undefined
          : walkTo(tables, office.read, grant.page).page;
      const frame = found === undefined ? (grant.page as bigint) : found.to + (grant.page - found.address);
      const { refCount, typeCount } = state.frame(Number((frame - state.frameAddress(0)) / 4096n));
      views.push({
        number,
        from: nameOf(domain),
        to: nameOf(grant.to),
        isWritable: (grant.flags & GrantFlag.WRITABLE) !== 0,
        page: grant.page,
        frame,
        refs: refCount,
        typed: typeCount,
        mappings: mappingsOf(office, domain, number),
      });
    }
  }
  return views;
}

function mappingsOf(office: Office, granter: number, grant: number): GrantView["mappings"] {
  const { state } = office.vmm;
  const found: { number: number; page: bigint; isWritable: boolean }[] = [];
  for (let number = 0; number < FOREIGN_MAPPINGS; number++) {
    const mapping = state.foreign(number);
    if (mapping.mapper === 0 || mapping.granter !== granter || mapping.grant !== grant) continue;
    const tables = office.tablesOf(mapping.mapper);
    const entry = office.isParavirtual(mapping.mapper)
      ? office.read(mapping.page)
      : tables === undefined
        ? undefined
        : walkTo(tables, office.read, mapping.page).steps.at(-1)?.entry;
    found.push({ number, page: mapping.page, isWritable: ((entry ?? 0n) & 4n) !== 0n });
  }
  return found;
}

const ROW = 96;
const BOX = { left: 24, middle: 260, right: 508, width: 148, height: 52 } as const;
const rights = (isWritable: boolean): string => (isWritable ? "RW" : "R");

function node(x: number, y: number, title: string, below: string, paint: string): string {
  return [
    box(x, y, BOX.width, BOX.height, {
      fill: paperPaint("paper"),
      stroke: paint,
      "stroke-width": 1.5,
      rx: 4,
    }),
    label(x + BOX.width / 2, y + 22, title, { size: 12.5, bold: true, anchor: "middle", paint }),
    label(x + BOX.width / 2, y + 40, below, { size: 10.5, mono: true, anchor: "middle" }),
  ].join("");
}

const arrow = (x: number, y: number, paint: string): string =>
  element("path", { d: `M${x} ${y}l-9 -4v8z`, fill: paint });

function grantMarks(view: GrantView, y: number): string {
  const center = y + BOX.height / 2;
  const [leftEnd, middleEnd] = [BOX.left + BOX.width, BOX.middle + BOX.width];
  const own = paperPaint("quiet");
  const lends = modePaint("VS");
  const parts = [
    node(BOX.left, y, view.from, groupedHex(view.page, 8), modePaint("VS")),
    line(leftEnd, center, BOX.middle, center, own, { "stroke-width": 1.5 }),
    label((leftEnd + BOX.middle) / 2, center - 6, "owns", { size: 11, anchor: "middle", paint: own }),
    node(
      BOX.middle,
      y,
      groupedHex(view.frame, 8),
      `refs ${view.refs}, writers ${view.typed}`,
      partPaint("memory"),
    ),
    // The grant: a promise, dashed; a mapping: an entry in a table, solid.
    line(middleEnd, center - 12, BOX.right - 8, center - 12, lends, {
      "stroke-width": 1.5,
      "stroke-dasharray": "5 4",
    }),
    arrow(BOX.right, center - 12, lends),
    label((middleEnd + BOX.right) / 2, center - 18, `grant ${view.number}, ${rights(view.isWritable)}`, {
      size: 11,
      anchor: "middle",
    }),
  ];
  const [first] = view.mappings;
  if (first !== undefined)
    parts.push(
      line(middleEnd, center + 8, BOX.right - 8, center + 8, lends, { "stroke-width": 3 }),
      arrow(BOX.right, center + 8, lends),
      label(
        (middleEnd + BOX.right) / 2,
        center + 22,
        view.mappings.map(({ number, isWritable }) => `map ${number}, ${rights(isWritable)}`).join("; "),
        { size: 11, anchor: "middle" },
      ),
    );
  const where =
    first === undefined
      ? "not mapped"
      : view.mappings.length === 1
        ? groupedHex(first.page, 8)
        : `in ${view.mappings.length} places`;
  parts.push(node(BOX.right, y, view.to, where, modePaint("VS")));
  return parts.join("");
}

const textOf = ({ number, from, to, isWritable, page, frame, refs, typed, mappings }: GrantView): string =>
  `  ${from} ${groupedHex(page, 8)} \u2014 frame ${groupedHex(frame, 8)} (${refs} references, ${typed} writable) \u2014 grant ${number}, ${rights(isWritable)}, to ${to}: ${
    mappings.length === 0
      ? "not mapped"
      : mappings
          .map((each) => `mapping ${each.number} at ${groupedHex(each.page, 8)}, ${rights(each.isWritable)}`)
          .join("; ")
  }`;

/** Draws all grants of a machine. */
export function grantGraph(
  scene: { readonly office: Office },
  title = "Who has lent what to whom",
): FigureBundle {
  const views = grantViews(scene);
  const words =
    views.length === 0
      ? "Nobody has granted anything."
      : `${views.length} ${views.length === 1 ? "grant" : "grants"}, ${views.reduce((sum, { mappings }) => sum + mappings.length, 0)} mapped. Dashed: a promise. Solid: an entry in a page table.`;
  const svg = picture(
    { title, description: words },
    FIGURE_WIDTH,
    views.length === 0 ? 70 : 72 + ROW * (views.length - 1) + BOX.height + 34,
    label(24, 30, title, { size: 15, bold: true }),
    label(24, 50, words, { size: 12, paint: paperPaint("quiet") }),
    ...views.map((view, index) => grantMarks(view, 72 + index * ROW)),
  );
  return pictureBundle(svg, [title, ...views.map(textOf), `  ${words}`].join("\n"));
}
