/**
 * Finds the tests that cite rules: a citation stands in the title of an `it` or of a `describe` around it, in a comment
 * inside the call, or in the table of its cases.
 */
import ts from "typescript";
import { type CitedTest, tagsIn } from "./citation.ts";
import { digest, lineOf, normalized, parse, tokensAndComments } from "./syntax.ts";

const HOOKS: ReadonlySet<string> = new Set(["beforeEach", "beforeAll", "afterEach", "afterAll"]);

/** `it` in `it(…)`, `it.each(…)(…)`; `describeWith` counts as `describe`. */
function callee(node: ts.Node): string | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  let at: ts.Expression = node.expression;
  if (ts.isCallExpression(at)) at = at.expression;
  if (ts.isPropertyAccessExpression(at)) at = at.expression;
  return ts.isIdentifier(at) ? at.text : undefined;
}

/** The arguments with which `describe` or `it` is called; of `it.each(table)(…)` those of the second call. */
function titleOf(call: ts.CallExpression): string {
  for (const argument of call.arguments) {
    if (ts.isStringLiteralLike(argument)) return argument.text;
    if (ts.isTemplateExpression(argument)) return argument.getText().slice(1, -1);
    if (ts.isCallExpression(argument) || ts.isIdentifier(argument)) return argument.getText();
  }
  return "";
}

/** The table of `it.each(table)(…)`. */
function tableOf(call: ts.CallExpression): readonly ts.Expression[] {
  return ts.isCallExpression(call.expression) ? call.expression.arguments : [];
}

/** Declarations of a file and of its `describe` blocks by name, and the statement of each, for digests that follow names. */
function declarations(
  statements: readonly ts.Statement[],
  found: Map<string, ts.Node>,
): Map<string, ts.Node> {
  for (const statement of statements) {
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations)
        if (ts.isIdentifier(name)) found.set(name.text, statement);
    } else if ((ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) && statement.name) {
      found.set(statement.name.text, statement);
    } else if (ts.isExpressionStatement(statement) && ts.isCallExpression(statement.expression)) {
      const name = callee(statement.expression);
      if (name === "describe" || name === "describeWith") declarations(bodyOf(statement.expression), found);
    }
  }
  return found;
}

/** The nodes and everything of their file that they name, in order of the file. */
function withNamed(roots: readonly ts.Node[], known: ReadonlyMap<string, ts.Node>): ts.Node[] {
  const reached = new Set<ts.Node>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const declared = known.get(node.text);
      if (declared !== undefined && !reached.has(declared)) {
        reached.add(declared);
        visit(declared);
      }
    }
    ts.forEachChild(node, visit);
  };
  for (const root of roots) visit(root);
  return [...reached].sort((a, b) => a.pos - b.pos);
}

interface Around {
  readonly titles: readonly string[];
  readonly hooks: readonly ts.Node[];
}

/** The hooks that stand directly in a block of statements. */
const hooksOf = (statements: readonly ts.Statement[]): ts.Node[] =>
  statements.filter(
    (statement) => ts.isExpressionStatement(statement) && HOOKS.has(callee(statement.expression) ?? "\0"),
  );

function bodyOf(call: ts.CallExpression): readonly ts.Statement[] {
  const body = call.arguments.find((one) => ts.isArrowFunction(one) || ts.isFunctionExpression(one));
  return body !== undefined && ts.isBlock(body.body) ? body.body.statements : [];
}

/** The tests of one file that cite rules. */
export function testCitations(file: string, text: string): CitedTest[] {
  if (!text.includes("norm:")) return [];
  const source = parse(file, text);
  const known = declarations(source.statements, new Map());
  const { comments } = tokensAndComments(source);
  const found: CitedTest[] = [];

  function add(call: ts.CallExpression, { titles, hooks }: Around): void {
    const table = tableOf(call);
    const own = comments.filter(({ start, end }) => start > call.pos && end <= call.end);
    const all = [...titles, titleOf(call)];
    const tags = tagsIn([...all, ...own.map((comment) => comment.text)].join(" "));
    const templates = call.arguments.filter(ts.isTemplateExpression);
    const rows = withNamed([...table, ...templates], known).concat(table);
    const rowTags = tagsIn(rows.map((node) => node.getText(source)).join(" ")).filter(
      (tag) => !tags.includes(tag),
    );
    if (tags.length + rowTags.length === 0) return;
    const named = withNamed([call, ...hooks], known);
    const hash = digest(...titles, ...[call, ...hooks, ...named].map((node) => normalized(source, node)));
    const line = lineOf(source, call.getStart(source));
    const endLine = lineOf(source, call.end);
    found.push({ file, title: all.join(" > "), line, endLine, hash, tags, rowTags });
  }

  function visit(node: ts.Node, around: Around): void {
    const name = callee(node);
    if (ts.isCallExpression(node) && (name === "it" || name === "test")) {
      add(node, around);
      return;
    }
    if (ts.isCallExpression(node) && (name === "describe" || name === "describeWith")) {
      const inside = {
        titles: [...around.titles, titleOf(node)],
        hooks: [...around.hooks, ...hooksOf(bodyOf(node))],
      };
      ts.forEachChild(node, (child) => visit(child, inside));
      return;
    }
    ts.forEachChild(node, (child) => visit(child, around));
  }

  visit(source, { titles: [], hooks: hooksOf(source.statements) });
  return found;
}
