/**
 * `dom0 <command>`: finds the command, prints its help, turns its result into an exit code.
 *
 * A command is a module of this folder that exports `command`; it is loaded only when it is named, so that
 * `dom0 --help` does not load an emulator.
 */
import process from "node:process";

/** One command of the command line. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** Full help text. */
  readonly usage: string;
  /** Runs the command. Resolves to the exit code; a user's mistake is printed by the command as one line. */
  run(args: string[]): Promise<number>;
}

type Loader = () => Promise<{ readonly command: Command }>;

const COMMANDS: Readonly<Record<string, { readonly summary: string; readonly load: Loader }>> = {
  coverage: {
    summary: "the manual's rules: tested, cited, missing",
    load: () => import("./coverage.ts"),
  },
  conform: {
    summary: "run a folder of self-checking RISC-V programs",
    load: () => import("./conform.ts"),
  },
  lint: {
    summary: "hold notebooks to the measured rules of style",
    load: () => import("./lint-notebooks.ts"),
  },
  serve: { summary: "serve the built course on 127.0.0.1", load: () => import("./serve.ts") },
  bench: { summary: "measure speed, as ratios against a peer", load: () => import("./bench.ts") },
  boot: {
    summary: "run a RISC-V program on the board, with the terminal as its serial line",
    load: () => import("./boot.ts"),
  },
  check: {
    summary: "format, lint, types, layers, tslab consumer, notebooks",
    load: () => import("./check.ts"),
  },
  linux: {
    summary: "boot a stock Debian kernel to a shell on the terminal",
    load: () => import("./linux.ts"),
  },
  datasets: {
    summary: "check the data sets, or write their descriptions",
    load: () => import("./datasets.ts"),
  },
  disk: { summary: "make a disk image from a folder", load: () => import("./disk.ts") },
  fetch: {
    summary: "bring an optional part into .cache/",
    load: () => import("./fetch.ts"),
  },
  exercises: {
    summary: "what each kind of answer to each exercise earns",
    load: () => import("./exercises.ts"),
  },
  figures: {
    summary: "photograph every figure of a notebook in light, dark and print",
    load: () => import("./figures.ts"),
  },
  doctor: {
    summary: "say what is installed; with --replay FILE: is it my bug or the emulator's?",
    load: () => import("./doctor-replay.ts"),
  },
  gdb: {
    summary: "run a program under gdb-multiarch, forward and backward",
    load: () => import("./gdb.ts"),
  },
  grade: {
    summary: "release, validate, autograde, feedback, export: assignments and their grades",
    load: () => import("./grade.ts"),
  },
  guests: {
    summary: "boot stock Debian kernels side by side in virtual machines",
    load: () => import("./guests.ts"),
  },
  images: {
    summary: "build the guest images, or compare them with their sources",
    load: () => import("./images.ts"),
  },
  layout: {
    summary: "the structures of privileged software as a C header",
    load: () => import("./layout.ts"),
  },
  lockstep: {
    summary: "run a machine on both engines and show the first difference",
    load: () => import("./lockstep.ts"),
  },
  migrate: {
    summary: "move guests between two machines while they run, and draw how it went",
    load: () => import("./migrate.ts"),
  },
  nbconvert: {
    summary: "convert notebooks to HTML, Markdown, MDX or a script",
    load: () => import("./nbconvert.ts"),
  },
  replay: {
    summary: "repeat a recorded run and compare it with the recording",
    load: () => import("./replay.ts"),
  },
  run: {
    summary: "execute a notebook headless and write its outputs",
    load: () => import("./run-notebook.ts"),
  },
};

function help(): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return ["Usage: dom0 COMMAND [ARGUMENTS]", "", ...rows, "", "dom0 COMMAND --help tells more."].join("\n");
}

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(`${help()}\n`);
    return 0;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    process.stderr.write(`dom0: there is no command "${name}"; dom0 --help lists them.\n`);
    return 2;
  }
  const { command } = await entry.load();
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(`${command.usage}\n`);
    return 0;
  }
  return command.run(rest);
}

process.exitCode = await main(process.argv.slice(2));
