/**
 * `npm run book`: builds the published course into `book/dist`, unless nothing that it is made from has changed.
 *
 * Works without network and without a browser. The pages appear in place of the old ones only when all are built.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  digestOf,
  ensureBuilt,
  ensureInstalled,
  filesBelow,
  main,
  modernNode,
  ROOT,
  run,
  step,
  UserError,
  withLock,
} from "./environment.mjs";

const BOOK = path.join(ROOT, "book");
const DIST = path.join(BOOK, "dist");
const STAMP = path.join(BOOK, ".cache/dist.stamp");
const GENERATED = ["dist", "node_modules", ".astro", ".cache", "live-generated"];

/** Digest of everything that the book is made from. */
function inputs() {
  const generated = [
    path.join(BOOK, "public/live"),
    path.join(BOOK, "public/notebooks"),
    path.join(BOOK, "public/figures"),
    path.join(BOOK, "public/assets"),
    path.join(BOOK, "src/fonts"),
    path.join(BOOK, "src/content/docs/chapters"),
    path.join(BOOK, "src/content/docs/rules"),
  ];
  const own = filesBelow(
    BOOK,
    (file) => !generated.some((folder) => file.startsWith(folder + path.sep)),
    GENERATED,
  );
  const library = filesBelow(path.join(ROOT, "lib"), (file) => /[.](ts|json|elf)$/.test(file));
  const course = [
    ...filesBelow(
      path.join(ROOT, "notebooks"),
      (file) => file.endsWith(".ipynb") && !file.endsWith(".executed.ipynb"),
    ),
    ...filesBelow(path.join(ROOT, "datasets"), () => true),
    ...filesBelow(path.join(ROOT, "test/spec-coverage"), () => true),
  ];
  return digestOf([...own, ...library, ...course, path.join(ROOT, "package-lock.json")]);
}

const stamp = () => (existsSync(STAMP) ? readFileSync(STAMP, "utf8") : undefined);

/** Builds the book unless it is built. */
export async function ensureBook() {
  await ensureInstalled();
  await ensureBuilt();
  if (existsSync(path.join(DIST, "index.html")) && stamp() === inputs()) return false;
  return withLock("book", async () => {
    const wanted = inputs();
    if (existsSync(path.join(DIST, "index.html")) && stamp() === wanted) return false;
    rmSync(STAMP, { force: true });
    const fresh = path.join(BOOK, ".cache/dist");
    const { code, output } = await step("Building the course", () =>
      run(modernNode(), ["--disable-warning=ExperimentalWarning", path.join(BOOK, "build/main.ts"), fresh], {
        quiet: true,
        stdin: "ignore",
      }),
    );
    if (code !== 0) throw new UserError(bookFailure(code, output));
    rmSync(DIST, { recursive: true, force: true });
    renameSync(fresh, DIST);
    mkdirSync(path.dirname(STAMP), { recursive: true });
    writeFileSync(STAMP, wanted);
    return true;
  });
}

function bookFailure(code, output) {
  if (output.includes("ENOSPC"))
    return "The disk is full: the course needs about 50 MB. Make room and run the command again.";
  if (code === 130) return "Stopped. The course that was built before is still there.";
  return `The course could not be built:\n${output.trim().split("\n").slice(-15).join("\n")}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const isNew = await ensureBook();
    process.stdout.write(
      isNew
        ? "The course is in book/dist. `npm start` serves it.\n"
        : "Nothing has changed: the course in book/dist is up to date.\n",
    );
  });
}
