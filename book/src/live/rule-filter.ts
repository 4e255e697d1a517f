/** Shows the rules of a coverage page that have a chosen status and contain what was typed. */
export function installRuleFilter(): void {
  const form = document.querySelector<HTMLFormElement>(".rule-filter");
  const said = form?.querySelector("output");
  if (!form || !said) return;
  const sections = [...document.querySelectorAll<HTMLElement>(".rule-section")].map((section) => ({
    section,
    title: section.querySelector("h2")?.textContent?.toLowerCase() ?? "",
    rules: [...section.querySelectorAll<HTMLLIElement>(".rules > li")].map((rule) => ({
      rule,
      text: rule.textContent?.toLowerCase() ?? "",
    })),
  }));
  const show = (): void => {
    const data = new FormData(form);
    const statuses = new Set(data.getAll("status"));
    const words = String(data.get("words") ?? "")
      .trim()
      .toLowerCase()
      .replace(/^norm:/, "");
    let shown = 0;
    for (const { section, title, rules } of sections) {
      let inSection = 0;
      for (const { rule, text } of rules) {
        const fits = text.includes(words) || title.includes(words);
        rule.hidden = !(statuses.has(rule.dataset["status"] ?? "") && fits);
        if (!rule.hidden) inSection += 1;
      }
      section.hidden = inSection === 0;
      shown += inSection;
    }
    said.textContent = shown === 1 ? "1 rule" : `${shown} rules`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show();
}
