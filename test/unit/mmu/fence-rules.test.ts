/**
 * What each fence covers, by the manual's sentences about rs1 and rs2: on the store of a hart that remembers every leaf until
 * a fence covers it.
 */
import { beforeEach, describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { RememberedTranslations, type Space } from "../../../lib/hart/remembered-translations.ts";
import { assembled } from "../../support/assembled.ts";

const PAGE = 0x4000n;
const OTHER_PAGE = 0x8000n;
const KILOBYTES_4 = 4096n;

const supervisor = (asid: bigint): Space => ({ stage: "only", asid });
const guest = (vmid: bigint, asid: bigint): Space => ({ stage: "VS", vmid, asid });
const second = (vmid: bigint): Space => ({ stage: "G", vmid });

let remembered: RememberedTranslations;
beforeEach(() => {
  remembered = new RememberedTranslations(true);
});

function remember(space: Space, start: bigint, isGlobal = false): void {
  remembered.remember(space, { start, bytes: KILOBYTES_4, level: 0, isGlobal, path: [] });
}
/** Which of some spaces still know a page. */
const know = (spaces: readonly Space[], address: bigint): boolean[] =>
  spaces.map((space) => remembered.find(space, address) !== undefined);

describe("SFENCE.VMA outside a guest", () => {
  const SPACES = [supervisor(1n), supervisor(2n)];
  beforeEach(() => {
    for (const space of SPACES) for (const page of [PAGE, OTHER_PAGE]) remember(space, page);
  });

  it("with x0, x0 covers all addresses of all address spaces (norm:sfence_vma_all_asid_va)", () => {
    remember(supervisor(3n), PAGE, true);
    remembered.fenceSupervisor({ address: undefined, id: undefined });
    expect([know(SPACES, PAGE), know(SPACES, OTHER_PAGE), know([supervisor(3n)], PAGE)]).toEqual([
      [false, false],
      [false, false],
      [false],
    ]);
  });

  it("with an ASID covers that address space, but for global mappings (norm:sfence_vma_asid_only)", () => {
    remember(supervisor(1n), 0xc000n, true);
    remembered.fenceSupervisor({ address: undefined, id: 1n });
    expect([know(SPACES, PAGE), know(SPACES, OTHER_PAGE), know(SPACES, 0xc000n)]).toEqual([
      [false, true],
      [false, true],
      [true, true],
    ]);
  });

  it("with an address covers its leaf in all address spaces, global or not (norm:sfence_vma_va_all_asid)", () => {
    remember(supervisor(3n), PAGE, true);
    remembered.fenceSupervisor({ address: PAGE + 0x123n, id: undefined });
    expect([know(SPACES, PAGE), know(SPACES, OTHER_PAGE), know([supervisor(3n)], PAGE)]).toEqual([
      [false, false],
      [true, true],
      [false],
    ]);
  });

  it("with both covers one leaf of one address space (norm:sfence_vma_va_asid)", () => {
    remembered.fenceSupervisor({ address: PAGE, id: 2n });
    expect([know(SPACES, PAGE), know(SPACES, OTHER_PAGE)]).toEqual([
      [true, false],
      [true, true],
    ]);
  });

  it("ignores the bits of rs2 above the ASID (norm:sfence_vma_rs2_bits norm:asidlen)", () => {
    remembered.fenceSupervisor({ address: undefined, id: (0xabn << 16n) | 1n });
    expect(know(SPACES, PAGE)).toEqual([false, true]);
  });

  it("is about HS-level translations, and no guest's (norm:sfence_vma_v0)", () => {
    remember(guest(5n, 1n), PAGE);
    remember(second(5n), PAGE);
    remembered.fenceSupervisor({ address: undefined, id: undefined });
    expect(know([supervisor(1n), guest(5n, 1n), second(5n)], PAGE)).toEqual([false, true, true]);
  });
});

describe("SFENCE.VMA in a guest, and HFENCE.VVMA for it", () => {
  const SPACES = [guest(5n, 1n), guest(5n, 2n), guest(6n, 1n)];
  beforeEach(() => {
    for (const space of SPACES) for (const page of [PAGE, OTHER_PAGE]) remember(space, page);
    remember(supervisor(1n), PAGE);
    remember(second(5n), PAGE);
  });

  it("cover the virtual machine of hgatp.VMID and no other, and only the guest's own stage (norm:hfence-vvma_limits norm:sfence_vma_v1)", () => {
    remembered.fenceGuest(5n, { address: undefined, id: undefined });
    expect(know([...SPACES, supervisor(1n), second(5n)], PAGE)).toEqual([false, false, true, true, true]);
  });

  it("take one address or all, one ASID or all (norm:hfence-vvma_limits)", () => {
    remembered.fenceGuest(5n, { address: PAGE, id: 2n });
    expect([know(SPACES, PAGE), know(SPACES, OTHER_PAGE)]).toEqual([
      [true, false, true],
      [true, true, true],
    ]);
    remembered.fenceGuest(5n, { address: undefined, id: 2n });
    expect(know(SPACES, OTHER_PAGE)).toEqual([true, false, true]);
  });

  it("ignore the bits of rs2 above the ASID (norm:hfence-vvma_asid)", () => {
    remembered.fenceGuest(5n, { address: undefined, id: (1n << 16n) | (1n << 40n) | 2n });
    expect(know(SPACES, PAGE)).toEqual([true, false, true]);
  });
});

describe("HFENCE.GVMA", () => {
  const SPACES = [second(5n), second(6n)];
  beforeEach(() => {
    for (const space of SPACES) for (const page of [PAGE, OTHER_PAGE]) remember(space, page);
    remember(guest(5n, 1n), PAGE);
  });

  it("covers one guest-physical address or all, of one virtual machine or all (norm:hfence-gvma_op)", () => {
    remembered.fenceSecondStage({ address: PAGE, id: 5n });
    expect([know(SPACES, PAGE), know(SPACES, OTHER_PAGE)]).toEqual([
      [false, true],
      [true, true],
    ]);
    remembered.fenceSecondStage({ address: undefined, id: undefined });
    expect([know(SPACES, PAGE), know(SPACES, OTHER_PAGE), know([guest(5n, 1n)], PAGE)]).toEqual([
      [false, false],
      [false, false],
      [true],
    ]);
  });

  it("ignores the bits of rs2 above the VMID (norm:hfence-gvma_vmid norm:hgatp_vmid)", () => {
    remembered.fenceSecondStage({ address: undefined, id: (1n << 14n) | (1n << 50n) | 6n });
    expect(know(SPACES, PAGE)).toEqual([true, false]);
  });
});

describe("the fence instructions", () => {
  /** A sticky board that has executed one fence with `a0` as address and `a1` as identifier; what it still knows. */
  function knownAfter(line: string, address: bigint, id: bigint): boolean[] {
    const board = buildBoard({ translations: "sticky" });
    const { hart } = board;
    const spaces = [guest(5n, 1n), guest(6n, 1n), second(5n), supervisor(1n)];
    for (const space of spaces)
      hart.remembered?.remember(space, {
        start: PAGE,
        bytes: KILOBYTES_4,
        level: 0,
        isGlobal: false,
        path: [],
      });
    expect(board.load(assembled(line))).toBe(undefined);
    writeCsr(hart, "hgatp", 5n << 44n);
    hart.write("a0", address);
    hart.write("a1", id);
    board.step();
    return spaces.map((space) => hart.remembered?.find(space, PAGE) !== undefined);
  }

  it("HFENCE.VVMA and HFENCE.GVMA do for a guest's two stages what SFENCE.VMA does for satp's (norm:hfence-vvma_hfence-gvma_op)", () => {
    expect(knownAfter("hfence.vvma", 0n, 0n)).toEqual([false, true, true, true]);
    expect(knownAfter("hfence.vvma a0, a1", PAGE, 1n)).toEqual([false, true, true, true]);
    expect(knownAfter("hfence.vvma a0, zero", OTHER_PAGE, 1n)).toEqual([true, true, true, true]);
    expect(knownAfter("hfence.gvma", 0n, 0n)).toEqual([true, true, false, true]);
    expect(knownAfter("sfence.vma", 0n, 0n)).toEqual([true, true, true, false]);
  });

  it("HFENCE.GVMA takes its address shifted right by two bits (norm:hfence-gvma_op norm:hfence-vvma_hfence-gvma_op)", () => {
    expect(knownAfter("hfence.gvma a0, zero", PAGE >> 2n, 0n)).toEqual([true, true, false, true]);
    expect(knownAfter("hfence.gvma a0, zero", PAGE, 0n)).toEqual([true, true, true, true]);
  });
});
