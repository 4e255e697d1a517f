/**
 * What `import "dom0-kit"` loads under Node: the browser-safe front door, with Node's way to read the kit's files
 * and, inside a plain tslab kernel, tslab's way to display figures.
 */
import { setAssetSource } from "../assets/asset-source.ts";
import { installPlainTslabSink } from "./kernel/plain-tslab-sink.ts";
import { nodeAssets } from "./node-assets.ts";

setAssetSource(nodeAssets);
installPlainTslabSink();

export * from "../index.ts";
