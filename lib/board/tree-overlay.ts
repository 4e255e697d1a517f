/**
 * Device tree overlays: fragments that add to a tree, or change it, as `dtc -@` compiles them.
 *
 * A fragment names its place by path (`target-path`, or `&{/soc} { … };`), by the phandle of a node, or by a label, which
 * the tree must then list under `__symbols__`. Phandles inside the overlay move behind those of the tree.
 *
 * @spec Linux "Documentation/devicetree/overlay-notes.rst"; dtc "Documentation/dt-object-internal.txt"
 */
import { flattenTree, type TreeNode } from "./flattened-tree.ts";
import { readTree } from "./flattened-tree-reader.ts";
import { type LoadError, loadError } from "./load-error.ts";

/** A tree under change; values are bytes. */
class Draft {
  readonly name: string;
  readonly properties: Map<string, Uint8Array>;
  readonly children: Draft[];

  constructor({ name, properties, children }: TreeNode) {
    this.name = name;
    this.properties = new Map(Object.entries(properties) as [string, Uint8Array][]);
    this.children = children.map((child) => new Draft(child));
  }

  /** By full name, or without the unit address where only one child is called so. */
  child(name: string): Draft | undefined {
    const exact = this.children.find((child) => child.name === name);
    if (exact !== undefined || name.includes("@")) return exact;
    const loose = this.children.filter((child) => child.name.split("@")[0] === name);
    return loose.length === 1 ? loose[0] : undefined;
  }

  at(path: string): Draft | undefined {
    const names = path.split("/").filter((name) => name !== "");
    return names.reduce<Draft | undefined>((node, name) => node?.child(name), this);
  }

  *all(): Generator<Draft> {
    yield this;
    for (const child of this.children) yield* child.all();
  }

  finished(): TreeNode {
    const children = this.children.map((child) => child.finished());
    return { name: this.name, properties: Object.fromEntries(this.properties), children };
  }
}

/** Properties that give a node its phandle. */
const PHANDLE_PROPERTIES = ["phandle", "linux,phandle"];
/** 0 and all ones are no phandles. */
const MAX_PHANDLE = 0xffff_fffe;

/** What is wrong, as it travels up to `applyOverlay`, which makes it a value. */
class Refused extends Error {}

/** A DTB with one overlay applied, or why not; then nothing of it is. */
export function applyOverlay(tree: Uint8Array, overlay: Uint8Array): Uint8Array | LoadError {
  const [base, change] = [readTree(tree), readTree(overlay)];
  if ("kind" in base) return base;
  if ("kind" in change) return loadError("bad-overlay", `The overlay: ${change.message}`);
  try {
    return flattenTree(merged(new Draft(base), new Draft(change)).finished());
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return loadError("bad-overlay", `The overlay does not fit the board's device tree: ${error.message}.`);
  }
}

function merged(base: Draft, overlay: Draft): Draft {
  const fragments = overlay.children.filter((child) => child.child("__overlay__") !== undefined);
  if (fragments.length === 0)
    throw new Refused("it has no fragment; compile it with dtc -@ from a /plugin/ source");
  movePhandles(
    overlay,
    phandlesOf(base).reduce((most, each) => Math.max(most, each), 0),
  );
  resolveLabels(base, overlay);
  for (const fragment of fragments) {
    const contents = fragment.child("__overlay__");
    if (contents === undefined) continue;
    const target = targetOf(base, fragment);
    adoptLabels(base, overlay, fragment, pathOf(base, target) ?? "");
    mergeInto(target, contents);
  }
  return base;
}

/** Path of a node, `""` of the root. */
function pathOf(tree: Draft, wanted: Draft): string | undefined {
  if (tree === wanted) return "";
  for (const child of tree.children) {
    const rest = pathOf(child, wanted);
    if (rest !== undefined) return `/${child.name}${rest}`;
  }
  return undefined;
}

/** A tree that lists its labels takes over those inside a fragment, so that later overlays may use them. */
function adoptLabels(base: Draft, overlay: Draft, fragment: Draft, target: string): void {
  const known = base.child("__symbols__");
  const inside = `/${fragment.name}/__overlay__/`;
  if (known === undefined) return;
  for (const [label, value] of overlay.child("__symbols__")?.properties ?? []) {
    const path = textOf(value);
    if (path.startsWith(inside))
      known.properties.set(label, new TextEncoder().encode(`${target}/${path.slice(inside.length)}\0`));
  }
}

