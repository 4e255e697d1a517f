/**
 * Runs before every test file. `DOM0_ENGINE=translator` makes the translating engine the default of all boards and machines of
 * tests: `npm test` runs the suite of the machine once more with it. What that engine did is appended to the file
 * `DOM0_ENGINE_REPORT`, a line for each test file, so that the runner can see whether it really ran.
 */
import { appendFileSync } from "node:fs";
import { afterAll, vi } from "vitest";
import { chooseEngine, isEngineName } from "../../lib/board/engine-choice.ts";
import type { Counters } from "../../lib/engine/translator/runtime/counters.ts";
import { TranslatorEngine } from "../../lib/engine/translator/runtime/translator-engine.ts";

const name = process.env["DOM0_ENGINE"];
if (name !== undefined) {
  if (!isEngineName(name)) throw new Error(`DOM0_ENGINE=${name} is no engine`);
  chooseEngine(name);
}

const report = process.env["DOM0_ENGINE_REPORT"];
if (report !== undefined) {
  const seen = new Set<Counters>();
  // Engines on which a test planted a refusing host: what they could not compile is no fallback that nobody noticed.
  const planted = new Set<Counters>();
  const { run } = TranslatorEngine.prototype;
  TranslatorEngine.prototype.run = function (this: TranslatorEngine, ...request): ReturnType<typeof run> {
    if (vi.isMockFunction(WebAssembly.Module) || vi.isMockFunction(WebAssembly.Instance))
      planted.add(this.counters);
    seen.add(this.counters);
    return run.apply(this, request);
  };
  afterAll(() => {
    const sum = { steps: 0, slowSteps: 0, watchedSteps: 0, regionSteps: 0, regions: 0, compileFailures: 0 };
    for (const counters of [...seen].filter((each) => !planted.has(each)))
      for (const each of Object.keys(sum) as (keyof typeof sum)[]) sum[each] += counters[each];
    appendFileSync(report, `${JSON.stringify(sum)}\n`);
  });
}
