/** A board with the smallest hypervisor and a guest's program in assembly. */
import type { Board } from "../../../lib/board/board.ts";
import { type BoardConfig, buildBoard } from "../../../lib/board/virt.ts";
import {
  type Hypervisor,
  type HypervisorModule,
  type HypervisorOptions,
  installHypervisor,
} from "../../../lib/hs/hypervisor.ts";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { GUEST_GPA, GUEST_HPA, miniHypervisor } from "./mini-hypervisor.ts";

export interface Scene {
  readonly board: Board;
  readonly hypervisor: Hypervisor;
}

/** A board with the hypervisor and a guest's program in assembly. */
export function sceneWith(
  guest: string,
  options: HypervisorOptions = {},
  {
    module = () => miniHypervisor(),
    config = {},
  }: { readonly module?: () => HypervisorModule; readonly config?: BoardConfig } = {},
): Scene {
  const board = buildBoard(config);
  const program = assemble(guest, { origin: GUEST_GPA });
  if (program.kind !== "program") throw new Error(program.message);
  const hypervisor = installHypervisor(board, module, options);
  if (hypervisor.kind !== "hypervisor") throw new Error(hypervisor.message);
  board.memory.write(GUEST_HPA, program.bytes);
  return { board, hypervisor };
}

/** A guest that makes one call after another and stays where it is. */
export const guestThatCalls = (...calls: readonly string[]): string =>
  `${calls.map((call) => `${call}\n ecall`).join("\n")}\n stay: j stay`;

/** The guest's program is behind these when it stays. */
export function runToEnd({ board }: Scene): ReturnType<Board["run"]> {
  return board.run({ instructions: 20_000 });
}
