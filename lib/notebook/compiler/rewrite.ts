/**
 * Rewrites the syntax tree of a cell before its types are erased: names that live elsewhere, loops, `import()`.
 */
import ts from "typescript";
import { type Access, HOOKS, type Links, property } from "./links.ts";
import { counterStatement, withTick } from "./loops.ts";

/** Rewrites the statements of one cell. */
export class Rewriter {
  readonly #context: ts.TransformationContext;
  readonly #checker: ts.TypeChecker;
  readonly #links: Links;
  /** Loops met so far in each function around the node that is visited, the cell itself first. */
  readonly #loops: number[] = [0];

  constructor(context: ts.TransformationContext, checker: ts.TypeChecker, links: Links) {
    this.#context = context;
    this.#checker = checker;
    this.#links = links;
  }

  /** Whether a loop stands in the cell outside any function. */
  get hasTopLevelLoop(): boolean {
    return (this.#loops[0] ?? 0) > 0;
  }

  /** The node as it is emitted. Types are left to be erased. */
  readonly visit = (node: ts.Node): ts.Node => {
    if (isErased(node)) return node;
    if (ts.isIdentifier(node)) return this.#identifier(node);
    if (ts.isShorthandPropertyAssignment(node)) return this.#shorthand(node);
    if (ts.isCallExpression(node)) return this.#call(node);
    if (ts.isTaggedTemplateExpression(node)) return this.#template(node);
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
      return property(HOOKS, "meta");
    if (ts.isIterationStatement(node, false)) return this.#loop(node);
    if (ts.isBlock(node) && isFunctionBody(node)) return this.#functionBody(node);
    return this.#children(node);
  };

  #children<N extends ts.Node>(node: N): N {
    return ts.visitEachChild(node, this.visit, this.#context);
  }

  #identifier(node: ts.Identifier): ts.Node {
    const access = this.#accessOf(node);
    return access === undefined ? node : ts.setTextRange(access(), node);
  }

  #accessOf(node: ts.Node): Access | undefined {
    if (!ts.isIdentifier(node) || !this.#links.names.has(node.text)) return undefined;
    return this.#links.accessOf(this.#checker.getSymbolAtLocation(node));
  }

  /** `{ x }` becomes `{ x: $cell1.x }`, in literals and in patterns of assignments. */
  #shorthand(node: ts.ShorthandPropertyAssignment): ts.Node {
    const access = this.#links.names.has(node.name.text)
      ? this.#links.accessOf(this.#checker.getShorthandAssignmentValueSymbol(node))
      : undefined;
    if (access === undefined) return this.#children(node);
    const { factory } = this.#context;
    const initializer = node.objectAssignmentInitializer;
    const value =
      initializer === undefined
        ? access()
        : factory.createAssignment(
            access(),
            ts.visitNode(initializer, this.visit, ts.isExpression) ?? initializer,
          );
    return ts.setTextRange(factory.createPropertyAssignment(node.name.text, value), node);
  }

  /** A bare call of a name that lives elsewhere keeps `this` undefined; `import(…)` goes through the session. */
  #call(node: ts.CallExpression): ts.Node {
    const { factory } = this.#context;
    const visited = this.#children(node);
    if (node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      return factory.updateCallExpression(visited, property(HOOKS, "load"), undefined, visited.arguments);
    }
    if (this.#accessOf(node.expression) === undefined) return visited;
    const callee = this.#bare(visited.expression, node.expression);
    return factory.updateCallExpression(visited, callee, visited.typeArguments, visited.arguments);
  }

  #template(node: ts.TaggedTemplateExpression): ts.Node {
    const visited = this.#children(node);
    if (this.#accessOf(node.tag) === undefined) return visited;
    const tag = this.#bare(visited.tag, node.tag);
    return this.#context.factory.updateTaggedTemplateExpression(
      visited,
      tag,
      visited.typeArguments,
      visited.template,
    );
  }

  /** `(0, $cell1.f)`: a call through it passes no `this`. */
  #bare(expression: ts.Expression, original: ts.Node): ts.LeftHandSideExpression {
    const { factory } = this.#context;
    const comma = factory.createComma(factory.createNumericLiteral(0), expression);
    return ts.setTextRange(factory.createParenthesizedExpression(comma), original);
  }

  #loop(node: ts.IterationStatement): ts.Node {
    this.#loops.push((this.#loops.pop() ?? 0) + 1);
    return withTick(this.#children(node), this.#context.factory);
  }

  #functionBody(node: ts.Block): ts.Node {
    this.#loops.push(0);
    const body = this.#children(node);
    if (this.#loops.pop() === 0) return body;
    const { factory } = this.#context;
    return factory.updateBlock(body, [counterStatement(factory), ...body.statements]);
  }
}

function isFunctionBody(node: ts.Block): boolean {
  const { parent } = node;
  return (
    ts.isClassStaticBlockDeclaration(parent) ||
    (ts.isFunctionLike(parent) && "body" in parent && parent.body === node)
  );
}

function isErased(node: ts.Node): boolean {
  if (ts.isExpressionWithTypeArguments(node)) return false;
  return (
    ts.isTypeNode(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    (ts.isHeritageClause(node) && node.token === ts.SyntaxKind.ImplementsKeyword) ||
    (ts.canHaveModifiers(node) &&
      (ts.getModifiers(node)?.some((each) => each.kind === ts.SyntaxKind.DeclareKeyword) ?? false))
  );
}
