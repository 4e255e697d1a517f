/** The search dialog: Pagefind's index is fetched when the dialog first opens. */

interface Fragment {
  readonly url: string;
  readonly meta: { readonly title?: string };
  readonly excerpt: string;
  readonly sub_results: readonly { readonly title: string; readonly url: string; readonly excerpt: string }[];
}
interface Pagefind {
  init(): Promise<void>;
  debouncedSearch(query: string): Promise<{ results: { data(): Promise<Fragment> }[] } | null>;
}

const mostPages = 6;
const mostSections = 4;

/** Connects the button, the dialog and Ctrl+K. */
export function installSearch(): void {
  const dialog = document.querySelector<HTMLDialogElement>("#search");
  const input = document.querySelector<HTMLInputElement>("#search-input");
  if (!dialog || !input) return;
  let engine: Promise<Pagefind> | undefined;
  const open = (): void => {
    engine ??= loadPagefind();
    dialog.showModal();
    input.select();
  };
  document.querySelector("#search-open")?.addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (!dialog.open) open();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.querySelector("#search-results")?.addEventListener("click", () => dialog.close());
  input.addEventListener("keydown", (event) => {
    // A search field would only clear itself at the first Escape.
    if (event.key === "Escape") {
      event.preventDefault();
      dialog.close();
    } else if (event.key === "Enter") {
      event.preventDefault();
      dialog.querySelector<HTMLAnchorElement>("#search-results a")?.click();
    }
  });
  input.addEventListener("input", async () => {
    const query = input.value.trim();
    try {
      engine ??= loadPagefind();
      const found = await (await engine).debouncedSearch(query);
      if (found === null || input.value.trim() !== query) return;
      const pages = await Promise.all(found.results.slice(0, mostPages).map((result) => result.data()));
      showResults(query, pages);
    } catch {
      engine = undefined;
      setStatus("The index could not be loaded. Are you offline for the first time?");
    }
  });
}

async function loadPagefind(): Promise<Pagefind> {
  const address = "/pagefind/pagefind.js";
  const pagefind = (await import(/* @vite-ignore */ address)) as Pagefind;
  await pagefind.init();
  return pagefind;
}

function setStatus(text: string): void {
  const status = document.querySelector("#search-status");
  if (status) status.textContent = text;
}

function showResults(query: string, pages: readonly Fragment[]): void {
  const sections = pages.flatMap((page) => {
    const subs = page.sub_results.slice(0, mostSections);
    return subs.map((sub) => ({
      page: page.meta.title ?? "",
      title: sub.title,
      url: sub.url,
      excerpt: sub.excerpt,
    }));
  });
  const list = document.querySelector("#search-results");
  list?.replaceChildren(...sections.map(resultItem));
  setStatus(
    query === "" ? "" : sections.length === 0 ? `Nothing about “${query}”.` : `${sections.length} places`,
  );
}

function resultItem(section: { page: string; title: string; url: string; excerpt: string }): HTMLLIElement {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = section.url;
  const title = document.createElement("strong");
  title.textContent = section.title;
  const page = document.createElement("span");
  page.textContent = section.title === section.page ? "" : section.page;
  const excerpt = document.createElement("p");
  excerpt.append(...markedText(section.excerpt));
  link.append(title, page, excerpt);
  item.append(link);
  return item;
}

/** Pagefind's excerpt is escaped text with `<mark>` around hits: only these become elements. */
function markedText(excerpt: string): (string | HTMLElement)[] {
  const decode = (text: string): string =>
    text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
  return excerpt.split(/(<mark>.*?<\/mark>)/).map((piece) => {
    const inner = /^<mark>(.*)<\/mark>$/.exec(piece)?.[1];
    if (inner === undefined) return decode(piece);
    const mark = document.createElement("mark");
    mark.textContent = decode(inner);
    return mark;
  });
}
