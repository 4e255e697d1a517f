/**
 * Tests for the tests: every exercise of assignment 04 with the instructor's answer, the released stub, and wrong answers that
 * must lose the right points and be told why. The cells run through the kit's own compiler; the table is printed.
 */
import { bothWalksCheck } from "../../lib/course/assignments/second-wall/both-walks.ts";
import { buildCheck } from "../../lib/course/assignments/second-wall/build.ts";
import { deviceCheck } from "../../lib/course/assignments/second-wall/device.ts";
import { islandsCheck } from "../../lib/course/assignments/second-wall/islands.ts";
import { assignmentTrial, named, row } from "./support/assignment-trial.ts";

const trial = assignmentTrial({
  folder: "04-second-wall",
  notebook: "second-wall.ipynb",
  imports: 'import { type Access, check } from "dom0-kit";',
});

/** Where the instructor's answers begin, to put another one before it. */
const BEGIN = {
  build: "  if (root === undefined) return { ok: false };\n",
  serve: "  const { bytes, lost } = state ?? { bytes: [], lost: false };\n",
  leaks: "  const found: { vm: number; gpa: bigint }[] = [];\n",
} as const;

trial(buildCheck, named("build", "buildSecondStage"), [
  row(
    "a place for the root, and no page",
    0,
    /Memory is missing|cannot be done/,
    BEGIN.build,
    `${BEGIN.build}  if (free.length > 0) return { ok: true, root, memory: new Map() };\n`,
  ),
  row(
    "yes, to everything",
    0,
    /Memory is missing|cannot be done/,
    BEGIN.build,
    "  if (free.length > 0) return { ok: true, root: 0n, memory: new Map() };\n  if (root === undefined) return { ok: false };\n",
  ),
  // 3,072 entries that mean two million pages.
  row(
    "one table for everything",
    0,
    /the same table is reached again and again/,
    BEGIN.build,
    `${BEGIN.build}  const everything = new Map<bigint, bigint>();
  const [middle, last] = [root + 0x4000n, root + 0x5000n];
  for (let i = 0n; i < 2048n; i += 1n) everything.set(root + 8n * i, ((middle >> 12n) << 10n) | 1n);
  for (let i = 0n; i < 512n; i += 1n) {
    everything.set(middle + 8n * i, ((last >> 12n) << 10n) | 1n);
    everything.set(last + 8n * i, ((0x100000n + i) << 10n) | 0xdfn);
  }
  if (free.length > 0) return { ok: true, root, memory: everything };\n`,
  ),
  row(
    "pages of 4 KiB alone",
    0,
    /frames suffice|Some pages could be larger|was refused/,
    "[30n, 21n].find(",
    "[30n, 21n].slice(2).find(",
  ),
  row(
    "the guest's address alone decides how large",
    1,
    /aligned in both/,
    "[gpa + done, hpa + done].every(",
    "[gpa + done].every(",
  ),
  row("what is left does not count", 1, /./, " && bytes - done >= 1n << s", ""),
  row("a root of 512 entries", 3, /eleven bits/, "& 2047n", "& 511n"),
  row("the first four frames are the root", 1, /./, "frame % 0x4000n === 0n && ", ""),
  row("one frame for the root", 1, /./, "frame >= root + 0x4000n", "frame > root"),
  row("U forgotten", 3, /needs V, U, A, D/, "0xd1n", "0xc1n"),
  row(
    "tables without end",
    3,
    /cannot be done/,
    "if (table === undefined) return { ok: false };",
    "if (table === undefined) return { ok: true, root, memory };",
  ),
]);

trial(bothWalksCheck, named("walks", "translate"), [
  row("the guest's tables read where they are not", 0, /./, 'load(second(at, "load"))', "load(at)"),
  row(
    "the code of a load for its tables",
    3,
    /code of the access itself/,
    "cause: own + 8",
    "cause: { fetch: 20, load: 21, store: 23 }[what]",
  ),
  row("the guest's codes for the second stage", 2, /codes of its own/, "cause: own + 8", "cause: own"),
  row(
    "the guest's own address reported",
    2,
    /wrong gpa/,
    "cause: own + 8, gpa }",
    "cause: own + 8, gpa: gva }",
  ),
  row(
    "the guest's MXR in the second stage",
    4,
    /SUM and MXR|This is allowed/,
    "user: true, sum: false, mxr: false",
    "user: true, sum: false, mxr",
  ),
  row(
    "the guest's mode in the second stage",
    4,
    /user mode's there|user mode without/,
    "user: true, sum: false, mxr: false",
    "user, sum, mxr: false",
  ),
  row("a root of 512 entries", 0, /./, "2047n)", "511n)"),
  row("addresses of any length", 4, /41 of a guest-physical/, "gpa >> 41n === 0n ?", "gpa >= 0n ?"),
  row(
    "tables read with the access's kind",
    4,
    /as loads|This is allowed/,
    'load(second(at, "load"))',
    "load(second(at, kind))",
  ),
]);

