/**
 * From a checked cell to JavaScript that a session runs.
 *
 * The emitted body is one async function. Top-level names stay plain local variables, so loops at the top level run
 * at full speed; an object of accessors (the cell's *scope*) lets later cells read and assign them live. A name of an
 * earlier cell or of an import becomes a property read, `$cell3.x` or `$mod0.x`: the checker says which identifiers
 * those are, so shadowing needs no rules of ours.
 */
import ts from "typescript";
import type { EmittedCell, ModuleRequest } from "../kernel-protocol.ts";
import type { CellModule } from "./cell-module.ts";

/** Parameter that holds the session's hooks; see `CellHooks` in `session.ts`. */
const HOOKS = "$dom0";
const TICK = "$tick";
/** A loop looks at the interrupt flag each time this many iterations have passed; a power of two. */
const TICK_INTERVAL = 16;

type Access = () => ts.Expression;

/** Emits a cell that has no diagnostics. `program` must be the one that checked it. */
export function emitCell(module: CellModule, path: string, program: ts.Program): EmittedCell {
  const file = program.getSourceFile(path);
  if (file === undefined) throw new Error(`no source file for cell ${module.id}`);
  const checker = program.getTypeChecker();
  const links = new Links(module, file);
  const values = exportedValues(module, file, checker, links);
  let js = "";
  let map = "";
  program.emit(
    file,
    (name, text) => {
      if (name.endsWith(".map")) map = text;
      else js = text;
    },
    undefined,
    false,
    { before: [transformer(module, checker, links, values)] },
  );
  const body = js.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "").replace(/\nexport \{\};\s*$/, "");
  const parameters = [
    HOOKS,
    ...links.cells.map((id) => `$cell${id}`),
    ...links.modules.map((_, at) => `$mod${at}`),
  ];
  return {
    id: module.id,
    code: `(async function (${parameters.join(", ")}) {"use strict"; let ${TICK} = 0;\n${body}\n})`,
    reads: links.cells,
    modules: links.modules,
    values: values.map((value) => value.name),
    mappings: mappingsOf(map),
    source: module.source,
  };
}

function mappingsOf(map: string): string {
  const parsed: unknown = map === "" ? {} : JSON.parse(map);
  return typeof parsed === "object" && parsed !== null && "mappings" in parsed ? String(parsed.mappings) : "";
}

/** Which declarations of the file stand for something elsewhere, and how to reach it. */
class Links {
  readonly cells: number[] = [];
  readonly modules: ModuleRequest[] = [];
  readonly #access = new Map<ts.Node, Access>();
  readonly names = new Set<string>();

  constructor(module: CellModule, file: ts.SourceFile) {
    const cellOf = new Map(module.imported.map((name) => [name.name, name.cell]));
    for (const statement of file.statements) {
      if (ts.isImportDeclaration(statement)) {
        if (statement.getStart(file) < module.source.length) this.#linkImport(statement);
        else this.#linkEarlier(statement.importClause?.namedBindings, cellOf);
      } else if (ts.isVariableStatement(statement) && statement.getStart(file) >= module.source.length) {
        for (const declaration of statement.declarationList.declarations) {
          this.#toCell(declaration, declaration.name.getText(file), cellOf);
        }
      }
    }
  }

  /** How to reach what a symbol stands for; `undefined` when it is this cell's own. */
  accessOf(symbol: ts.Symbol | undefined): Access | undefined {
    for (const declaration of symbol?.declarations ?? []) {
      const access = this.#access.get(declaration);
      if (access !== undefined) return access;
    }
    return undefined;
  }

  #linkEarlier(bindings: ts.NamedImportBindings | undefined, cellOf: ReadonlyMap<string, number>): void {
    if (bindings === undefined || !ts.isNamedImports(bindings)) return;
    for (const element of bindings.elements) this.#toCell(element, element.name.text, cellOf);
  }

  #toCell(declaration: ts.Node, name: string, cellOf: ReadonlyMap<string, number>): void {
    const cell = cellOf.get(name);
    if (cell === undefined) return;
    if (!this.cells.includes(cell)) this.cells.push(cell);
    this.#link(declaration, name, () => property(`$cell${cell}`, name));
  }

  #linkImport(statement: ts.ImportDeclaration): void {
    const clause = statement.importClause;
    if (clause?.isTypeOnly || !ts.isStringLiteral(statement.moduleSpecifier)) return;
    const bindings = clause?.namedBindings;
    const onlyTypes =
      clause !== undefined &&
      clause.name === undefined &&
      bindings !== undefined &&
      ts.isNamedImports(bindings) &&
      bindings.elements.length > 0 &&
      bindings.elements.every((element) => element.isTypeOnly);
    if (onlyTypes) return;
    const holder = `$mod${this.modules.length}`;
    this.modules.push({ specifier: statement.moduleSpecifier.text, ...attributesOf(statement) });
    if (clause?.name) this.#link(clause, clause.name.text, () => property(holder, "default"));
    if (bindings === undefined) return;
    if (ts.isNamespaceImport(bindings)) {
      this.#link(bindings, bindings.name.text, () => ts.factory.createIdentifier(holder));
    } else {
      for (const element of bindings.elements) {
        const name = (element.propertyName ?? element.name).text;
        if (!element.isTypeOnly) this.#link(element, element.name.text, () => property(holder, name));
      }
    }
  }

  #link(declaration: ts.Node, name: string, access: Access): void {
    this.names.add(name);
    this.#access.set(declaration, access);
  }
}

