/** Marks the glossary's terms in a chapter's text, and says what is wrong with the glossary itself. */
import type { InlineCode, PhrasingContent, Root, RootContent, Text } from "mdast";
import type { GlossaryTerm } from "../src/glossary.ts";

/** A glossary with the rules of the manual that it may name. */
export class Glossary {
  readonly terms: readonly GlossaryTerm[];
  readonly #byForm = new Map<string, GlossaryTerm>();
  readonly #byCode = new Map<string, GlossaryTerm>();
  readonly #words: RegExp;

  constructor(terms: readonly GlossaryTerm[]) {
    this.terms = terms;
    for (const term of terms) {
      for (const form of term.forms) {
        const code = /^`(.+)`$/.exec(form)?.[1];
        if (code === undefined) this.#byForm.set(folded(form), term);
        else this.#byCode.set(code, term);
      }
    }
    const words = [...this.#byForm.keys()].sort((a, b) => b.length - a.length).map(pattern);
    this.#words = new RegExp(`(?<![\\w-])(?:${words.join("|")})(?![\\w-])`, "gi");
  }

  /** What an author of the glossary has to repair. @param rules  All normative rules of the manual. */
  problems(rules: ReadonlySet<string>): string[] {
    const ids = new Set<string>();
    const forms = new Map<string, string>();
    return this.terms.flatMap(({ id, term, rule, forms: own }) => {
      const found: string[] = [];
      if (ids.has(id)) found.push(`glossary: "${id}" is there twice`);
      ids.add(id);
      if (rule !== undefined && !rules.has(rule))
        found.push(`glossary, ${term}: the manual has no rule norm:${rule}`);
      if (own.length === 0) found.push(`glossary, ${term}: no form of it can stand in a text`);
      for (const form of own) {
        const other = forms.get(folded(form));
        if (other !== undefined) found.push(`glossary: "${form}" is a form of ${other} and of ${id}`);
        forms.set(folded(form), id);
      }
      return found;
    });
  }

  /** Terms that no chapter used although the chapter that introduces them is here. */
  dead(used: ReadonlySet<string>, chapters: readonly number[]): string[] {
    return this.terms
      .filter(({ id, chapter }) => !used.has(id) && chapters.includes(chapter))
      .map(({ term }) => `glossary, ${term}: no chapter uses it; take it out, or correct its forms`);
  }

  /** The term that a run of prose names. */
  termOf(words: string): GlossaryTerm | undefined {
    return this.#byForm.get(folded(words));
  }

  /** The term that a piece of inline code names. */
  termOfCode(code: string): GlossaryTerm | undefined {
    return this.#byCode.get(code);
  }

  /** Places of terms in a text. */
  find(text: string): { readonly at: number; readonly words: string; readonly term: GlossaryTerm }[] {
    return [...text.matchAll(this.#words)].flatMap(({ 0: words, index }) => {
      const term = this.termOf(words);
      // An abbreviation is one only in its own letters.
      return term === undefined || !isSpelled(words, term) ? [] : [{ at: index, words, term }];
    });
  }
}

const folded = (form: string): string => form.toLowerCase();
const pattern = (form: string): string =>
  form.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(" ", "\\s+");

/** Whether the words are a form as it stands, or one that only begins with a capital. */
function isSpelled(words: string, term: GlossaryTerm): boolean {
  const plain = words.replaceAll(/\s+/g, " ");
  return term.forms.some(
    (form) => form === plain || (!/[A-Z]/.test(form) && form.slice(1) === plain.slice(1)),
  );
}

/** Marks the first use of each term in each section of one chapter. */
export class GlossaryMarker {
  readonly #glossary: Glossary;
  #seen = new Set<string>();
  /** Ids of terms in the order of their first use in the chapter. */
  readonly used: string[] = [];

  constructor(glossary: Glossary) {
    this.#glossary = glossary;
  }

  /** Marks a cell's tree, which is changed. Cells come in reading order. */
  mark(tree: Root): void {
    for (const block of tree.children) {
      if (block.type === "heading" && block.depth <= 2) this.#seen = new Set();
      // A paragraph all in bold is a chapter's question, set large.
      const isQuestion = block.type === "paragraph" && block.children.every(({ type }) => type === "strong");
      if (!isQuestion) this.#enter(block);
    }
  }

  #enter(node: RootContent): void {
    // A heading, a link and a name in italics keep their words to themselves.
    if (node.type === "heading" || node.type === "code" || node.type === "html") return;
    if (node.type === "link" || node.type === "linkReference" || !("children" in node)) return;
    if (node.type === "emphasis") {
      this.#introduce(node.children);
      return;
    }
    const children = node.children as RootContent[];
    const marked = children.flatMap((child): RootContent[] => {
      if (child.type === "text") return this.#inText(child);
      if (child.type === "inlineCode") return this.#inCode(child);
      this.#enter(child);
      return [child];
    });
    children.splice(0, children.length, ...marked);
  }

  /** A term in italics is being explained by the sentence itself: it is used, and needs no note in this section. */
  #introduce(children: readonly PhrasingContent[]): void {
    for (const child of children) {
      if (child.type === "text") for (const { term } of this.#glossary.find(child.value)) this.#isFirst(term);
    }
  }

  #isFirst({ id }: GlossaryTerm): boolean {
    if (!this.used.includes(id)) this.used.push(id);
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    return true;
  }

  #inText(text: Text): PhrasingContent[] {
    const pieces: PhrasingContent[] = [];
    let from = 0;
    for (const { at, words, term } of this.#glossary.find(text.value)) {
      if (!this.#isFirst(term)) continue;
      if (at > from) pieces.push({ type: "text", value: text.value.slice(from, at) });
      pieces.push(...termMarkup(term, { type: "text", value: words }));
      from = at + words.length;
    }
    if (from === 0) return [text];
    if (from < text.value.length) pieces.push({ type: "text", value: text.value.slice(from) });
    return pieces;
  }

  #inCode(code: InlineCode): PhrasingContent[] {
    const term = this.#glossary.termOfCode(code.value);
    return term !== undefined && this.#isFirst(term) ? termMarkup(term, code) : [code];
  }
}

const termMarkup = ({ id }: GlossaryTerm, child: PhrasingContent): PhrasingContent[] => [
  { type: "html", value: `<Term id="${id}">` },
  child,
  { type: "html", value: "</Term>" },
];
