import type { ShikiTransformer, ThemeRegistration } from "shiki";
import { codeWordPart } from "../src/live/machine-words.ts";

/** Code colors are CSS variables, so one rendering serves light, dark and print, and the editor matches it. */
export const codeTheme: ThemeRegistration = {
  name: "dom0-inks",
  type: "light",
  fg: "var(--code-ink)",
  bg: "var(--code-ground)",
  colors: { "editor.foreground": "var(--code-ink)", "editor.background": "var(--code-ground)" },
  settings: [
    { settings: { foreground: "var(--code-ink)", background: "var(--code-ground)" } },
    {
      scope: ["comment", "punctuation.definition.comment"],
      settings: { foreground: "var(--code-comment)", fontStyle: "italic" },
    },
    {
      scope: ["keyword", "storage", "constant.language", "variable.language"],
      settings: { foreground: "var(--code-keyword)" },
    },
    { scope: ["keyword.operator"], settings: { foreground: "var(--code-ink)" } },
    { scope: ["string", "punctuation.definition.string"], settings: { foreground: "var(--code-string)" } },
    { scope: ["constant.numeric"], settings: { foreground: "var(--code-number)" } },
    {
      scope: ["entity.name.type", "support.type", "entity.name.class"],
      settings: { foreground: "var(--code-type)" },
    },
    { scope: ["entity.name.function", "support.function"], settings: { foreground: "var(--code-call)" } },
  ],
};

/** Marks register names, CSR names and addresses inside code with the class of the machine part they name. */
export const machineWordTransformer: ShikiTransformer = {
  name: "machine-words",
  preprocess(_code, options) {
    options.mergeWhitespaces = true;
    options.mergeSameStyleTokens = false;
    // By default a line that takes half a second stays uncolored: the build would depend on how busy the machine is.
    options.tokenizeTimeLimit = 0;
  },
  span(node, _line, _column, _lineElement, token) {
    const part = codeWordPart(token.content.trim());
    if (part) {
      node.properties["class"] = `part-${part}`;
      delete node.properties["style"];
    }
  },
  pre(node) {
    node.properties["tabindex"] = "0";
    // Search finds prose first, code after it.
    node.properties["data-pagefind-weight"] = "0.3";
  },
};
