/** Reading TypeScript sources: parsing, comments, names, and a digest of code that ignores comments and layout. */
import { createHash } from "node:crypto";
import ts from "typescript";

export function parse(file: string, text: string): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS);
}

/** Line of a position, from 1. */
export const lineOf = (source: ts.SourceFile, position: number): number =>
  source.getLineAndCharacterOfPosition(position).line + 1;

/** A comment with its place in the text. */
export interface Comment {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Every token of a file, and every comment between them. */
export function tokensAndComments(source: ts.SourceFile): { tokens: ts.Node[]; comments: Comment[] } {
  const tokens: ts.Node[] = [];
  const comments = new Map<number, Comment>();
  const visit = (node: ts.Node): void => {
    const children = node.getChildren(source).filter((child) => !ts.isJSDoc(child));
    if (children.length > 0) {
      for (const child of children) visit(child);
      return;
    }
    const ranges = [
      ...(ts.getLeadingCommentRanges(source.text, node.pos) ?? []),
      ...(ts.getTrailingCommentRanges(source.text, node.end) ?? []),
    ];
    for (const { pos, end } of ranges)
      comments.set(pos, { start: pos, end, text: source.text.slice(pos, end) });
    if (node.end > node.getStart(source) || node.kind === ts.SyntaxKind.EndOfFileToken) tokens.push(node);
  };
  visit(source);
  return { tokens, comments: [...comments.values()].sort((a, b) => a.start - b.start) };
}

const printer = ts.createPrinter({ removeComments: true });

/** The code of a node without comments and layout. */
export const normalized = (source: ts.SourceFile, node: ts.Node): string =>
  printer.printNode(ts.EmitHint.Unspecified, node, source).replace(/\s+/g, " ");

const DIGEST_LETTERS = 12;

/** Short digest, as the ledger keeps it. */
export const digest = (...texts: readonly string[]): string =>
  createHash("sha256").update(texts.join("\0")).digest("hex").slice(0, DIGEST_LETTERS);

/** The name that a node declares or assigns, if it has one. */
export function nameOf(node: ts.Node): string | undefined {
  if (ts.isVariableStatement(node)) {
    const [first] = node.declarationList.declarations;
    return first === undefined ? undefined : nameOf(first);
  }
  const { name } = node as { readonly name?: ts.Node };
  if (name === undefined) return ts.isConstructorDeclaration(node) ? "constructor" : undefined;
  if (ts.isStringLiteralLike(name)) return name.text;
  return ts.isIdentifier(name) || ts.isPrivateIdentifier(name) || ts.isNumericLiteral(name)
    ? name.text
    : undefined;
}

/** Names of the declarations around a node and its own, outermost first. */
export function pathOf(node: ts.Node): string {
  const names: string[] = [];
  for (let at: ts.Node | undefined = node; at !== undefined && !ts.isSourceFile(at); at = at.parent) {
    if (ts.isVariableStatement(at) || ts.isVariableDeclarationList(at)) {
      if (at === node) names.unshift(nameOf(at) ?? "");
      continue;
    }
    const name = nameOf(at);
    if (name !== undefined) names.unshift(name);
  }
  return names.filter((name) => name !== "").join(".");
}
