/** Mistakes of the person at the keyboard. */
import process from "node:process";

/** One line for the terminal, and the exit code that goes with it. */
export class Refusal extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Runs a command; a refusal becomes its line and its exit code. */
export async function refusing(name: string, run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`dom0 ${name}: ${error.message}\n`);
    return error.exitCode;
  }
}

/** What `parseArgs` says about wrong options, as a refusal. */
export function parsed<Result>(parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${(error as Error).message.split(". ")[0]}; --help tells more.`, 2);
  }
}

/** A whole number of an option, from 1 on unless zero is allowed. */
export function wholeNumber(
  text: string,
  option: string,
  { least = 1, most = Number.MAX_SAFE_INTEGER }: { readonly least?: number; readonly most?: number } = {},
): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= most && value >= least) return value;
  throw new Refusal(`${option} takes a whole number from ${least} to ${most}, not "${text}".`, 2);
}
