/**
 * The bytes of domains' disks, in machine RAM. What a disk holds at first the loader has left behind the frame pool; each page becomes the
 * domain's, as a frame of type `DISK`, when it is used first. Guests have no address for it: their device copies.
 */
import { beyond, type HPA } from "../hs/address.ts";
import { adoptFrame, disown, takeFrame } from "./frames.ts";
import type { Host } from "./host.ts";
import { type DomainView, FrameType, PAGE_BYTES } from "./layout.ts";

/** How many pages a domain's disk has. */
export const diskPageCount = ({ virtio }: DomainView): number =>
  Math.ceil(Number(virtio.diskBytes) / PAGE_BYTES);

/** Where a page of a disk lies. `undefined`: there can be none of this number, or no frame is left. */
export function diskPage(host: Host, domain: number, page: number): HPA | undefined {
  const { state } = host;
  const pages = state.diskPages(domain);
  if (page >= pages.length) return undefined;
  const known = pages.get(page);
  if (known !== 0) return state.frameAddress(known);
  const frame = loadedPage(host, domain, page) ?? takeFrame(host, domain, FrameType.DISK);
  if (frame !== undefined) pages.set(page, state.frameNumber(frame));
  return frame;
}

/** Whether a page of a disk has bytes that are not all zero, as far as anybody can tell without reading them. */
export const hasDiskPage = (host: Host, domain: number, page: number): boolean =>
  host.state.diskPages(domain).get(page) !== 0 || isLoaded(host, domain, page);

const diskOf = ({ state }: Pick<Host, "state">, domain: number) => state.bootInfo.domain.get(domain - 1).disk;

const isLoaded = (host: Host, domain: number, page: number): boolean =>
  BigInt(page * PAGE_BYTES) < diskOf(host, domain).bytes;

/** The page that the loader has left becomes the domain's. */
function loadedPage(host: Host, domain: number, page: number): HPA | undefined {
  if (!isLoaded(host, domain, page)) return undefined;
  const frame = beyond(diskOf(host, domain).from, page * PAGE_BYTES);
  adoptFrame(host, frame, domain);
  host.state.frame(host.state.frameNumber(frame)).type = FrameType.DISK;
  return frame;
}

/** The domain gives a page of its disk back, used or not. */
export function dropDiskPage(host: Host, domain: number, page: number): void {
  const frame = hasDiskPage(host, domain, page) ? diskPage(host, domain, page) : undefined;
  if (frame === undefined) return;
  host.state.diskPages(domain).set(page, 0);
  disown(host, frame);
}
