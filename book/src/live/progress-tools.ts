import { saveFile } from "./save-file.ts";
import { exportMemory, importMemory, loadProgress, type Progress } from "./storage.ts";

/** Shows progress in the contents, and connects export and import. */
export function installProgressTools(): void {
  showProgress();
  document.addEventListener("book:progress", showProgress);
  document.querySelector("#progress-export")?.addEventListener("click", () => {
    saveFile("escape-from-dom0-progress.json", "application/json", exportMemory());
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
  let passed = 0;
  let known = 0;
  for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-page]")) {
    const page = progress.pages[link.dataset["page"] ?? ""];
    const done = page?.checks.filter((id) => progress.checks[id] === true).length ?? 0;
    passed += done;
    known += page?.checks.length ?? 0;
    const isComplete = page !== undefined && page.checks.length > 0 && done === page.checks.length;
    link.toggleAttribute("data-complete", isComplete);
    if (page && page.checks.length > 0) link.dataset["progress"] = `${done}/${page.checks.length}`;
    else delete link.dataset["progress"];
  }
  showNext(progress);
  const line = document.querySelector("#progress-line");
  if (line && known > 0) line.textContent = `${passed} of ${known} checks passed. Kept in this browser.`;
}

/** Leads to the first check of this page that has not passed yet. */
function showNext(progress: Progress): void {
  const next = document.querySelector<HTMLElement>("#progress-next");
  const link = next?.querySelector("a");
  if (!next || !link) return;
  const open = [...document.querySelectorAll<HTMLElement>(".cell .dom0-verdict[data-check]")].find(
    (verdict) => progress.checks[verdict.dataset["check"] ?? ""] !== true,
  );
  next.hidden = open === undefined;
  if (open === undefined) return;
  link.href = `#${open.closest(".cell")?.id ?? "_top"}`;
  link.textContent = `exercise ${open.dataset["check"]}`;
}
