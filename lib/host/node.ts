/** The second front door, `dom0-kit/node`: what needs files and processes. */
export { assetFile, nodeAssets, PROJECT_ROOT } from "./node-assets.ts";
