/**
 * What a notebook under plain tslab sees of the kit, compiled by tslab's own TypeScript 5.0 with its own options and
 * without skipLibCheck (`dom0 check "tslab consumer"`). Declarations that 5.0 cannot read become `any` without a
 * word: each `@ts-expect-error` here fails when that happens, and so does an export whose type is `any`.
 */
import * as kit from "dom0-kit";
import { readAsset } from "dom0-kit";

type IsAny<Type> = 0 extends 1 & Type ? true : false;
type Untyped<Module> = {
  [Name in keyof Module]: IsAny<Module[Name]> extends true
    ? Name
    : Module[Name] extends (...parameters: never[]) => infer Result
      ? IsAny<Result> extends true
        ? Name
        : never
      : never;
}[keyof Module];

/** No value of the front door, and no result of its functions, is `any`. */
export const untyped: Untyped<typeof kit> extends never ? "none" : Untyped<typeof kit> = "none";

export async function bytes(): Promise<Uint8Array> {
  // @ts-expect-error bytes are no number
  const wrong: number = await readAsset("images/mini-kernel.elf");
  void wrong;
  return readAsset("images/mini-kernel.elf");
}

const board = kit.buildBoard({ seed: 1 });

/** Nor is any member of a board, of its hart, of its memory or of its console. */
export const untypedMembers: Untyped<typeof board> extends never ? "none" : Untyped<typeof board> = "none";
export const untypedHart: Untyped<typeof board.hart> extends never ? "none" : Untyped<typeof board.hart> =
  "none";

/** The first cells of a notebook. */
export function landing(): bigint {
  const built = kit.program({ origin: 0x8000_0000n }, [
    kit.label("again"),
    kit.asm.addi("a0", "zero", 5),
    // @ts-expect-error no register is called a9
    kit.asm.addi("a9", "zero", 5),
    // @ts-expect-error addi takes three operands
    kit.asm.addi("a0", "zero"),
    // @ts-expect-error there is no such instruction
    kit.asm.adddi("a0", "zero", 5),
    kit.asm.bne("a0", "zero", "again"),
  ]);
  // @ts-expect-error a program may be an error: it has no bytes then
  const wrong: number = built;
  void wrong;
  kit.show(kit.registerDiff(kit.readRegisters(board.hart), kit.readRegisters(board.hart)));
  // @ts-expect-error a figure is no text
  const text: string = kit.registerDiff(kit.readRegisters(board.hart), kit.readRegisters(board.hart));
  void text;
  return board.hart.read("a0");
}
