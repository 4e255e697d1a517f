/** Names for addresses, so that a trace says `kernel_main+0x14` and not a number. */

/** A named place in an image. */
export interface ImageSymbol {
  readonly name: string;
  /** Unsigned 64-bit. */
  readonly address: bigint;
  /** Bytes; 0 when the image does not say. */
  readonly sizeBytes: bigint;
}

/** How far past a symbol without a size an address may lie and still be named after it, in bytes. */
const REACH_BYTES = 4096n;

/** Symbols of a loaded image, searchable both ways. */
export class SymbolTable {
  readonly symbols: readonly ImageSymbol[];
  readonly #byName: ReadonlyMap<string, ImageSymbol>;

  constructor(symbols: readonly ImageSymbol[]) {
    this.symbols = [...symbols].sort(byAddress);
    this.#byName = new Map(this.symbols.map((symbol) => [symbol.name, symbol]));
  }

  /** Address of a symbol, unsigned 64-bit; undefined if there is none of that name. */
  addressOf(name: string): bigint | undefined {
    return this.#byName.get(name)?.address;
  }

  /** `name` or `name+0x10` for an address; undefined when no symbol is near. */
  nameOf(address: bigint): string | undefined {
    const symbol = this.#at(address);
    if (symbol === undefined) return undefined;
    const distance = address - symbol.address;
    const reach = symbol.sizeBytes > 0n ? symbol.sizeBytes : REACH_BYTES;
    if (distance >= reach) return undefined;
    return distance === 0n ? symbol.name : `${symbol.name}+0x${distance.toString(16)}`;
  }

  /** The last symbol at or before the address. */
  #at(address: bigint): ImageSymbol | undefined {
    let low = 0;
    let high = this.symbols.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.symbols[middle]?.address ?? 0n) <= address) low = middle + 1;
      else high = middle;
    }
    return this.symbols[low - 1];
  }
}

/** No names at all. */
export const NO_SYMBOLS = new SymbolTable([]);

/** By address; at one address the symbol with a size comes last, because the last one names it. */
function byAddress(left: ImageSymbol, right: ImageSymbol): number {
  if (left.address !== right.address) return left.address < right.address ? -1 : 1;
  if (left.sizeBytes !== right.sizeBytes) return left.sizeBytes < right.sizeBytes ? -1 : 1;
  return left.name < right.name ? -1 : 1;
}
