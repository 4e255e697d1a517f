/** Boards from files. */
import type { ReferenceOptions } from "../engine/reference/create.ts";
import type { ArchiveError } from "./archive.ts";
import type { Board } from "./board.ts";
import type { EngineName } from "./engine-choice.ts";
import { unpackImage } from "./image.ts";
import { buildBoard } from "./virt.ts";

/** How to build a board for an image. */
export interface OpenOptions {
  /** The engine's accelerations: they change nothing that the guest sees. */
  readonly accelerations?: ReferenceOptions;
  /** Who runs the harts: no image says, for none can tell. The default engine when left out. */
  readonly engine?: EngineName;
  /** Installs what no file can hold, such as `hx` handlers; RAM and harts are those of the image by then. */
  readonly prepare?: (board: Board) => void;
}

/** Builds the board that an image was taken of, in the state in which it was. */
export function openImage(
  file: Uint8Array,
  { accelerations, engine, prepare }: OpenOptions = {},
): Board | ArchiveError {
  const content = unpackImage(file);
  if ("kind" in content) return content;
  const { iommu, ...shape } = content.shape;
  const board = buildBoard({
    ...shape,
    ...content.peripherals,
    ...(iommu === undefined ? {} : { iommu }),
    ...(accelerations === undefined ? {} : { accelerations }),
    ...(engine === undefined ? {} : { engine }),
  });
  const refused = board.loadImage(content);
  if (refused !== undefined) return refused;
  prepare?.(board);
  return board;
}
