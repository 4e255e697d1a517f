/**
 * What the book keeps in this browser: edits by notebook and cell, checks passed, cells run. A browser that keeps
 * nothing (private mode, full storage) gets a book without memory, not an error.
 */

const editsPrefix = "dom0.edits.";
const progressKey = "dom0.progress";

/** Cell id → the reader's text. */
export type Edits = Record<string, string>;

/** Progress through the course. */
export interface Progress {
  /** Check id → whether its last verdict passed. */
  checks: Record<string, boolean>;
  /** Page address → what was done there. */
  pages: Record<string, PageProgress>;
  /** Check id → attempts and help taken. */
  tries: Record<string, Tries>;
}

/** Attempts at one check. */
export interface Tries {
  /** Runs of the reader's own text that did not pass. */
  readonly count: number;
  /** Hints opened. */
  readonly hints: number;
  /** Attempts there had been when the first hint was opened. */
  readonly hintAt: number;
}

/** Progress on one page. */
export interface PageProgress {
  /** Ids of cells that ran at least once. */
  ran: string[];
  /** Cells on the page. */
  cells: number;
  /** Ids of the checks on the page. */
  checks: string[];
}

function read(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden: the book works on, without memory.
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

/** The reader's edits of one notebook. */
export function loadEdits(notebook: string): Edits {
  const stored = read(editsPrefix + notebook);
  if (!isRecord(stored)) return {};
  return Object.fromEntries(
    Object.entries(stored).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}

/** Keeps one edit, or forgets it when `source` is undefined. */
export function saveEdit(notebook: string, cell: string, source: string | undefined): void {
  const edits = loadEdits(notebook);
  if (source === undefined) delete edits[cell];
  else edits[cell] = source;
  write(editsPrefix + notebook, edits);
}

/** Progress kept so far. */
export function loadProgress(): Progress {
  return progressFrom(read(progressKey));
}

function progressFrom(value: unknown): Progress {
  const progress: Progress = { checks: {}, pages: {}, tries: {} };
  if (!isRecord(value)) return progress;
  for (const [id, passed] of Object.entries(isRecord(value["checks"]) ? value["checks"] : {})) {
    if (typeof passed === "boolean") progress.checks[id] = passed;
  }
  for (const [page, done] of Object.entries(isRecord(value["pages"]) ? value["pages"] : {})) {
    if (!isRecord(done)) continue;
    const cells = typeof done["cells"] === "number" ? done["cells"] : 0;
    progress.pages[page] = { ran: strings(done["ran"]), cells, checks: strings(done["checks"]) };
  }
  for (const [id, tries] of Object.entries(isRecord(value["tries"]) ? value["tries"] : {})) {
    if (!isRecord(tries)) continue;
    progress.tries[id] = {
      count: whole(tries["count"]),
      hints: whole(tries["hints"]),
      hintAt: whole(tries["hintAt"]),
    };
  }
  return progress;
}

const whole = (value: unknown): number =>
  typeof value === "number" && Number.isInteger(value) && value > 0 ? value : 0;

/** Changes progress and tells the page. */
export function changeProgress(change: (progress: Progress) => void): void {
  const progress = loadProgress();
  change(progress);
  write(progressKey, progress);
  document.dispatchEvent(new CustomEvent("book:progress"));
}

/** The page's own record inside `progress`. */
export function pageProgress(progress: Progress, page: string): PageProgress {
  progress.pages[page] ??= { ran: [], cells: 0, checks: [] };
  return progress.pages[page];
}

/** Names of the notebooks of which edits are kept. */
function editedNotebooks(): string[] {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(editsPrefix))
      .map((key) => key.slice(editsPrefix.length))
      .sort();
  } catch {
    return [];
  }
}

/** Everything kept, as the text of a file to take elsewhere. */
export function exportMemory(): string {
  const edits = Object.fromEntries(editedNotebooks().map((notebook) => [notebook, loadEdits(notebook)]));
  return `${JSON.stringify({ format: "dom0-progress", version: 1, progress: loadProgress(), edits }, undefined, 2)}\n`;
}

/** Takes up what {@link exportMemory} wrote, adding to what is here; returns why not, or undefined. */
export function importMemory(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "That file is not JSON.";
  }
  if (!isRecord(value) || value["format"] !== "dom0-progress")
    return "That file is not an export of this book.";
  const incoming = progressFrom(value["progress"]);
  for (const [notebook, edits] of Object.entries(isRecord(value["edits"]) ? value["edits"] : {})) {
    if (isRecord(edits)) write(editsPrefix + notebook, { ...loadEdits(notebook), ...edits });
  }
  changeProgress((progress) => {
    for (const [id, passed] of Object.entries(incoming.checks)) progress.checks[id] ||= passed;
    for (const [page, done] of Object.entries(incoming.pages)) {
      const here = pageProgress(progress, page);
      here.ran = [...new Set([...here.ran, ...done.ran])];
      here.cells ||= done.cells;
      here.checks = [...new Set([...here.checks, ...done.checks])];
    }
    for (const [id, there] of Object.entries(incoming.tries)) {
      const here = progress.tries[id];
      if (here === undefined || there.count > here.count) progress.tries[id] = there;
    }
  });
  return undefined;
}

/** Forgets progress and edits; the theme stays. */
export function forgetMemory(): void {
  for (const key of [progressKey, ...editedNotebooks().map((notebook) => editsPrefix + notebook)]) {
    try {
      localStorage.removeItem(key);
    } catch {
      // Nothing is kept, so nothing has to go.
    }
  }
  document.dispatchEvent(new CustomEvent("book:progress"));
}
