/** What is offered to a reader: help after attempts, the next exercise; and links that lead somewhere. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkLinks } from "../../../book/build/links.ts";
import { checksIn, nextUnsolved } from "../../../book/src/live/course-checks.ts";
import { offerFor } from "../../../book/src/live/exercise-help.ts";

describe("help with an exercise of three hints", () => {
  it.each([
    ["untouched", 0, 0, 0, false, false, false],
    ["tried once", 1, 0, 0, false, true, false],
    ["one hint opened", 1, 1, 1, false, true, false],
    ["all hints opened, not tried again", 1, 3, 1, false, false, false],
    ["tried again after the first hint", 2, 1, 1, false, true, true],
    ["tried often, no hint opened", 9, 0, 0, false, true, false],
    ["all hints opened, tried again", 2, 3, 1, false, false, true],
    ["passed at once", 0, 0, 0, true, false, true],
  ])("%s", (_, count, hints, hintAt, hasPassed, hint, answer) => {
    expect(offerFor({ count, hints, hintAt }, 3, hasPassed)).toEqual({ hint, answer });
  });
});

describe("the next unsolved exercise", () => {
  const checks = [...checksIn("/1/", "01.1@a 01.2@b"), ...checksIn("/2/", "02.1@a"), ...checksIn("/3/", "")];
  it.each([
    ["on the first page", "/1/", {}, "/1/#cell-a"],
    ["after the first", "/1/", { "01.1": true }, "/1/#cell-b"],
    ["a failed one is open", "/1/", { "01.1": false }, "/1/#cell-a"],
    ["on the second page", "/2/", {}, "/2/#cell-a"],
    ["from the last page back to the beginning", "/2/", { "02.1": true, "01.1": true }, "/1/#cell-b"],
    ["on a page without exercises", "/glossary/", {}, "/1/#cell-a"],
    ["when all are done", "/1/", { "01.1": true, "01.2": true, "02.1": true }, undefined],
  ])("%s", (_, here, passed, address) => {
    expect(nextUnsolved(checks, here, passed)?.address).toBe(address);
  });
});

describe("links of a site", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "dom0-links-"));
    await mkdir(path.join(folder, "b"));
    await writeFile(path.join(folder, "data.json"), "{}");
    await writeFile(path.join(folder, "b/index.html"), '<p id="here">x</p>');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const linked = async (...addresses: string[]): Promise<string[]> => {
    const links = addresses.map((address) => `<a class="x" href="${address}">x</a>`).join("");
    await writeFile(path.join(folder, "index.html"), `<h1 id=top>x</h1>${links}`);
    return checkLinks(folder);
  };

  it("that lead to pages, files, anchors and elsewhere are fine", async () => {
    expect(await linked("/b/", "/b/#here", "#top", "/data.json", "https://elsewhere.example/x#y")).toEqual(
      [],
    );
  });

  it.each([
    ["to no page", "/c/", /\/c\/, which there is not/],
    ["to no anchor of another page", "/b/#there", /\/b\/#there, where nothing/],
    ["to no anchor of this page", "#bottom", /#bottom, where nothing/],
    ["to no file", "/none.json", /which there is not/],
  ])("%s are told", async (_, address, problem) => {
    expect(await linked("/b/", address)).toEqual([expect.stringMatching(problem)]);
  });

  it("are not fine because there is no page at all", async () => {
    await rm(path.join(folder, "b"), { recursive: true });
    expect(await checkLinks(folder)).toEqual(["the site has no pages"]);
  });
});
