/**
 * Popek and Goldberg's first property: a program does in a virtual machine what it does on a bare one. Random programs with traps, three
 * modes and page tables of their own run on bare boards and in virtual machines of both kinds; what they leave in memory (each trap with
 * all registers) and print is compared.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { BoardConfig } from "../../../lib/board/virt.ts";
import { guestProgram } from "../../support/guest-programs.ts";
import { PAGING_DEEDS, pagingProgram } from "../../support/paging-programs.ts";
import {
  asClassicGuest,
  asGuest,
  classicExits,
  type Effects,
  firstDifference,
  onBareBoard,
  trapsIn,
} from "./effects.ts";
import { exitsOf, guestBytes } from "./vmm-scene.ts";

const FULL = process.env["DOM0_TEST_FULL"] === "1";
const PROGRAMS = FULL ? 500 : 50;
const PAGING_PROGRAMS = FULL ? 500 : 30;
/** The classic path's hart has no hypervisor extension, and neither has the bare board that it is compared with. */
const WITHOUT_H: BoardConfig = { isa: { hypervisor: false } };

interface Path {
  readonly name: string;
  readonly bare: BoardConfig;
  /** Whether a guest's machine mode binds those below it as on a bare hart (PMP, MPRV). */
  readonly machine: boolean;
  run(program: Uint8Array): Effects & { readonly exits: number };
}

const PATHS: readonly Path[] = [
  {
    name: "hypervisor extension",
    bare: {},
    machine: false,
    run(program) {
      const guest = asGuest(program);
      return { ...guest, exits: exitsOf(guest.scene) };
    },
  },
  {
    name: "trap and emulate, shadow page tables",
    bare: WITHOUT_H,
    machine: true,
    run(program) {
      const guest = asClassicGuest(program, WITHOUT_H);
      return { ...guest, exits: classicExits(guest).reduce((sum, count) => sum + count, 0) };
    },
  },
];

const PROGRAM_KINDS = [
  ["programs in three modes", PROGRAMS, (seed: number) => guestProgram(seed)],
  [
    "programs that change their page tables",
    PAGING_PROGRAMS,
    (seed: number, { machine }: Path) => pagingProgram(seed, { machine }).text,
  ],
] as const;

const rows: string[] = [];
afterAll(() => console.log(["exits per thousand instructions of the program:", ...rows].join("\n  ")));

describe.each(PATHS)("$name", (path) => {
  it.each(PROGRAM_KINDS)(
    "%s have the same effects as on a bare board, %i of them",
    (kind, count, make) => {
      let [exits, retired, traps] = [0, 0, 0];
      for (let seed = 1; seed <= count; seed++) {
        const program = guestBytes(make(seed, path));
        const bare = onBareBoard(program, path.bare);
        const guest = path.run(program);
        expect([seed, firstDifference(bare, guest), bare.stop]).toEqual([seed, undefined, "poweroff"]);
        exits += guest.exits;
        retired += bare.retired;
        traps += trapsIn(bare);
      }
      expect(traps).toBeGreaterThan(10 * count);
      expect(exits / retired).toBeGreaterThan(0.05);
      rows.push(
        `${path.name}, ${kind}: ${((1000 * exits) / retired).toFixed(1)} (${retired} instructions, ${traps} traps)`,
      );
    },
    300_000,
  );
});

describe("programs that change their page tables", () => {
  it("do everything that a shadow could get wrong, and often", () => {
    const done = Object.fromEntries(PAGING_DEEDS.map((name) => [name, 0]));
    for (let seed = 1; seed <= 50; seed++) {
      const { deeds } = pagingProgram(seed, { machine: true });
      for (const name of PAGING_DEEDS) done[name] = (done[name] ?? 0) + deeds[name];
    }
    for (const name of PAGING_DEEDS)
      expect([name, done[name]]).toEqual([name, expect.toSatisfy((n: number) => n >= 10)]);
  });

  it("go through shadows: each makes dozens of entries, and the hart faults no more than it must", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const [, shadow = 0] = classicExits(asClassicGuest(guestBytes(pagingProgram(seed).text), WITHOUT_H));
      expect(shadow).toBeGreaterThan(15);
    }
  });
});
