/**
 * Builds the conformance programs of this project: small ELF files in assembly, each of which tests one instruction or one
 * rule family and says by itself whether it passed.
 *
 * A source file holds many: a line `program NAME… RULE…` begins the next, and what stands before the first belongs to all of
 * its file. A program with several names is built once for each, with the name in place of `INSN`.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PROJECT_ROOT } from "../node-assets.ts";

const FOLDER = path.join(PROJECT_ROOT, "test/conformance");
const SOURCES = path.join(FOLDER, "programs");

/** Where the built programs are committed. */
export const CONFORMANCE_PROGRAMS: string = path.join(FOLDER, "elf");
const MANIFEST = path.join(CONFORMANCE_PROGRAMS, "manifest.json");

const HARNESS = "harness.s";
const LINKER_SCRIPT = "programs.ld";
const ASSEMBLER = "riscv64-unknown-elf-as";
const LINKER = "riscv64-unknown-elf-ld";
/** The tools that the committed programs come from; another version may lay code out differently. */
const BINUTILS_VERSION = "2.40";
const ASSEMBLER_FLAGS = ["-march=rv64gch_zba_zbb_zbs", "-mabi=lp64d", "-mno-relax"];
const LINKER_FLAGS = ["--no-relax", "--build-id=none", "-z", "max-page-size=64"];
/** The only symbols that stay: what the two conventions ask for. */
const SYMBOLS = ["_start", "tohost", "fromhost", "begin_signature", "end_signature"];

/** One program: its name, the rules that it tests, and its whole source text. */
export interface ConformanceProgram {
  readonly name: string;
  /** Normative-rule tags with their `norm:`, or a section. */
  readonly rules: readonly string[];
  readonly text: string;
}

/** `manifest.json`: how all programs were made, and what each is. */
export interface ConformanceManifest {
  readonly assembler: string;
  readonly assemblerFlags: readonly string[];
  readonly linker: string;
  readonly linkerFlags: readonly string[];
  readonly programs: Readonly<Record<string, ConformanceEntry>>;
}

/** What the manifest says of one program. */
export interface ConformanceEntry {
  readonly sha256: string;
  /** Of the whole text that the assembler read, and the linker script. */
  readonly sourceSha256: string;
  readonly rules: readonly string[];
}

const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

const source = (name: string): string => readFileSync(path.join(SOURCES, name), "utf8");

/** Every program of the sources, in order of file and place. */
export function conformancePrograms(): ConformanceProgram[] {
  const files = readdirSync(SOURCES).filter((name) => name.endsWith(".s") && name !== HARNESS);
  const harness = source(HARNESS);
  return files.sort().flatMap((file) => {
    const [common = "", ...bodies] = source(file).split(/^program /m);
    return bodies.flatMap((text) => programsOf(`${harness}\n${common}`, text));
  });
}

function programsOf(common: string, text: string): ConformanceProgram[] {
  const end = text.indexOf("\n");
  const words = text.slice(0, end).trim().split(/\s+/);
  const isRule = (word: string): boolean => /^(norm|priv|unpriv):/.test(word);
  const rules = words.filter(isRule);
  return words
    .filter((word) => !isRule(word))
    .map((name) => ({
      name,
      rules,
      text: `${common}\n${text.slice(end).replaceAll(/\bINSN\b/g, name)}\n  j pass\n`,
    }));
}

const sourceSha256 = (program: ConformanceProgram): string =>
  sha256(`${program.text}\0${source(LINKER_SCRIPT)}`);

