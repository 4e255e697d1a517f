/** Short programs for tests: assembly text in, a board that stands at its first instruction out. */
import type { Board } from "../../lib/board/board.ts";
import { type BoardConfig, buildBoard } from "../../lib/board/virt.ts";
import type { Program } from "../../lib/isa/assembler/program.ts";
import { assemble } from "../../lib/isa/assembler/text.ts";
import { DEFAULT_ACCELERATIONS } from "./bare-machine.ts";

/** Assembles text at the start of RAM. Throws on a mistake in it: the test is wrong. */
export function assembled(text: string): Program {
  const program = assemble(text, { origin: 0x8000_0000n });
  if (program.kind !== "program") throw new Error(program.message);
  return program;
}

/** A board with a program in it. */
export function boardWith(text: string, config: BoardConfig = {}): Board {
  const board = buildBoard({ accelerations: DEFAULT_ACCELERATIONS, ...config });
  const refused = board.load(assembled(text));
  if (refused !== undefined) throw new Error(refused.message);
  return board;
}
