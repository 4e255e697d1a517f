/**
 * The boot loader's part: puts guests into machine RAM, whole pages each, and writes down for the domain builder what lies where. It works
 * before the first instruction, from outside, as the code does that loads a hypervisor on a real machine.
 */
import type { Board } from "../board/board.ts";
import { deviceTreeAddress } from "../board/boot-rom.ts";
import { virtTree } from "../board/device-tree.ts";
import { parseElf } from "../board/elf.ts";
import { cells64, flattenTree, type TreeNode } from "../board/flattened-tree.ts";
import { isaString } from "../board/isa-string.ts";
import { type LoadError, loadError } from "../board/load-error.ts";
import { VIRT_MAP } from "../board/memory-map.ts";
import { SECTOR_BYTES } from "../devices/virtio/block-store.ts";
import { gpa, type HPA, hpa } from "../hs/address.ts";
import { onlooker } from "../hs/onlooker.ts";
import { GUEST_RAM } from "./domain.ts";
import {
  BootInfo,
  DOMAIN_VCPUS,
  DOMAINS,
  DomainFlag,
  diskPages,
  PAGE_BYTES,
  paravirtualPlaces,
  SchedulerKind,
  VCPUS,
  VirtioSlot,
  type VmmPlaces,
} from "./layout.ts";

/** A guest. */
export interface Guest {
  /** An ELF file, or bytes that are put at the beginning of its RAM as they are. */
  readonly image: Uint8Array;
  /** Bytes of RAM: a multiple of 4096. 4 MiB when left out. */
  readonly ramBytes?: number;
  /**
   * Where it begins: `machine` as on a bare board, at the ELF's entry in a machine mode of its own; `supervisor` when left out;
   * `paravirtual` in supervisor mode without a second stage, in virtual addresses, `a1` being that of its `StartInfo`.
   */
  readonly begins?: "machine" | "supervisor" | "paravirtual";
  /** Where in its RAM bytes go that are no ELF file; 0 when left out. Linux wants 0x20_0000. */
  readonly offset?: number;
  /** Virtual CPUs; 1 when left out. */
  readonly vcpus?: number;
  /** Its part of a hart, compared with others'; 256 when left out. */
  readonly weight?: number;
  /** Hundredths of a hart that it may use at most; 0, when left out: no limit. */
  readonly cap?: number;
  /** Linux's initial file system. */
  readonly initramfs?: Uint8Array;
  /** The kernel's command line, `bootargs`. */
  readonly commandLine?: string;
  /** What its disk holds at first; no disk when left out. Whole sectors of 512 bytes, and at most an eighth of the machine's RAM. */
  readonly disk?: Uint8Array;
  /** Its consoles: a 16550, `uart`, when left out; `virtio`; or both. The device tree has what is said here. */
  readonly console?: "uart" | "virtio" | "both";
  /** Whether its RAM comes in pages of 2 MiB where the machine has frames in a row. */
  readonly largePages?: boolean;
  /** Whether it may create, stop and destroy other domains. */
  readonly privileged?: boolean;
  /** Its timer: the hart's own when left out, or one that it has to `call` for, as on harts without Sstc. Not for `machine`. */
  readonly timer?: "hart" | "call";
  /** Whether what it prints goes to the board's serial port. The first guest's does when nobody says. */
  readonly hasTerminal?: boolean;
}

/** What the loader decides for all. */
export interface LoadOptions {
  readonly guests: readonly Guest[];
  readonly scheduler?: keyof typeof SchedulerKind;
  /** Whether an operator gives orders (`operator.ts`): the machine looks for them often, and stays on when no guest is left. */
  readonly operated?: boolean;
  /** Ticks of `time`: a slice, 10 ms when left out; a period of accounting, 30 ms. */
  readonly slice?: number;
  readonly period?: number;
}

