/**
 * What a cell declares at its top level, and which names its text mentions: read off the syntax tree alone.
 *
 * Values of imports are not decided here (a name may be only a type): the checker says that at emit.
 */
import ts from "typescript";

/** A top-level name of a cell. */
export interface DeclaredName {
  readonly name: string;
  /** Has a type meaning: interface, type alias, class, enum, namespace; imports count as both. */
  readonly isType: boolean;
  /** Has a value meaning. */
  readonly isValue: boolean;
  /** A `let` or `var`: later cells may assign it. */
  readonly isAssignable: boolean;
  /** Type alias or interface with type parameters. */
  readonly isGeneric: boolean;
  /** Already written with `export`. */
  readonly isExported: boolean;
}

/** A cell's text, parsed. */
export interface ParsedCell {
  readonly declared: ReadonlyMap<string, DeclaredName>;
  /** Every identifier in the text. */
  readonly mentioned: ReadonlySet<string>;
  readonly syntaxErrors: readonly ts.DiagnosticWithLocation[];
  /** Statements that only a module file may have (`export default`, `export … from`). */
  readonly exportStatements: readonly { readonly start: number; readonly length: number }[];
  /** Contains `declare global` or `declare module "…"`, which all later cells must see. */
  readonly augments: boolean;
}

/** Parses the text of one cell. */
export function parseCell(source: string): ParsedCell {
  const file = ts.createSourceFile("cell.ts", source, ts.ScriptTarget.ES2023, true);
  const names = new NameTable();
  const exportStatements: { start: number; length: number }[] = [];
  let augments = false;
  for (const statement of file.statements) {
    if (ts.isExportDeclaration(statement) || ts.isExportAssignment(statement)) {
      exportStatements.push({ start: statement.getStart(file), length: statement.getWidth(file) });
    } else if (ts.isModuleDeclaration(statement) && isAugmentation(statement)) augments = true;
    else {
      if (hasModifier(statement, ts.SyntaxKind.DefaultKeyword)) {
        exportStatements.push({ start: statement.getStart(file), length: "export default".length });
      }
      declare(statement, names);
    }
  }
  // The parser keeps its errors on the file, outside the public type.
  const { parseDiagnostics = [] } = file as unknown as { parseDiagnostics?: ts.DiagnosticWithLocation[] };
  return {
    declared: names.table,
    mentioned: identifiersOf(file),
    syntaxErrors: parseDiagnostics,
    exportStatements,
    augments,
  };
}

class NameTable {
  readonly table = new Map<string, DeclaredName>();

  add(name: string, facts: Partial<DeclaredName>): void {
    const before = this.table.get(name);
    const either = (key: "isType" | "isValue" | "isAssignable" | "isGeneric" | "isExported") =>
      (before?.[key] ?? false) || (facts[key] ?? false);
    this.table.set(name, {
      name,
      isType: either("isType"),
      isValue: either("isValue"),
      isAssignable: either("isAssignable"),
      isGeneric: either("isGeneric"),
      isExported: either("isExported"),
    });
  }
}

const TYPE = { isType: true };
const BOTH = { isType: true, isValue: true };

function declare(statement: ts.Statement, names: NameTable): void {
  const isExported = hasModifier(statement, ts.SyntaxKind.ExportKeyword);
  const isAmbient = hasModifier(statement, ts.SyntaxKind.DeclareKeyword);
  if (ts.isImportDeclaration(statement)) declareImport(statement, names);
  else if (ts.isImportEqualsDeclaration(statement)) names.add(statement.name.text, BOTH);
  else if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
    const isGeneric = (statement.typeParameters?.length ?? 0) > 0;
    names.add(statement.name.text, { ...TYPE, isGeneric, isExported });
  } else if (ts.isFunctionDeclaration(statement)) {
    if (statement.name) names.add(statement.name.text, { isValue: !isAmbient, isExported });
  } else if (ts.isClassDeclaration(statement)) {
    if (statement.name) names.add(statement.name.text, { isType: true, isValue: !isAmbient, isExported });
  } else if (ts.isEnumDeclaration(statement)) {
    names.add(statement.name.text, { isType: true, isValue: !isAmbient, isExported });
  } else if (ts.isModuleDeclaration(statement) && ts.isIdentifier(statement.name)) {
    names.add(statement.name.text, { isType: true, isValue: !isAmbient && hasValues(statement), isExported });
  } else declareVariables(statement, { isExported, isAmbient }, names);
}

function declareImport(statement: ts.ImportDeclaration, names: NameTable): void {
  const clause = statement.importClause;
  if (clause === undefined) return;
  const facts = (isTypeOnly: boolean) => (isTypeOnly ? TYPE : BOTH);
  if (clause.name) names.add(clause.name.text, facts(clause.isTypeOnly));
  const bindings = clause.namedBindings;
  if (bindings === undefined) return;
  if (ts.isNamespaceImport(bindings)) names.add(bindings.name.text, facts(clause.isTypeOnly));
  else {
    for (const element of bindings.elements) {
      names.add(element.name.text, facts(clause.isTypeOnly || element.isTypeOnly));
    }
  }
}

/** `let`, `const`, `using` of the top level, and `var` anywhere outside a function. */
function declareVariables(
  statement: ts.Statement,
  facts: { isExported: boolean; isAmbient: boolean },
  names: NameTable,
): void {
  const visit = (node: ts.Node, isTop: boolean): void => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node) || ts.isModuleDeclaration(node)) return;
    if (ts.isVariableDeclarationList(node)) {
      const isVar = (node.flags & ts.NodeFlags.BlockScoped) === 0;
      const isLet = (node.flags & ts.NodeFlags.BlockScoped) === ts.NodeFlags.Let;
      if (isTop || isVar) {
        for (const name of node.declarations.flatMap((declaration) => boundNames(declaration.name))) {
          names.add(name, {
            isValue: !facts.isAmbient,
            isAssignable: isVar || isLet,
            isExported: facts.isExported,
          });
        }
      }
    }
    ts.forEachChild(node, (child) =>
      visit(child, isTop && node === statement && ts.isVariableStatement(node)),
    );
  };
  visit(statement, true);
}

function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}

function identifiersOf(file: ts.SourceFile): Set<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) found.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function isAugmentation(statement: ts.ModuleDeclaration): boolean {
  return ts.isStringLiteral(statement.name) || (statement.flags & ts.NodeFlags.GlobalAugmentation) !== 0;
}

/** Whether a namespace holds more than types. */
function hasValues(statement: ts.ModuleDeclaration): boolean {
  const body = statement.body;
  if (body === undefined) return false;
  if (ts.isModuleDeclaration(body)) return hasValues(body);
  if (!ts.isModuleBlock(body)) return false;
  return body.statements.some(
    (inner) => !ts.isInterfaceDeclaration(inner) && !ts.isTypeAliasDeclaration(inner),
  );
}

function hasModifier(node: ts.Node, kind: ts.SyntaxKind): boolean {
  return (
    ts.canHaveModifiers(node) && (ts.getModifiers(node)?.some((modifier) => modifier.kind === kind) ?? false)
  );
}
