/**
 * The wire of a migration, broken or lying at every place. Both machines are put back to where they stood before the record that it is
 * about; one machine alone has the guest in the end, and whoever reads the console sees what an unmoved guest prints.
 */
import { describe, expect, it } from "vitest";
import { crc32 } from "../../../lib/bits/crc32.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { DomainState } from "../../../lib/vmm/layout.ts";
import {
  awaitDomain,
  MigrationWire,
  migrationReport,
  sendDomain,
  settleBy,
  type WireFault,
} from "../../../lib/vmm/migration-wire.ts";
import { RecordKind } from "../../../lib/vmm/records.ts";
import { seededNumbers } from "../../support/random.ts";
import { machineWith, rememberer, violationsOf } from "./moving-scene.ts";
import { frameMistakes, type VmmScene } from "./vmm-scene.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const guest = rememberer(2, 420);
const alone = machineWith([guest]);
alone.board.run({ instructions: 3_000_000 });
const TEXT = printedBy(alone.vmm, 1);
const TURN = 3_000;

const [from, to] = [machineWith([guest]), machineWith([])];
const BOARDS = [from.board, to.board];
awaitDomain(to);
for (const board of BOARDS) board.run({ instructions: 20_000, untilInsns: 20_000 });
sendDomain(from, { domain: 1, maxRounds: 1, fewPages: 0 });

/** Both machines, as they are. */
function photograph() {
  const taken = BOARDS.map((board) => [board, board.snapshot()] as const);
  return (): void => {
    for (const [board, snapshot] of taken) board.revert(snapshot);
  };
}

/** Where each record of the whole migration begins, and how to go back to the turn that carries it. */
interface Place {
  readonly sent: number;
  readonly kind: number;
  readonly bytes: number;
  readonly goBack: () => void;
}

/** An undisturbed migration, turn by turn: a place for each record of the source and each answer. */
function places(): { readonly records: readonly Place[]; readonly total: number } {
  const wire = new MigrationWire(from, to, {}, TURN);
  const records: Place[] = [];
  while (!wire.isOver) {
    const [goBack, { sent }] = [photograph(), wire];
    wire.turn();
    // What was carried at the end of the turn still lies where the source has put it.
    const kind = from.vmm.state.migration.outbox.bytes.get(4);
    if (wire.sent !== sent) records.push({ sent, goBack, kind, bytes: wire.sent - sent });
  }
  return { records, total: wire.sent };
}

const { records, total } = places();

/** Goes back to a record, and lets the rest happen with a fault. Who has the guest then. */
function happen(record: number, fault: WireFault): "source" | "destination" {
  const place = records[record];
  if (place === undefined) throw new Error(`there is no record ${record}`);
  place.goBack();
  const wire = new MigrationWire(from, to, fault, TURN, place.sent);
  for (let turn = 0; turn < 300 && !wire.isOver; turn++) wire.turn();
  expect(wire.isOver).toBe(true);
  settleBy(from, to);
  for (let turn = 0; turn < 6; turn++) wire.turn();
  return judge();
}

const isThere = ({ vmm }: VmmScene): boolean => {
  const { state } = vmm.state.domain(1);
  return state === DomainState.RUNNING || state === DomainState.OFF;
};

let judged = 0;

/** One machine has the guest; it goes on to its end, and the other has nothing of it. Every twelfth time all is recounted. */
function judge(): "source" | "destination" {
  expect([isThere(from), isThere(to)].filter(Boolean)).toHaveLength(1);
  const winner = isThere(from) ? from : to;
  for (let piece = 0; piece < 60 && winner.vmm.state.domain(1).state === DomainState.RUNNING; piece++)
    winner.board.run({ instructions: 50_000, untilInsns: winner.board.clock.now + 50_000 });
  expect(from.board.console.text + to.board.console.text).toBe(TEXT);
  expect(winner.vmm.state.domain(1).state).toBe(DomainState.OFF);
  expect((winner === from ? to : from).vmm.state.domain(1).frames).toBe(0);
  judged += 1;
  if (judged % 12 === 0)
    for (const scene of [from, to]) {
      expect(frameMistakes(scene)).toEqual([]);
      expect(violationsOf(scene)).toEqual([]);
    }
  return winner === from ? "source" : "destination";
}

/** Where the last word begins. */
const lastWord = records.at(-1)?.sent ?? 0;

/** The record that a byte belongs to. */
const recordOf = (byte: number): number => records.findLastIndex(({ sent }) => sent <= byte);

/** All; or every third, and the last ones. */
const some = <T>(all: readonly T[]): readonly T[] =>
  isFull ? all : all.filter((_, index) => index % 3 === 0 || index >= all.length - 4);

/** Bytes that one test of the long run tries: each prints when it is done, and `-t` divides them among processes. */
const PIECE = 2_000;
const pieces = isFull ? Array.from({ length: Math.ceil(total / PIECE) }, (_, index) => index * PIECE) : [0];

