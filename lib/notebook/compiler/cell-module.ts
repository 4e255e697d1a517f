/**
 * A cell as a TypeScript module: the user's text first, untouched, then lines of ours that bring in the names of
 * earlier cells and export this cell's own. Imports hoist, so positions inside the user's text never shift.
 *
 * An earlier `let` comes in as an ambient `let` instead of an import: an import cannot be assigned, and the checker
 * would stop checking the assigned value.
 */
import { type DeclaredName, type ParsedCell, parseCell } from "./cell-names.ts";

/** A name that later cells see, and where it lives. */
export interface VisibleName extends DeclaredName {
  /** The cell that declared it. */
  readonly cell: number;
  /** Module specifier of that cell's file, relative to its siblings. */
  readonly specifier: string;
}

/** Name → where it lives, after some cells. */
export type Visible = ReadonlyMap<string, VisibleName>;

/** A cell ready to be checked. */
export interface CellModule {
  readonly id: number;
  readonly source: string;
  /** File name without folder, such as `cell-3.ts`. */
  readonly fileName: string;
  /** The user's text followed by our lines. */
  readonly text: string;
  readonly parsed: ParsedCell;
  /** Earlier names that this cell's text may mean. */
  readonly imported: readonly VisibleName[];
}

/** Which earlier names to bring in: those the text mentions (to check it), or all (to complete it). */
export type Reach = "mentioned" | "all";

/** Builds the module of one cell that follows the cells behind `visible`. */
export function buildCellModule(
  id: number,
  stem: string,
  source: string,
  visible: Visible,
  reach: Reach = "mentioned",
): CellModule {
  const parsed = parseCell(source);
  const imported: VisibleName[] = [];
  const lines = ["export {};"];
  for (const name of visible.values()) {
    if (reach === "mentioned" && !parsed.mentioned.has(name.name)) continue;
    const own = parsed.declared.get(name.name);
    if (own === undefined) {
      imported.push(name);
      lines.push(importLine(name));
    } else if (name.isType && !name.isGeneric && !own.isType) lines.push(inheritedType(name));
  }
  const exported = [...parsed.declared.values()].filter((name) => !name.isExported).map((name) => name.name);
  if (exported.length > 0) lines.push(`export { ${exported.join(", ")} };`);
  return {
    id,
    source,
    fileName: `${stem}-${id}.ts`,
    text: `${source}\n${lines.join("\n")}\n`,
    parsed,
    imported,
  };
}

function importLine(name: VisibleName): string {
  return name.isAssignable && !name.isType
    ? `declare let ${name.name}: typeof import("${name.specifier}").${name.name};`
    : `import { ${name.name} } from "${name.specifier}";`;
}

/** A type keeps its name when a later cell declares only a value of that name. */
function inheritedType(name: VisibleName): string {
  return `export type ${name.name} = import("${name.specifier}").${name.name};`;
}

/**
 * The names seen after a cell. A name declared again hides the earlier one; of a cell that threw, the values that
 * it never reached (`lost`) are left out.
 */
export function visibleAfter(visible: Visible, cell: CellModule, lost: ReadonlySet<string> = NONE): Visible {
  const after = new Map(visible);
  for (const name of cell.parsed.declared.values()) {
    if (lost.has(name.name)) continue;
    const before = visible.get(name.name);
    const inheritsType = !name.isType && before?.isType === true && !before.isGeneric;
    after.set(name.name, {
      ...name,
      isType: name.isType || inheritsType,
      cell: cell.id,
      specifier: `./${cell.fileName.replace(/\.ts$/, "")}`,
    });
  }
  return after;
}

const NONE: ReadonlySet<string> = new Set();