const DEFAULT_RAM = 4 * 1024 * 1024;
/** What paravirtualized guests have together at most. */
const MOST_PARAVIRTUAL = 8 * 1024 * 1024;
const DEFAULT_WEIGHT = 256;
const DEFAULT_SLICE = 100_000;
const DEFAULT_PERIOD = 300_000;
/** The guest's hart has all that the board's have but the hypervisor extension. */
const GUEST_ISA = isaString().replace(/^(rv64[a-gi-z]*)h/, "$1");
const isaOf = ({ timer }: Guest): string => (timer === "call" ? GUEST_ISA.replace("_sstc", "") : GUEST_ISA);
const MMU = "riscv,sv48";
/** The node of a device that may be there or not. */
const virtioNode = (slot: number): string =>
  `virtio_mmio@${(VIRT_MAP.virtio.base + slot * VIRT_MAP.virtio.sizeBytes).toString(16)}`;

/** Nodes of devices that a guest does not have. */
function isAbsent({ name }: TreeNode, { begins, disk, console = "uart" }: Guest): boolean {
  if (name === virtioNode(VirtioSlot.DISK)) return disk === undefined;
  if (name === virtioNode(VirtioSlot.CONSOLE)) return console === "uart";
  if (name.startsWith("serial@")) return console === "virtio";
  if (name.startsWith("clint@")) return begins !== "machine";
  return /^(virtio_mmio|rtc)@/.test(name);
}

/** Bytes, and where in a guest's RAM they shall lie. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** A guest's bytes as they shall lie in its RAM. */
interface Prepared {
  readonly pieces: readonly Piece[];
  readonly entry: number;
  readonly tree: number;
  readonly ramBytes: number;
}

const pageBelow = (address: number): number => address - (address % PAGE_BYTES);
const pagesUp = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;

/** Puts guests into RAM, behind an installed hypervisor, and tells it of them. */
export function loadGuests(
  board: Board,
  places: VmmPlaces & { readonly end: HPA },
  options: LoadOptions,
): LoadError | undefined {
  const { guests } = options;
  const count = guests.reduce((sum, { vcpus = 1 }) => sum + vcpus, 0);
  if (guests.length >= DOMAINS || count > VCPUS)
    return loadError(
      "no-room",
      `There is room for ${DOMAINS - 1} guests with ${VCPUS} virtual CPUs together.`,
    );
  const refused = paravirtualMistake(guests);
  if (refused !== undefined) return refused;
  const { ram } = board.bus;
  const memory = onlooker(board);
  const boot = BootInfo.at(memory, places.addressOf("boot_info"));
  let end = pageBelow(deviceTreeAddress(ram, board.deviceTree.length));
  const place = (bytes: Uint8Array): HPA => {
    end -= pagesUp(bytes.length);
    if (end >= Number(places.end)) board.memory.write(BigInt(end), padded(bytes));
    return hpa(BigInt(end));
  };
  for (const [index, guest] of guests.entries()) {
    const prepared = prepare(guest, index);
    if ("kind" in prepared) return prepared;
    const mistake = diskMistake(guest, index, ram.sizeBytes);
    if (mistake !== undefined) return mistake;
    const entry = boot.domain.get(index);
    for (const [number, { bytes, at }] of prepared.pieces.entries()) {
      const piece = entry.pieces.get(number);
      piece.from = place(bytes);
      piece.bytes = BigInt(pagesUp(bytes.length));
      piece.at = gpa(BigInt(at));
    }
    entry.tree = gpa(BigInt(prepared.tree));
    entry.entry = gpa(BigInt(prepared.entry));
    entry.ramBytes = BigInt(prepared.ramBytes);
    entry.vcpus = guest.vcpus ?? 1;
    entry.weight = guest.weight ?? DEFAULT_WEIGHT;
    entry.cap = guest.cap ?? 0;
    entry.flags = flagsOf(guest, index);
    const { disk = NO_BYTES } = guest;
    entry.disk.from = place(disk);
    entry.disk.bytes = BigInt(pagesUp(disk.length));
    entry.diskBytes = BigInt(disk.length);
  }
  if (end < Number(places.end))
    return loadError(
      "larger-than-ram",
      "The guests' images do not fit into RAM behind the hypervisor. Give the board more.",
    );
  boot.domains = guests.length;
  boot.scheduler = SchedulerKind[options.scheduler ?? "ROUND_ROBIN"];
  boot.operated = options.operated === true ? 1 : 0;
  boot.slice = BigInt(options.slice ?? DEFAULT_SLICE);
  boot.period = BigInt(options.period ?? DEFAULT_PERIOD);
  boot.poolEnd = hpa(BigInt(end));
  return undefined;
}

