/** Runs a folder of self-checking programs, and holds what came out against a list of expected failures. */
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { EngineName } from "../../board/engine-choice.ts";
import { type Conformance, type ConformanceOptions, runProgram } from "./run-program.ts";

/** Programs that are known to fail, each with the reason. */
export type ExpectedFailures = Readonly<Record<string, string>>;

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];
/** A larger file is nobody's unit test. */
const MAX_FILE_BYTES = 64 << 20;

const isElf = (file: Uint8Array): boolean => ELF_MAGIC.every((byte, at) => file[at] === byte);

/** The file's text, or undefined when it cannot be read. */
export const textIf = (file: string): Promise<string | undefined> =>
  readFile(file, "utf8").catch(() => undefined);

/** Signature file of a program under any of the names in use, or undefined. */
async function expectedSignature(file: string): Promise<string | undefined> {
  const stem = file.replace(/[.]elf$/, "");
  const names = [
    `${file}.reference_output`,
    `${file}.signature`,
    `${stem}.reference_output`,
    `${stem}.signature`,
  ];
  for (const name of names) {
    const text = await textIf(name);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** How to go through a folder. */
export interface FolderOptions extends ConformanceOptions {
  /** Only programs whose name has this text in it. */
  readonly filter?: string;
  /** Hears of each program before it runs. */
  readonly onStart?: (name: string, index: number, count: number) => void;
  readonly onResult?: (result: Conformance) => void;
}

/** Names of the files below a folder, in order. Throws what the file system says when the folder cannot be read. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink());
  return files.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name))).sort();
}

const problem = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/** Bytes of a program; a text says why there are none; undefined: not a program at all. */
async function programBytes(file: string): Promise<Uint8Array | string | undefined> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) return `the file has ${size} bytes; that is no test program`;
    const bytes = new Uint8Array(await readFile(file));
    return isElf(bytes) ? bytes : undefined;
  } catch (error) {
    const code = problem(error);
    return code === "EISDIR" ? undefined : `the file cannot be read (${code})`;
  }
}

/** Every program of a folder, in order of name. Files that are not ELF are passed over; one that cannot be run is a result. */
export async function runFolder(
  folder: string,
  { filter = "", onStart, onResult, ...options }: FolderOptions = {},
): Promise<Conformance[]> {
  const results: Conformance[] = [];
  const names = (await filesBelow(folder)).filter((name) => name.includes(filter));
  for (const [index, name] of names.entries()) {
    const file = path.join(folder, name);
    const bytes = await programBytes(file);
    if (bytes === undefined) continue;
    onStart?.(name, index, names.length);
    const result: Conformance =
      typeof bytes === "string"
        ? { name, outcome: "not-runnable", detail: bytes, instructions: 0 }
        : runProgram(name, bytes, await expectedSignature(file), options);
    results.push(result);
    onResult?.(result);
  }
  return results;
}

/** What an engine has found. */
export interface EngineResults {
  readonly engine: EngineName;
  readonly results: readonly Conformance[];
}

/** What two engines found otherwise, one line for each program: outcome, words and number of instructions count. */
export function differences(first: EngineResults, second: EngineResults): string[] {
  const found = ({ engine, results }: EngineResults): Map<string, string> =>
    new Map(
      results.map(({ name, outcome, detail, instructions }) => [
        name,
        `${engine}: ${outcome}${detail === "" ? "" : `, ${detail}`}, ${instructions} instructions`,
      ]),
    );
  const [one, other] = [found(first), found(second)];
  const said = (text: string | undefined, engine: EngineName): string => text ?? `${engine}: not run`;
  const withoutEngine = (text: string): string => text.slice(text.indexOf(":"));
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((name) => {
    const [left, right] = [said(one.get(name), first.engine), said(other.get(name), second.engine)];
    return withoutEngine(left) === withoutEngine(right) ? [] : [`${name}: ${left}; ${right}`];
  });
}

/** What stands against the list of expected failures: failures that are not on it, passes and missing programs that are. */
export function surprises(
  results: readonly Conformance[],
  expected: ExpectedFailures,
  filter = "",
): string[] {
  const isExpected = (name: string): boolean => Object.hasOwn(expected, name);
  const unexpected = results.filter(({ name, outcome }) => outcome !== "passed" && !isExpected(name));
  const vanished = results.filter(({ name, outcome }) => outcome === "passed" && isExpected(name));
  const names = new Set(results.map(({ name }) => name));
  const missing = Object.keys(expected).filter((name) => name.includes(filter) && !names.has(name));
  return [
    ...unexpected.map(({ name, detail }) => `${name}: ${detail}`),
    ...vanished.map(({ name }) => `${name} passes, but is listed as failing: take it off the list`),
    ...missing.map((name) => `${name} is listed as failing, but is not in the folder`),
  ];
}

/** Reads a list of expected failures: an object of names and reasons. Undefined for anything else. */
export function parseExpectedFailures(text: string): ExpectedFailures | undefined {
  try {
    const list: unknown = JSON.parse(text);
    if (typeof list !== "object" || list === null || Array.isArray(list)) return undefined;
    const reasons: unknown[] = Object.values(list);
    const isList = reasons.every((reason) => typeof reason === "string" && reason !== "");
    return isList ? (list as ExpectedFailures) : undefined;
  } catch {
    return undefined;
  }
}
