/**
 * Finds what each citation in the library's sources stands by.
 *
 * - A comment on lines of its own belongs to the largest piece of code that begins with the next token: the declaration
 *   below it, the statement, the member, the row of a table.
 * - A comment behind code belongs to the largest statement, member or row that begins and ends on that line.
 * - A string `"norm:…"` belongs to the smallest row, member or statement around it; the string of a property `spec`
 *   belongs to the record that has the property, a string with a name to the rows that use the name.
 *
 * A comment at the head of a file belongs to nothing, because there is nothing to flip: that is a stray citation.
 */
import ts from "typescript";
import { type Place, type StrayCitation, tagsIn } from "./citation.ts";
import { type Comment, digest, lineOf, normalized, parse, pathOf, tokensAndComments } from "./syntax.ts";

/** Pieces of code that a citation may belong to. */
function isPiece(node: ts.Node): boolean {
  return (
    (ts.isStatement(node) && !ts.isBlock(node)) ||
    ts.isClassElement(node) ||
    ts.isTypeElement(node) ||
    ts.isPropertyAssignment(node) ||
    ts.isShorthandPropertyAssignment(node) ||
    ts.isSpreadAssignment(node) ||
    ts.isParameter(node)
  );
}

const isType = (node: ts.Node): boolean =>
  ts.isTypeElement(node) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isImportDeclaration(node) ||
  (ts.isExportDeclaration(node) && node.exportClause === undefined);

const pieceAround = (node: ts.Node): ts.Node | undefined => ts.findAncestor(node, isPiece);

/** The largest piece that begins on the token's line and ends with it. */
function pieceEndingWith(token: ts.Node, source: ts.SourceFile): ts.Node | undefined {
  const line = lineOf(source, token.getStart(source));
  let piece = pieceAround(token);
  for (let outer = piece; outer !== undefined; outer = pieceAround(outer.parent)) {
    if (outer.end !== token.end || lineOf(source, outer.getStart(source)) !== line) break;
    piece = outer;
  }
  return piece;
}

/** The largest node that begins where `token` does; the file itself is none. */
function largestFrom(token: ts.Node, source: ts.SourceFile): ts.Node {
  const start = token.getStart(source);
  let largest = token;
  for (let at = token; at !== undefined && !ts.isSourceFile(at); at = at.parent)
    if (at.getStart(source) === start && at.kind !== ts.SyntaxKind.SyntaxList) largest = at;
  return largest;
}

/** What a comment belongs to. */
function cited(comment: Comment, tokens: readonly ts.Node[], source: ts.SourceFile): ts.Node | undefined {
  const before = tokens.findLast(
    (token) => token.end <= comment.start && token.kind !== ts.SyntaxKind.CommaToken,
  );
  const lineStart = source.text.lastIndexOf("\n", comment.start - 1) + 1;
  const isBehindCode = before !== undefined && before.end > lineStart;
  if (isBehindCode) return pieceEndingWith(before, source);
  const after = tokens.find((token) => token.getStart(source) >= comment.end);
  if (after === undefined || after.kind === ts.SyntaxKind.EndOfFileToken) return undefined;
  const largest = largestFrom(after, source);
  return ts.isImportDeclaration(largest) ? undefined : largest;
}

/** What the string of a citation belongs to; a string that has a name belongs to the rows that use the name. */
function citedByString(literal: ts.StringLiteralLike, tokens: readonly ts.Node[]): (ts.Node | undefined)[] {
  const { parent } = literal;
  if (ts.isVariableDeclaration(parent) && ts.isIdentifier(parent.name)) {
    const { name } = parent;
    const uses = tokens.filter(
      (token) => ts.isIdentifier(token) && token.text === name.text && token !== name,
    );
    if (uses.length > 0) return uses.map(pieceAround);
  }
  const isSpecField = ts.isPropertyAssignment(parent) && parent.name.getText() === "spec";
  return [pieceAround(isSpecField ? parent.parent : literal)];
}

/** The citations of one file of the library. */
export function codeCitations(file: string, text: string): { places: Place[]; strays: StrayCitation[] } {
  if (!text.includes("norm:")) return { places: [], strays: [] };
  const source = parse(file, text);
  const { tokens, comments } = tokensAndComments(source);
  const found = new Map<ts.Node, Set<string>>();
  const strays: StrayCitation[] = [];
  const cite = (tags: readonly string[], node: ts.Node | undefined, position: number): void => {
    if (node === undefined) {
      const message = `norm:${tags.join(", norm:")} stands by no code: cite it at the declaration or statement`;
      if (tags.length > 0) strays.push({ file, line: lineOf(source, position), message });
      return;
    }
    const known = found.get(node) ?? new Set();
    for (const tag of tags) known.add(tag);
    if (tags.length > 0) found.set(node, known);
  };
  for (const comment of comments) {
    const tags = tagsIn(comment.text);
    if (tags.length > 0) cite(tags, cited(comment, tokens, source), comment.start);
  }
  for (const token of tokens)
    if (ts.isStringLiteralLike(token) && ts.findAncestor(token, ts.isTypeNode) === undefined)
      for (const node of tagsIn(token.text).length === 0 ? [] : citedByString(token, tokens))
        cite(tagsIn(token.text), node, token.getStart(source));
  const places = [...found].map(([node, tags]): Place => {
    const start = node.getStart(source);
    return {
      file,
      name: pathOf(node),
      line: lineOf(source, start),
      start,
      end: node.end,
      hash: digest(normalized(source, node)),
      runs: !isType(node),
      tags: [...tags],
    };
  });
  return { places: places.sort((a, b) => a.start - b.start), strays };
}
