/** The session worker: runs emitted cells with the kit at hand, and fetches the kit's files from this very site. */

import { serveSession } from "../../../../lib/host/kernel/browser-worker.ts";
import * as kit from "../../../../lib/index.ts";

kit.setAssetSource(kit.fetchedAssets(new URL("/assets/", location.href).href));
serveSession(globalThis, { "dom0-kit": kit });
