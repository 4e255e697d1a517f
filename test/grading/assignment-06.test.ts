/**
 * Tests for the tests: every exercise of assignment 06 with the instructor's answer, the released stub, and wrong answers that
 * must lose the right points and be told why. The cells run through the kit's own compiler; the table is printed.
 */
import { bellsCheck } from "../../lib/course/assignments/xen-core/bells.ts";
import { handsCheck } from "../../lib/course/assignments/xen-core/hands.ts";
import { huntCheck } from "../../lib/course/assignments/xen-core/hunt.ts";
import { pageTypesCheck } from "../../lib/course/assignments/xen-core/page-types.ts";
import { assignmentTrial, named, row } from "./support/assignment-trial.ts";

const trial = assignmentTrial({
  folder: "06-xens-core",
  notebook: "xens-core.ipynb",
  imports:
    'import { check, type EventDomain, type FoundEntry, type HandAsk, type Hands, type PaperEntry, type PaperMachine, type PaperOp, seededWords, type TypedMachine } from "dom0-kit";',
});

trial(pageTypesCheck, named("types", "pvUpdate"), [
  row(
    "a page may stand in a root (XSA-148)",
    3,
    /page in a root/,
    '(at.use === "root") !== (entry.kind === "link")',
    'at.use === "table" && entry.kind === "link"',
  ),
  row(
    "a table may be mapped writable",
    3,
    /Busy/,
    ' else if (entry.writable && frame.use !== "memory") return done(-16);',
    "",
  ),
  row(
    "memory that is written becomes a table",
    3,
    /Busy/,
    '(frame.use === "memory" && frame.typed > 0)',
    "false",
  ),
  row(
    "nobody asks whose a frame is",
    3,
    /not permitted/,
    "if (frame?.owner !== domain) return done(-1);",
    "if (frame === undefined) return done(-1);",
  ),
  row("the old entry keeps its reference", 2, /reference|memory again/, "if (old !== null) drop(old);", ""),
  row(
    "a table that nothing leads to stays one",
    2,
    /memory again/,
    'if (frame.use !== "table" || frame.typed > 0) return;',
    'if (frame.use !== "table" || frame.typed >= 0) return;',
  ),
  row(
    "what such a table held is forgotten, not dropped",
    3,
    /Every entry is a reference|typed counts/,
    "for (const each of entries) if (each !== null) drop(each);",
    "",
  ),
  row(
    "an entry that only reads counts as a writer",
    3,
    /typed counts|allowed was refused/,
    'if (entry.kind === "link" || entry.writable) frame.typed += 1;',
    "frame.typed += 1;",
  ),
  row(
    "nothing is made but nothing out of nothing",
    0,
    /allowed was refused/,
    "const at = frames.get(table);",
    "const at = frames.get(table);\n  const isNothing = [entry, tables.get(table)?.[index]].every((each) => each === null);\n  if (at?.owner !== domain || !isNothing) return done(-999);",
  ),
  row(
    "a use that is no word",
    3,
    /memory again/,
    "return done(0);",
    "for (const [frame, each] of frames) frames.set(frame, { ...each, use: {} as never });\n  return done(0);",
  ),
  row(
    "a table of no frame",
    3,
    /keys of tables/,
    "return done(0);",
    "tables.set({} as never, []);\n  return done(0);",
  ),
]);

trial(handsCheck, named("hands", "handCall"), [
  row(
    "a frame is given away as it was left",
    3,
    /must be empty/,
    "frames[at] = { owner: me, refs: 1, word: 0 };",
    "frames[at] = { ...frames[at]!, owner: me, refs: 1 };",
  ),
  row(
    "a mapped grant is taken back",
    2,
    /cannot be taken back/,
    "    if (grant.mapped > 0) return done(-16);\n",
    "",
  ),
  row(
    "a granted frame is given back",
    3,
    /not given back/,
    " || grants.some((grant) => grant?.frame === ask.frame)",
    "",
  ),
  row(
    "a copy stores through a grant to read",
    3,
    /writable/,
    "if (ask.store && !grant.writable) return done(-1);",
    "",
  ),
  row(
    "a copy into anybody's frame",
    3,
    /of the caller's own/,
    "if (own?.owner !== me) return done(-14);",
    "if (own === undefined) return done(-14);",
  ),
  row(
    "a copy leaves a reference",
    3,
    /leaves no reference/,
    "if (ask.store) granted.word = own.word;",
    "granted.refs += 1;\n  if (ask.store) granted.word = own.word;",
  ),
  row(
    "copies go the other way",
    3,
    /other way/,
    "if (ask.store) granted.word",
    "if (!ask.store) granted.word",
  ),
  row(
    "unmap drops two references (XSA-224)",
    3,
    /each mapping/,
    "frames[grant.frame]!.refs -= 1;",
    "frames[grant.frame]!.refs -= 2;",
  ),
  row(
    "one frame is granted and mapped, and that is all",
    0,
    /not allowed/,
    "const done = (value: number) => ({ value, office });",
    'const done = (value: number) => ({ value, office });\n  if (ask.call === "grant" ? grants.length > 0 : ask.call !== "map" || mappings.length > 0) return done(-999);',
  ),
  row(
    "no copies are made",
    2,
    /copy that is allowed/,
    "else own.word = granted.word;\n  return done(0);",
    "return done(-999);",
  ),
]);

trial(bellsCheck, named("bells", "eventCall"), [
  row("whoever comes binds a port", 2, /waits for/, " || far.remote !== me", ""),
  row("a closed port leaves its event behind", 2, /pending and masked/, "    mine.pending &= ~bit(a);\n", ""),
  row("a closed port leaves its mask behind", 2, /pending and masked/, "    mine.masked &= ~bit(a);\n", ""),
  row(
    "the other end stays bound to nothing",
    2,
    /other end/,
    'if (end.state === "bound") Object.assign(domains[end.remote]!.ports[end.remotePort]!, { state: "waiting", remotePort: 0 });',
    "",
  ),
  row("what is masked is lost", 2, /not lost/, "mine.pending &= ~seen;", "mine.pending = 0n;"),
  row(
    "a port for the hypervisor",
    2,
    /-3n|first free port/,
    "if (a === 0 || domains[a] === undefined) return done(-3n);",
    "if (domains[a] === undefined) return done(-3n);",
  ),
]);

trial(huntCheck, { cells: ["hunt", "referee"], pick: ({ trial, isBroken }) => ({ trial, isBroken }) }, [
  row("trials without grants", 1.5, /of 10/, "switch (pick(9))", "switch (7 + pick(2))"),
  row("the same request again and again", 0, /of 10/, "switch (pick(9))", "switch (0 * pick(9))"),
  row(
    "a referee who counts references alone",
    2,
    /does not notice/,
    "if (typed !==",
    "return false;\n    if (typed !==",
  ),
  row(
    "a referee who accuses everybody",
    1,
    /without mistakes is accused/,
    "return frames.some(",
    "return true || frames.some(",
  ),
  row(
    "a referee who accuses nobody",
    1,
    /does not notice/,
    "const { frames, entries, grants, mappings, roots } = machine;",
    "const { frames, entries, grants, mappings, roots } = { ...machine, frames: [], grants: [] } as PaperMachine;",
  ),
  row(
    "a referee who counts the calls",
    1,
    /without mistakes is accused/,
    "function isBroken(machine: PaperMachine): boolean {",
    "let calls = 0;\nfunction isBroken(machine: PaperMachine): boolean {\n  const isLate = ++calls > 180;\n  if (calls > 0) return isLate;",
  ),
]);
