/** The kit's own files that cells may read in the page: guest images and data sets. */
import { cp, readdir } from "node:fs/promises";
import path from "node:path";

const folders: Readonly<Record<string, string>> = { images: "lib/systems/images", datasets: "datasets" };

/** Copies the files to `<target>/images` and `<target>/datasets`, under the names that `readAsset` uses. */
export async function copyAssets(root: string, target: string): Promise<number> {
  let count = 0;
  for (const [name, folder] of Object.entries(folders)) {
    await cp(path.join(root, folder), path.join(target, name), { recursive: true, dereference: true });
    const copied = await readdir(path.join(target, name), { recursive: true, withFileTypes: true });
    count += copied.filter((entry) => entry.isFile()).length;
  }
  return count;
}
