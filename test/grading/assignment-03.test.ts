/**
 * Tests for the tests: every exercise of assignment 03 with the instructor's answer, the released stub, and wrong answers that
 * must lose the right points and be told why. The cells run through the kit's own compiler; the table is printed.
 */
import { forgottenCheck } from "../../lib/course/assignments/popek-goldberg/forgotten.ts";
import { lawCheck } from "../../lib/course/assignments/popek-goldberg/law.ts";
import { scanCheck } from "../../lib/course/assignments/popek-goldberg/scan.ts";
import { trueShadowCheck } from "../../lib/course/assignments/popek-goldberg/true-shadow.ts";
import { assignmentTrial, instead, named, row } from "./support/assignment-trial.ts";

const trial = assignmentTrial({
  folder: "03-popek-and-goldberg",
  notebook: "popek-and-goldberg.ipynb",
  imports:
    'import { check, type CsrBits, type CsrValues, type Experiment, jumpOffset, type MonitorEvent } from "dom0-kit";',
});

trial(lawCheck, named("law", "classify"), [
  row(
    "whatever traps in U is privileged",
    3,
    /traps in M, too/,
    'runs.some(({ mode, trapped }) => mode === "M" && !trapped) && ',
    "",
  ),
  row(
    "whatever does not trap in M is privileged",
    2,
    /does not trap in U/,
    ' && runs.every(({ mode, trapped }) => mode === "M" || trapped)',
    "",
  ),
  row("control alone is sensitive", 1, /different results/, "return differs || ", "return "),
  row(
    "results alone are sensitive",
    1,
    /changed something/,
    "return differs || done.some(({ changed }) => changed);",
    "return differs;",
  ),
  row(
    "runs that trapped are compared",
    1,
    /no run that trapped/,
    "runs.filter(({ trapped }) => !trapped)",
    "runs",
  ),
  row(
    "results with different operands are compared",
    1,
    /same operand only/,
    "operand === which",
    "operand !== 7",
  ),
  row(
    "all that is sensitive is guilty",
    3,
    /harmless, or that the monitor hears/,
    "isSensitive(one) && !isPrivileged(one)",
    "isSensitive(one)",
  ),
]);

trial(scanCheck, named("scan", "patch"), [
  row(
    "every word that looks so is patched",
    2,
    /only looks like an instruction/,
    "const open = [0];",
    "const open = words.map((_, at) => at);",
  ),
  row(
    "jumps are not followed",
    2,
    /hart can come to it/,
    "if (offset !== undefined) open.push(at + offset);",
    "",
  ),
  row(
    "the hart goes on behind jumps",
    2,
    /only looks like an instruction/,
    "if (!ends) open.push",
    "open.push",
  ),
  row("branches end the code", 2, /hart can come to it/, "const ends = ", "const ends = opcode === 0x63 || "),
  row(
    "immediate forms are forgotten",
    1,
    /is still there/,
    "((word >>> 12) & 3) !== 0",
    "[1, 2, 3].includes((word >>> 12) & 7)",
  ),
  row(
    // Not even in straight code: there, too, what does not leak must be as it was.
    "every CSR instruction is patched",
    0,
    /does not leak/,
    "isCsr && leaking.includes(word >>> 20)",
    "isCsr",
  ),
  row(
    "the place kept, the word lost",
    3,
    /does not know what to do/,
    "holes.set(at, word)",
    "holes.set(at, 0)",
  ),
  instead(
    "every word is a hole",
    0,
    /does not leak/,
    "if (words.length > 0) return { code: words.map(() => 0), holes: new Map() };",
  ),
  instead(
    "nothing but the shortest block is patched",
    0,
    /is still there/,
    "if (words.length > 0) return { code: words.map((word, at) => (at === 0 && words.length === 3 ? 0 : word)), holes: new Map() };",
  ),
]);

trial(trueShadowCheck, named("shadow", "keep"), [
  row("the guest's frame in the shadow", 2, /0x200/, "event.leaf + (0x200n << 10n)", "event.leaf"),
  row(
    "fences ignored",
    2,
    /covers/,
    "if (covers) shadow.delete(key);",
    "if (covers && key < 0) shadow.delete(key);",
  ),
  row(
    "a fence of all spaces fences none",
    2,
    /fence that it covers|covers is still/,
    "(event.asid ?? key >> 12)",
    "event.asid",
  ),
  row(
    "a switch forgets everything",
    3,
    /Right, but slow/,
    "  return shadow;",
    '  if (event.kind === "switch") shadow.clear();\n  return shadow;',
  ),
  row("a fence forgets everything", 3, /Right, but slow/, "if (covers) shadow", "shadow"),
  row(
    "an entry that is there is left alone",
    2,
    /newest leaf/,
    "else shadow.set(key",
    "else if (!shadow.has(key)) shadow.set(key",
  ),
  row(
    "all rights at once",
    2,
    /a right that the guest/,
    "event.leaf + (0x200n << 10n)",
    "(event.leaf + (0x200n << 10n)) | 14n",
  ),
  instead(
    "all rights to one frame, always",
    0,
    /has not got it/,
    "if (shadow.size >= 0) return new Map([1, 2].flatMap((asid) => [0, 1, 2].map((page) => [asid * 4096 + page, 15n] as const)));",
  ),
  instead(
    "one page of one space, and nothing else",
    0,
    /has not got it/,
    `const isFirst = event.kind === "fault" && event.asid === 1 && event.page === 0 && shadow.size === 0;
  if (shadow.size >= 0) return new Map(isFirst ? [[4096, event.leaf + (0x200n << 10n)]] : []);`,
  ),
  instead("nothing is ever filled", 0, /has not got it/, "if (shadow.size >= 0) return new Map();"),
  row(
    "a fence puts another entry in",
    2,
    /did not have before/,
    "if (covers) shadow.delete(key);",
    "if (covers) shadow.set(key, (shadow.get(key) ?? 0n) | 14n);",
  ),
]);

trial(forgottenCheck, named("forgotten", "forgotten"), [
  row(
    "the last difference, not the first",
    1,
    /another field|as a consequence/,
    "let at = 0; at < bare.length; at++",
    "let at = bare.length - 1; at >= 0; at--",
  ),
  row(
    "CSRs in place of fields",
    1,
    /another field/,
    ">> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n)",
    ")",
  ),
  row("somebody is always accused", 2, /without a mistake is accused/, 'return "none";', 'return "sepc";'),
  row("the first event alone is looked at", 1, /nothing was forgotten/, "at < bare.length", "at < 1"),
  instead("nobody is accused", 0, /nothing was forgotten/, 'if (bare.length > 0) return "none";'),
  instead(
    "stval after one event, and nobody else",
    0,
    /nothing was forgotten/,
    'if (bare.length > 0) return bare.length === 1 ? "stval" : "none";',
  ),
]);
