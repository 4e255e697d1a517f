/** What `monitor …` in GDB can ask of a board. */

import type { Hart } from "../../hart/hart.ts";
import { findCsr } from "../../isa/csr-map.ts";
import { explainTranslation } from "../../mmu/explain-translation.ts";
import type { Board } from "../board.ts";
import { eventText } from "../trace-event.ts";
import { hexOf } from "./packets.ts";

const MAX_DUMP_BYTES = 4096;
const ROW_BYTES = 16;
const MAX_EVENTS = 200;

interface MonitorCommand {
  readonly usage: string;
  readonly help: string;
  run(board: Board, hart: Hart, args: readonly string[]): string;
}

const COMMANDS: Readonly<Record<string, MonitorCommand>> = {
  help: {
    usage: "help",
    help: "this list",
    run: () =>
      Object.values(COMMANDS)
        .map(({ usage, help }) => `monitor ${usage.padEnd(24)} ${help}`)
        .join("\n"),
  },
  phys: {
    usage: "phys ADDRESS [LENGTH]",
    help: "bytes of RAM at a physical address",
    run: (board, _hart, [address, length = "64"]) =>
      dump(board, number(address), Number(number(length) ?? 0n)),
  },
  translate: {
    usage: "translate ADDRESS",
    help: "the page walk of a load by this hart, and why it says no",
    run: (_board, hart, [address]) => {
      const at = number(address);
      return at === undefined ? "Which address?" : explainTranslation(hart, at, "load").sentence;
    },
  },
  csr: {
    usage: "csr NAME",
    help: "a control and status register as machine mode reads it",
    run: (_board, hart, [name = ""]) => {
      const csr = findCsr(name);
      return csr === undefined ? `There is no CSR "${name}".` : `${csr} = 0x${hart.csr(csr).toString(16)}`;
    },
  },
  harts: {
    usage: "harts",
    help: "where each hart stands",
    run: (board) =>
      board.harts
        .map(({ id, mode, pc, state, retired }) => {
          const place = board.symbols.nameOf(pc) ?? `0x${pc.toString(16)}`;
          return `hart ${id}: ${mode}-mode at ${place}, ${retired} retired${state.waiting ? ", asleep" : ""}`;
        })
        .join("\n"),
  },
  trace: {
    usage: "trace [COUNT]",
    help: "the last events: traps, CSR writes, device accesses",
    run: (board, _hart, [count = "20"]) => {
      const wanted = Math.min(MAX_EVENTS, Number(number(count) ?? 0n));
      const events = wanted === 0 ? [] : board.trace.events.slice(-wanted);
      return events.map((event) => eventText(event, board.symbols)).join("\n");
    },
  },
  retired: {
    usage: "retired",
    help: "instructions retired so far, and where history begins and ends",
    run: (board) => {
      const { start, end } = board.history;
      const range = start === undefined ? "no history" : `history from ${start.retired} to ${end.retired}`;
      return `${board.clock.retired} (${range})`;
    },
  },
  goto: {
    usage: "goto RETIRED",
    help: "go to a retired count; then: maintenance flush register-cache",
    run: (board, _hart, [retired]) => {
      const to = number(retired);
      if (to === undefined) return "To which retired count?";
      const result = board.goTo(Number(to));
      return result.kind === "moment" ? `at ${result.moment.retired}` : result.message;
    },
  },
  type: {
    usage: "type TEXT",
    help: "types at the guest's terminal; \\n is the Enter key",
    run: (board, _hart, words) => {
      board.type(words.join(" ").replaceAll("\\n", "\n"));
      return "";
    },
  },
};

/** Answers one command, in text that ends with a line end. */
export function monitor(board: Board, hart: Hart, line: string): string {
  const [name = "help", ...args] = line.split(/\s+/).filter((word) => word !== "");
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const answer = command?.run(board, hart, args) ?? `There is no command "${name}"; monitor help lists them.`;
  return answer === "" ? "" : `${answer}\n`;
}

function number(text: string | undefined): bigint | undefined {
  return text !== undefined && /^(0x[0-9a-f]{1,16}|\d{1,18})$/i.test(text) ? BigInt(text) : undefined;
}

function dump(board: Board, address: bigint | undefined, length: number): string {
  if (address === undefined || !(length >= 1)) return "Which address, and how many bytes?";
  const bytes = board.memory.bytes(address, Math.min(length, MAX_DUMP_BYTES));
  if (!(bytes instanceof Uint8Array)) return `There is no RAM at 0x${address.toString(16)}.`;
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += ROW_BYTES)
    rows.push(
      `0x${(address + BigInt(at)).toString(16)}: ${hexOf(bytes.subarray(at, at + ROW_BYTES)).replaceAll(/(..)(?=.)/g, "$1 ")}`,
    );
  return rows.join("\n");
}
