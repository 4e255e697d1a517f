/**
 * Small defects for one piece of code: each mutant changes one expression, statement, table field or flag of it.
 *
 * No operator takes a whole function away: that would show that a test reaches the code, not that it looks at the rule.
 */
import ts from "typescript";
import { parse } from "./syntax.ts";

/** One small change of a file's text. */
export interface Mutant {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** What was changed, for people: `=== became !==`. */
  readonly change: string;
  /** Whether it changes an instruction's picture, or takes the instruction away: then it says nothing of what the instruction does. */
  readonly isPicture: boolean;
}

/** At most so many mutants of one piece, spread over it; those of a picture come besides. */
const MOST = 10;

type Make = (start: number, end: number, replacement: string, change: string, isPicture?: boolean) => void;

const SWAPPED_OPERATOR: Readonly<Record<string, readonly string[]>> = {
  "===": ["!=="],
  "!==": ["==="],
  "<": [">=", "<="],
  "<=": [">", "<"],
  ">": ["<=", ">="],
  ">=": ["<", ">"],
  "&&": ["||"],
  "||": ["&&"],
  "??": ["&&"],
  "&": ["|"],
  "|": ["&"],
  "^": ["&"],
  "<<": [">>"],
  ">>": ["<<"],
  ">>>": ["<<"],
  "+": ["-"],
  "-": ["+"],
  "*": ["+"],
  "/": ["*"],
  "%": ["*"],
  "|=": ["&="],
  "&=": ["|="],
  "+=": ["-="],
  "-=": ["+="],
};

/** Names that stand for each other in this machine: swapping them is the mistake that one would make. */
const FAMILIES: readonly (readonly string[])[] = [
  ["illegalInstruction", "virtualInstruction"],
  ["breakpoint", "ecallFromM"],
  ["VTVM", "VTSR", "VTW"],
  ["TVM", "TSR", "TW"],
  ["SPV", "SPVP"],
  ["SUM", "MXR"],
  ["MIE", "SIE"],
  ["load", "store", "fetch"],
  ["read", "execute"],
  ["vs", "g"],
  ["mcounteren", "hcounteren", "scounteren"],
  ["mstatus", "vsstatus"],
  ["medeleg", "hedeleg"],
  ["mideleg", "hideleg"],
  ["menvcfg", "henvcfg"],
  ["satp", "vsatp", "hgatp"],
  ["scause", "vscause"],
  ["sepc", "vsepc", "mepc"],
  ["stval", "vstval", "mtval"],
  ["stvec", "vstvec", "mtvec"],
  ["sip", "mip"],
  ["sie", "mie"],
];

/** Operations that stand for each other in tables of instructions. */
const OPERATIONS: readonly (readonly string[])[] = [
  ["add", "subtract", "multiply", "divide"],
  ["multiplyAdd", "multiplySubtract", "negatedMultiplyAdd", "negatedMultiplySubtract"],
  ["copySign", "copyOppositeSign", "multiplySigns"],
  ["minimum", "maximum"],
  ["equal", "less", "lessOrEqual"],
  ["INT32", "UINT32", "INT64", "UINT64"],
  ["SINGLE", "DOUBLE"],
];

/** Functions of tables, and operations on a hart, that one may confuse. */
const CALLEES: Readonly<Record<string, string>> = {
  rw: "ro",
  ro: "rw",
  asInt64: "asU64",
  asU64: "asInt64",
  includes: "startsWith",
  some: "every",
  every: "some",
};

function binary(node: ts.BinaryExpression, source: ts.SourceFile, make: Make): void {
  const { operatorToken: token } = node;
  const written = token.getText(source);
  for (const other of SWAPPED_OPERATOR[written] ?? [])
    make(token.getStart(source), token.end, other, `${written} became ${other}`);
}

function number(node: ts.Node, source: ts.SourceFile, make: Make): void {
  const written = node.getText(source);
  const isBig = written.endsWith("n");
  const value = BigInt(isBig ? written.slice(0, -1).replaceAll("_", "") : written.replaceAll("_", ""));
  const suffix = isBig ? "n" : "";
  const changed = [value ^ 1n];
  if (value > 2n) changed.push(value & (value - 1n));
  for (const one of changed)
    if (one !== value)
      make(node.getStart(source), node.end, `${one}${suffix}`, `${written} became ${one}${suffix}`);
}

/** Whether a text is the manual's row of an instruction. */
const isPictureText = (written: string): boolean =>
  /(^| )(rd|rs1|rs2|imm|uimm|shamt|pred|csr|rd'|rs1')/.test(written) || /^[01 ]{16,}$/.test(written);

/** Whether a row of a table has the picture of an instruction. */
function hasPicture(node: ts.Node): boolean {
  if (ts.isStringLiteralLike(node)) return isPictureText(node.text);
  return ts.forEachChild(node, (child) => hasPicture(child) || undefined) ?? false;
}

