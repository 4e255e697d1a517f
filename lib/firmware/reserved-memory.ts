/**
 * Tells the next program, in the device tree that it gets, which RAM is the firmware's. Without it a kernel would use the bytes
 * and meet PMP.
 *
 * @spec devicetree-0.4 §3.5 "/reserved-memory Node"
 */
import { cells64, flattenTree, node, type TreeNode } from "../board/flattened-tree.ts";
import { readTree } from "../board/flattened-tree-reader.ts";
import type { LoadError } from "../board/load-error.ts";

const NAME = "reserved-memory";

/**
 * A device tree with one more reserved range.
 *
 * @param tree   A DTB.
 * @param range  Physical address and size in bytes.
 */
export function withReservedMemory(
  tree: Uint8Array,
  { base, sizeBytes }: { readonly base: number; readonly sizeBytes: number },
): Uint8Array | LoadError {
  const root = readTree(tree);
  if ("kind" in root) return root;
  const reg = [...cells64(base), ...cells64(sizeBytes)];
  const range = node(`firmware@${base.toString(16)}`, { reg, "no-map": true });
  const others = root.children.filter(({ name }) => name !== NAME);
  const reserved = root.children.find(({ name }) => name === NAME) ?? emptyNode;
  const grown = { ...reserved, children: [...reserved.children, range] };
  return flattenTree({ ...root, children: [...others, grown] });
}

const emptyNode: TreeNode = node(NAME, { "#address-cells": [2], "#size-cells": [2], ranges: true });
