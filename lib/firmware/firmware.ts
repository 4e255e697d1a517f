/**
 * SBI firmware in TypeScript: machine code where the hart is, handlers where the thinking is, all state in RAM.
 *
 * Reading order: `map.ts` (what there is), `code.ts` (where harts run), `start.ts` (before supervisor mode), `trap.ts` (one call),
 * then an extension of your choice.
 */

import type { Board } from "../board/board.ts";
import { deviceTreeAddress } from "../board/boot-rom.ts";
import { type LoadError, loadError } from "../board/load-error.ts";
import type { HsContext } from "../hs/context.ts";
import { type HandlerOptions, type HsHandlers, installHandlers } from "../hs/install.ts";
import { onlooker } from "../hs/onlooker.ts";
import { type Paddr, paddr } from "../isa/address.ts";
import { firmwareCode, Handler } from "./code.ts";
import { afterWait } from "./hart-state.ts";
import { HartStatus } from "./hart-status.ts";
import { answerKnock } from "./mailbox.ts";
import {
  areaAddress,
  areaOf,
  BOOT_INFO,
  BootInfo,
  FIRMWARE_BASE,
  FIRMWARE_BYTES,
  FIRMWARE_END,
  type FirmwareMap,
  HartArea,
  type HartAreaView,
  isCallersRam,
} from "./map.ts";
import { withReservedMemory } from "./reserved-memory.ts";
import { placeOf, startHart } from "./start.ts";
import { handleTrap, panic } from "./trap.ts";

/** How to boot. */
export interface FirmwareOptions {
  /** Physical address of the first instruction in supervisor mode: 0x8020_0000 when left out, where kernels for this board lie. */
  readonly payloadEntry?: bigint;
  /** The device tree to hand over, in place of the board's own. */
  readonly deviceTree?: Uint8Array;
  /** The hart that starts the payload; 0 when left out. */
  readonly bootHart?: number;
  /** Amnesia mode; see `installHandlers`. */
  readonly amnesia?: NonNullable<HandlerOptions["amnesia"]>;
}

/** Installed firmware. */
export interface Firmware {
  readonly kind: "firmware";
  /** Names of places in its code and of what it keeps. */
  readonly symbols: ReadonlyMap<string, bigint>;
  /** Physical address of the device tree that it hands over. */
  readonly deviceTree: bigint;
}

/** Where kernels for this board lie. */
export const PAYLOAD_ENTRY = 0x8020_0000n;

type Service = (context: HsContext, map: FirmwareMap, self: HartAreaView) => void;

/** Becomes done when all harts have done this one's fence; meanwhile it does theirs. */
const waitForFences: Service = (context, map, self) => {
  answerKnock(context, map, self);
  self.saved.resume = placeOf(map, self.fence.pending === 0n ? "restore" : "fences");
};

/** The firmware's handlers. They keep nothing: what they know of the machine is where things lie. */
function firmwareHandlers(map: FirmwareMap): HsHandlers {
  const service = (name: string, serve: Service) => ({
    name,
    handle: (context: HsContext): void => serve(context, map, areaOf(context, context.hart)),
  });
  return {
    [Handler.START]: service("firmware start", startHart),
    [Handler.TRAP]: service("firmware trap", handleTrap),
    [Handler.NESTED]: service("firmware trap in a trap", panic),
    [Handler.PARKED]: service("firmware parked hart", afterWait),
    [Handler.FENCES]: service("firmware fences", waitForFences),
  };
}

/**
 * Puts the firmware at the start of RAM and makes every hart begin there. Load the payload first, with `board.loadElf` or
 * `board.memory.write`; RAM below {@link PAYLOAD_ENTRY} is the firmware's. After `board.reset()`, install it again.
 *
 * @returns  What was installed, or why nothing was: a payload outside its RAM, a device tree that is none.
 * @example
 * board.memory.write(0x8020_0000n, image);
 * installFirmware(board);
 * board.run({ instructions: 100_000_000 });
 */
