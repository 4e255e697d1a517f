/** The other end of `timedScript`: a process with one order and one answer. */
import process from "node:process";

/** Does what the first argument says and prints the answer, both JSON; or says in a few lines why not, and exits with 1. */
export function answerOrder<Order>(obey: (order: Order) => unknown): void {
  try {
    process.stdout.write(JSON.stringify(obey(JSON.parse(process.argv[2] ?? "{}") as Order)));
  } catch (error) {
    process.stderr.write(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
