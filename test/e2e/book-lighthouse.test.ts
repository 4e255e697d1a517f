/**
 * Lighthouse on the chapter as a phone sees it. Accessibility is a fact and must be 100 each time; performance is a
 * measurement on a busy machine, so the best of up to five runs counts.
 */
import { createServer } from "node:net";
import lighthouse from "lighthouse";
import { chromium } from "playwright-core";
import { beforeAll, expect, test, vi } from "vitest";
import { serveBook } from "../../lib/host/cli/serve.ts";
import { describeWith, partPath } from "../support/optional.ts";
import {
  bookRoot,
  browserArguments,
  browserTimeoutMs,
  buildBook,
  buildTimeoutMs,
  chapterPath,
} from "./book-browser.ts";

const mostRuns = 5;
const leastPerformance = 0.95;

// A browser on a busy machine is slow; time decides nothing here.
vi.setConfig({ testTimeout: browserTimeoutMs });

describeWith(["chromium"], "Lighthouse, mobile", () => {
  beforeAll(buildBook, buildTimeoutMs);

  test("the chapter reaches 95 for performance and 100 for accessibility", { timeout: 240_000 }, async () => {
    const server = await serveBook({ root: bookRoot, port: 0 });
    const performances: number[] = [];
    try {
      while (performances.length < mostRuns && Math.max(0, ...performances) < leastPerformance) {
        const { performance, accessibility, failed } = await scores(server.url + chapterPath);
        expect(failed).toEqual([]);
        expect(accessibility).toBe(1);
        performances.push(performance);
      }
    } finally {
      await server.close();
    }
    console.log(`Lighthouse performance: ${performances.join(", ")}`);
    expect(Math.max(...performances)).toBeGreaterThanOrEqual(leastPerformance);
  });
});

async function scores(
  url: string,
): Promise<{ performance: number; accessibility: number; failed: string[] }> {
  const port = await freePort();
  const browser = await chromium.launch({
    executablePath: partPath("chromium"),
    args: [...browserArguments, `--remote-debugging-port=${port}`],
  });
  try {
    const result = await lighthouse(url, {
      port,
      output: "json",
      logLevel: "error",
      onlyCategories: ["performance", "accessibility"],
    });
    if (result === undefined) throw new Error("Lighthouse gave no result");
    const { categories, audits } = result.lhr;
    const accessibility = categories["accessibility"];
    const failed = (accessibility?.auditRefs ?? []).filter(
      ({ id, weight }) => weight > 0 && audits[id]?.score === 0,
    );
    return {
      performance: categories["performance"]?.score ?? 0,
      accessibility: accessibility?.score ?? 0,
      failed: failed.map(({ id }) => id),
    };
  } finally {
    await browser.close();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
