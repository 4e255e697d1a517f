/** Marks the section in view in the contents. */
export function installScrollSpy(): void {
  const links = new Map<string, HTMLAnchorElement>();
  for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-section]")) {
    links.set(link.dataset["section"] ?? "", link);
  }
  if (links.size === 0) return;
  const headings = [...document.querySelectorAll<HTMLHeadingElement>(".prose h2[id]")];
  const mark = (): void => {
    const line = innerHeight * 0.3;
    const current = headings.findLast((heading) => heading.getBoundingClientRect().top < line)?.id;
    for (const [slug, link] of links) link.toggleAttribute("data-current", slug === current);
  };
  let planned = false;
  addEventListener(
    "scroll",
    () => {
      if (planned) return;
      planned = true;
      requestAnimationFrame(() => {
        planned = false;
        mark();
      });
    },
    { passive: true },
  );
  mark();
}
