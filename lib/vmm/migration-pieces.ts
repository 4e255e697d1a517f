/** What a domain is besides its pages: virtual CPUs and devices, in pieces that fit into a record. Both machines have the same list. */
import { beyond, type HPA, hpa } from "../hs/address.ts";
import {
  ConsoleLog,
  DomainFlag,
  type DomainView,
  PAGE_BYTES,
  Plic,
  Uart,
  Vcpu,
  type VcpuView,
  Virtio,
} from "./layout.ts";

/** Flags that a domain brings along. Others are wishes and rights that its new machine knows nothing of. */
export const MOVABLE =
  DomainFlag.BEGINS_IN_MACHINE_MODE | DomainFlag.HAS_TERMINAL | DomainFlag.HAS_VIRTIO_CONSOLE;

/** Bytes of a structure. */
export interface Piece {
  readonly at: HPA;
  readonly bytes: number;
}

/** In the order in which they go. */
export function piecesOf(domain: DomainView, vcpus: readonly VcpuView[]): Piece[] {
  const wholes = [
    ...vcpus.map(({ address }) => ({ at: address, bytes: Vcpu.sizeBytes })),
    { at: domain.uart.address, bytes: Uart.sizeBytes },
    { at: domain.plic.address, bytes: Plic.sizeBytes },
    { at: domain.virtio.address, bytes: Virtio.sizeBytes },
    { at: domain.console.address, bytes: ConsoleLog.sizeBytes },
  ];
  return wholes.flatMap(({ at, bytes }) =>
    Array.from({ length: Math.ceil(bytes / PAGE_BYTES) }, (_, index) => ({
      at: beyond(hpa(at), index * PAGE_BYTES),
      bytes: Math.min(PAGE_BYTES, bytes - index * PAGE_BYTES),
    })),
  );
}