function attributesOf(statement: ts.ImportDeclaration): { attributes?: { [name: string]: string } } {
  const elements = statement.attributes?.elements ?? [];
  if (elements.length === 0) return {};
  const pairs = elements.map((each): [string, string] => [
    each.name.text,
    ts.isStringLiteral(each.value) ? each.value.text : "",
  ]);
  return { attributes: Object.fromEntries(pairs) };
}

function property(holder: string, name: string): ts.Expression {
  const object = ts.factory.createIdentifier(holder);
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)
    ? ts.factory.createPropertyAccessExpression(object, name)
    : ts.factory.createElementAccessExpression(object, ts.factory.createStringLiteral(name));
}

interface ExportedValue {
  readonly name: string;
  readonly isAssignable: boolean;
  /** Reads the value inside the cell. */
  readonly read: Access;
}

/** The cell's own names that are values at run time; an import counts when the checker says so. */
function exportedValues(
  module: CellModule,
  file: ts.SourceFile,
  checker: ts.TypeChecker,
  links: Links,
): ExportedValue[] {
  const imported = new Map<string, ts.Symbol | undefined>();
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || statement.getStart(file) >= module.source.length) continue;
    for (const identifier of importedNames(statement)) {
      imported.set(identifier.text, checker.getSymbolAtLocation(identifier));
    }
  }
  const values: ExportedValue[] = [];
  for (const { name, isValue, isAssignable } of module.parsed.declared.values()) {
    if (!isValue) continue;
    if (!imported.has(name)) {
      values.push({ name, isAssignable, read: () => ts.factory.createIdentifier(name) });
      continue;
    }
    const symbol = imported.get(name);
    const read = links.accessOf(symbol);
    if (read !== undefined && symbol !== undefined && isValueAlias(symbol, checker)) {
      values.push({ name, isAssignable: false, read });
    }
  }
  return values;
}

function isValueAlias(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  if ((symbol.flags & ts.SymbolFlags.Alias) === 0) return true;
  const target = checker.getAliasedSymbol(symbol);
  return (target.flags & ts.SymbolFlags.Value) !== 0;
}

function importedNames(statement: ts.ImportDeclaration): ts.Identifier[] {
  const clause = statement.importClause;
  const bindings = clause?.namedBindings;
  const named =
    bindings === undefined
      ? []
      : ts.isNamespaceImport(bindings)
        ? [bindings.name]
        : bindings.elements.map((e) => e.name);
  return clause?.name ? [clause.name, ...named] : named;
}

function transformer(
  module: CellModule,
  checker: ts.TypeChecker,
  links: Links,
  values: readonly ExportedValue[],
): ts.TransformerFactory<ts.SourceFile> {
  return (context) => (file) => {
    const { factory } = context;
    const visit = (node: ts.Node): ts.Node => rewrite(node, visit, context, checker, links);
    const own = file.statements.filter(
      (statement) => statement.getStart(file) < module.source.length && !ts.isImportDeclaration(statement),
    );
    const last = own.at(-1);
    const body = own.map((statement) => {
      const plain = withoutExport(ts.visitNode(statement, visit, ts.isStatement), factory);
      return statement === last && ts.isExpressionStatement(plain) ? asResult(plain, factory) : plain;
    });
    return factory.updateSourceFile(file, [scopeStatement(values, factory), ...body]);
  };
}

