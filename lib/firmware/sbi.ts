/**
 * The Supervisor Binary Interface as data: error codes, extensions, and what a call is.
 *
 * @spec SBI 2.0 "Binary Encoding"
 */
import type { HsContext, Refused } from "../hs/context.ts";
import type { FirmwareMap, HartAreaView } from "./map.ts";

/** Error codes, as `a0` returns them. @spec SBI 2.0 "Standard SBI Errors" */
export const SbiError = {
  SUCCESS: 0n,
  FAILED: -1n,
  NOT_SUPPORTED: -2n,
  INVALID_PARAM: -3n,
  DENIED: -4n,
  INVALID_ADDRESS: -5n,
  ALREADY_AVAILABLE: -6n,
} as const;
/** What an extension's function works with. */
export interface SbiCall {
  /** The calling hart in machine mode. */
  readonly context: HsContext;
  readonly map: FirmwareMap;
  /** What the firmware keeps about the calling hart. */
  readonly self: HartAreaView;
  /** What it keeps about a hart. */
  area(hart: number): HartAreaView;
  /** `a0` to `a5`: 64 bits, unsigned. Each is read from the save area when it is asked for. */
  argument(index: 0 | 1 | 2 | 3 | 4 | 5): bigint;
}

/**
 * What a function answers.
 * - `value`: error code and value, for `a0` and `a1`
 * - `wait`: the answer comes later: the hart goes to a place of the firmware's own code first, and `a0` and `a1` are answered there
 * - `redirect`: an access for the caller was refused; the caller takes that exception
 */
export type SbiAnswer =
  | { readonly kind: "value"; readonly error: bigint; readonly value: bigint }
  | { readonly kind: "wait"; readonly at: "fences" | "park" }
  | { readonly kind: "redirect"; readonly refused: Refused };

/** A function of an extension. */
export type SbiFunction = (call: SbiCall) => SbiAnswer;

/** An extension: its number and its functions by theirs. */
export interface SbiExtension {
  readonly id: bigint;
  readonly name: string;
  readonly functions: readonly SbiFunction[];
}

/** Success, with a value. */
export const success = (value = 0n): SbiAnswer => ({ kind: "value", error: SbiError.SUCCESS, value });
/** An error. */
export const failure = (error: bigint): SbiAnswer => ({ kind: "value", error, value: 0n });
