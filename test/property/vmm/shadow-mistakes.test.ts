/**
 * Mistakes planted in the classic monitor, one at a time, each in a copy of its source: the random programs that are compared with a bare
 * board must find every one. The monitor's board is sticky, so that fences which the monitor owes its own hart count.
 */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { BoardConfig } from "../../../lib/board/virt.ts";
import type { installClassic } from "../../../lib/vmm/classic/monitor.ts";
import { type Mistake, mutatedModule } from "../../support/mutated-module.ts";
import { pagingProgram } from "../../support/paging-programs.ts";
import { asClassicGuest, type Effects, firstDifference, onBareBoard } from "../../unit/vmm/effects.ts";
import { guestBytes } from "../../unit/vmm/vmm-scene.ts";

const FOLDER = join(import.meta.dirname, "../../../lib/vmm/classic");
const WITHOUT_H: BoardConfig = { isa: { hypervisor: false } };
const STICKY: BoardConfig = { ...WITHOUT_H, translations: "sticky" };
/** Programs that the monitor itself passes, and those within which a mistake must show. */
const PROGRAMS = process.env["DOM0_TEST_FULL"] === "1" ? 300 : 15;
const MAX_PROGRAMS = 60;

type Monitor = { readonly installClassic: typeof installClassic };
const inFile = (file: string, right: string, wrong: string): Mistake => ({
  file: join(FOLDER, file),
  right,
  wrong,
});

const MISTAKES: Readonly<Record<string, Mistake>> = {
  "the guest's fence is ignored": inFile(
    "privileged.ts",
    "  fenceShadows(monitor, address,",
    "  void (monitor, address,",
  ),
  "an address in a large page stands for 4 KiB": inFile(
    "shadow.ts",
    "address === undefined || (shadow.pieces & gibBit(address)) !== 0n",
    "address === undefined",
  ),
  "a fence of one address space reaches the others alone": inFile(
    "shadow.ts",
    ".ASID !== (asid & 0xffffn)",
    ".ASID === (asid & 0xffffn)",
  ),
  "a fence reaches the present shadow alone": inFile(
    "shadow.ts",
    "if (shadow.root === 0n || shadow.satp === 0n) continue;",
    "if (index !== Number(state.current) || shadow.satp === 0n) continue;",
  ),
  "a shadow is used for every address space": inFile("shadow.ts", "&& shadow.satp === satp &&", "&&"),
  "a shadow is used whatever SUM and MXR are": inFile(
    "shadow.ts",
    "shadow.view === view",
    "(shadow.view & 3n) === (view & 3n)",
  ),
  "user mode has the supervisor's shadow": inFile(
    "shadow.ts",
    "shadow.view === view",
    "(shadow.view | 1n) === (view | 1n)",
  ),
  "U is not looked at for user mode": inFile(
    "guest-translation.ts",
    "asUser: modeOf(view) === Mode.U",
    "asUser: false",
  ),
  "SUM is not looked at": inFile("guest-translation.ts", "sum: (view & ViewBit.SUM) !== 0n", "sum: false"),
  "MXR is not looked at": inFile("guest-translation.ts", "mxr: (view & ViewBit.MXR) !== 0n", "mxr: true"),
  "a clean page is writable at once": inFile(
    "guest-translation.ts",
    "judgeLeaf({ ...request, kind, setsAccessedDirty: false }, entry)",
    "judgeLeaf({ ...request, kind, setsAccessedDirty: true }, entry)",
  ),
  "A and D are never set": inFile(
    "guest-translation.ts",
    'place.kind === "place" && leaf.wantedPte !== leaf.pte',
    "false",
  ),
  "A and D are set although software does": inFile(
    "guest-translation.ts",
    "setsAccessedDirty: (csrs.menvcfg & ADUE) !== 0n",
    "setsAccessedDirty: true",
  ),
  "a page has all rights": inFile(
    "guest-translation.ts",
    "? rights | right : rights",
    "? rights | right : rights | PTE.W",
  ),
  "a guest-physical address is taken for where it is": inFile(
    "trap.ts",
    "const page = hostAddress(pageOf(place.address));",
    "const page = pageOf(place.address) as never;",
  ),
  "the hart is not told of an entry that is gone": inFile(
    "shadow.ts",
    "    context.store(at, 8, 0n);\n    context.fenceTranslations(address, asidOf(index));",
    "    context.store(at, 8, 0n);",
  ),
  "a shadow is thrown away and the hart not told": inFile(
    "shadow.ts",
    "  context.fenceTranslations(undefined, asidOf(index));",
    "",
  ),
  "all shadows have one ASID": inFile("shadow.ts", "BigInt(index + 1);", "1n;"),
  "MPRV is ignored": inFile(
    "guest-translation.ts",
    'mode === Mode.M && statusBit(csrs.mstatus, "MPRV")',
    "false",
  ),
  "PMP is ignored": inFile("pmp.ts", "if (region.first >= end || region.end <= page) continue;", "return 7;"),
};

const bare = new Map<number, Effects>();
function bareEffects(seed: number, program: Uint8Array): Effects {
  const known = bare.get(seed) ?? onBareBoard(program, WITHOUT_H);
  bare.set(seed, known);
  return known;
}

/** The first program that shows a difference, and which; `undefined`: none does. */
function found(programs: number, install?: typeof installClassic): string | undefined {
  for (let seed = 1; seed <= programs; seed++) {
    const program = guestBytes(pagingProgram(seed, { machine: true }).text);
    const expected = bareEffects(seed, program);
    let difference: string | undefined;
    try {
      difference = firstDifference(expected, asClassicGuest(program, STICKY, {}, install));
    } catch (thrown) {
      difference = `the monitor stopped: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    }
    if (difference !== undefined) return `program ${seed}: ${difference}`;
  }
  return undefined;
}

describe("random programs that change their page tables", () => {
  it("find nothing wrong with the monitor on a board that remembers translations", () => {
    expect(found(PROGRAMS)).toBeUndefined();
  }, 600_000);

  it.each(Object.entries(MISTAKES))(
    "find that %s",
    async (_, mistake) => {
      const { installClassic: install } = await mutatedModule<Monitor>(join(FOLDER, "monitor.ts"), mistake);
      expect(found(MAX_PROGRAMS, install)).toMatch(/^program/);
    },
    60_000,
  );
});
