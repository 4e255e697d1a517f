/** RAM for views of structures, as a debugger, an installer or a referee looks at it: no instruction, no event but that of an image. */
import type { Board } from "../board/board.ts";
import type { StructMemory } from "./struct.ts";

/** Looks at a board's RAM from outside. An address outside RAM is the onlooker's own mistake and throws `RangeError`. */
export const onlooker = (board: Pick<Board, "memory">): StructMemory => ({
  load(address, width) {
    const value = board.memory.load(address, width);
    if (typeof value !== "bigint") throw new RangeError(`there is no RAM at 0x${address.toString(16)}`);
    return value;
  },
  store(address, width, value) {
    if (board.memory.store(address, width, value) !== undefined)
      throw new RangeError(`there is no RAM at 0x${address.toString(16)}`);
  },
});
