/**
 * Commands to the IOMMU. It keeps no copies of tables, so that invalidations have nothing to do but to be well-formed; the
 * fence writes its word and may ask for an interrupt.
 *
 * @spec RISC-V IOMMU 1.0, "Command-Queue (CQ)"
 */
import { type BitField, bits, fieldMask, getField } from "../../bits/field.ts";
import type { DmaPort } from "../../bus/dma.ts";
import { isDeviceInReach } from "./contexts.ts";

/** How a command ended. */
export type Outcome = "done" | "done-and-signal" | "illegal" | "memory-fault";

interface Command {
  /** Bits of the two words that must be zero. */
  readonly reserved: readonly [bigint, bigint];
  readonly execute: (memory: DmaPort, words: readonly bigint[], directoryMode: bigint) => Outcome;
}

const OPCODE = bits(6, 0);
const FUNC3 = bits(9, 7);
const AV = bits(10);
const PSCV = bits(32);
const PID = bits(31, 12);
const DV = bits(33);
const DID = bits(63, 40);
const FENCE_WSI = bits(11);
const FENCE_DATA = bits(63, 32);
const FENCE_ADDRESS = bits(61, 0);
const ALL = fieldMask(bits(63, 0));

/** All bits that are in none of the fields. */
const except = (...fields: BitField[]): bigint =>
  fields.reduce((mask, field) => mask & ~fieldMask(field), ALL);

const GSCID = bits(59, 44);
const GV = bits(33);
const PSCID = bits(31, 12);
/** `ADDR[63:12]` of an invalidation. Neither ranges nor non-leaf invalidation are supported: their bits stay reserved. */
const INVALIDATED_ADDRESS = bits(61, 10);

const INVALIDATE_RESERVED = [
  except(OPCODE, FUNC3, AV, PSCID, PSCV, GV, GSCID),
  except(INVALIDATED_ADDRESS),
] as const;

/** Directory invalidations name a device, and one of them a process. */
const directory =
  (isNamed: (words: readonly bigint[]) => boolean) =>
  (_memory: DmaPort, words: readonly bigint[], directoryMode: bigint): Outcome => {
    const [head = 0n] = words;
    const isOutOfReach =
      getField(head, DV) === 1n && !isDeviceInReach(directoryMode, Number(getField(head, DID)));
    return isNamed(words) && !isOutOfReach ? "done" : "illegal";
  };

/** Writes `DATA` where it is told, then completes. */
function fence(memory: DmaPort, [head = 0n, tail = 0n]: readonly bigint[]): Outcome {
  if (getField(head, AV) === 1n) {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, Number(getField(head, FENCE_DATA)), true);
    if (memory.write(getField(tail, FENCE_ADDRESS) << 2n, bytes) !== undefined) return "memory-fault";
  }
  return getField(head, FENCE_WSI) === 1n ? "done-and-signal" : "done";
}

/** By opcode and `func3`. */
const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["1.0", { reserved: INVALIDATE_RESERVED, execute: () => "done" }],
  [
    "1.1",
    {
      reserved: INVALIDATE_RESERVED,
      execute: (_memory, [head = 0n]) => (getField(head, PSCV) === 1n ? "illegal" : "done"),
    },
  ],
  [
    "2.0",
    {
      // PR and PW are bits 12 and 13: every access is done before the next command is read.
      reserved: [except(OPCODE, FUNC3, AV, FENCE_WSI, bits(13, 12), FENCE_DATA), except(FENCE_ADDRESS)],
      execute: fence,
    },
  ],
  ["3.0", { reserved: [except(OPCODE, FUNC3, DV, DID), ALL], execute: directory(() => true) }],
  [
    "3.1",
    {
      reserved: [except(OPCODE, FUNC3, PID, DV, DID), ALL],
      execute: directory(([head = 0n]) => getField(head, DV) === 1n),
    },
  ],
]);

/** Obeys one command. */
export function obey(memory: DmaPort, words: readonly bigint[], directoryMode: bigint): Outcome {
  const [head = 0n, tail = 0n] = words;
  const command = COMMANDS.get(`${getField(head, OPCODE)}.${getField(head, FUNC3)}`);
  if (command === undefined) return "illegal";
  const [headReserved, tailReserved] = command.reserved;
  if ((head & headReserved) !== 0n || (tail & tailReserved) !== 0n) return "illegal";
  return command.execute(memory, words, directoryMode);
}
