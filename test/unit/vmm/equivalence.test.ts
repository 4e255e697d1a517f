/**
 * Popek and Goldberg's first property: a program does in a virtual machine what it does on a bare one. Random programs with traps,
 * three modes and page tables of their own run on both; what they leave in memory (each trap with all registers) and print is compared.
 */
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { gpa } from "../../../lib/hs/address.ts";
import type { HsContext } from "../../../lib/hs/context.ts";
import { onlooker } from "../../../lib/hs/onlooker.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { hostAddress } from "../../../lib/vmm/second-stage.ts";
import { guestProgram, LOG } from "../../support/guest-programs.ts";
import { exitsOf, GUEST_BASE, guestBytes, type VmmScene, vmmScene } from "./vmm-scene.ts";

const FULL = process.env["DOM0_TEST_FULL"] === "1";
const PROGRAMS = FULL ? 500 : 50;
const LOG_PAGE = Number((LOG - GUEST_BASE) / 4096n);
/** The log, in the order of time; then code, tables and data. */
const COMPARED = [LOG_PAGE, 0].flatMap((first) => Array.from({ length: 16 }, (_, page) => first + page));
const PLENTY = { instructions: 3_000_000 };

/** What a run has left: the program's memory page by page, and its console. */
interface Effects {
  readonly stop: string;
  readonly console: string;
  readonly pages: readonly string[];
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const pages = (read: (address: bigint) => Uint8Array): string[] =>
  COMPARED.map((page) => hex(read(GUEST_BASE + BigInt(4096 * page))));
const bytesOf = (found: unknown): Uint8Array => {
  if (!(found instanceof Uint8Array)) throw new Error("no RAM there");
  return found;
};

function onBareBoard(program: Uint8Array): Effects & { readonly retired: number } {
  const board = buildBoard();
  board.load({ origin: GUEST_BASE, bytes: program });
  const { reason, retired } = board.run(PLENTY);
  const read = (address: bigint): Uint8Array => bytesOf(board.memory.bytes(address, 4096));
  return { stop: reason, console: board.console.text, pages: pages(read), retired };
}

function asGuest(program: Uint8Array): Effects & { readonly scene: VmmScene } {
  const scene = vmmScene({ guests: [{ image: program, begins: "machine" }] });
  const { board, vmm } = scene;
  const { reason } = board.run(PLENTY);
  const host = { context: onlooker(board) as unknown as HsContext, map: vmm.map, state: vmm.state };
  const read = (address: bigint): Uint8Array => {
    const at = hostAddress(host, 1, gpa(address));
    if (at !== undefined) return bytesOf(board.memory.bytes(at, 4096));
    // A page that the guest has not used is as the loader left it.
    const loaded = new Uint8Array(4096);
    loaded.set(program.subarray(Number(address - GUEST_BASE), Number(address - GUEST_BASE) + 4096));
    return loaded;
  };
  return { stop: reason, console: printedBy(vmm, 1), pages: pages(read), scene };
}

/** The first difference, in words of eight bytes. */
function firstDifference(bare: Effects, guest: Effects): string | undefined {
  for (const [index, bytes] of bare.pages.entries()) {
    const other = guest.pages[index] ?? "";
    if (bytes === other) continue;
    for (let word = 0; word < 512; word++) {
      const [a, b] = [bytes, other].map((text) => text.slice(16 * word, 16 * word + 16));
      const address = GUEST_BASE + BigInt(4096 * (COMPARED[index] ?? 0) + 8 * word);
      if (a !== b) return `0x${address.toString(16)}: bare ${a}, guest ${b}`;
    }
  }
  return undefined;
}

/** Entries of the log. */
const trapsIn = ({ pages: compared }: Effects): number =>
  compared
    .slice(0, 16)
    .join("")
    .match(/.{512}/g)
    ?.filter((entry) => entry.slice(64, 80) !== "0".repeat(16)).length ?? 0;

describe("a program on a bare board and in a virtual machine", () => {
  it(`has the same effects, ${PROGRAMS} random programs`, () => {
    let [exits, retired, traps] = [0, 0, 0];
    for (let seed = 1; seed <= PROGRAMS; seed++) {
      const program = guestBytes(guestProgram(seed));
      const bare = onBareBoard(program);
      const guest = asGuest(program);
      expect([seed, firstDifference(bare, guest)]).toEqual([seed, undefined]);
      expect([seed, guest.console]).toEqual([seed, bare.console]);
      expect([seed, bare.stop, guest.stop]).toEqual([seed, "poweroff", "poweroff"]);
      exits += exitsOf(guest.scene);
      retired += bare.retired;
      traps += trapsIn(bare);
    }
    expect(traps).toBeGreaterThan(10 * PROGRAMS);
    expect(exits / retired).toBeGreaterThan(0.05);
    console.log(`exits per thousand instructions: ${((1000 * exits) / retired).toFixed(1)}, ${traps} traps`);
  }, 300_000);
});