const NO_BYTES = new Uint8Array(0);

/** Bits of a guest's flags, each with what it depends on. */
function flagsOf(guest: Guest, index: number): number {
  const { begins, hasTerminal, console = "uart", largePages, privileged, timer } = guest;
  const flags: readonly (readonly [number, boolean])[] = [
    [DomainFlag.BEGINS_IN_MACHINE_MODE, begins === "machine"],
    [DomainFlag.PARAVIRTUAL, begins === "paravirtual"],
    [DomainFlag.HAS_VIRTIO_CONSOLE, console !== "uart"],
    [DomainFlag.HAS_TERMINAL, hasTerminal ?? index === 0],
    [DomainFlag.LARGE_PAGES, largePages === true],
    [DomainFlag.PRIVILEGED, privileged === true],
    [DomainFlag.TIMER_BY_CALL, timer === "call" && begins !== "machine"],
  ];
  return flags.reduce((sum, [flag, isSet]) => (isSet ? sum | flag : sum), 0);
}

/** Paravirtualized guests get all their memory before the first instruction, in one handler's work. */
function paravirtualMistake(guests: readonly Guest[]): LoadError | undefined {
  const ours = guests.filter(({ begins }) => begins === "paravirtual");
  if (ours.some(({ disk, console = "uart" }) => disk !== undefined || console !== "uart"))
    return loadError(
      "no-room",
      "A paravirtualized guest cannot have virtio devices: it reaches no registers.",
    );
  const bytes = ours.reduce((sum, { ramBytes = DEFAULT_RAM }) => sum + ramBytes, 0);
  return bytes <= MOST_PARAVIRTUAL
    ? undefined
    : loadError(
        "no-room",
        `Paravirtualized guests cannot have ${bytes} bytes of RAM together, but ${MOST_PARAVIRTUAL} at most.`,
      );
}

function diskMistake({ disk = NO_BYTES }: Guest, index: number, ramBytes: number): LoadError | undefined {
  const most = diskPages(ramBytes) * PAGE_BYTES;
  if (disk.length % SECTOR_BYTES === 0 && disk.length <= most) return undefined;
  return loadError(
    "no-room",
    `Guest ${index + 1} cannot have a disk of ${disk.length} bytes: whole sectors of ${SECTOR_BYTES}, and on this board at most ${most}.`,
  );
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(pagesUp(bytes.length));
  whole.set(bytes);
  return whole;
}

function prepare(guest: Guest, index: number): Prepared | LoadError {
  const { ramBytes = DEFAULT_RAM, vcpus = 1 } = guest;
  const name = `Guest ${index + 1}`;
  if (!(ramBytes > 0) || ramBytes % PAGE_BYTES !== 0)
    return loadError("no-room", `${name} cannot have ${ramBytes} bytes of RAM; give it whole pages of 4096.`);
  if (!(vcpus >= 1 && vcpus <= DOMAIN_VCPUS))
    return loadError(
      "no-room",
      `${name} cannot have ${vcpus} virtual CPUs; it may have 1 to ${DOMAIN_VCPUS}.`,
    );
  const image = imageOf(guest, ramBytes);
  if ("kind" in image) return image;
  const files = filesOf(guest, ramBytes);
  const told = guest.begins === "paravirtual" ? startPages(ramBytes) : treeOf(guest, ramBytes, vcpus, files);
  const pieces = [image, told, ...(files === undefined ? [] : [files])];
  if (image.at % PAGE_BYTES !== 0)
    return loadError("bad-entry", `${name} begins at offset ${guest.offset}; images begin on a page.`);
  if (collide(pieces, BASE + ramBytes))
    return loadError("larger-than-ram", `${name} needs more than its ${ramBytes} bytes of RAM.`);
  return { pieces, entry: image.entry, tree: told.at, ramBytes };
}

