/** The cell-semantics suite in the browser kernel, in Chromium. */
import { describeWith } from "../../support/optional.ts";
import { startBrowserKernel } from "./browser-kernel.ts";
import { testKernel } from "./suite.ts";

describeWith(["chromium"], "in Chromium", () => {
  testKernel("browser", startBrowserKernel);
});
