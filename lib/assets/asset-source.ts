/**
 * Where the kit's own files (guest images, data sets) come from.
 *
 * The library never opens a file or a socket: Node's front door installs a source that reads the package's folder,
 * the browser kernel one that fetches from the book's own origin.
 */

/** Reads one file of the kit. Rejects only when the kit itself is incomplete, which is our bug. */
export interface AssetSource {
  /** @param path Slash-separated path inside the kit, for example `images/mini-kernel.elf`. */
  read(path: string): Promise<Uint8Array>;
}

let source: AssetSource | undefined;

/** Installs the source; the last one installed counts. Called once by each host. */
export function setAssetSource(next: AssetSource): void {
  source = next;
}

/** Bytes of one file of the kit: `images/<name>.elf` or `datasets/<set>/<file>`. */
export async function readAsset(path: string): Promise<Uint8Array> {
  if (source === undefined) throw new Error(`no asset source is installed, so "${path}" cannot be read`);
  if (!/^[a-z0-9][a-z0-9/._-]*$/.test(path) || path.includes(".."))
    throw new RangeError(`not an asset path: "${path}"`);
  return source.read(path);
}

/** A source that fetches from a folder of the page's own origin. */
export function fetchedAssets(baseUrl: string): AssetSource {
  return {
    async read(path) {
      const response = await fetch(new URL(path, baseUrl));
      if (!response.ok) throw new Error(`the kit's file "${path}" answered ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    },
  };
}