/** What keeps the programs from being built on this machine, or undefined. */
export function assemblerProblem(): string | undefined {
  try {
    const version = execFileSync(ASSEMBLER, ["--version"], { encoding: "utf8", stdio: "pipe" });
    const found = /\(([\d.]+)/.exec(version)?.[1];
    if (found === BINUTILS_VERSION) return undefined;
    return `${ASSEMBLER} is version ${found}; the conformance programs need ${BINUTILS_VERSION}.`;
  } catch {
    return `${ASSEMBLER} was not found; install Debian's binutils-riscv64-unknown-elf.`;
  }
}

/** Assembles and links programs in a scratch folder. Throws with the tool's words when a source is wrong: sources are ours. */
export function buildConformancePrograms(programs: readonly ConformanceProgram[]): Map<string, Uint8Array> {
  const scratch = mkdtempSync(path.join(tmpdir(), "dom0-conformance-"));
  const run = (name: string, tool: string, ...args: string[]): void => {
    const { status, stderr } = spawnSync(tool, args, { cwd: scratch, encoding: "utf8" });
    if (status !== 0) throw new Error(`conformance program ${name}: ${stderr}`);
  };
  try {
    writeFileSync(path.join(scratch, LINKER_SCRIPT), source(LINKER_SCRIPT));
    writeFileSync(path.join(scratch, "symbols"), `${SYMBOLS.join("\n")}\n`);
    const build = ({ name, text }: ConformanceProgram): [string, Uint8Array] => {
      writeFileSync(path.join(scratch, "program.s"), text);
      run(name, ASSEMBLER, ...ASSEMBLER_FLAGS, "program.s", "-o", "program.o");
      const link = [...LINKER_FLAGS, "--retain-symbols-file=symbols", "-T", LINKER_SCRIPT];
      run(name, LINKER, ...link, "program.o", "-o", "program");
      return [name, new Uint8Array(readFileSync(path.join(scratch, "program")))];
    };
    return new Map(programs.map(build));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Builds all programs and writes them with their manifest. What no source makes any more is removed. Returns their number. */
export function writeConformancePrograms(): number {
  const programs = conformancePrograms();
  const built = buildConformancePrograms(programs);
  mkdirSync(CONFORMANCE_PROGRAMS, { recursive: true });
  for (const file of readdirSync(CONFORMANCE_PROGRAMS))
    if (!built.has(file.replace(/\.reference_output$/, ""))) rmSync(path.join(CONFORMANCE_PROGRAMS, file));
  for (const [name, bytes] of built) writeFileSync(path.join(CONFORMANCE_PROGRAMS, name), bytes);
  const entries = programs.map((program): [string, ConformanceEntry] => [
    program.name,
    {
      sha256: sha256(built.get(program.name) ?? ""),
      sourceSha256: sourceSha256(program),
      rules: program.rules,
    },
  ]);
  const manifest: ConformanceManifest = {
    assembler: `${ASSEMBLER} ${BINUTILS_VERSION}`,
    assemblerFlags: ASSEMBLER_FLAGS,
    linker: `${LINKER} ${BINUTILS_VERSION}`,
    linkerFlags: LINKER_FLAGS,
    programs: Object.fromEntries(entries),
  };
  writeFileSync(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
  return built.size;
}

/** The committed manifest. */
export const conformanceManifest = (): ConformanceManifest =>
  JSON.parse(readFileSync(MANIFEST, "utf8")) as ConformanceManifest;

/** Ways in which the committed programs do not belong together, one line each. Needs no assembler. */
export function staleConformancePrograms(): string[] {
  const { programs: entries } = conformanceManifest();
  const programs = conformancePrograms();
  const names = new Set(programs.map(({ name }) => name));
  const gone = Object.keys(entries).filter((name) => !names.has(name));
  return [
    ...gone.map((name) => `${name} has no source`),
    ...programs.flatMap((program) => stale(program, entries)),
  ];
}

function stale(program: ConformanceProgram, entries: ConformanceManifest["programs"]): string[] {
  const { name } = program;
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
  const file = path.join(CONFORMANCE_PROGRAMS, name);
  if (entry === undefined || !existsSync(file)) return [`${name} was never built`];
  if (entry.sha256 !== sha256(readFileSync(file)))
    return [`${name} is not the file that the manifest describes`];
  return entry.sourceSha256 === sourceSha256(program) ? [] : [`${name} is older than its source`];
}

/** Programs whose bytes differ when they are built again, one line each. Needs the assembler. */
export function irreproducibleConformancePrograms(): string[] {
  const built = buildConformancePrograms(conformancePrograms());
  return [...built]
    .filter(
      ([name, bytes]) => Buffer.compare(bytes, readFileSync(path.join(CONFORMANCE_PROGRAMS, name))) !== 0,
    )
    .map(([name]) => `${name} comes out different when it is built again`);
}
