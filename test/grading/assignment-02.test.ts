/**
 * Tests for the tests: every exercise of assignment 02 with the instructor's answer, the released stub, and wrong answers that
 * must lose the right points and be told why. The cells run through the kit's own compiler; the table is printed.
 */
import { auditCheck } from "../../lib/course/assignments/walls/audit.ts";
import { blameCheck } from "../../lib/course/assignments/walls/blame.ts";
import { unmapCheck } from "../../lib/course/assignments/walls/unmap.ts";
import { assignmentTrial, named, row } from "./support/assignment-trial.ts";

const trial = assignmentTrial({
  folder: "02-walls",
  notebook: "walls.ipynb",
  imports: 'import { type Access, check } from "dom0-kit";',
});

trial(blameCheck, named("walk", "walk"), [
  row("three levels whatever satp says", 1, /Under Sv48/, "satp >> 60n === 8n ? 3n : 4n", "3n"),
  row(
    "the table in place of the entry is blamed",
    3,
    /wrong entry/,
    "return { cause, at };",
    "return { cause, at: table };",
  ),
  row(
    "the root is blamed for every address",
    3,
    /no entry is read/,
    "return { cause, at: 0n };",
    "return { cause, at: (satp & 0xfffn) << 12n };",
  ),
  row("large pages of any alignment", 2, /must be 0, 9 for each level/, "(next & offset) !== 0n || ", ""),
  row("MXR for fetches too", 3, /MXR is about loads alone/, "fetch: x,", "fetch: x || (mxr && r),"),
  row("SUM forgotten", 3, /SUM|U with/, '(kind !== "fetch" && sum)', "false"),
  row(
    "pointers with bits of leaves followed",
    3,
    /must have A, D and U clear/,
    "if (a || d || u || shift === 12n)",
    "if (shift === 12n)",
  ),
]);

trial(unmapCheck, named("unmap", "unmapRange"), [
  row(
    "tables never given back",
    2,
    /empty and still in place/,
    "for (const above of [middle, top]) {",
    "for (const above of [] as bigint[]) {",
  ),
  row("only the last table given back", 2, /Its parent may then be empty/, "of [middle, top]", "of [middle]"),
  row("tables freed while in use", 1, /./, "if (!isEmpty(table)) break;", ""),
  row("frames freed, entries above left", 2, /still leads to/, "      memory.delete(above);\n", ""),
  row(
    "pages cleared before all are looked at",
    3,
    /must be refused/,
    "if (!list.every(isMapped)) return { ok: false, memory, freed: [] };",
    "",
  ),
  row("frames lost", 2, /leaked/, "freed.push(table);", ""),
  // 1,536 entries that mean 134 million pages.
  row(
    "one table for everything",
    0,
    /the same table is reached again and again/,
    "if (!list.every(isMapped)) return { ok: false, memory, freed: [] };",
    `const everything = new Map<bigint, bigint>();
  for (let i = 0n; i < 512n; i += 1n) {
    everything.set(root + 8n * i, (((root + 0x1000n) >> 12n) << 10n) | 1n);
    everything.set(root + 0x1000n + 8n * i, (((root + 0x2000n) >> 12n) << 10n) | 1n);
    everything.set(root + 0x2000n + 8n * i, ((0x100000n + i) << 10n) | 0xd7n);
  }
  if (list.length > 0) return { ok: true, memory: everything, freed: [] };`,
  ),
]);

trial(auditCheck, named("audit", "audit"), [
  row("entries alone, not frames", 2, /compare frames/, "rights.get(frame) === 12n", "flags === 12n"),
  row("whoever shares a frame is guilty", 2, /innocent/, "flags !== 0n && rights", "rights"),
  row(
    "addresses without their high bits",
    1,
    /bit 38 is repeated|upper half/,
    "BigInt.asUintN(64, BigInt.asIntN(39, va))",
    "va",
  ),
  row(
    "nobody is ever guilty",
    0,
    /never finds anything|not found/,
    "return pages.filter(",
    "return [].slice(0) || pages.filter(",
  ),
  row("the first half of each table", 1, /./, "i < 512n", "i < 256n"),
]);
