/** What goes out of a machine when a domain moves or is protected: pages, then virtual CPUs and devices, a record at each visit. */
import { gpa, type HPA, hpa } from "../hs/address.ts";
import { nextDirty, setDirty, takeDirty } from "./dirty-log.ts";
import { diskPage, hasDiskPage } from "./disk-pages.ts";
import { loadedPage, vcpusOf } from "./domain.ts";
import type { Host } from "./host.ts";
import {
  BOOT_PIECES,
  DomainState,
  type DomainView,
  FOREIGN_MAPPINGS,
  GRANTS,
  GrantFlag,
  MigrationPhase,
  PAGE_BYTES,
  PORTS,
  PortState,
  VcpuState,
} from "./layout.ts";
import { beginLeaving } from "./leaving.ts";
import { piecesOf } from "./migration-pieces.ts";
import { RecordKind, readBytes, sendRecord } from "./records.ts";
import { lookUp } from "./second-stage.ts";
import { hearTyped } from "./typing.ts";

/** Pages without bytes that one visit passes over. */
const PAGES_PER_VISIT = 256;

/** Whether a domain has to do with others: they would stay. */
export function shares({ state }: Host, { id, ports, grants }: DomainView): boolean {
  for (let port = 1; port < PORTS; port++) if (ports.get(port).state !== PortState.FREE) return true;
  for (let number = 0; number < GRANTS; number++)
    if ((grants.get(number).flags & GrantFlag.VALID) !== 0) return true;
  for (let index = 0; index < FOREIGN_MAPPINGS; index++) if (state.foreign(index).mapper === id) return true;
  return false;
}

/** Whether a page has bytes: it is mapped, or the loader has left it. Behind the pages of RAM are those of the disk. */
function hasPage(host: Host, domain: DomainView, number: number): boolean {
  const ramPages = Number(domain.ramBytes) / PAGE_BYTES;
  if (number >= ramPages) return hasDiskPage(host, domain.id, number - ramPages);
  const page = gpa(domain.ramBase + BigInt(number * PAGE_BYTES));
  return (lookUp(host, domain.id, page)?.at ?? loadedPage(host, domain.id, page)) !== undefined;
}

/** Sends the next dirty page, or passes over pages that have no bytes. False: no page from the cursor on is dirty. */
export function sendNextPage(host: Host, domain: DomainView): boolean {
  const { migration } = host.state;
  let page = nextDirty(host, domain, Number(migration.cursor));
  for (let passed = 0; page !== undefined && passed < PAGES_PER_VISIT; passed++) {
    migration.cursor = BigInt(page + 1);
    if (hasPage(host, domain, page)) {
      sendPage(host, domain, page);
      return true;
    }
    setDirty(host, page, false);
    page = nextDirty(host, domain, page + 1);
  }
  return page !== undefined;
}

function sendPage(host: Host, domain: DomainView, number: number): void {
  const ramPages = Number(domain.ramBytes) / PAGE_BYTES;
  let at: HPA | undefined;
  if (number < ramPages) {
    const page = takeDirty(host, domain, number);
    // What the loader has left and nobody has touched is sent from where it lies.
    at = lookUp(host, domain.id, page)?.at ?? loadedPage(host, domain.id, page);
  } else {
    setDirty(host, number, false);
    at = diskPage(host, domain.id, number - ramPages);
  }
  if (at === undefined) return;
  const bytes = readBytes(host.context, at, PAGE_BYTES);
  host.state.migration.pages += 1n;
  sendRecord(host, RecordKind.PAGE, [BigInt(number)], withoutZeros(bytes));
}

/** Nothing stands for zeros. */
const withoutZeros = (bytes: Uint8Array): Uint8Array =>
  bytes.some((byte) => byte !== 0) ? bytes : new Uint8Array();

/** Sends the next piece of the virtual CPUs and devices. False: that was all. */
export function sendNextPiece(host: Host, domain: DomainView): boolean {
  const { migration } = host.state;
  const number = Number(migration.piece);
  const piece = piecesOf(domain, vcpusOf(host, domain.id))[number];
  if (piece === undefined) return false;
  migration.piece += 1n;
  if (piece.at === hpa(domain.uart.address)) migration.typed = BigInt(domain.uart.typed);
  const bytes = readBytes(host.context, piece.at, piece.bytes);
  sendRecord(host, RecordKind.STATE, [BigInt(number)], withoutZeros(bytes));
  return true;
}

/** From here on the guest does not run. The hart still holds its state, which comes to RAM when the scheduler has chosen another. */
export function standStill(host: Host, domain: DomainView, now: bigint): void {
  const { migration } = host.state;
  for (const vcpu of vcpusOf(host, domain.id)) {
    if (vcpu.state === VcpuState.PAUSED) continue;
    // Who waits for memory here does the access again there.
    const wantsToRun = vcpu.state === VcpuState.RUNNING || vcpu.state === VcpuState.STARVED;
    vcpu.paused = wantsToRun ? VcpuState.READY : vcpu.state;
    vcpu.state = VcpuState.PAUSED;
  }
  migration.phase = MigrationPhase.STOPPED;
  migration.cursor = 0n;
  migration.piece = 0n;
  migration.stoppedAt = now;
}

/** The guest goes on here, from where it stood still. */
export function goOnHere(host: Host, domain: DomainView, now: bigint): void {
  for (const vcpu of vcpusOf(host, domain.id)) {
    if (vcpu.state !== VcpuState.PAUSED) continue;
    vcpu.state = vcpu.paused;
    host.state.migration.wentOnAt = now;
  }
  hearTyped(host, domain);
}

/** The guest is another machine's from now on. */
export function letGo(host: Host, domain: DomainView): void {
  const { state } = host;
  for (const vcpu of vcpusOf(host, domain.id)) vcpu.state = VcpuState.NONE;
  domain.state = DomainState.MOVED;
  const { pieces } = state.bootInfo.domain.get(domain.id - 1);
  for (let index = 0; index < BOOT_PIECES; index++) pieces.get(index).bytes = 0n;
  state.bootInfo.domain.get(domain.id - 1).disk.bytes = 0n;
  beginLeaving(host, domain.id);
}
