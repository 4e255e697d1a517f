/** The cell-semantics suite in plain tslab: what a student who installs nothing of ours has. */
import { startPlainTslabKernel } from "./plain-tslab-kernel.ts";
import { type Reading, testKernel } from "./suite.ts";

/** tslab prints the last value to stdout, a string without its quotes. */
const valueOnStdout: Reading = (outcome, { value, ...expected }) => ({
  outcome,
  expected: value === undefined ? expected : { ...expected, out: `${expected.out ?? ""}${bare(value)}\n` },
});

const bare = (value: string) => /^'([^']*)'$/.exec(value)?.[1] ?? value;

testKernel("plain tslab", startPlainTslabKernel, valueOnStdout);
