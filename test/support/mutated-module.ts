/** A module of the library with a mistake planted in one of its files: the copy is the test's, the product stays as it is. */
import { readFileSync } from "node:fs";
import { build } from "esbuild";
import { fromSource } from "../../lib/hs/source.ts";

/** One replacement in one file. */
export interface Mistake {
  /** Path of the file. */
  readonly file: string;
  /** Text that stands there exactly once, and what stands there instead. */
  readonly right: string;
  readonly wrong: string;
}

/** The exports of a module and all that it imports, with a mistake in it. */
export async function mutatedModule<Exports>(
  entry: string,
  { file, right, wrong }: Mistake,
): Promise<Exports> {
  const text = readFileSync(file, "utf8");
  if (text.split(right).length !== 2) throw new Error(`${file} does not have this once: ${right}`);
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "iife",
    globalName: "made",
    write: false,
    target: "es2023",
    plugins: [
      {
        name: "mistake",
        setup: (building) =>
          building.onLoad({ filter: /\.ts$/ }, ({ path }) =>
            path === file ? { contents: text.replace(right, () => wrong), loader: "ts" } : undefined,
          ),
      },
    ],
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error(`${entry} gives no bundle`);
  return fromSource<Exports>(`${bundle.text}\nreturn made;`)();
}
