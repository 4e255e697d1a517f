/** Files whose names carry a digest of their content, so that a browser may keep them for ever. */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

/** Eight capital letters or digits that stand for a content. */
export function contentName(content: string | Uint8Array): string {
  const digest = createHash("sha256").update(content).digest();
  return [...digest.subarray(0, 8)].map((byte) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte & 31]).join("");
}

/** Writes `<folder>/<stem>-<digest>.<extension>` and returns the file's name. */
export async function writeNamed(
  folder: string,
  stem: string,
  extension: string,
  content: string | Uint8Array,
): Promise<string> {
  const name = `${stem}-${contentName(content)}.${extension}`;
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, name), content);
  return name;
}
