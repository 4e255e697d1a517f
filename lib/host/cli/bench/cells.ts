/** `cells`: what a reader waits for: a kernel's first answer, a small cell, a loop at the top level of a cell. */
import { type HeadlessSession, openHeadlessSession } from "../../kernel/headless.ts";
import { PROJECT_ROOT } from "../../node-assets.ts";
import { type Bench, type BenchRow, median, rounded } from "./row.ts";

const CELLS = 40;
const ITERATIONS = 2e6;
const RUNS = 5;

async function shownBy(session: HeadlessSession, source: string): Promise<string> {
  let value = "";
  const { error } = await session.execute(source, (output) => {
    if (output.type === "execute_result") value = String(output.data["text/plain"]);
  });
  if (error !== undefined) throw new Error(`${error.ename}: ${error.evalue}`);
  return value;
}

async function elapsed(body: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await body();
  return performance.now() - start;
}

/** Milliseconds that a loop took inside the session, by its own clock; its sum is checked first. */
async function loopMs(
  session: HeadlessSession,
  name: string,
  source: (sum: string) => string,
): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const sum = `${name}${run}`;
    const printed = await shownBy(
      session,
      `const start_${sum} = performance.now();\n${source(sum)}\n[${sum}, performance.now() - start_${sum}].join(' ')`,
    );
    const [total, ms] = printed.replaceAll("'", "").split(" ").map(Number);
    if (total !== (ITERATIONS * (ITERATIONS - 1)) / 2) throw new Error(`the loop ${name} summed to ${total}`);
    times.push(ms ?? Number.NaN);
  }
  return median(times);
}

const row = (value: number, unit: string, bench: string): BenchRow => ({
  bench,
  value: rounded(value),
  unit,
});

/** The benchmark, for `npm run bench`. */
export const bench: Bench = {
  about:
    "headless kernel: first answer, a small cell, two million turns of a top-level loop beside one in a function",
  async run() {
    const opened = performance.now();
    const session = openHeadlessSession({ folder: PROJECT_ROOT });
    try {
      await shownBy(session, "1 + 1");
      const firstMs = performance.now() - opened;
      await shownBy(session, "let held = 1;\nheld");
      const cells: number[] = [];
      for (let at = 0; at < CELLS; at++) {
        cells.push(await elapsed(() => shownBy(session, `const c${at} = held + ${at};\nheld += 1;\nc${at}`)));
      }
      const loop = `for (let i = 0; i < ${ITERATIONS}; i++)`;
      const top = await loopMs(session, "top", (sum) => `let ${sum} = 0;\n${loop} ${sum} += i;`);
      const inner = await loopMs(
        session,
        "inner",
        (sum) => `const ${sum} = (() => {\n  let s = 0;\n  ${loop} s += i;\n  return s;\n})();`,
      );
      return [
        row(firstMs, "ms", "cells/first-answer"),
        row(median(cells), "ms", "cells/small-cell"),
        {
          ...row(top, "ms", "cells/top-level-loop"),
          peer: "loop in a function",
          ratio: rounded(inner / top),
        },
      ];
    } finally {
      await session.close();
    }
  },
};
