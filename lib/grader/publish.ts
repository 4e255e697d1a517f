/** What leaves the gradebook: a feedback page per notebook, and the sheet of all grades. */

import { existsSync } from "node:fs";
import path from "node:path";
import type { Course } from "./course.ts";
import { feedbackPage } from "./feedback.ts";
import { replaceFolder, writeFileWhole } from "./files.ts";
import { gradesCsv } from "./gradebook/csv.ts";
import { Gradebook } from "./gradebook/gradebook.ts";
import { type Problem, problem } from "./problem.ts";
import type { SubmissionReport } from "./report.ts";

/** Writes `feedback/STUDENT/ASSIGNMENT/NOTEBOOK.html` for everybody who was graded, and returns how many. */
export function writeFeedback(course: Course, assignment: string, student?: string): number | Problem {
  if (!existsSync(course.gradebook)) return problem("nothing is graded yet: run autograde first");
  const book = Gradebook.open(course.gradebook);
  try {
    let pages = 0;
    for (const id of student === undefined ? book.students(assignment) : [student]) {
      const run = book.latestRun(assignment, id);
      if (run === undefined) continue;
      const report = JSON.parse(run.report) as SubmissionReport;
      replaceFolder(course.folder("feedback", assignment, id), (fresh) => {
        for (const notebook of report.notebooks) {
          const page = feedbackPage(report, notebook, {
            grades: book.grades(assignment, id, notebook.name),
            comments: book.comments(assignment, id, notebook.name),
          });
          writeFileWhole(path.join(fresh, `${notebook.name}.html`), page);
          pages += 1;
        }
        if (report.timestamp !== null)
          writeFileWhole(path.join(fresh, "timestamp.txt"), `${report.timestamp} UTC\n`);
      });
    }
    return pages > 0 ? pages : problem(`nobody is graded for ${assignment} yet: run autograde first`);
  } finally {
    book.close();
  }
}

/** The sheet as text. */
export function exportGrades(
  course: Course,
  only: { assignment?: string | undefined; student?: string | undefined },
): string | Problem {
  if (!existsSync(course.gradebook)) return problem("nothing is graded yet: run autograde first");
  const book = Gradebook.open(course.gradebook);
  try {
    return gradesCsv(book.exportRows(only));
  } finally {
    book.close();
  }
}