const BASE = Number(GUEST_RAM);

/** The device tree lies at the end of RAM. */
function treeOf(guest: Guest, ramBytes: number, hartCount: number, files: Piece | undefined): Piece {
  const range = files === undefined ? undefined : { start: files.at, end: files.at + files.bytes.length };
  const bytes = guestTree(guest, { ramBytes, hartCount }, range);
  return { bytes, at: deviceTreeAddress({ base: BASE, sizeBytes: ramBytes }, pagesUp(bytes.length)) };
}

/** A paravirtualized guest has there what the domain builder will tell it. */
function startPages(ramBytes: number): Piece {
  const pages = ramBytes / PAGE_BYTES;
  const { info } = paravirtualPlaces(pages);
  return { bytes: new Uint8Array((pages - info) * PAGE_BYTES), at: BASE + info * PAGE_BYTES };
}

/** Whether pieces overlap, page by page, or do not end before RAM does. */
function collide(pieces: readonly Piece[], end: number): boolean {
  const inOrder = pieces.toSorted((a, b) => a.at - b.at);
  return inOrder.some(({ at, bytes }, index) => at + pagesUp(bytes.length) > (inOrder[index + 1]?.at ?? end));
}

function imageOf(
  { image, offset = 0 }: Guest,
  ramBytes: number,
): (Piece & { readonly entry: number }) | LoadError {
  if (isElf(image)) return flatten(image, BASE, ramBytes);
  return { bytes: image, at: BASE + offset, entry: BASE + offset };
}

/** The initial file system lies in the upper half of RAM. */
const filesOf = ({ initramfs }: Guest, ramBytes: number): Piece | undefined =>
  initramfs === undefined ? undefined : { bytes: initramfs, at: BASE + pageBelow(ramBytes / 2) };

const isElf = ([a, b, c, d]: Uint8Array): boolean => a === 0x7f && b === 0x45 && c === 0x4c && d === 0x46;

/** An ELF file's segments as they lie in memory, from the page of the first. */
function flatten(
  file: Uint8Array,
  base: number,
  sizeBytes: number,
): (Piece & { readonly entry: number }) | LoadError {
  const elf = parseElf(file, { base, sizeBytes });
  if (elf.kind === "load-error") return elf;
  const at = pageBelow(Math.min(...elf.segments.map(({ paddr }) => paddr)));
  const end = Math.max(...elf.segments.map(({ paddr, bytes }) => paddr + bytes.length));
  const bytes = new Uint8Array(Math.max(PAGE_BYTES, end - at));
  for (const segment of elf.segments) bytes.set(segment.bytes, segment.paddr - at);
  return { bytes, at, entry: elf.entry };
}

/** The board's tree without what guests do not have; in machine mode all else is where a bare board has it. */
function guestTree(
  guest: Guest,
  size: { readonly ramBytes: number; readonly hartCount: number },
  files: { readonly start: number; readonly end: number } | undefined,
): Uint8Array {
  const { commandLine } = guest;
  // What `chosen` says by itself is where the serial port is.
  const hasSerial = guest.console !== "virtio";
  const chosen = {
    ...(commandLine === undefined ? {} : { bootargs: commandLine }),
    ...(files === undefined
      ? {}
      : { "linux,initrd-start": cells64(files.start), "linux,initrd-end": cells64(files.end) }),
  };
  const prune = (node: TreeNode): TreeNode => ({
    ...node,
    properties:
      node.name === "chosen" ? { ...(hasSerial ? node.properties : {}), ...chosen } : node.properties,
    children: node.children.filter((child) => !isAbsent(child, guest)).map(prune),
  });
  return flattenTree(prune(virtTree({ ...size, isa: isaOf(guest), mmuType: MMU })));
}