export function installFirmware(board: Board, options: FirmwareOptions = {}): Firmware | LoadError {
  const { payloadEntry = PAYLOAD_ENTRY, bootHart = 0, amnesia } = options;
  const { ram } = board.bus;
  const { bytes, labels } = firmwareCode();
  const map = mapOf(board, labels);
  const refused = refuse(map, payloadEntry, bootHart);
  if (refused !== undefined) return refused;
  const own = { base: ram.base, sizeBytes: FIRMWARE_BYTES };
  const tree = withReservedMemory(options.deviceTree ?? board.deviceTree, own);
  if ("kind" in tree) return tree;
  const treeAddress = BigInt(deviceTreeAddress(ram, tree.length));

  const image = new Uint8Array(FIRMWARE_BYTES);
  image.set(bytes);
  board.memory.write(FIRMWARE_BASE, image);
  board.memory.write(treeAddress, tree);
  initializeState(board, { payload: payloadEntry, deviceTree: treeAddress, bootHart: BigInt(bootHart) });
  attachFirmware(board, amnesia === undefined ? {} : { amnesia });
  for (const hart of board.harts) {
    hart.pc = FIRMWARE_BASE;
    hart.state.waiting = false;
    hart.stateReplaced();
  }
  const symbols = symbolsOf(board, labels);
  board.addSymbols(new Map([...symbols].map(([name, address]) => [`firmware.${name}`, address])));
  return { kind: "firmware", symbols, deviceTree: treeAddress };
}

/**
 * Registers the firmware's handlers and changes nothing in the machine: for a board that was opened from an image or stands at
 * the beginning of a replay, whose RAM has the firmware's code and state already.
 */
export function attachFirmware(board: Board, options: Pick<FirmwareOptions, "amnesia"> = {}): void {
  const map = mapOf(board, firmwareCode().labels);
  installHandlers(board, () => firmwareHandlers(map), options);
}

/**
 * Attaches the firmware to a board whose RAM holds its code, and leaves every other board alone: there `hx` stays illegal.
 *
 * @returns  Whether the firmware is there.
 * @example
 * openReplay(recording, { prepare: attachPresentFirmware });
 */
export function attachPresentFirmware(board: Board): boolean {
  const { bytes } = firmwareCode();
  const present = board.memory.bytes(FIRMWARE_BASE, bytes.length);
  const isPresent = present instanceof Uint8Array && bytes.every((byte, at) => byte === present[at]);
  if (isPresent) attachFirmware(board);
  return isPresent;
}

function mapOf({ harts, bus: { ram } }: Board, code: ReadonlyMap<string, Paddr>): FirmwareMap {
  return {
    harts: harts.length,
    ram: { base: paddr(BigInt(ram.base)), sizeBytes: BigInt(ram.sizeBytes) },
    bootInfo: BOOT_INFO,
    code,
  };
}

/** What cannot work. */
function refuse(map: FirmwareMap, payloadEntry: bigint, bootHart: number): LoadError | undefined {
  if (!isCallersRam(map, payloadEntry, 2n)) {
    const place = `0x${payloadEntry.toString(16)}`;
    const message = `The payload cannot begin at ${place}: supervisor mode has RAM from 0x${FIRMWARE_END.toString(16)} on.`;
    return loadError("outside-ram", message);
  }
  if (Number.isInteger(bootHart) && bootHart >= 0 && bootHart < map.harts) return undefined;
  return loadError("bad-entry", `The board has no hart ${bootHart} to boot on; it has ${map.harts}.`);
}

/** What is in RAM before the first hart starts. */
function initializeState(
  board: Board,
  { payload, deviceTree, bootHart }: Record<"payload" | "deviceTree" | "bootHart", bigint>,
): void {
  const memory = onlooker(board);
  const boot = BootInfo.at(memory, BOOT_INFO);
  boot.payload = paddr(payload);
  boot.deviceTree = paddr(deviceTree);
  boot.bootHart = bootHart;
  for (const { id } of board.harts) areaOf(memory, id).status = HartStatus.STOPPED;
}

function symbolsOf(board: Board, labels: ReadonlyMap<string, bigint>): ReadonlyMap<string, bigint> {
  const areas = board.harts.map(({ id }): [string, bigint] => [`hart${id}`, areaAddress(id)]);
  return new Map<string, bigint>([...labels, ["boot_info", BOOT_INFO], ...areas]);
}

export { HartArea };