/** Every byte of a piece; or those around the ends of records, and some others. */
function bytesFrom(first: number): number[] {
  if (isFull) return Array.from({ length: Math.min(PIECE, total - first) }, (_, index) => first + index);
  const number = seededNumbers(23);
  const ends = some(records).flatMap(({ sent }) => [sent - 1, sent, sent + 1]);
  const others = Array.from({ length: 10 }, () => number(total));
  return [...new Set([...ends, ...others])].filter((byte) => byte >= 0 && byte < total).sort((a, b) => a - b);
}

it("this migration has pages, pieces, a word at the end and a last word", () => {
  expect(records.length).toBeGreaterThan(15);
  expect(total).toBeGreaterThan(lastWord);
  expect(TEXT).toHaveLength(420);
});

describe("a wire that", { timeout: 3_600_000 }, () => {
  // The source has let go when the other side's answer has come: behind that is the last word alone.
  const winnerAt = (byte: number): string => (byte < lastWord ? "source" : "destination");

  it.each(pieces)("breaks before any byte from %i on leaves the guest on one machine", (first) => {
    for (const cutAt of bytesFrom(first))
      expect([cutAt, happen(recordOf(cutAt), { cutAt })]).toEqual([cutAt, winnerAt(cutAt)]);
  });

  it.each(pieces)("changes any byte from %i on leaves the guest on one machine", (first) => {
    for (const flipAt of bytesFrom(first).filter((_, index) => isFull || index % 3 === 0))
      expect([flipAt, happen(recordOf(flipAt), { flipAt })]).toEqual([flipAt, winnerAt(flipAt)]);
  });

  const kinds: Readonly<Record<string, (bytes: Uint8Array) => readonly Uint8Array[]>> = {
    loses: () => [],
    repeats: (bytes) => [bytes, bytes.slice()],
    shortens: (bytes) => [bytes.subarray(0, bytes.length - 8)],
    lengthens: (bytes) => [Uint8Array.of(...bytes, 0, 0, 0, 0, 0, 0, 0, 0)],
    empties: (bytes) => [new Uint8Array(bytes.length)],
  };

  it.each(Object.keys(kinds))("%s any record leaves the guest on one machine", (kind) => {
    for (const index of some([...records.keys()]))
      happen(index, {
        change: (bytes, number, side) =>
          side === "source" && number === 0 ? (kinds[kind]?.(bytes) ?? []) : [bytes],
      });
  });

  it.each(Object.keys(kinds))("%s the answer leaves the guest on one machine", (kind) => {
    happen(records.length - 2, {
      change: (bytes, _, side) => (side === "destination" ? (kinds[kind]?.(bytes) ?? []) : [bytes]),
    });
  });

  it("swaps two records leaves the guest on one machine", () => {
    for (const index of some([...records.slice(0, -2).keys()])) {
      const kept: Uint8Array[] = [];
      happen(index, {
        change: (bytes, number, side) => {
          if (side === "source" && number === 0) {
            kept.push(bytes);
            return [];
          }
          return side === "source" && number === 1 ? [bytes, ...kept] : [bytes];
        },
      });
    }
  });

  const viewOf = (bytes: Uint8Array): DataView =>
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

  /** The place of the first record of a kind that has so many bytes. */
  const firstOf = (kind: number, leastBytes = 0): number =>
    records.findIndex((place) => place.kind === kind && place.bytes >= leastBytes);

  it("loses a piece of the state is found out by the number of the next record", () => {
    const winner = happen(firstOf(RecordKind.STATE), {
      change: (bytes, number, side) => (side === "source" && number === 0 ? [] : [bytes]),
    });
    // Without numbers all else would come, and it would be the source that does not believe in the whole.
    expect([winner, migrationReport(to).reason, migrationReport(from).reason]).toEqual([
      "source",
      "CORRUPTED",
      "REFUSED",
    ]);
  });

  it("changes a page and makes its checksum right is found out by what both have of all checksums", () => {
    const winner = happen(firstOf(RecordKind.PAGE, 4_096), {
      change: (bytes, number, side) => {
        if (side !== "source" || number !== 0) return [bytes];
        const [end, view] = [bytes.length - 8, viewOf(bytes)];
        view.setUint8(end - 1, view.getUint8(end - 1) ^ 1);
        view.setBigUint64(end, BigInt(crc32(bytes.subarray(0, end))), true);
        return [bytes];
      },
    });
    expect([winner, migrationReport(to).reason, migrationReport(from).reason]).toEqual([
      "source",
      "REFUSED",
      "CORRUPTED",
    ]);
  });

  it("does nothing wrong moves it", () => {
    expect(happen(0, {})).toBe("destination");
    expect(migrationReport(to)).toMatchObject({ phase: "DONE" });
  });
});
