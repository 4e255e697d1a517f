/** `npm run build`: installs what is missing and compiles the library. */
import { ensureBuilt, ensureInstalled, main } from "./environment.mjs";

await main(async () => {
  await ensureInstalled();
  await ensureBuilt();
});
