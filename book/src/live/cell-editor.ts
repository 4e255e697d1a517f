/** The editor that takes the place of a cell's static code when it is touched. */
import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
  completionStatus,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { typescriptLanguage } from "@codemirror/lang-javascript";
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { type Diagnostic, forceLinting, linter } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, Prec } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  hoverTooltip,
  keymap,
  MatchDecorator,
  type Tooltip,
  tooltips,
  ViewPlugin,
  type ViewUpdate,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { CompletionEntry } from "../../../lib/notebook/kernel-protocol.ts";
import type { MountedEditor } from "./cell-view.ts";
import type { CompilerClient } from "./compiler-client.ts";
import { codeWordPart, codeWords } from "./machine-words.ts";

/** What an editor needs from its page. */
export interface EditorHost {
  compiler(): CompilerClient;
  /** Texts of the cells before this one. */
  earlier(): readonly string[];
  onEdit(): void;
  onRun(): void;
  onLeave(): void;
  readonly label: string;
}

const inks = HighlightStyle.define([
  { tag: [tags.comment], color: "var(--code-comment)", fontStyle: "italic" },
  {
    tag: [tags.keyword, tags.bool, tags.null, tags.self, tags.operatorKeyword],
    color: "var(--code-keyword)",
  },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number], color: "var(--code-number)" },
  { tag: [tags.typeName, tags.className], color: "var(--code-type)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "var(--code-call)" },
]);

const machineWords = new MatchDecorator({
  regexp: codeWords,
  decorate: (add, from, to, match) => {
    const part = codeWordPart(match[0]);
    if (part) add(from, to, Decoration.mark({ class: `part-${part}` }));
  },
});

