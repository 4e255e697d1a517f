import { type CourseCheck, checksIn, nextUnsolved } from "./course-checks.ts";
import { saveFile } from "./save-file.ts";
import { exportMemory, forgetMemory, importMemory, loadProgress, type Progress } from "./storage.ts";

/** Shows progress in the contents and on the page of exercises, and connects export, import and forgetting. */
export function installProgressTools(): void {
  showProgress();
  document.addEventListener("book:progress", showProgress);
  // Another tab of the book has changed it.
  addEventListener("storage", showProgress);
  document.querySelector("#progress-export")?.addEventListener("click", () => {
    saveFile("escape-from-dom0-progress.json", "application/json", exportMemory());
  });
  document.querySelector("#progress-forget")?.addEventListener("click", () => {
    if (confirm("Forget all progress and edits in this browser? Export first if you want them back."))
      forgetMemory();
  });
  const input = document.querySelector<HTMLInputElement>("#progress-import");
  input?.addEventListener("change", async () => {
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    const mistake = importMemory(await file.text());
    const line = document.querySelector("#progress-line");
    if (mistake === undefined) location.reload();
    else if (line) line.textContent = mistake;
  });
}

function showProgress(): void {
  const progress = loadProgress();
  const all: CourseCheck[] = [];
  for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-page]")) {
    const checks = checksIn(link.dataset["page"] ?? "", link.dataset["checks"] ?? "");
    all.push(...checks);
    const done = passedOf(checks, progress);
    link.toggleAttribute("data-complete", checks.length > 0 && done === checks.length);
    if (checks.length > 0) link.dataset["progress"] = `${done}/${checks.length}`;
  }
  showNext(progress, all);
  const line = document.querySelector("#progress-line");
  if (line && all.length > 0)
    line.textContent = `${passedOf(all, progress)} of ${all.length} checks passed. Kept in this browser.`;
  showExercises(progress);
}

const passedOf = (checks: readonly CourseCheck[], progress: Progress): number =>
  checks.filter(({ id }) => progress.checks[id] === true).length;

/** Leads to the first check that has not passed yet, from this page on. */
function showNext(progress: Progress, all: readonly CourseCheck[]): void {
  const next = document.querySelector<HTMLElement>("#progress-next");
  const link = next?.querySelector("a");
  if (!next || !link) return;
  const open = nextUnsolved(all, location.pathname, progress.checks);
  next.hidden = open === undefined;
  if (open === undefined) return;
  link.href = open.address;
  link.textContent = `exercise ${open.id}`;
}

/** Marks what was passed, tried and run on the page of exercises. */
function showExercises(progress: Progress): void {
  for (const link of document.querySelectorAll<HTMLElement>("[data-progress-check]")) {
    const id = link.dataset["progressCheck"] ?? "";
    const state = link.parentElement?.querySelector<HTMLElement>(".exercise-state");
    if (!state) continue;
    const tries = progress.tries[id]?.count ?? 0;
    const isPassed = progress.checks[id] === true;
    state.toggleAttribute("data-passed", isPassed);
    state.textContent = isPassed
      ? "passed"
      : tries > 0
        ? `${tries} ${tries === 1 ? "attempt" : "attempts"}`
        : "open";
  }
  for (const section of document.querySelectorAll<HTMLElement>("[data-progress-page]")) {
    const facts = section.querySelector(".exercise-facts");
    const ran = progress.pages[section.dataset["progressPage"] ?? ""]?.ran.length ?? 0;
    const links = [...section.querySelectorAll<HTMLElement>("[data-progress-check]")];
    const passed = links.filter(
      (link) => progress.checks[link.dataset["progressCheck"] ?? ""] === true,
    ).length;
    if (facts)
      facts.textContent = `${ran} of ${section.dataset["cells"]} cells run here, ${passed} of ${links.length} exercises passed`;
  }
  const forget = document.querySelector<HTMLElement>(".exercise-forget");
  if (forget) forget.hidden = false;
}
