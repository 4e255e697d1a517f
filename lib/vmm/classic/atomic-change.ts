/** Atomic instructions that are made for the guest. Its hart is the only one, so a load and a store are atomic enough. @spec norm:amo_operand_size */

type Change = (old: bigint, operand: bigint) => bigint;

/** Both are signed, as wide as the access. */
const CHANGES: Readonly<Record<string, Change>> = {
  swap: (_, operand) => operand,
  add: (old, operand) => old + operand,
  xor: (old, operand) => old ^ operand,
  and: (old, operand) => old & operand,
  or: (old, operand) => old | operand,
  min: (old, operand) => (old < operand ? old : operand),
  max: (old, operand) => (old > operand ? old : operand),
  minu: (old, operand) => (BigInt.asUintN(64, old) < BigInt.asUintN(64, operand) ? old : operand),
  maxu: (old, operand) => (BigInt.asUintN(64, old) > BigInt.asUintN(64, operand) ? old : operand),
};

/**
 * Bytes that an LR loads. It is a load and no more: no reservation outlives a trap, so that the SC behind it fails, as it may. A loop of
 * the two never ends where the monitor has to make its accesses: under MPRV, and in a page of patched code.
 */
export const reservedWidth = (mnemonic: string): 4 | 8 | undefined => widthOf(/^lr\.([wd])/, mnemonic);

/** Bytes that an SC would store. */
export const conditionalWidth = (mnemonic: string): 4 | 8 | undefined => widthOf(/^sc\.([wd])/, mnemonic);

function widthOf(pattern: RegExp, mnemonic: string): 4 | 8 | undefined {
  const [, letter] = pattern.exec(mnemonic) ?? [];
  return letter === undefined ? undefined : letter === "w" ? 4 : 8;
}

/** What an instruction of this name does to memory; `undefined` for one that is no AMO. */
export function atomicChange(
  mnemonic: string,
): { readonly width: 4 | 8; readonly change: Change } | undefined {
  const [, name = "", letter] = /^amo([a-z]+)\.([wd])/.exec(mnemonic) ?? [];
  const change = CHANGES[name];
  return change === undefined ? undefined : { width: letter === "w" ? 4 : 8, change };
}
