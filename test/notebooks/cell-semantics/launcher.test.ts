/** The cell-semantics suite in the launcher kernel, over Jupyter's protocol. */
import { startLauncherKernel } from "./launcher-kernel.ts";
import { testKernel } from "./suite.ts";

testKernel("launcher", startLauncherKernel);
