/** A domain's disk as its device works on it. */
import type { BlockStorage } from "../../devices/virtio/block.ts";
import { beyond, type HPA } from "../../hs/address.ts";
import { markDiskDirty } from "../dirty-log.ts";
import { diskPage } from "../disk-pages.ts";
import { PAGE_BYTES } from "../layout.ts";
import { loadBytes, type Owner, storeBytes } from "./guest-memory.ts";

/** The disk of a device's owner, for the time of one trap. */
export class Disk implements BlockStorage {
  readonly isReadOnly = false;
  readonly sizeBytes: number;
  readonly #owner: Owner;

  constructor(owner: Owner) {
    this.#owner = owner;
    this.sizeBytes = Number(owner.domain.virtio.diskBytes);
  }

  read(offset: number, length: number): Uint8Array | undefined {
    const bytes = new Uint8Array(length);
    const isDone = this.#eachPage(offset, length, (at, from, to) => {
      loadBytes(this.#owner.context, at, bytes.subarray(from, to));
    });
    return isDone ? bytes : undefined;
  }

  write(offset: number, bytes: Uint8Array): boolean {
    return this.#eachPage(offset, bytes.length, (at, from, to, page) => {
      storeBytes(this.#owner.context, at, bytes.subarray(from, to));
      markDiskDirty(this.#owner, this.#owner.domain, page);
    });
  }

  /** A range page by page: where it lies, and which of the range's bytes go there. False: there is no frame for one of them. */
  #eachPage(
    offset: number,
    length: number,
    act: (at: HPA, from: number, to: number, page: number) => void,
  ): boolean {
    for (let from = 0; from < length; ) {
      const page = Math.floor((offset + from) / PAGE_BYTES);
      const within = (offset + from) % PAGE_BYTES;
      const to = Math.min(length, from + PAGE_BYTES - within);
      const at = diskPage(this.#owner, this.#owner.domain.id, page);
      if (at === undefined) return false;
      act(beyond(at, within), from, to, page);
      from = to;
    }
    return true;
  }
}