const machineWordInks = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = machineWords.createDeco(view);
    }
    update(update: ViewUpdate): void {
      this.decorations = machineWords.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

const completionKinds: Readonly<Record<string, string>> = {
  alias: "namespace",
  class: "class",
  const: "constant",
  enum: "enum",
  function: "function",
  interface: "interface",
  keyword: "keyword",
  let: "variable",
  "local class": "class",
  "local function": "function",
  method: "method",
  module: "namespace",
  parameter: "variable",
  property: "property",
  string: "text",
  type: "type",
  var: "variable",
};

/** Replaces a static block by an editor with the same text and the same look. */
export function mountEditor(
  block: HTMLElement,
  source: string,
  host: EditorHost,
): MountedEditor & { place(offset: number): void } {
  const parent = document.createElement("div");
  parent.className = "cell-editor";
  const tabs = new TabPolicy();
  const view = new EditorView({
    parent,
    state: EditorState.create({ doc: source, extensions: extensionsOf(host, tabs) }),
  });
  block.replaceWith(parent);
  return {
    get source() {
      return view.state.doc.toString();
    },
    setSource(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    focus: () => view.focus(),
    place(offset) {
      const at = Math.min(Math.max(offset, 0), view.state.doc.length);
      view.dispatch({ selection: { anchor: at } });
    },
  };
}

/** Tab indents once the reader works in the editor; before that, and after Escape, it moves on as everywhere. */
class TabPolicy {
  indents = false;
}

function extensionsOf(host: EditorHost, tabs: TabPolicy) {
  const run = (): boolean => {
    host.onRun();
    return true;
  };
  const leave = (view: EditorView): boolean => {
    if (completionStatus(view.state) === "active") return closeCompletion(view);
    host.onLeave();
    return true;
  };
  return [
    Prec.highest(
      keymap.of([
        { key: "Shift-Enter", run },
        { key: "Mod-Enter", run },
        { key: "Escape", run: leave },
      ]),
    ),
    history(),
    drawSelection(),
    indentOnInput(),
    indentUnit.of("  "),
    bracketMatching(),
    closeBrackets(),
    highlightSelectionMatches(),
    typescriptLanguage,
    syntaxHighlighting(inks),
    machineWordInks,
    autocompletion({ override: [completionsFrom(host)], icons: false, maxRenderedOptions: 60 }),
    linter(errorsFrom(host), { delay: 300 }),
    hoverTooltip(infoFrom(host), { hoverTime: 350 }),
    tooltips({ parent: document.querySelector("main") ?? document.body }),
    keymap.of([
      ...closeBracketsKeymap,
      ...completionKeymap,
      {
        key: "Tab",
        run: (view) => tabs.indents && indentMore(view),
        shift: (view) => tabs.indents && indentLess(view),
      },
      ...searchKeymap,
      ...historyKeymap,
      ...defaultKeymap,
    ]),
    EditorView.domEventHandlers({
      pointerdown: () => {
        tabs.indents = true;
      },
      blur: () => {
        tabs.indents = false;
      },
    }),
    EditorView.updateListener.of((update) => {
      if (!update.docChanged) return;
      if (update.view.hasFocus) tabs.indents = true;
      host.onEdit();
    }),
    EditorView.updateListener.of(({ state }) => {
      // A list that scrolls must be reachable by itself too, not only by the arrow keys of the editor.
      if (completionStatus(state) === "active") requestAnimationFrame(makeListsFocusable);
    }),
    EditorView.contentAttributes.of({ "aria-label": host.label }),
    look,
  ];
}

function makeListsFocusable(): void {
  for (const list of document.querySelectorAll(".cm-tooltip-autocomplete > ul"))
    list.setAttribute("tabindex", "0");
}

function completionsFrom(host: EditorHost) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const before = context.matchBefore(/[A-Za-z_$][\w$]*$/);
    const afterSign = context.matchBefore(/[."'`]$/);
    if (!context.explicit && !before && !afterSign) return null;
    const list = await host.compiler().call("complete", {
      source: context.state.doc.toString(),
      offset: context.pos,
      earlier: host.earlier(),
    });
    if (context.aborted || list.entries.length === 0) return null;
    const options = list.entries.map((entry, rank) => completionOption(entry, rank));
    return { from: list.from, to: list.to, options, validFor: /^[\w$]*$/ };
  };
}

function completionOption({ name, kind }: CompletionEntry, rank: number) {
  return {
    label: name,
    type: completionKinds[kind] ?? "text",
    detail: kind === "string" ? "" : kind,
    boost: -Math.min(rank, 99),
  };
}

function errorsFrom(host: EditorHost) {
  return async (view: EditorView): Promise<Diagnostic[]> => {
    const found = await host
      .compiler()
      .call("check", { source: view.state.doc.toString(), earlier: host.earlier() });
    const end = view.state.doc.length;
    return found.map(({ start, length, message, code }) => ({
      from: Math.max(0, Math.min(start, end - 1)),
      to: Math.min(start + Math.max(length, 1), end),
      severity: "error" as const,
      source: `TS${code}`,
      message,
    }));
  };
}

function infoFrom(host: EditorHost) {
  return async (view: EditorView, position: number): Promise<Tooltip | null> => {
    const info = await host
      .compiler()
      .call("quickInfo", { source: view.state.doc.toString(), offset: position, earlier: host.earlier() });
    if (!info) return null;
    return {
      pos: info.start,
      end: info.start + info.length,
      create: () => {
        const dom = document.createElement("div");
        dom.className = "quick-info";
        const signature = document.createElement("pre");
        signature.textContent = info.signature;
        dom.append(signature);
        if (info.documentation !== "") {
          const text = document.createElement("p");
          text.textContent = info.documentation;
          dom.append(text);
        }
        return { dom };
      },
    };
  };
}

/** Checks an editor's text again, because an earlier cell changed. */
export function checkAgain(editor: Element): void {
  const view = EditorView.findFromDOM(editor as HTMLElement);
  if (view) forceLinting(view);
}

const look = EditorView.theme({
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "inherit", lineHeight: "inherit", overflowX: "auto", scrollbarWidth: "thin" },
  ".cm-content": { padding: "0.95rem 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 var(--bleed)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "1.5px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--code-selection)",
  },
  ".cm-matchingBracket": { background: "var(--code-selection)", outline: "none" },
  ".cm-selectionMatch": { background: "color-mix(in srgb, var(--code-selection) 55%, transparent)" },
});
