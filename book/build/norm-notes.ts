import { readFileSync } from "node:fs";
import path from "node:path";
import type { Element, ElementContent, Root } from "hast";
import { SKIP, visit } from "unist-util-visit";

/** Chapters of the RISC-V manual by the file that a normative tag is in. */
const chapterNames: Readonly<Record<string, string>> = {
  "priv/machine.adoc": "Machine-level ISA",
  "priv/supervisor.adoc": "Supervisor-level ISA",
  "priv/hypervisor.adoc": "Hypervisor extension",
  "priv/csrs.adoc": "Control and status registers",
  "priv/intro.adoc": "Privileged architecture, introduction",
  "unpriv/rv32.adoc": "RV32I base",
  "unpriv/rv64.adoc": "RV64I base",
  "unpriv/m-st-ext.adoc": "Multiply and divide",
  "unpriv/zicsr.adoc": "CSR instructions",
};

/** Moves a rule of the manual, written `norm:<tag>` in the text, into the margin beside the sentence that rests on it. */
export function rehypeNormNotes() {
  const table = readFileSync(
    path.join(process.cwd(), "../datasets/riscv-normative-tags/riscv-normative-tags.csv"),
    "utf8",
  );
  const chapterOf = new Map(table.split("\n").map((line) => line.trim().split(",") as [string, string]));
  return (tree: Root): void => {
    visit(tree, "element", (node, index, parent) => {
      const tag = normTag(node);
      if (tag === undefined || index === undefined || parent === undefined) return undefined;
      // A tag that its sentence speaks about stays in the sentence.
      if (!dropBrackets(parent.children[index - 1], parent.children[index + 1])) return undefined;
      parent.children[index] = note(tag, chapterNames[chapterOf.get(tag) ?? ""]);
      return SKIP;
    });
  };
}

function normTag(node: Element): string | undefined {
  const [text] = node.children;
  if (node.tagName !== "code" || text?.type !== "text") return undefined;
  return /^norm:(\S+)$/.exec(text.value)?.[1];
}

/** Takes the brackets around a tag out of the sentence; the note brings its own where it stands in the line. */
function dropBrackets(
  before: Root["children"][number] | undefined,
  after: Root["children"][number] | undefined,
): boolean {
  if (before?.type !== "text" || after?.type !== "text") return false;
  if (!/[ \n]?\($/.test(before.value) || !after.value.startsWith(")")) return false;
  before.value = before.value.replace(/[ \n]?\($/, "");
  after.value = after.value.slice(1);
  return true;
}

function note(tag: string, chapter: string | undefined): Element {
  const text = (value: string): ElementContent => ({ type: "text", value });
  const span = (className: string, ...children: ElementContent[]): Element => ({
    type: "element",
    tagName: "span",
    properties: { className: [className] },
    children,
  });
  const code: Element = { type: "element", tagName: "code", properties: {}, children: [text(tag)] };
  return span(
    "norm-note",
    span("norm-bracket", text(" (")),
    span("norm-source", text(`RISC-V manual, ${chapter ?? "rule"} `)),
    code,
    span("norm-bracket", text(")")),
  );
}