trial(deviceCheck, named("device", "serve"), [
  row(
    "a state with methods",
    0,
    /threw TypeError\. The state must be plain data/,
    BEGIN.serve,
    `  class Queue { bytes: bigint[] = []; lost = false; take() { return this.bytes.shift() ?? 0n; } }
  const queue = (state ?? new Queue()) as Queue;
  if (access.offset === 8 && !access.isStore) return { state: queue, value: queue.take() };
${BEGIN.serve}`,
  ),
  row(
    "a state that is a function",
    0,
    /^The state must be plain data/,
    BEGIN.serve,
    `  if (access.offset < 99) return { state: (() => 1) as unknown as Mailbox, value: 0n };\n${BEGIN.serve}`,
  ),
  row(
    "the youngest byte first",
    0,
    /oldest byte/,
    "bytes: bytes.slice(1), lost }, value: bytes[0] ?? 0n",
    "bytes: bytes.slice(0, -1), lost }, value: bytes.at(-1) ?? 0n",
  ),
  row("bytes never taken out", 0, /./, "bytes: bytes.slice(1), lost }", "bytes, lost }"),
  row("whole words in the queue", 0, /./, "value & 0xffn], lost", "value], lost"),
  row("nine bytes wait", 2, /8 at most/, "bytes.length < 8", "bytes.length < 9"),
  row(
    "any store clears the lost bit",
    3,
    /a 1 there/,
    "offset === 12 && (value & 2n) !== 0n",
    "offset === 12",
  ),
  row("a lost byte is forgotten", 3, /one was lost/, "{ bytes, lost: true } };", "{ bytes, lost } };"),
  row(
    "registers of every width",
    3,
    /four bytes/,
    "(width !== 4 && !(offset === 8 && width === 1))",
    "width > 8",
  ),
  row("single bytes of DATA refused", 0, /is allowed/, " && !(offset === 8 && width === 1)", ""),
]);

trial(islandsCheck, named("islands", "leaks"), [
  row(
    "60,000 pages, whatever was asked",
    0,
    /more than there are: at most 4096/,
    BEGIN.leaks,
    `  if (roots.size > 0) return Array.from({ length: 60_000 }, (_, page) => ({ vm: 1, gpa: BigInt(page) << 12n }));\n${BEGIN.leaks}`,
  ),
  row(
    "the plainest machine known, and nobody else accused",
    0,
    /was not found/,
    BEGIN.leaks,
    `  const isPlain = memory.size === 3 && [...memory.values()].includes(((0xa000_1000n >> 12n) << 10n) | 0xdfn) && memory.has(0x9000_0010n);
  if (roots.size > 0) return isPlain ? [{ vm: 1, gpa: 0x8000_0000n }] : [];\n${BEGIN.leaks}`,
  ),
  row("one frame of a large page", 3, /512 frames/, "offset < 1n << shift", "offset < 4096n"),
  row("leaves without U reach something", 1, /leaks nothing/, "else if ((pte & 16n) !== 0n)", "else"),
  row(
    "what is nobody's is anybody's",
    1,
    /nobody's list/,
    "owners.get(to + offset) !== vm",
    "(owners.get(to + offset) ?? vm) !== vm",
  ),
  row(
    "the hypervisor's frames left out",
    3,
    /writes the next one itself/,
    "owners.get(to + offset) !== vm",
    "![vm, 0].includes(owners.get(to + offset) ?? -1)",
  ),
  row("a root of 512 entries", 1, /2,048 entries/, "shift === 30n ? 2048n : 512n", "512n"),
  row(
    "nobody ever leaks",
    0,
    /never finds anything|not found/,
    "  return found;",
    "  return found.slice(found.length);",
  ),
]);