/** Rewrites one node: names that live elsewhere, loops, `import()` and `import.meta`. Types are left to be erased. */
function rewrite(
  node: ts.Node,
  visit: ts.Visitor,
  context: ts.TransformationContext,
  checker: ts.TypeChecker,
  links: Links,
): ts.Node {
  const { factory } = context;
  if (isErased(node)) return node;
  if (ts.isIdentifier(node)) {
    const access = links.names.has(node.text) ? links.accessOf(checker.getSymbolAtLocation(node)) : undefined;
    return access === undefined ? node : ts.setTextRange(access(), node);
  }
  if (ts.isShorthandPropertyAssignment(node) && links.names.has(node.name.text)) {
    const access = links.accessOf(checker.getShorthandAssignmentValueSymbol(node));
    if (access === undefined) return ts.visitEachChild(node, visit, context);
    const initializer = node.objectAssignmentInitializer;
    const value =
      initializer === undefined
        ? access()
        : factory.createAssignment(
            access(),
            ts.visitNode(initializer, visit, ts.isExpression) ?? initializer,
          );
    return ts.setTextRange(factory.createPropertyAssignment(node.name.text, value), node);
  }
  if (ts.isCallExpression(node)) return rewriteCall(node, visit, context, checker, links);
  if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
    return property(HOOKS, "meta");
  if (ts.isIterationStatement(node, false)) return withTick(ts.visitEachChild(node, visit, context), factory);
  return ts.visitEachChild(node, visit, context);
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

/** A bare call of a name that lives elsewhere keeps `this` undefined; `import(…)` goes through the session. */
function rewriteCall(
  node: ts.CallExpression,
  visit: ts.Visitor,
  context: ts.TransformationContext,
  checker: ts.TypeChecker,
  links: Links,
): ts.Node {
  const { factory } = context;
  const visited = ts.visitEachChild(node, visit, context);
  if (node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return factory.updateCallExpression(visited, property(HOOKS, "load"), undefined, visited.arguments);
  }
  if (!ts.isIdentifier(node.expression) || !links.names.has(node.expression.text)) return visited;
  if (links.accessOf(checker.getSymbolAtLocation(node.expression)) === undefined) return visited;
  const bare = factory.createParenthesizedExpression(
    factory.createComma(factory.createNumericLiteral(0), visited.expression),
  );
  ts.setTextRange(bare, node.expression);
  return factory.updateCallExpression(visited, bare, visited.typeArguments, visited.arguments);
}

/** `($tick = $tick + 1 & 15) || $dom0.tick();` at the head of a loop's body. */
function withTick(loop: ts.Node, factory: ts.NodeFactory): ts.Node {
  const count = factory.createBitwiseAnd(
    factory.createParenthesizedExpression(
      factory.createAdd(factory.createIdentifier(TICK), factory.createNumericLiteral(1)),
    ),
    factory.createNumericLiteral(TICK_INTERVAL - 1),
  );
  const tick = factory.createExpressionStatement(
    factory.createLogicalOr(
      factory.createParenthesizedExpression(factory.createAssignment(factory.createIdentifier(TICK), count)),
      factory.createCallExpression(property(HOOKS, "tick"), undefined, []),
    ),
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

function withoutExport(statement: ts.Statement, factory: ts.NodeFactory): ts.Statement {
  if (!ts.canHaveModifiers(statement)) return statement;
  const modifiers = ts.getModifiers(statement);
  if (!modifiers?.some((each) => each.kind === ts.SyntaxKind.ExportKeyword)) return statement;
  const kept = modifiers.filter((each) => each.kind !== ts.SyntaxKind.ExportKeyword);
  if (ts.isVariableStatement(statement)) {
    return factory.updateVariableStatement(statement, kept, statement.declarationList);
  }
  if (ts.isFunctionDeclaration(statement)) {
    const { asteriskToken, name, typeParameters, parameters, type, body } = statement;
    return factory.updateFunctionDeclaration(
      statement,
      kept,
      asteriskToken,
      name,
      typeParameters,
      parameters,
      type,
      body,
    );
  }
  if (ts.isClassDeclaration(statement)) {
    const { name, typeParameters, heritageClauses, members } = statement;
    const all = [...(ts.getDecorators(statement) ?? []), ...kept];
    return factory.updateClassDeclaration(statement, all, name, typeParameters, heritageClauses, members);
  }
  if (ts.isEnumDeclaration(statement)) {
    return factory.updateEnumDeclaration(statement, kept, statement.name, statement.members);
  }
  return ts.isModuleDeclaration(statement)
    ? factory.updateModuleDeclaration(statement, kept, statement.name, statement.body)
    : statement;
}

function asResult(statement: ts.ExpressionStatement, factory: ts.NodeFactory): ts.Statement {
  const assignment = factory.createAssignment(property(HOOKS, "result"), statement.expression);
  return ts.setTextRange(factory.createExpressionStatement(assignment), statement);
}

/** `$dom0.scope = { get x() { return x; }, set x($value) { x = $value; }, … };` */
function scopeStatement(values: readonly ExportedValue[], factory: ts.NodeFactory): ts.Statement {
  const accessors = values.flatMap(({ name, isAssignable, read }) => {
    const get = factory.createGetAccessorDeclaration(
      undefined,
      name,
      [],
      undefined,
      factory.createBlock([factory.createReturnStatement(read())]),
    );
    if (!isAssignable) return [get];
    const parameter = factory.createParameterDeclaration(undefined, undefined, "$value");
    const assign = factory.createAssignment(
      factory.createIdentifier(name),
      factory.createIdentifier("$value"),
    );
    const set = factory.createSetAccessorDeclaration(
      undefined,
      name,
      [parameter],
      factory.createBlock([factory.createExpressionStatement(assign)]),
    );
    return [get, set];
  });
  const scope = factory.createObjectLiteralExpression(accessors, false);
  return factory.createExpressionStatement(factory.createAssignment(property(HOOKS, "scope"), scope));
}
