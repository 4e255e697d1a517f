/**
 * The front door of the kit: everything that notebooks, assignments and the book may import.
 *
 * Browser-safe: no module reachable from here uses Node.
 */
export { type AssetSource, fetchedAssets, readAsset, setAssetSource } from "./assets/asset-source.ts";
export type { DatasetName, DatasetRow, PlottableDataset } from "./assets/dataset-schema.ts";
export { loadDataset, loadUnverifiedClaims } from "./assets/datasets.ts";
