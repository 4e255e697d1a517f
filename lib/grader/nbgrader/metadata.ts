/** nbgrader's cell metadata, schema version 3: parsing, roles, and the rules an instructor's notebook must keep. */
import { z } from "zod";

const GRADE_ID = /^[a-zA-Z0-9_-]+$/;

const schema = z.object({
  schema_version: z.literal(3),
  grade: z.boolean(),
  solution: z.boolean(),
  locked: z.boolean(),
  task: z.boolean().default(false),
  grade_id: z.string().regex(GRADE_ID, "must be letters, digits, - and _").max(120),
  points: z.number().min(0).max(1_000_000).optional(),
  checksum: z.string().optional(),
  cell_type: z.enum(["code", "markdown", "raw"]).optional(),
});

/** Metadata of one cell in nbgrader's version 3. */
export type NbgraderMetadata = z.infer<typeof schema>;

/** What a cell is for. nbgrader's five kinds, and plain. */
export type CellRole = "answer" | "test" | "manual-answer" | "manual-task" | "read-only" | "plain";

/** The parts of a notebook cell that grading looks at. */
export interface CellText {
  readonly cell_type: string;
  readonly source: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Reads an instructor's metadata: `undefined` when the cell has none, a sentence when it breaks a rule. */
export function parseMetadata(cell: CellText): NbgraderMetadata | undefined | string {
  const raw = Object.hasOwn(cell.metadata, "nbgrader") ? cell.metadata["nbgrader"] : undefined;
  if (raw === undefined) return undefined;
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return `nbgrader metadata: ${issue?.path.join(".") ?? ""} ${issue?.message ?? "is wrong"}`;
  }
  const meta = parsed.data;
  const graded = meta.grade || meta.task;
  if (graded && meta.points === undefined) return `"${meta.grade_id}" is graded but has no points`;
  if (!graded && meta.points !== undefined) return `"${meta.grade_id}" has points but is not graded`;
  if (meta.task && cell.cell_type !== "markdown")
    return `"${meta.grade_id}" is a task, so it must be a markdown cell`;
  if (cell.cell_type === "markdown" && !meta.task && meta.grade !== meta.solution) {
    return `"${meta.grade_id}" is markdown, so it is graded exactly when it is an answer`;
  }
  return meta;
}

/** Role of a cell with valid metadata. */
export function roleOf(meta: NbgraderMetadata | undefined): CellRole {
  if (meta === undefined) return "plain";
  if (meta.task) return "manual-task";
  if (meta.grade) return meta.solution ? "manual-answer" : "test";
  if (meta.solution) return "answer";
  return meta.locked ? "read-only" : "plain";
}

/** nbgrader's derived lock: solution cells never, tests always, others as they say. */
export const isLocked = (meta: NbgraderMetadata): boolean => !meta.solution && (meta.grade || meta.locked);

/**
 * The `grade_id` a *student's* cell claims; nothing else of a student's metadata is ever read.
 *
 * @returns `undefined` for anything that is not a well-formed name.
 */
export function claimedId(metadata: unknown): string | undefined {
  const nbgrader = ownObject(metadata, "nbgrader");
  if (nbgrader === undefined) return undefined;
  const id = Object.hasOwn(nbgrader, "grade_id") ? nbgrader["grade_id"] : undefined;
  return typeof id === "string" && id.length <= 120 && GRADE_ID.test(id) ? id : undefined;
}

function ownObject(from: unknown, key: string): Record<string, unknown> | undefined {
  if (typeof from !== "object" || from === null || !Object.hasOwn(from, key)) return undefined;
  const found = (from as Record<string, unknown>)[key];
  return typeof found === "object" && found !== null ? (found as Record<string, unknown>) : undefined;
}
