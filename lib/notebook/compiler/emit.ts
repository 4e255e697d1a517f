/**
 * From a checked cell to JavaScript that a session runs.
 *
 * The emitted body is one async function. Top-level names stay plain local variables, so loops at the top level run
 * at full speed; an object of accessors (the cell's *scope*) lets later cells read and assign them live. A name of an
 * earlier cell or of an import becomes a property read, `$cell3.x` or `$mod0.x`: the checker says which identifiers
 * those are, so shadowing needs no rules of ours.
 */
import ts from "typescript";
import type { EmittedCell } from "../kernel-protocol.ts";
import type { CellModule } from "./cell-module.ts";
import { type Access, HOOKS, Links, property } from "./links.ts";
import { counterStatement } from "./loops.ts";
import { Rewriter } from "./rewrite.ts";

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
    code: `(async function (${parameters.join(", ")}) {"use strict";\n${body}\n})`,
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
    const rewriter = new Rewriter(context, checker, links);
    const own = file.statements.filter(
      (statement) => statement.getStart(file) < module.source.length && !ts.isImportDeclaration(statement),
    );
    const last = own.at(-1);
    const body = own.map((statement) => {
      const plain = withoutExport(ts.visitNode(statement, rewriter.visit, ts.isStatement), factory);
      return statement === last && ts.isExpressionStatement(plain) ? asResult(plain, factory) : plain;
    });
    const counter = rewriter.hasTopLevelLoop ? [counterStatement(factory)] : [];
    return factory.updateSourceFile(file, [scopeStatement(values, factory), ...counter, ...body]);
  };
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

/**
 * `$dom0.define({ ["x"]: { get: () => x, set: ($value) => { x = $value; } }, … });`
 *
 * Descriptors, not accessors of a literal: an object whose getter and setter come one after the other is slow.
 */
function scopeStatement(values: readonly ExportedValue[], factory: ts.NodeFactory): ts.Statement {
  const arrow = (parameters: readonly string[], body: ts.ConciseBody) =>
    factory.createArrowFunction(
      undefined,
      undefined,
      parameters.map((name) => factory.createParameterDeclaration(undefined, undefined, name)),
      undefined,
      undefined,
      body,
    );
  const descriptors = values.map(({ name, isAssignable, read }) => {
    const parts = [factory.createPropertyAssignment("get", arrow([], read()))];
    if (isAssignable) {
      const assign = factory.createAssignment(
        factory.createIdentifier(name),
        factory.createIdentifier("$value"),
      );
      const body = factory.createBlock([factory.createExpressionStatement(assign)]);
      parts.push(factory.createPropertyAssignment("set", arrow(["$value"], body)));
    }
    const key = factory.createComputedPropertyName(factory.createStringLiteral(name));
    return factory.createPropertyAssignment(key, factory.createObjectLiteralExpression(parts));
  });
  const names = factory.createObjectLiteralExpression(descriptors);
  return factory.createExpressionStatement(
    factory.createCallExpression(property(HOOKS, "define"), undefined, [names]),
  );
}
