/**
 * `dom0 conform DIR`: runs every RISC-V program of a folder that says by itself whether it passed.
 *
 * Two conventions are known. riscv-tests: the program writes to `tohost`, 1 for a pass, else twice the number of the failed
 * case plus one. riscv-arch-test: the bytes between `begin_signature` and `end_signature` at the end equal those of a file
 * beside the program. Public suites are not part of this project; point this command at a folder where you built one.
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import type { Board } from "../../board/board.ts";
import { buildBoard } from "../../board/virt.ts";
import type { Command } from "./main.ts";

/** What became of one program. */
export interface Conformance {
  readonly name: string;
  readonly passed: boolean;
  /** Why not, or how. */
  readonly detail: string;
}

/** A program that is known to fail, with the reason; from `expected-failures.json` in the folder. */
export type ExpectedFailures = Readonly<Record<string, string>>;

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const RAM_BYTES = 16 << 20;
/** `tohost` is looked at after each piece; a program that never writes there ends after all of them. */
const PIECE_INSTRUCTIONS = 5_000;
const PIECES = 10_000;
const PASSED = 1n;

const address = (board: Board, symbol: string): bigint | undefined => board.symbols.addressOf(symbol);

/** Runs until `tohost` is written or the run ends; what was written, or undefined. */
function runToHost(board: Board, toHost: bigint): bigint | undefined {
  for (let piece = 0; piece < PIECES; piece++) {
    const stop = board.run({ instructions: PIECE_INSTRUCTIONS });
    const written = board.memory.load(toHost, 8);
    if (typeof written === "bigint" && written !== 0n) return written;
    if (stop.reason !== "budget") return undefined;
  }
  return undefined;
}

/** The signature as riscv-arch-test writes it: one 32-bit word a line, lower address first. */
function signature(board: Board, begin: bigint, end: bigint): string {
  const bytes = board.memory.bytes(begin, Number(end - begin));
  if (!(bytes instanceof Uint8Array)) return "";
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lines = Array.from({ length: bytes.length >> 2 }, (_, at) => words.getUint32(4 * at, true));
  return lines.map((word) => `${word.toString(16).padStart(8, "0")}\n`).join("");
}

/**
 * Runs one program.
 *
 * @param expectedSignature  Text of the signature file beside it, when there is one: then that decides.
 */
export function conform(name: string, file: Uint8Array, expectedSignature?: string): Conformance {
  const board = buildBoard({ ramBytes: RAM_BYTES });
  const image = board.loadElf(file);
  if (image.kind === "load-error") return { name, passed: false, detail: image.message };
  const toHost = address(board, "tohost");
  if (toHost === undefined) return { name, passed: false, detail: "the program has no symbol tohost" };
  const written = runToHost(board, toHost);
  if (written === undefined) return { name, passed: false, detail: "never wrote to tohost" };
  if (expectedSignature === undefined) {
    return {
      name,
      passed: written === PASSED,
      detail: written === PASSED ? "passed" : `case ${written >> 1n} failed`,
    };
  }
  const [begin, end] = [address(board, "begin_signature"), address(board, "end_signature")];
  if (begin === undefined || end === undefined)
    return { name, passed: false, detail: "no begin_signature or end_signature" };
  const same = signature(board, begin, end).trim().toLowerCase() === expectedSignature.trim().toLowerCase();
  return { name, passed: same, detail: same ? "signature equal" : "signature differs" };
}

const isElf = (file: Uint8Array): boolean => ELF_MAGIC.every((byte, at) => file[at] === byte);

const textIf = (file: string): Promise<string | undefined> => readFile(file, "utf8").catch(() => undefined);

/** Signature file of a program under either of the names in use, or undefined. */
async function expectedSignature(file: string): Promise<string | undefined> {
  return (await textIf(`${file}.reference_output`)) ?? (await textIf(`${file}.signature`));
}

/** Every program of a folder, in order of name. Files that are not ELF are passed over. */
export async function conformFolder(
  folder: string,
  onResult: (result: Conformance) => void = () => {},
): Promise<Conformance[]> {
  const results: Conformance[] = [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    const bytes = new Uint8Array(await readFile(file));
    if (!isElf(bytes)) continue;
    const result = conform(path.relative(folder, file), bytes, await expectedSignature(file));
    results.push(result);
    onResult(result);
  }
  return results;
}

/** What stands against the list of expected failures: failures that are not on it, passes and missing programs that are. */
export function surprises(results: readonly Conformance[], expected: ExpectedFailures): string[] {
  const unexpected = results.filter(({ name, passed }) => !passed && !Object.hasOwn(expected, name));
  const vanished = results.filter(({ name, passed }) => passed && Object.hasOwn(expected, name));
  const names = new Set(results.map(({ name }) => name));
  return [
    ...unexpected.map(({ name, detail }) => `${name}: ${detail}`),
    ...vanished.map(({ name }) => `${name} passes, but is listed as failing: take it off the list`),
    ...Object.keys(expected)
      .filter((name) => !names.has(name))
      .map((name) => `${name} is listed as failing, but is not in the folder`),
  ];
}

const refuse = (message: string): number => {
  process.stderr.write(`dom0 conform: ${message}\n`);
  return 2;
};

function parseExpected(text: string | undefined): ExpectedFailures | undefined {
  if (text === undefined) return {};
  try {
    const list: unknown = JSON.parse(text);
    const isList =
      typeof list === "object" &&
      list !== null &&
      Object.values(list).every((reason) => typeof reason === "string");
    return isList ? (list as ExpectedFailures) : undefined;
  } catch {
    return undefined;
  }
}

function printResult({ name, passed, detail }: Conformance, expected: ExpectedFailures): void {
  const reason = Object.hasOwn(expected, name) ? ` (expected: ${expected[name]})` : "";
  process.stdout.write(`${passed ? "pass" : "FAIL"}  ${name.padEnd(36)} ${detail}${reason}\n`);
}

export const command: Command = {
  summary: "run a folder of self-checking RISC-V programs",
  usage: `Usage: npm run conform -- DIR

Runs every ELF file below DIR that follows the tohost convention of riscv-tests, or the signature convention of
riscv-arch-test (NAME.reference_output or NAME.signature beside the program). DIR/expected-failures.json may name programs
that fail, each with a reason: { "name": "reason" }. A failure that is not listed, and a listed program that passes, make
the exit code 1.`,
  async run(args) {
    const [folder, ...rest] = args.filter((argument) => argument !== "--");
    if (folder === undefined || rest.length > 0) return refuse("name one folder; --help tells more.");
    const expected = parseExpected(await textIf(path.join(folder, "expected-failures.json")));
    if (expected === undefined)
      return refuse("expected-failures.json must be an object of names and reasons.");
    let results: Conformance[];
    try {
      results = await conformFolder(folder, (result) => printResult(result, expected));
    } catch (error) {
      return refuse(`${folder} cannot be read (${(error as NodeJS.ErrnoException).code ?? error}).`);
    }
    if (results.length === 0) return refuse(`there is no ELF file below ${folder}.`);
    const wrong = surprises(results, expected);
    for (const line of wrong) process.stdout.write(`surprise  ${line}\n`);
    const passed = results.filter((result) => result.passed).length;
    process.stdout.write(
      `${results.length} programs: ${passed} passed, ${results.length - passed} failed, ${wrong.length} surprises\n`,
    );
    return wrong.length === 0 ? 0 : 1;
  },
};