const phandlesOf = (tree: Draft): number[] => [...tree.all()].flatMap(phandlesOfNode);

/** Adds `offset` to each phandle that the overlay defines, and wherever it uses one of them itself. */
function movePhandles(overlay: Draft, offset: number): void {
  for (const node of overlay.all()) {
    for (const name of PHANDLE_PROPERTIES) {
      const value = node.properties.get(name);
      if (value !== undefined) move(value, 0, offset, name);
    }
  }
  const uses = overlay.child("__local_fixups__");
  if (uses !== undefined) moveUses(overlay, uses, offset);
}

/** `uses` repeats the shape of the tree; its values list the places of phandles in the properties of the same name. */
function moveUses(node: Draft, uses: Draft, offset: number): void {
  for (const [name, places] of uses.properties) {
    const value = node.properties.get(name);
    if (value === undefined) throw new Refused(`__local_fixups__ names ${name}, which ${node.name} has not`);
    for (let at = 0; at + 4 <= places.length; at += 4) move(value, cellAt(places, at, name), offset, name);
  }
  for (const each of uses.children) {
    const child = node.children.find(({ name }) => name === each.name);
    if (child === undefined) throw new Refused(`__local_fixups__ names ${each.name}, which is nowhere`);
    moveUses(child, each, offset);
  }
}

function move(value: Uint8Array, at: number, offset: number, property: string): void {
  const moved = cellAt(value, at, property) + offset;
  if (moved > MAX_PHANDLE) throw new Refused(`phandles do not fit behind those of the board, at ${property}`);
  viewOf(value).setUint32(at, moved);
}

/** Puts the phandles of the board's nodes where the overlay names their labels: `path:property:offset`. */
function resolveLabels(base: Draft, overlay: Draft): void {
  for (const [label, value] of overlay.child("__fixups__")?.properties ?? []) {
    const target = labeled(base, label);
    for (const place of new TextDecoder()
      .decode(value)
      .split("\0")
      .filter((each) => each !== "")) {
      const [path = "", property = "", offset = ""] = place.split(":");
      const bytes = overlay.at(path)?.properties.get(property);
      if (bytes === undefined || !/^\d+$/.test(offset))
        throw new Refused(`__fixups__ names ${place}, which is nowhere`);
      cellAt(bytes, Number(offset), place);
      viewOf(bytes).setUint32(Number(offset), phandleOf(target, label));
    }
  }
}

function labeled(base: Draft, label: string): Draft {
  const path = base.child("__symbols__")?.properties.get(label);
  const node = path === undefined ? undefined : base.at(textOf(path));
  if (node === undefined)
    throw new Refused(`no node has the label ${label}; name it by its path, as in &{/soc}`);
  return node;
}

function phandleOf(node: Draft, label: string): number {
  const value = node.properties.get("phandle");
  if (value === undefined) throw new Refused(`the node ${label} has no phandle`);
  return cellAt(value, 0, "phandle");
}

function targetOf(base: Draft, fragment: Draft): Draft {
  const path = fragment.properties.get("target-path");
  if (path !== undefined) {
    const node = base.at(textOf(path));
    if (node === undefined) throw new Refused(`there is no node ${textOf(path)}`);
    return node;
  }
  const target = fragment.properties.get("target");
  if (target === undefined) throw new Refused(`${fragment.name} says neither target nor target-path`);
  const phandle = cellAt(target, 0, "target");
  const node = [...base.all()].find((each) => phandlesOfNode(each).includes(phandle));
  if (node === undefined) throw new Refused(`no node has the phandle ${phandle}`);
  return node;
}

const phandlesOfNode = ({ properties }: Draft): number[] =>
  PHANDLE_PROPERTIES.flatMap((name) => {
    const value = properties.get(name);
    return value === undefined ? [] : [cellAt(value, 0, name)];
  });

/** Values replace those of the same name; nodes of the same name are merged, others added. */
function mergeInto(target: Draft, contents: Draft): void {
  for (const [name, value] of contents.properties) target.properties.set(name, value);
  for (const child of contents.children) {
    const known = target.child(child.name);
    if (known === undefined) target.children.push(child);
    else mergeInto(known, child);
  }
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function cellAt(bytes: Uint8Array, at: number, where: string): number {
  if (at + 4 > bytes.length) throw new Refused(`${where} has no cell at byte ${at}`);
  return viewOf(bytes).getUint32(at);
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replace(/\0.*$/s, "");
