/**
 * Definitions beside their terms: on pointing, on focus, on a tap.
 *
 * As WCAG 1.4.13 wants it: Escape takes the note away without moving anything, the pointer may go onto it, and it
 * stays until the reader leaves. Without this script a term is a link to the glossary.
 */

/** Time to cross the gap between a term and its note, ms. */
const graceMs = 250;
/** Room between term and note, and to the edges of the window, in pixels. */
const gap = 6;

/** Listens for terms; one note serves the page. */
export function installTermNotes(): void {
  if (document.querySelector("a.term") === null) return;
  const note = document.createElement("div");
  note.className = "term-note";
  note.popover = "manual";
  document.querySelector("main")?.append(note);
  let shown: HTMLElement | undefined;
  let timer: number | undefined;

  const stay = (): void => clearTimeout(timer);
  const hide = (): void => {
    stay();
    if (shown === undefined) return;
    shown = undefined;
    note.hidePopover();
  };
  const leave = (): void => {
    stay();
    timer = window.setTimeout(() => {
      if (document.activeElement !== shown) hide();
    }, graceMs);
  };
  const show = (term: HTMLElement): void => {
    stay();
    if (shown === term) return;
    if (!fill(note, term)) return;
    shown = term;
    note.showPopover();
    place(note, term);
  };

  const termAt = (target: EventTarget | null): HTMLElement | null =>
    target instanceof Element ? target.closest<HTMLElement>("a.term") : null;
  const isInNote = (target: EventTarget | null): boolean => target instanceof Node && note.contains(target);

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const term = termAt(event.target);
    if (term) show(term);
    else if (isInNote(event.target)) stay();
    else if (shown) leave();
  });
  document.addEventListener("focusin", (event) => {
    const term = termAt(event.target);
    if (term?.matches(":focus-visible")) show(term);
    else if (!isInNote(event.target)) hide();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  // A first tap shows the note, a tap on its link goes to the glossary.
  let isTouch = false;
  document.addEventListener("pointerdown", (event) => {
    isTouch = event.pointerType === "touch";
  });
  document.addEventListener("click", (event) => {
    const term = termAt(event.target);
    if (term === null) {
      if (!isInNote(event.target)) hide();
      return;
    }
    if (!isTouch) return;
    event.preventDefault();
    if (shown === term) hide();
    else show(term);
  });
  addEventListener("scroll", () => shown && place(note, shown), { passive: true, capture: true });
}

function fill(note: HTMLElement, term: HTMLElement): boolean {
  const definition = document.getElementById(`term-${term.dataset["term"]}`);
  if (definition === null) return false;
  const name = document.createElement("strong");
  name.textContent = definition.dataset["name"] ?? "";
  const text = document.createElement("p");
  text.append(...[...definition.childNodes].map((node) => node.cloneNode(true)));
  const link = document.createElement("a");
  link.href = term.getAttribute("href") ?? "";
  link.textContent = "Glossary";
  link.tabIndex = -1;
  note.replaceChildren(name, text, link);
  return true;
}

/** Puts the note below its term, or above where there is more room. */
function place(note: HTMLElement, term: HTMLElement): void {
  const [first] = term.getClientRects();
  if (first === undefined) return;
  const { offsetWidth: width, offsetHeight: height } = note;
  const left = Math.max(gap, Math.min(first.left, document.documentElement.clientWidth - width - gap));
  const isBelow = first.bottom + gap + height <= innerHeight || first.top < innerHeight - first.bottom;
  note.style.left = `${left}px`;
  note.style.top = `${isBelow ? first.bottom + gap : first.top - gap - height}px`;
}
