/**
 * Names of a cell that live elsewhere, in an earlier cell or in a module, and how emitted code reaches them.
 */
import ts from "typescript";
import type { ModuleRequest } from "../kernel-protocol.ts";
import type { CellModule } from "./cell-module.ts";

/** Parameter that holds the session's hooks; see `CellHooks` in `session.ts`. */
export const HOOKS = "$dom0";

/** Makes an expression that reads a value. */
export type Access = () => ts.Expression;

/** Which declarations of the file stand for something elsewhere, and how to reach it. */
export class Links {
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

/** A property of a parameter of ours, by dot or, when the name is no identifier, by brackets. */
export function property(holder: string, name: string): ts.Expression {
  const object = ts.factory.createIdentifier(holder);
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)
    ? ts.factory.createPropertyAccessExpression(object, name)
    : ts.factory.createElementAccessExpression(object, ts.factory.createStringLiteral(name));
}
