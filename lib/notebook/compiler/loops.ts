/**
 * Interrupt ticks: each loop looks now and then whether it was asked to stop.
 *
 * The counter is a local variable of the function that holds the loop: the engine keeps it in a register.
 */
import ts from "typescript";
import { HOOKS, property } from "./links.ts";

const TICK = "$tick";

/** `let $tick = 0;` for the head of a function that has loops. */
export function counterStatement(factory: ts.NodeFactory): ts.Statement {
  const declaration = factory.createVariableDeclaration(
    TICK,
    undefined,
    undefined,
    factory.createNumericLiteral(0),
  );
  return factory.createVariableStatement(
    undefined,
    factory.createVariableDeclarationList([declaration], ts.NodeFlags.Let),
  );
}

/** `$tick-- > 0 || ($tick = $dom0.tick());` at the head of a loop's body. Once a tick throws, each later one does. */
export function withTick(loop: ts.Node, factory: ts.NodeFactory): ts.Node {
  const counter = () => factory.createIdentifier(TICK);
  const hasMore = factory.createGreaterThan(
    factory.createPostfixDecrement(counter()),
    factory.createNumericLiteral(0),
  );
  const refill = factory.createAssignment(
    counter(),
    factory.createCallExpression(property(HOOKS, "tick"), undefined, []),
  );
  const tick = factory.createExpressionStatement(
    factory.createLogicalOr(hasMore, factory.createParenthesizedExpression(refill)),
  );
  const block = (body: ts.Statement) =>
    factory.createBlock([tick, ...(ts.isBlock(body) ? body.statements : [body])], true);
  if (ts.isForStatement(loop)) {
    return factory.updateForStatement(
      loop,
      loop.initializer,
      loop.condition,
      loop.incrementor,
      block(loop.statement),
    );
  }
  if (ts.isForInStatement(loop)) {
    return factory.updateForInStatement(loop, loop.initializer, loop.expression, block(loop.statement));
  }
  if (ts.isForOfStatement(loop)) {
    return factory.updateForOfStatement(
      loop,
      loop.awaitModifier,
      loop.initializer,
      loop.expression,
      block(loop.statement),
    );
  }
  if (ts.isWhileStatement(loop))
    return factory.updateWhileStatement(loop, loop.expression, block(loop.statement));
  if (ts.isDoStatement(loop)) return factory.updateDoStatement(loop, block(loop.statement), loop.expression);
  return loop;
}
