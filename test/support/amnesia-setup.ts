/**
 * Runs before every test file, and does nothing unless it is asked to. `DOM0_SCENES` names a file: each test adds a line to it with the
 * trace hashes of all boards on which it ran the reference hypervisor, one for each run. `DOM0_AMNESIA=1` makes that hypervisor
 * forget: for each of the first 1,000 traps, and for one in a hundred after them, the source of all of `lib/vmm` is evaluated afresh. `npm
 * test` runs the hypervisor's suite both ways and compares.
 */
import { appendFileSync } from "node:fs";
import path from "node:path";
import { afterEach, vi } from "vitest";
import { vmmAfresh } from "./vmm-afresh.ts";

const report = process.env["DOM0_SCENES"];
const forgets = process.env["DOM0_AMNESIA"] === "1";
const ROOT = path.resolve(import.meta.dirname, "../..");

if (report !== undefined || forgets) {
  const { HypervisorHandler } = await import("../../lib/hs/hypervisor-vector.ts");
  const { Board } = await import("../../lib/board/board.ts");
  const scenes = new WeakMap<InstanceType<typeof Board>, string[]>();
  let ofTest: string[][] = [];
  let installed = 0;

  vi.doMock("../../lib/hs/install.ts", async (importOriginal) => {
    const original = await importOriginal<typeof import("../../lib/hs/install.ts")>();
    const installHandlers: typeof original.installHandlers = (board, makeHandlers, options = {}) => {
      if (makeHandlers()[HypervisorHandler.INIT]?.name !== "vmm init")
        return original.installHandlers(board, makeHandlers, options);
      const hashes: string[] = [];
      scenes.set(board, hashes);
      ofTest.push(hashes);
      installed += 1;
      const amnesia = forgets ? { amnesia: { seed: installed } } : {};
      return original.installHandlers(board, makeHandlers, { ...amnesia, ...options });
    };
    return { ...original, installHandlers };
  });

  const { run } = Board.prototype;
  Board.prototype.run = function (this: InstanceType<typeof Board>, ...request): ReturnType<typeof run> {
    const stop = run.apply(this, request);
    scenes.get(this)?.push(this.trace.hash());
    return stop;
  };

  afterEach(({ task }) => {
    if (report !== undefined && ofTest.length > 0) {
      const test = `${path.relative(ROOT, task.file.filepath)} > ${task.name}`;
      appendFileSync(report, `${JSON.stringify({ test, scenes: ofTest })}\n`);
    }
    ofTest = [];
  });
}

// Last: what the hypervisor stands on is loaded here, and must find its own mocks.
if (forgets) {
  const vmmModule = await vmmAfresh();
  vi.doMock("../../lib/vmm/module.ts", () => ({ vmmModule }));
}
