/** The code that a live page fetches when it is needed: the session, the compiler, the chart library. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { writeNamed } from "./named-files.ts";

const require = createRequire(import.meta.url);
const workers = fileURLToPath(new URL("../src/live/workers/", import.meta.url));

/** TypeScript asks for these when it runs under Node; in a worker it does without. */
const nodeModules = /^(node:)?(fs|path|os|inspector|perf_hooks|crypto|url|module|buffer|source-map-support)$/;

const emptyNodeModules: Plugin = {
  name: "empty-node-modules",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: nodeModules }, ({ path: name, importer }) =>
      importer.includes(`${path.sep}node_modules${path.sep}typescript${path.sep}`)
        ? { path: name, namespace: "empty" }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: "empty" }, () => ({ contents: "module.exports = {};" }));
  },
};

async function bundleWorker(name: string, folder: string): Promise<string> {
  const result = await build({
    entryPoints: [path.join(workers, `${name}.ts`)],
    bundle: true,
    minifySyntax: true,
    minifyWhitespace: true,
    // A cell that prints an object of the kit shows its class by name, as under Node.
    minifyIdentifiers: name !== "session-worker",
    format: "esm",
    platform: "browser",
    target: "es2023",
    legalComments: "none",
    write: false,
    logLevel: "error",
    plugins: [emptyNodeModules],
  });
  const [file] = result.outputFiles;
  if (!file) throw new Error(`${name}: nothing was bundled`);
  return `/live/${await writeNamed(folder, name, "js", file.contents)}`;
}

/** Addresses of the bundles. */
export interface LiveBundles {
  readonly session: string;
  readonly compiler: string;
  readonly charts: string;
}

/** Bundles the workers into `folder`. */
export async function writeLiveBundles(folder: string): Promise<LiveBundles> {
  const plotly = await readFile(require.resolve("plotly.js-cartesian-dist-min"));
  return {
    session: await bundleWorker("session-worker", folder),
    compiler: await bundleWorker("compiler-worker", folder),
    charts: `/live/${await writeNamed(folder, "charts", "js", plotly)}`,
  };
}