function text(node: ts.StringLiteralLike, source: ts.SourceFile, make: Make): void {
  for (const family of FAMILIES) {
    const at = family.indexOf(node.text);
    if (at < 0) continue;
    for (const other of family)
      if (other !== node.text)
        make(node.getStart(source), node.end, JSON.stringify(other), `"${node.text}" became "${other}"`);
  }
  if (isPictureText(node.text)) picture(node, source, make);
  if (/^[A-Z]{6,}$/.test(node.text)) letters(node, source, make);
}

/** The letters of `misa`, each of which may be missing. */
function letters(node: ts.StringLiteralLike, source: ts.SourceFile, make: Make): void {
  for (const letter of node.text)
    make(
      node.getStart(source),
      node.end,
      JSON.stringify(node.text.replace(letter, "")),
      `${letter} is missing`,
    );
}

/** The first bit of each fixed group of an instruction's picture. */
function picture(node: ts.StringLiteralLike, source: ts.SourceFile, make: Make): void {
  const written = node.text;
  for (const { index } of [...written.matchAll(/(?<=^| )[01]+(?= |$)/g)].slice(0, 3)) {
    const flipped = `${written.slice(0, index)}${written[index] === "0" ? "1" : "0"}${written.slice(index + 1)}`;
    make(
      node.getStart(source),
      node.end,
      JSON.stringify(flipped),
      `bit ${index} of the picture flipped`,
      true,
    );
  }
  for (const exclusion of ["≠0", "≠2", "nz"]) {
    const without = written.replace(exclusion, "");
    if (without !== written)
      make(
        node.getStart(source),
        node.end,
        JSON.stringify(without),
        `${exclusion} of the picture is missing`,
        true,
      );
  }
}

/** Whether a statement can go without leaving a function without what it returns. */
function mayGo(node: ts.Node): node is ts.ExpressionStatement {
  return ts.isExpressionStatement(node) && !ts.isDeleteExpression(node.expression);
}

/** Takes an element away: spreading nothing leaves no gap between the commas. */
function withoutElement(node: ts.Node, nothing: "[]" | "{}", make: Make, source: ts.SourceFile): void {
  const change = `${node.getText(source).slice(0, 40)} is missing`;
  make(node.getStart(source), node.end, `...${nothing}`, change, hasPicture(node));
}

function list(elements: ts.NodeArray<ts.Node>, source: ts.SourceFile, make: Make): void {
  for (const element of elements) withoutElement(element, "[]", make, source);
  for (const [at, element] of elements.entries()) {
    const next = elements[at + 1];
    if (next === undefined) continue;
    const first = element.getText(source);
    const second = next.getText(source);
    if (first === second) continue;
    const between = source.text.slice(element.end, next.getStart(source));
    make(
      element.getStart(source),
      next.end,
      `${second}${between}${first}`,
      `${first.slice(0, 30)} changed places`,
    );
  }
}

/** A condition of `if`, of `? :`, or a truth value that is returned. */
function negate(condition: ts.Expression, source: ts.SourceFile, make: Make): void {
  const written = condition.getText(source);
  if (
    ts.isBinaryExpression(condition) &&
    SWAPPED_OPERATOR[condition.operatorToken.getText(source)]?.[0]?.includes("=")
  )
    return;
  make(condition.getStart(source), condition.end, `!(${written})`, `${written.slice(0, 40)} was negated`);
}

/** Another operation of the same table: `rv64i.add` for `rv64i.sub`. */
const OPERATION: Readonly<Record<string, string>> = {
  add: "sub",
  addi: "xori",
  ld: "lw",
  lw: "ld",
  sd: "sw",
  sw: "sd",
  fld: "flw",
  fsd: "fsw",
  jal: "lui",
  jalr: "addi",
  beq: "bne",
  bne: "beq",
};

function property(node: ts.PropertyAccessExpression, source: ts.SourceFile, make: Make): void {
  const object = node.expression.getText(source);
  if (!/^(rv64i|d|f|m)$/.test(object)) return;
  const other = OPERATION[node.name.text] ?? "add";
  make(node.getStart(source), node.end, `${object}.${other}`, `${node.name.text} became ${other}`);
}

/** Another operation of the same kind, where one is handed over. */
function operation(node: ts.Identifier, source: ts.SourceFile, make: Make): void {
  if (!ts.isCallExpression(node.parent) || node.parent.expression === node) return;
  const family = OPERATIONS.find((names) => names.includes(node.text));
  const other = family?.[(family.indexOf(node.text) + 1) % family.length];
  if (other !== undefined && source.text.includes(other))
    make(node.getStart(source), node.end, other, `${node.text} became ${other}`);
}

