/** What the book's own pages know of the chapters: their exercises, figures, and where they are. */
import type { ExportDocument } from "../../lib/notebook/export/document.ts";

/** One exercise of a chapter. */
export interface CourseCheck {
  readonly id: string;
  /** Cell that holds the check. */
  readonly cell: string;
  /** Rung of the ladder: read, change, build, break, measure. */
  readonly rung: string;
}

/** One chapter, as the contents, the syllabus and the page of exercises show it. */
export interface CourseChapter {
  readonly number: number;
  readonly title: string;
  readonly page: string;
  readonly notebook: string;
  readonly cells: number;
  readonly figures: number;
  readonly checks: readonly CourseCheck[];
  /** Terms of the glossary that it uses. */
  readonly terms: readonly string[];
}

/** Where the pages read it, from the book's folder. */
export const COURSE_FILE = ".cache/course.json";

/** The exercises of a document, by the tags of their cells. */
export function checksOf(document: ExportDocument): CourseCheck[] {
  return document.cells.flatMap(({ id: cell, tags }) => {
    const after = (mark: string): string | undefined =>
      tags.find((tag) => tag.startsWith(mark))?.slice(mark.length);
    const id = after("exercise:");
    return id === undefined ? [] : [{ id, cell, rung: after("rung:") ?? "" }];
  });
}
