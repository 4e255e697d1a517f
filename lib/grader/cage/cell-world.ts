/**
 * What a cell in the cage finds around it: `dom0-kit`, and a `process` that can print and end.
 *
 * This is no wall, the walls are the sandbox's. It keeps a submission from calling, in place of an answer, the models that
 * checks compare answers with: those lie in the kit's own files, which every cage must read.
 */
import { format } from "node:util";

const text = String;
const { assign, create, defineProperty, freeze } = Object;

/** The one module of a submission. */
const KIT = "dom0-kit";

/** What stands in for hints and answers. */
export const NO_HELP = "Hints and answers are for notebooks: there are none where a submission runs.";

const noHelp = (): object => ({ "text/plain": NO_HELP });

/** Loads the kit for a cell, and nothing else. */
export function kitLoader(frontDoor: string): (specifier: string) => Promise<object> {
  let kit: object | undefined;
  return async (specifier) => {
    if (specifier !== KIT)
      throw new Error(
        `a submission imports "${KIT}" and nothing else: there is no "${text(specifier)}" here`,
      );
    const all = (await import(frontDoor)) as object;
    kit ??= freeze(
      assign(create(null) as object, all, {
        hint: noHelp,
        answer: noHelp,
        referenceAnswer: () => `// ${NO_HELP}`,
      }),
    );
    return kit;
  };
}

/** Puts a small `process` in the place of Node's, whose own gives every module of Node's and through those every file. */
export function hideProcess(print: (line: string) => void): void {
  const { arch, hrtime, nextTick, platform, version, versions } = process;
  const exit = process.exit.bind(process);
  const memoryUsage = process.memoryUsage.bind(process);
  const write = (chunk: unknown): boolean => {
    print(format("%s", chunk));
    return true;
  };
  const stream = { write };
  const small: Record<string, unknown> = {
    ...{ arch, platform, version, versions, hrtime, nextTick, memoryUsage, exit },
    ...{ argv: [], env: {}, stdout: stream, stderr: stream },
    cwd: () => "/",
    on: () => small,
  };
  defineProperty(globalThis, "process", { value: small, configurable: true, writable: true });
  // The console's streams are Node's own, with the classes that they were made of.
  for (const name of ["_stdout", "_stderr"]) defineProperty(console, name, { value: stream });
}
