/** Every link and every anchor of the built site, followed: what leads nowhere stops the build. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

/** Links of the pages in `dist` that lead to no file or to no element of their page, one sentence each. */
export async function checkLinks(dist: string): Promise<string[]> {
  const files = (await readdir(dist, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(
      (entry) => `/${path.relative(dist, path.join(entry.parentPath, entry.name)).split(path.sep).join("/")}`,
    );
  const known = new Set(files);
  const pages = new Map<string, Page>();
  for (const file of files)
    if (file.endsWith(".html")) pages.set(file, readPage(await readFile(path.join(dist, file), "utf8")));
  if (pages.size === 0) return ["the site has no pages"];
  const dead = new Set<string>();
  for (const [file, { links }] of pages) {
    for (const link of links) {
      const { pathname, hash } = new URL(link, `http://book${file.replace(/index\.html$/, "")}`);
      const target = decodeURIComponent(pathname.endsWith("/") ? `${pathname}index.html` : pathname);
      if (!known.has(target)) dead.add(`${file}: a link leads to ${pathname}, which there is not`);
      else if (
        hash !== "" &&
        pages.has(target) &&
        pages.get(target)?.ids.has(decodeURIComponent(hash.slice(1))) !== true
      )
        dead.add(`${file}: a link leads to ${pathname}${hash}, where nothing has that name`);
    }
  }
  return [...dead];
}

interface Page {
  readonly ids: ReadonlySet<string>;
  /** Addresses of this site, as written. */
  readonly links: ReadonlySet<string>;
}

function readPage(html: string): Page {
  const values = (pattern: RegExp): string[] =>
    [...html.matchAll(pattern)].map(([, quoted, bare]) => plain(quoted ?? bare ?? ""));
  return {
    ids: new Set(values(/\sid=(?:"([^"]*)"|([^\s">]+))/g)),
    links: new Set(
      values(/<a\s[^>]*?href=(?:"([^"]*)"|([^\s">]+))/g).filter((link) => /^(?:\/(?!\/)|#|\.)/.test(link)),
    ),
  };
}

const plain = (value: string): string => value.replaceAll("&#38;", "&").replaceAll("&amp;", "&");
