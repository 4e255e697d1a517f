/** A device's way to memory through the IOMMU: page by page, and not at all if one page says no. */
import { ACCESS_FAULT, type AccessFault } from "../../bus/device.ts";
import type { DmaPort } from "../../bus/dma.ts";
import { PAGE_BYTES } from "../../bus/machine-memory.ts";
import type { IommuFault } from "./fault.ts";
import type { IoTranslation } from "./translate-transaction.ts";

/** Longest transfer. A device that wants more in one piece is refused, so that no descriptor makes the host work for long. */
const MAX_TRANSFER_BYTES = 16 * 1024 * 1024;
const ADDRESS_SPACE_END = 1n << 64n;

interface Piece {
  readonly paddr: bigint;
  readonly lengthBytes: number;
}

/** Translates an address for an access that stays inside its page; a refusal has been told to software. */
export type TranslatePage = (iova: bigint, kind: "load" | "store") => IoTranslation | IommuFault;

/** Memory as one device sees it. */
export class TranslatedDma implements DmaPort {
  readonly #memory: DmaPort;
  readonly #translate: TranslatePage;

  constructor(memory: DmaPort, translate: TranslatePage) {
    this.#memory = memory;
    this.#translate = translate;
  }

  read(address: bigint, lengthBytes: number): Uint8Array | AccessFault {
    const pieces = this.#pieces(address, lengthBytes, "load");
    if (pieces === undefined) return ACCESS_FAULT;
    const bytes = new Uint8Array(lengthBytes);
    let done = 0;
    for (const piece of pieces) {
      const part = this.#memory.read(piece.paddr, piece.lengthBytes);
      if (!(part instanceof Uint8Array)) return ACCESS_FAULT;
      bytes.set(part, done);
      done += piece.lengthBytes;
    }
    return bytes;
  }

  write(address: bigint, bytes: Uint8Array): AccessFault | undefined {
    const pieces = this.#pieces(address, bytes.length, "store");
    // Reading changes nothing, and says whether all of it is RAM before the first byte is written.
    const isRam = ({ paddr, lengthBytes }: Piece): boolean =>
      this.#memory.read(paddr, lengthBytes) instanceof Uint8Array;
    if (pieces === undefined || !pieces.every(isRam)) return ACCESS_FAULT;
    let done = 0;
    for (const piece of pieces) {
      this.#memory.write(piece.paddr, bytes.subarray(done, done + piece.lengthBytes));
      done += piece.lengthBytes;
    }
    return undefined;
  }

  #pieces(address: bigint, lengthBytes: number, kind: "load" | "store"): Piece[] | undefined {
    const end = address + BigInt(lengthBytes);
    if (lengthBytes > MAX_TRANSFER_BYTES || address < 0n || end > ADDRESS_SPACE_END) return undefined;
    const pieces: Piece[] = [];
    for (let at = address; at < end; ) {
      const inPage = PAGE_BYTES - Number(at & BigInt(PAGE_BYTES - 1));
      const pieceBytes = Math.min(inPage, Number(end - at));
      const found = this.#translate(at, kind);
      if (found.kind === "iommu-fault") return undefined;
      pieces.push({ paddr: found.paddr, lengthBytes: pieceBytes });
      at += BigInt(pieceBytes);
    }
    return pieces;
  }
}
