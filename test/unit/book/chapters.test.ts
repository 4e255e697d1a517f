/** Which files of `notebooks/` are chapters. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { chapterFiles } from "../../../book/build/chapters.ts";

it("what `dom0 run` leaves beside a notebook is no chapter, and neither is a draft without a number", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "chapters-"));
  for (const name of ["02-walls.ipynb", "02-walls.executed.ipynb", "draft.ipynb", "01-a.ipynb", "01-a.md"])
    writeFileSync(path.join(folder, name), "{}");
  expect(await chapterFiles(folder)).toEqual(["01-a.ipynb", "02-walls.ipynb"]);
  rmSync(folder, { recursive: true });
});