function mutate(node: ts.Node, source: ts.SourceFile, make: Make): void {
  const from = node.getStart(source);
  if (ts.isBinaryExpression(node)) binary(node, source, make);
  else if (ts.isNumericLiteral(node) || ts.isBigIntLiteral(node)) number(node, source, make);
  else if (ts.isStringLiteralLike(node)) text(node, source, make);
  else if (node.kind === ts.SyntaxKind.TrueKeyword) make(from, node.end, "false", "true became false");
  else if (node.kind === ts.SyntaxKind.FalseKeyword) make(from, node.end, "true", "false became true");
  else if (ts.isIfStatement(node)) negate(node.expression, source, make);
  else if (ts.isConditionalExpression(node)) negate(node.condition, source, make);
  else if (ts.isReturnStatement(node) && node.expression && isTruth(node.expression))
    negate(node.expression, source, make);
  else if (ts.isArrowFunction(node) && !ts.isBlock(node.body) && isTruth(node.body))
    negate(node.body, source, make);
  else if (ts.isIdentifier(node)) operation(node, source, make);
  else if (ts.isPropertyAccessExpression(node)) property(node, source, make);
  else if (ts.isPrefixUnaryExpression(node) && node.operator !== ts.SyntaxKind.PlusToken)
    make(
      from,
      node.operand.getStart(source),
      "",
      `${source.text.slice(from, node.operand.getStart(source))} is missing`,
    );
  else if (mayGo(node)) make(from, node.end, ";", `${node.getText(source).slice(0, 40)} is missing`);
  else if (ts.isArrayLiteralExpression(node)) list(node.elements, source, make);
  else if (ts.isObjectLiteralExpression(node)) objectFields(node, source, make);
  else if (ts.isCallExpression(node)) call(node, source, make);
}

/** A call that may be a truth value: nothing tells its type here, so a name like `isOpen` or `hypervisorBit` does. */
function isTruth(node: ts.Expression): boolean {
  const target = ts.isCallExpression(node) ? node.expression.getText() : "";
  return /(^|[.#])(is|has|may|can)[A-Z]\w*$|Bit$|\.includes$|\.some$|\.every$/.test(target);
}

function objectFields(node: ts.ObjectLiteralExpression, source: ts.SourceFile, make: Make): void {
  for (const field of node.properties) {
    const name = field.name?.getText(source);
    if (name !== "spec" && name !== "title") withoutElement(field, "{}", make, source);
  }
  for (const [at, field] of node.properties.entries())
    swapValues(field, node.properties[at + 1], source, make);
}

/** Two neighbors of a table take each other's word or number. */
function swapValues(one: ts.Node, other: ts.Node | undefined, source: ts.SourceFile, make: Make): void {
  if (other === undefined || !ts.isPropertyAssignment(one) || !ts.isPropertyAssignment(other)) return;
  const first = one.initializer;
  const second = other.initializer;
  if (!ts.isLiteralExpression(first) || !ts.isLiteralExpression(second)) return;
  const from = first.getStart(source);
  if (first.text === second.text || one.name.getText(source) === "title") return;
  const between = source.text.slice(first.end, second.getStart(source));
  const swapped = `${second.getText(source)}${between}${first.getText(source)}`;
  make(from, second.end, swapped, `${first.getText(source)} changed places`);
}

function call(node: ts.CallExpression, source: ts.SourceFile, make: Make): void {
  const { expression } = node;
  const name = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
  const other = ts.isIdentifier(name) && Object.hasOwn(CALLEES, name.text) ? CALLEES[name.text] : undefined;
  if (other !== undefined && other !== "startsWith")
    make(name.getStart(source), name.end, other, `${name.getText(source)} became ${other}`);
  if (ts.isIdentifier(expression) && expression.text === "warl") {
    const [msb, lsb] = node.arguments;
    if (msb && lsb)
      make(
        node.getStart(source),
        node.end,
        `rw(${msb.getText(source)}, ${lsb.getText(source)})`,
        "warl became rw",
      );
  }
}

/** The mutants of the code between two positions of a file. */
export function mutantsOf(file: string, content: string, start: number, end: number): Mutant[] {
  const source = parse(file, content);
  const found: Mutant[] = [];
  const make: Make = (from, to, replacement, change, isPicture = false) => {
    if (from >= start && to <= end && content.slice(from, to) !== replacement)
      found.push({ start: from, end: to, replacement, change: change.replace(/\s+/g, " "), isPicture });
  };
  const visit = (node: ts.Node): void => {
    if (node.end <= start || node.pos >= end || ts.isTypeNode(node)) return;
    mutate(node, source, make);
    ts.forEachChild(node, visit);
  };
  visit(source);
  const behavior = found.filter(({ isPicture }) => !isPicture);
  if (behavior.length <= MOST) return found;
  const chosen = Array.from(
    { length: MOST },
    (_, at) => behavior[Math.floor((at * behavior.length) / MOST)] as Mutant,
  );
  return [...chosen, ...found.filter(({ isPicture }) => isPicture)];
}

/** The file's text with the mutant in it. */
export const mutated = (content: string, { start, end, replacement }: Mutant): string =>
  content.slice(0, start) + replacement + content.slice(end);
