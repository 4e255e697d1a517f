/**
 * What a notebook under plain tslab sees of the kit, compiled by tslab's own TypeScript 5.0 with its own options and
 * without skipLibCheck (`dom0 check "tslab consumer"`). Declarations that 5.0 cannot read become `any` without a
 * word: each `@ts-expect-error` here fails when that happens, and so does an export whose type is `any`.
 */
import type * as kit from "dom0-kit";
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
