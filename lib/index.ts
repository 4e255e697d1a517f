/**
 * The front door of the kit: everything that notebooks, assignments and the book may import.
 *
 * Browser-safe: no module reachable from here uses Node.
 */
export { type AssetSource, fetchedAssets, readAsset, setAssetSource } from "./assets/asset-source.ts";
export type { DatasetName, DatasetRow, PlottableDataset } from "./assets/dataset-schema.ts";
export { loadDataset, loadUnverifiedClaims } from "./assets/datasets.ts";
export { Answer, localAnswer, type Outcome } from "./checks/answer.ts";
export {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
  type PropertyVerdict,
  QUICK_INSTANCES,
  type Verdict,
  verdictText,
} from "./checks/check.ts";
export { describeInert, type Inert, isInertRecord, member, sameInert } from "./checks/inert.ts";
export { type Broken, fails, forAll, HOLDS } from "./checks/property.ts";
export { type CheckHost, check, knownChecks, registerChecks, setCheckHost } from "./checks/registry.ts";
export { describeSeed, type NamedSeed, seededWords, seedFor } from "./checks/seed.ts";
