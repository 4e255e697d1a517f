/**
 * Declarations for older readers, made after every build.
 *
 * Two jobs. In `dist`, a declaration says `./x.js` where the source said `./x.ts`: the compiler rewrites that in
 * JavaScript only. In `dist/ts5.0` stand the declarations that the front doors reach, in the words of TypeScript 5.0,
 * which plain tslab brings: it takes `Uint8Array<ArrayBuffer>` for `any` and says nothing.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** What `package.json` names as `types`. */
const FRONT_DOORS = ["index.d.ts", "host/node.d.ts"];

/** Generic only since 5.7 (5.9 for Buffer): the argument goes away. */
const GENERIC_TOO_LATE = new Set([
  ..."Int8 Uint8 Uint8Clamped Int16 Uint16 Int32 Uint32 Float32 Float64 BigInt64 BigUint64"
    .split(" ")
    .map((element) => `${element}Array`),
  "DataView",
  "Buffer",
]);

/** Types of newer libraries that stand for an older one with the same first argument. */
const OLDER_NAMES = new Map([
  ["NoInfer", undefined],
  ["ArrayIterator", "IterableIterator"],
  ["MapIterator", "IterableIterator"],
  ["SetIterator", "IterableIterator"],
  ["StringIterator", "IterableIterator"],
  ["IteratorObject", "IterableIterator"],
  ["RegExpStringIterator", "IterableIterator"],
]);

/** tslab compiles without the DOM's library, where `WebAssembly` is declared: what the kit's types say of it, spelled out. */
const WEB_ASSEMBLY = new Map([
  ["WebAssembly.Memory", "{ readonly buffer: ArrayBuffer; grow(delta: number): number }"],
  ["WebAssembly.Module", "object"],
  [
    "WebAssembly.Table",
    "{ readonly length: number; get(index: number): unknown; set(index: number, value?: unknown): void }",
  ],
  ["WebAssembly.Imports", "{ readonly [module: string]: { readonly [name: string]: unknown } }"],
  ["WebAssembly.Instance", "{ readonly exports: { readonly [name: string]: unknown } }"],
]);

/**
 * Rewrites specifiers in `dist` and writes `dist/ts5.0`.
 * @param {string} dist  Folder that the compiler wrote.
 * @returns {Promise<{rewritten: number, written: number}>} Files changed in place, files in `ts5.0`.
 */
export async function downLevelTypes(dist) {
  const { default: ts } = await import("typescript");
  let rewritten = 0;
  for (const file of declarationsBelow(dist)) {
    const text = readFileSync(file, "utf8");
    if (!/[.][mc]?ts["']/.test(text)) continue;
    const changed = applied(text, specifierEdits(ts, parse(ts, file, text)));
    if (changed === text) continue;
    replaceFile(file, changed);
    rewritten++;
  }
  const target = path.join(dist, "ts5.0");
  const reached = reachable(ts, dist);
  const wanted = new Set();
  for (const file of reached) {
    const text = readFileSync(file, "utf8");
    const copy = path.join(target, path.relative(dist, file));
    wanted.add(copy);
    const older = applied(text, typeEdits(ts, parse(ts, file, text)));
    if (existsSync(copy) && readFileSync(copy, "utf8") === older) continue;
    mkdirSync(path.dirname(copy), { recursive: true });
    replaceFile(copy, older);
  }
  for (const file of existsSync(target) ? declarationsBelow(target, []) : [])
    if (!wanted.has(file)) rmSync(file);
  return { rewritten, written: wanted.size };
}

const parse = (ts, file, text) => ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);

function declarationsBelow(folder, skip = ["ts5.0"]) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return skip.includes(entry.name) ? [] : declarationsBelow(file, skip);
    return entry.name.endsWith(".d.ts") ? [file] : [];
  });
}

/** Whole or not at all: a reader never sees half a file. */
function replaceFile(file, text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** Every module specifier of a file: imports, exports, `import("…")` types. */
function specifiers(ts, source) {
  const found = [];
  const visit = (node) => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier)
      found.push(node.moduleSpecifier);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) found.push(node.argument.literal);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function specifierEdits(ts, source) {
  return specifiers(ts, source)
    .filter((literal) => /^[.]{1,2}\/.*(?<![.]d)[.][mc]?ts$/.test(literal.text))
    .map((literal) => ({
      start: literal.getStart(source) + 1,
      end: literal.getEnd() - 1,
      text: literal.text.replace(/ts$/, "js"),
    }));
}

/** Declarations that the front doors import, themselves included. */
function reachable(ts, dist) {
  const found = new Set();
  const waiting = FRONT_DOORS.map((door) => path.join(dist, door)).filter((file) => existsSync(file));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    for (const { text } of specifiers(ts, parse(ts, file, readFileSync(file, "utf8")))) {
      const next = path.join(path.dirname(file), text.replace(/[.]js$/, ".d.ts"));
      if (text.startsWith(".") && existsSync(next)) waiting.push(next);
    }
  }
  return [...found].sort();
}

/** Edits that turn newer types into older ones; an edit inside another is part of the outer one's text. */
function typeEdits(ts, source) {
  const edits = [];
  const visit = (node) => {
    const text = ts.isTypeReferenceNode(node) ? olderReference(ts, node, source) : undefined;
    if (text !== undefined) edits.push({ start: node.getStart(source), end: node.getEnd(), text });
    else if (ts.isImportDeclaration(node) && node.attributes) {
      edits.push({ start: node.attributes.getFullStart(), end: node.attributes.getEnd(), text: "" });
    } else ts.forEachChild(node, visit);
  };
  visit(source);
  return edits;
}

function olderReference(ts, node, source) {
  const name = node.typeName.getText(source);
  if (GENERIC_TOO_LATE.has(name)) return node.typeArguments === undefined ? undefined : name;
  if (WEB_ASSEMBLY.has(name)) return WEB_ASSEMBLY.get(name);
  if (!OLDER_NAMES.has(name)) return undefined;
  const [first] = node.typeArguments ?? [];
  if (first === undefined) return undefined;
  const inner = applied(
    first.getText(source),
    shifted(typeEdits(ts, reparsed(ts, first.getText(source))), -TYPE_PREFIX.length),
  );
  const older = OLDER_NAMES.get(name);
  return older === undefined ? `(${inner})` : `${older}<${inner}>`;
}

const TYPE_PREFIX = "type T = ";
const reparsed = (ts, text) => parse(ts, "type.d.ts", TYPE_PREFIX + text);
const shifted = (edits, by) => edits.map((edit) => ({ ...edit, start: edit.start + by, end: edit.end + by }));

function applied(text, edits) {
  let out = "";
  let from = 0;
  for (const { start, end, text: replacement } of edits.sort((a, b) => a.start - b.start)) {
    out += text.slice(from, start) + replacement;
    from = end;
  }
  return out + text.slice(from);
}
