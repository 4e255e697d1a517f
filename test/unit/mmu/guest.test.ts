/** A guest's memory, end to end: two stages, their faults, and a hypervisor's view of both. Expectations from the manual. */
import { beforeEach, describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { type CsrName, decodeCsr, encodeCsr } from "../../../lib/isa/csr-map.ts";
import { MODE_NUMBER, type Mode } from "../../../lib/isa/mode.ts";
import { EXCEPTION } from "../../../lib/isa/trap.ts";
import { explainTranslation } from "../../../lib/mmu/explain-translation.ts";
import { explainTrap } from "../../../lib/mmu/explain-trap.ts";
import { PTE } from "../../../lib/mmu/pte.ts";
import { type BareMachine, bareMachine, loadText, SWITCH_POSITIONS } from "../../support/bare-machine.ts";

const { V, R, W, X, U, A, D } = PTE;
const ALL = V | R | W | X | U | A | D;
const KERNEL = ALL & ~U;
const pte = (address: bigint, flags: bigint): bigint => ((address >> 12n) << 10n) | flags;

/**
 * The guest's 0x4000_0000 is its physical 0x1_0000, which is RAM at 0x8001_0000; its code and tables are where they are.
 * Second stage: root at 0x8000_4000 (16 KiB), then 0x8000_8000 and 0x8000_9000 for guest-physical 0…2 MiB.
 * Guest: root at 0x8000_a000, then 0x8000_b000 and 0x8000_c000.
 */
const SECOND_LEAF = 0x8000_9000n + 0x10n * 8n;
const GUEST_LEAF = 0x8000_c000n;
const VIRTUAL_ADDRESS = 0x4000_0000n;
const GUEST_PHYSICAL = 0x1_0000n;
const PHYSICAL = 0x8001_0000n;

let machine: BareMachine;
const set = (name: CsrName, value: bigint): void => writeCsr(machine.hart, name, value);
const get = (name: CsrName): bigint => machine.hart.csr(name);
const put = (address: bigint, word: bigint): void =>
  machine.ram.store(Number(address) - machine.ram.base, 8, word);
const at = (address: bigint): bigint => machine.ram.load(Number(address) - machine.ram.base, 8);

function prepare(options: Parameters<typeof bareMachine>[0] = {}): void {
  machine = bareMachine(options);
  set("pmpaddr0", 2n ** 54n - 1n);
  set("pmpcfg0", 0x1fn);
  set("mtvec", 0x8000_0400n);
  set("stvec", 0x8000_0800n);
  set("medeleg", 0xf0_f7ffn);
  put(0x8000_4000n, pte(0x8000_8000n, V));
  put(0x8000_4010n, pte(0x8000_0000n, ALL));
  put(0x8000_8000n, pte(0x8000_9000n, V));
  put(SECOND_LEAF, pte(PHYSICAL, ALL));
  put(0x8000_a008n, pte(0x8000_b000n, V));
  put(0x8000_a010n, pte(0x8000_0000n, KERNEL));
  put(0x8000_b000n, pte(0x8000_c000n, V));
  put(GUEST_LEAF, pte(GUEST_PHYSICAL, KERNEL));
  set("hgatp", encodeCsr("hgatp", { MODE: 8, VMID: 5, PPN: 0x80004n }));
  set("vsatp", encodeCsr("vsatp", { MODE: 8, ASID: 3, PPN: 0x8000an }));
  put(PHYSICAL, 0x1122_3344_8877_6655n);
}
beforeEach(() => prepare());

function run(mode: Mode, text: string, steps = 1): void {
  loadText(machine, text);
  machine.hart.state.modeNumber = MODE_NUMBER[mode];
  machine.hart.stateReplaced();
  machine.hart.write("a1", VIRTUAL_ADDRESS);
  for (let step = 0; step < steps; step++) machine.engine.step();
}
const trapped = () => ({
  cause: Number(get("scause")),
  stval: get("stval"),
  htval: get("htval"),
  htinst: get("htinst"),
});
const hstatus = () => decodeCsr("hstatus", get("hstatus"));

describe("a guest's load and store", () => {
  it("goes through both stages (norm:H_vm_twostage)", () => {
    run("VS", "ld a0, 0(a1)\n sd a1, 8(a1)", 2);
    expect(machine.hart.read("a0")).toBe(0x1122_3344_8877_6655n);
    expect(at(PHYSICAL + 8n)).toBe(VIRTUAL_ADDRESS);
  });

  it("goes through the second stage alone while vsatp is Bare (norm:H_vm_gstagetrans)", () => {
    set("vsatp", 0n);
    run("VS", "li a1, 0x10000\n ld a0, 0(a1)", 2);
    expect(machine.hart.read("a0")).toBe(0x1122_3344_8877_6655n);
  });

  it("goes through its own stage alone while hgatp is Bare (norm:hgatp_mode_bare_trans)", () => {
    set("hgatp", 0n);
    put(GUEST_LEAF, pte(PHYSICAL, KERNEL));
    run("VS", "ld a0, 0(a1)");
    expect(machine.hart.read("a0")).toBe(0x1122_3344_8877_6655n);
  });

  it("is HS-mode's ordinary one outside the guest (norm:vsatp_v0 norm:vsstatus_v0)", () => {
    run("S", "ld a0, 0(a1)");
    expect(trapped()).toMatchObject({ cause: 5, stval: VIRTUAL_ADDRESS });
    expect(hstatus()).toMatchObject({ GVA: 0n, SPV: 0n });
  });
});

describe("a refusal of the guest's own stage", () => {
  it("is an ordinary page fault, which tells no guest-physical address", () => {
    put(GUEST_LEAF, 0n);
    run("VS", "ld a0, 0(a1)");
    expect(trapped()).toMatchObject({ cause: EXCEPTION.loadPageFault, stval: VIRTUAL_ADDRESS, htval: 0n });
    expect(hstatus()).toMatchObject({ GVA: 1n, SPV: 1n, SPVP: 1n });
  });

  it("may go to the guest (norm:hedeleg_op)", () => {
    set("hedeleg", 1n << 13n);
    put(GUEST_LEAF, 0n);
    run("VS", "ld a0, 0(a1)");
    expect([machine.hart.mode, get("vscause"), get("vstval")]).toEqual(["VS", 13n, VIRTUAL_ADDRESS]);
  });

  it("asks vsstatus.SUM, not HS-mode's (norm:hlsv_trans)", () => {
    put(GUEST_LEAF, pte(GUEST_PHYSICAL, ALL));
    set("mstatus", encodeCsr("mstatus", { SUM: 1 }));
    run("VS", "ld a0, 0(a1)");
    expect(trapped().cause).toBe(EXCEPTION.loadPageFault);
    set("vsstatus", encodeCsr("vsstatus", { SUM: 1 }));
    run("VS", "ld a0, 0(a1)");
    expect(machine.hart.read("a0")).toBe(0x1122_3344_8877_6655n);
  });
});

describe("a refusal of the second stage", () => {
  it.each([
    ["ld a0, 8(a1)", EXCEPTION.loadGuestPageFault, 0x0000_3503n, 8n],
    ["lbu a0, 3(a1)", EXCEPTION.loadGuestPageFault, 0x0000_4503n, 3n],
    ["sd a2, 16(a1)", EXCEPTION.storeGuestPageFault, 0x00c0_3023n, 16n],
    ["amoadd.d a0, a2, (a1)", EXCEPTION.storeGuestPageFault, 0x00c0_352fn, 0n],
    ["lr.w a0, (a1)", EXCEPTION.loadGuestPageFault, 0x1000_252fn, 0n],
    ["c.ld a0, 8(a1)", EXCEPTION.loadGuestPageFault, 0x0000_3501n, 8n],
    ["c.sw a2, 4(a1)", EXCEPTION.storeGuestPageFault, 0x00c0_2021n, 4n],
  ] as const)(
    "of %s has cause %i, the guest-physical address over 4, and the instruction without its address (norm:H_guest_page_fault norm:htval_trapval norm:H_trap_xtinst norm:H_trap_xtinst_exception_list norm:mtval2_htval_virtaddr)",
    (line, cause, htinst, offset) => {
      put(SECOND_LEAF, 0n);
      run("VS", line);
      expect(trapped()).toEqual({
        cause,
        stval: VIRTUAL_ADDRESS + offset,
        htval: (GUEST_PHYSICAL + offset) >> 2n,
        htinst,
      });
      expect(hstatus()).toMatchObject({ GVA: 1n, SPV: 1n });
    },
  );

  it("of a fetch tells nothing in htinst", () => {
    put(SECOND_LEAF, pte(PHYSICAL, ALL & ~X));
    run("VS", "jr a1", 2);
    expect(trapped()).toEqual({
      cause: EXCEPTION.instructionGuestPageFault,
      stval: VIRTUAL_ADDRESS,
      htval: GUEST_PHYSICAL >> 2n,
      htinst: 0n,
    });
  });

  it("of machine mode's handling is in mtval2 and mtinst (norm:mtval2_trapval norm:mtinst_val)", () => {
    set("medeleg", 0n);
    put(SECOND_LEAF, 0n);
    run("VS", "ld a0, 8(a1)");
    expect([get("mcause"), get("mtval2"), get("mtinst")]).toEqual([
      21n,
      (GUEST_PHYSICAL + 8n) >> 2n,
      0x3503n,
    ]);
    expect(decodeCsr("mstatus", get("mstatus"))).toMatchObject({ GVA: 1n, MPV: 1n, MPP: 1n });
  });

  it("of reading the guest's tables names the entry, the access, and the pseudoinstruction (norm:H_trap_xtinst_guestpage norm:mtval2_trapval_vstrans)", () => {
    put(0x8000_a008n, pte(0x20_0000n, V));
    run("VS", "sd a0, 0(a1)");
    expect(trapped()).toEqual({
      cause: EXCEPTION.storeGuestPageFault,
      stval: VIRTUAL_ADDRESS,
      htval: 0x20_0000n >> 2n,
      htinst: 0x3000n,
    });
  });

  it("of setting A in the guest's tables is told as a write (norm:H_trap_xtinst_guestpage_rw)", () => {
    set("menvcfg", 1n << 61n);
    set("henvcfg", 1n << 61n);
    put(GUEST_LEAF, pte(GUEST_PHYSICAL, KERNEL & ~A));
    put(0x8000_4010n, pte(0x8000_0000n, ALL & ~W));
    run("VS", "ld a0, 0(a1)");
    expect(trapped()).toEqual({
      cause: EXCEPTION.loadGuestPageFault,
      stval: VIRTUAL_ADDRESS,
      htval: GUEST_LEAF >> 2n,
      htinst: 0x3020n,
    });
  });

  it("needs U=1, for a guest's supervisor too (norm:H_vm_gpapriv)", () => {
    put(SECOND_LEAF, pte(PHYSICAL, ALL & ~U));
    run("VS", "ld a0, 0(a1)");
    expect(trapped().cause).toBe(EXCEPTION.loadGuestPageFault);
  });

  it("ignores G (norm:H_vm_gpa_g)", () => {
    put(SECOND_LEAF, pte(PHYSICAL, ALL | PTE.G));
    run("VS", "ld a0, 0(a1)");
    expect(machine.hart.read("a0")).toBe(0x1122_3344_8877_6655n);
  });

  it("comes for guest-physical addresses of more than 41 bits (norm:H_vm_gpatrans norm:hgatp_mode_sv39x4 norm:hgatp_mode_x4)", () => {
    put(GUEST_LEAF, pte(1n << 41n, KERNEL));
    run("VS", "ld a0, 0(a1)");
    expect(trapped()).toMatchObject({ cause: EXCEPTION.loadGuestPageFault, htval: 1n << 39n });
    put(GUEST_LEAF, pte(511n << 30n, KERNEL));
    put(0x8000_4000n + 511n * 8n, pte(0x8000_8000n, V));
    put(0x8000_9000n, pte(PHYSICAL, ALL));
    run("VS", "ld a0, 0(a1)");
    expect(machine.hart.read("a0")).toBe(0x1122_3344_8877_6655n);
    machine.hart.write("a0", 0n);
    put(GUEST_LEAF, pte(2047n << 30n, KERNEL));
    put(0x8000_4000n + 2047n * 8n, pte(0x8000_8000n, V));
    run("VS", "ld a0, 0(a1)");
    expect(machine.hart.read("a0")).toBe(0x1122_3344_8877_6655n);
    // Behind the root there would be a table and a page for one more bit.
    put(0x8000_9000n, pte(0x8000_0000n, ALL));
    put(GUEST_LEAF, pte(1n << 41n, KERNEL));
    set("scause", 0n);
    run("VS", "ld a0, 0(a1)");
    expect(trapped()).toMatchObject({ cause: EXCEPTION.loadGuestPageFault, htval: 1n << 39n });
  });

  it("comes for more than 50 bits in Sv48x4, whose root of four levels has 2048 entries, too (norm:hgatp_mode_sv48x4 norm:hgatp_mode_x4)", () => {
    put(0x8001_8000n, pte(0x8001_c000n, V));
    put(0x8001_8000n + 2047n * 8n, pte(0x8001_c000n, V));
    put(0x8001_c000n, pte(0x8000_8000n, V));
    put(0x8001_c010n, pte(0x8000_0000n, ALL));
    set("hgatp", encodeCsr("hgatp", { MODE: 9, VMID: 5, PPN: 0x80018n }));
    for (const base of [0n, 2047n << 39n]) {
      machine.hart.write("a0", 0n);
      put(GUEST_LEAF, pte(base | GUEST_PHYSICAL, KERNEL));
      run("VS", "ld a0, 0(a1)");
      expect(machine.hart.read("a0")).toBe(0x1122_3344_8877_6655n);
    }
    put(GUEST_LEAF, pte((1n << 50n) | GUEST_PHYSICAL, KERNEL));
    run("VS", "ld a0, 0(a1)");
    expect(trapped()).toMatchObject({
      cause: EXCEPTION.loadGuestPageFault,
      htval: ((1n << 50n) | GUEST_PHYSICAL) >> 2n,
    });
  });

  it("of the second page of a misaligned access names that page, and the distance to it (norm:H_straddle norm:mtval2_trapval_other norm:H_tinst_addr_offset)", () => {
    put(GUEST_LEAF + 8n, pte(GUEST_PHYSICAL + 0x1000n, KERNEL));
    run("VS", "li t0, 0xffd\n add a1, a1, t0\n ld a0, 0(a1)", 4);
    expect(trapped()).toEqual({
      cause: EXCEPTION.loadGuestPageFault,
      stval: VIRTUAL_ADDRESS + 0x1000n,
      htval: (GUEST_PHYSICAL + 0x1000n) >> 2n,
      htinst: 0x3503n | (3n << 15n),
    });
  });

  it("is no page fault where PMP says no: an access fault with GVA (norm:H_pmp)", () => {
    set("pmpaddr1", 2n ** 54n - 1n);
    set("pmpcfg0", 0x1f18n);
    set("pmpaddr0", (PHYSICAL >> 2n) | 0x1ffn);
    run("VS", "ld a0, 0(a1)");
    expect(trapped()).toMatchObject({ cause: EXCEPTION.loadAccessFault, htval: 0n });
    expect(hstatus().GVA).toBe(1n);
  });
});

describe("MXR of HLV", () => {
  it.each([
    ["mstatus", ALL, "reads"],
    ["vsstatus", ALL, "reads"],
    ["mstatus", X | U | V | A | D, "reads"],
    ["vsstatus", X | U | V | A | D, "does not read"],
  ] as const)(
    "with %s.MXR and the second stage's leaf %i: %s an execute-only page (norm:hlsv_sstatus_mxr norm:hlsv_vsstatus_mxr)",
    (status, second, does) => {
      set("hstatus", encodeCsr("hstatus", { SPVP: 1 }));
      put(GUEST_LEAF, pte(GUEST_PHYSICAL, X | V | A | D));
      put(SECOND_LEAF, pte(PHYSICAL, second));
      run("M", "hlv.d a0, (a1)");
      expect(get("mcause")).toBe(13n);
      set("mcause", 0n);
      set(status, encodeCsr("mstatus", { MXR: 1 }));
      run("M", "hlv.d a0, (a1)");
      expect(get("mcause")).toBe(does === "reads" ? 0n : 21n);
    },
  );
});

describe("MXR", () => {
  it.each([
    ["the guest's stage", "vsstatus", X | KERNEL, ALL, "reads"],
    ["the second stage", "vsstatus", KERNEL, X | ALL, "does not read"],
    ["the guest's stage", "mstatus", X | KERNEL, ALL, "reads"],
    ["the second stage", "mstatus", KERNEL, X | ALL, "reads"],
  ] as const)(
    "execute-only in %s, with %s.MXR (norm:vsstatus_mxr_vm norm:sstatus_mxr_vm)",
    (where, status, guest, second, does) => {
      const isGuest = where === "the guest's stage";
      put(GUEST_LEAF, pte(GUEST_PHYSICAL, isGuest ? guest & ~(R | W) : guest));
      put(SECOND_LEAF, pte(PHYSICAL, isGuest ? second : second & ~(R | W)));
      set(status, encodeCsr("mstatus", { MXR: 1 }));
      run("VS", "ld a0, 0(a1)");
      expect(machine.hart.mode === "VS").toBe(does === "reads");
    },
  );
});

describe("memory types", () => {
  it("of the guest's leaves are reserved until henvcfg.PBMTE, which needs menvcfg's (norm:henvcfg_pbmte_op norm:menvcfg_pbmte_henvcfg_pbmte_rdonly0)", () => {
    put(GUEST_LEAF, pte(GUEST_PHYSICAL, KERNEL) | (1n << 61n));
    for (const [machines, hypervisors, allowed] of [
      [0n, 0n, false],
      [0n, 1n, false],
      [1n, 0n, false],
      [1n, 1n, true],
    ] as const) {
      set("menvcfg", machines << 62n);
      set("henvcfg", hypervisors << 62n);
      expect(get("henvcfg") >> 62n).toBe(machines & hypervisors);
      set("scause", 0n);
      run("VS", "ld a0, 0(a1)");
      expect(get("scause")).toBe(allowed ? 0n : 13n);
    }
  });

  it("of the second stage's leaves are reserved until menvcfg.PBMTE (norm:menvcfg_pbmte_op)", () => {
    put(SECOND_LEAF, pte(PHYSICAL, ALL) | (2n << 61n));
    run("VS", "ld a0, 0(a1)");
    expect(trapped().cause).toBe(EXCEPTION.loadGuestPageFault);
    set("menvcfg", 1n << 62n);
    set("scause", 0n);
    run("VS", "ld a0, 0(a1)");
    expect(get("scause")).toBe(0n);
  });
});

describe("64 KiB pages of the second stage", () => {
  it("take the lowest four bits of the page number from the guest-physical address (norm:Svnapot_hyp_gstage)", () => {
    const napot = pte(0x8002_8000n, ALL) | (1n << 63n);
    for (let page = 0n; page < 16n; page++) put(SECOND_LEAF + page * 8n, napot);
    put(GUEST_LEAF, pte(GUEST_PHYSICAL + 0x5000n, KERNEL));
    put(0x8002_5000n, 0x5555n);
    run("VS", "ld a0, 0(a1)");
    expect(machine.hart.read("a0")).toBe(0x5555n);
  });
});

describe("A and D", () => {
  it("are set in both stages, each by its own ADUE (norm:henvcfg_adue_op)", () => {
    set("menvcfg", 1n << 61n);
    set("henvcfg", 1n << 61n);
    put(GUEST_LEAF, pte(GUEST_PHYSICAL, KERNEL & ~(A | D)));
    put(SECOND_LEAF, pte(PHYSICAL, ALL & ~(A | D)));
    run("VS", "sd a0, 0(a1)");
    expect([at(GUEST_LEAF), at(SECOND_LEAF)]).toEqual([pte(GUEST_PHYSICAL, KERNEL), pte(PHYSICAL, ALL)]);
  });

  it("missing in the guest's stage is its page fault, in the second a guest-page fault", () => {
    put(GUEST_LEAF, pte(GUEST_PHYSICAL, KERNEL & ~D));
    run("VS", "sd a0, 0(a1)");
    expect(trapped().cause).toBe(EXCEPTION.storePageFault);
    put(GUEST_LEAF, pte(GUEST_PHYSICAL, KERNEL));
    put(SECOND_LEAF, pte(PHYSICAL, ALL & ~D));
    run("VS", "sd a0, 0(a1)");
    expect(trapped().cause).toBe(EXCEPTION.storeGuestPageFault);
  });
});

describe("HLV, HLVX and HSV", () => {
  beforeEach(() => set("hstatus", encodeCsr("hstatus", { SPVP: 1 })));

  it.each([
    ["hlv.b", 0x55n],
    ["hlv.bu", 0x55n],
    ["hlv.h", 0x6655n],
    ["hlv.hu", 0x6655n],
    ["hlvx.hu", 0x6655n],
    ["hlv.w", 0xffff_ffff_8877_6655n],
    ["hlv.wu", 0x8877_6655n],
    ["hlvx.wu", 0x8877_6655n],
    ["hlv.d", 0x1122_3344_8877_6655n],
  ])("%s reads the guest's memory from HS-mode (norm:hlsv_op norm:hlsv_mode)", (mnemonic, value) => {
    run("S", `${mnemonic} a0, (a1)`);
    expect(machine.hart.read("a0")).toBe(value);
  });

  it.each([
    ["hsv.b", 0x1122_3344_8877_6611n],
    ["hsv.h", 0x1122_3344_8877_0011n],
    ["hsv.w", 0x1122_3344_eeff_0011n],
    ["hsv.d", 0xaabb_ccdd_eeff_0011n],
  ])(
    "%s writes as many bytes as its name says, with the rights of SPVP (norm:hlsv_op norm:hlsv_priv)",
    (mnemonic, left) => {
      machine.hart.write("a0", 0xaabb_ccdd_eeff_0011n);
      run("M", `${mnemonic} a0, (a1)`);
      expect(at(PHYSICAL)).toBe(left);
      set("hstatus", 0n);
      run("M", `${mnemonic} a0, (a1)`);
      expect(get("mcause")).toBe(15n);
    },
  );

  it("needs HU in user mode (norm:hstatus_hu_op norm:hlsv_illegalinst)", () => {
    run("U", "hlv.d a0, (a1)");
    expect(trapped().cause).toBe(EXCEPTION.illegalInstruction);
    set("hstatus", encodeCsr("hstatus", { SPVP: 1, HU: 1 }));
    run("U", "hlv.d a0, (a1)");
    expect(machine.hart.read("a0")).toBe(0x1122_3344_8877_6655n);
  });

  it("has VU-mode's rights while SPVP is 0, whatever MPRV says (norm:hlsv_priv norm:mstatus_mprv_hlsv norm:hstatus_spvp_op)", () => {
    set("hstatus", 0n);
    set("mstatus", encodeCsr("mstatus", { MPRV: 1, MPP: 1, MPV: 1 }));
    run("M", "hlv.d a0, (a1)");
    expect(get("mcause")).toBe(13n);
    put(GUEST_LEAF, pte(GUEST_PHYSICAL, ALL));
    run("M", "hlv.d a0, (a1)");
    expect(machine.hart.read("a0")).toBe(0x1122_3344_8877_6655n);
  });

  it("faults with SPV=0 and GVA=1 (norm:hstatus_gva_op)", () => {
    put(SECOND_LEAF, 0n);
    run("S", "hlv.d a0, (a1)");
    expect(trapped()).toEqual({
      cause: EXCEPTION.loadGuestPageFault,
      stval: VIRTUAL_ADDRESS,
      htval: GUEST_PHYSICAL >> 2n,
      htinst: 0x6c00_4573n,
    });
    expect(hstatus()).toMatchObject({ GVA: 1n, SPV: 0n, SPVP: 1n });
  });

  it("hlvx wants X in both stages instead of R, and faults as a load (norm:hlsv_u_op)", () => {
    put(GUEST_LEAF, pte(GUEST_PHYSICAL, KERNEL & ~(R | W)));
    put(SECOND_LEAF, pte(PHYSICAL, ALL & ~(R | W)));
    run("S", "hlvx.wu a0, (a1)");
    expect(machine.hart.read("a0")).toBe(0x8877_6655n);
    put(SECOND_LEAF, pte(PHYSICAL, ALL & ~X));
    run("S", "hlvx.wu a0, (a1)");
    expect(trapped().cause).toBe(EXCEPTION.loadGuestPageFault);
  });
});

describe("HLVX and physical memory", () => {
  beforeEach(() => set("hstatus", encodeCsr("hstatus", { SPVP: 1 })));
  const GUESTS_PAGE = (PHYSICAL >> 2n) | 0x1ffn;

  it.each([
    ["X alone", 0x1cn],
    ["R alone", 0x19n],
  ])("of which PMP grants %s cannot be read by it (norm:hlsv_u_op)", (_, right) => {
    set("pmpaddr1", 2n ** 54n - 1n);
    set("pmpaddr0", GUESTS_PAGE);
    set("pmpcfg0", 0x1f00n | right);
    run("S", "hlvx.wu a0, (a1)");
    expect(trapped().cause).toBe(EXCEPTION.loadAccessFault);
    set("pmpcfg0", 0x1f1dn);
    run("S", "hlvx.wu a0, (a1)");
    expect(machine.hart.read("a0")).toBe(0x8877_6655n);
  });
});

describe("MPRV with MPV", () => {
  it("makes machine mode's loads the guest's (norm:mstatus_mprv_hypervisor)", () => {
    set("mstatus", encodeCsr("mstatus", { MPRV: 1, MPP: 1, MPV: 1 }));
    run("M", "ld a0, 0(a1)");
    expect(machine.hart.read("a0")).toBe(0x1122_3344_8877_6655n);
  });

  it("means nothing while MPP is M", () => {
    set("mstatus", encodeCsr("mstatus", { MPRV: 1, MPP: 3, MPV: 1 }));
    run("M", "ld a0, 0(a1)");
    expect([get("mcause"), decodeCsr("mstatus", get("mstatus")).GVA]).toEqual([5n, 0n]);
  });
});

describe.each(SWITCH_POSITIONS)("with $title, a changed entry counts at once", (switches) => {
  beforeEach(() => prepare(switches));

  it.each([
    ["the guest's leaf", GUEST_LEAF, EXCEPTION.loadPageFault],
    ["the second stage's leaf", SECOND_LEAF, EXCEPTION.loadGuestPageFault],
    ["the second stage's entry for the guest's tables", 0x8000_4010n, EXCEPTION.instructionGuestPageFault],
  ])("%s", (_, entry, cause) => {
    run("VS", "ld a0, 0(a1)\n ld a0, 0(a1)\n ld a0, 0(a1)", 2);
    put(entry, 0n);
    machine.engine.step();
    expect(trapped().cause).toBe(cause);
  });

  it("each mode has its own answers: S, VS and VU at one address", () => {
    run("VS", "ld a0, 0(a1)\n ld a0, 0(a1)\n ld a0, 0(a1)\n ld a0, 0(a1)", 2);
    expect(machine.hart.mode).toBe("VS");
    run("S", "ld a0, 0(a1)");
    expect(trapped().cause).toBe(EXCEPTION.loadAccessFault);
    put(0x8000_a010n, pte(0x8000_0000n, ALL));
    run("VU", "ld a0, 0(a1)");
    expect(trapped().cause).toBe(EXCEPTION.loadPageFault);
  });

  it.each([
    ["V", "csrc mstatus, t0", 1n << 39n, KERNEL, ALL, EXCEPTION.loadAccessFault],
    ["HS-mode's MXR", "csrc mstatus, t0", 1n << 19n, KERNEL, ALL & ~(R | W), EXCEPTION.loadGuestPageFault],
    ["the guest's MXR", "csrc vsstatus, t0", 1n << 19n, KERNEL & ~(R | W), ALL, EXCEPTION.loadPageFault],
    ["the guest's SUM", "csrc vsstatus, t0", 1n << 18n, ALL, ALL, EXCEPTION.loadPageFault],
  ] as const)(
    "%s is part of the question, with no fence between",
    (what, clear, bit, guest, second, cause) => {
      put(GUEST_LEAF, pte(GUEST_PHYSICAL, guest));
      put(SECOND_LEAF, pte(PHYSICAL, second));
      const mxr = what === "HS-mode's MXR" ? 1 : 0;
      set("mstatus", encodeCsr("mstatus", { MPRV: 1, MPP: 1, MPV: 1, MXR: mxr }));
      set("vsstatus", clear.includes("vsstatus") ? bit : 0n);
      machine.hart.write("t0", bit);
      run("M", `ld a0, 0(a1)\n ld a0, 0(a1)\n ${clear}\n ld a0, 0(a1)`, 3);
      expect(machine.hart.read("a0")).toBe(0x1122_3344_8877_6655n);
      machine.engine.step();
      expect(get("mcause")).toBe(BigInt(cause));
    },
  );

  it("a new hgatp or vsatp is another machine", () => {
    run("VS", "ld a0, 0(a1)\n ld a0, 0(a1)", 1);
    set("hgatp", encodeCsr("hgatp", { MODE: 8, PPN: 0x80010n }));
    machine.engine.step();
    expect(trapped().cause).toBe(EXCEPTION.instructionGuestPageFault);
  });
});

describe("explanations", () => {
  it("show both stages, and for each of the guest's entries where the second stage finds it", () => {
    const told = explainTranslation(machine.hart, VIRTUAL_ADDRESS + 8n, "load", "VS");
    expect(told).toMatchObject({ ok: true, paddr: PHYSICAL + 8n, failedStage: undefined, pageBytes: 4096n });
    expect(told.satp).toEqual({ MODE: "Sv39", ASID: 3n, PPN: 0x8000an });
    expect(told.guest).toMatchObject({
      hgatp: { MODE: "Sv39x4", VMID: 5n, PPN: 0x80004n },
      gpa: GUEST_PHYSICAL + 8n,
    });
    expect(told.levels.map(({ sentence, gStage }) => [sentence, gStage?.sentence])).toEqual([
      [
        "VS-stage PTE 2 at 0x8000_a008 points to the next table, at 0x8000_b000.",
        "The guest's 0x8000_a008 is 0x8000_a008.",
      ],
      [
        "VS-stage PTE 1 at 0x8000_b000 points to the next table, at 0x8000_c000.",
        "The guest's 0x8000_b000 is 0x8000_b000.",
      ],
      [
        "VS-stage PTE 0 at 0x8000_c000 is a leaf: DA--XWRV, the page at 0x0001_0000.",
        "The guest's 0x8000_c000 is 0x8000_c000.",
      ],
    ]);
    expect(told.guest?.access?.levels.map(({ sentence }) => sentence)).toEqual([
      "G-stage PTE 2 at 0x8000_4000 points to the next table, at 0x8000_8000.",
      "G-stage PTE 1 at 0x8000_8000 points to the next table, at 0x8000_9000.",
      "G-stage PTE 0 at 0x8000_9080 is a leaf: DA-UXWRV, the page at 0x8001_0000.",
    ]);
    expect(told.sentence).toBe("The guest's 0x4000_0008 leads to 0x8001_0008.");
  });

  it("name the stage and the bit that said no", () => {
    put(SECOND_LEAF, pte(PHYSICAL, ALL & ~U));
    const second = explainTranslation(machine.hart, VIRTUAL_ADDRESS, "load", "VS");
    expect([second.ok, second.failedStage, second.failedBit]).toEqual([false, "G", "U"]);
    expect(second.sentence).toBe(
      "G-stage PTE 0 at 0x8000_9080 has U=0: to the second stage every access of a guest is user mode's (mode VS, load).",
    );
    put(GUEST_LEAF, pte(GUEST_PHYSICAL, ALL));
    const own = explainTranslation(machine.hart, VIRTUAL_ADDRESS, "load", "VS");
    expect([own.failedStage, own.failedBit]).toEqual(["VS", "U"]);
    expect(own.sentence).toContain("vsstatus.SUM is 0");
    put(0x8000_a008n, pte(0x20_0000n, V));
    const implicit = explainTranslation(machine.hart, VIRTUAL_ADDRESS, "load", "VS");
    expect([implicit.failedStage, implicit.failedBit]).toEqual(["G", "V"]);
  });

  it("of a guest-page fault know the guest-physical address, the instruction and both delegations", () => {
    put(SECOND_LEAF, 0n);
    run("VS", "lbu a0, 3(a1)");
    const told = explainTrap(machine.hart);
    expect(told).toMatchObject({
      name: "load guest-page fault",
      from: "VS",
      to: "S",
      gva: true,
      guestPhysical: GUEST_PHYSICAL + 3n,
      tinstMeaning: "the instruction with its address taken out: lbu a0, 0(zero)",
      route: "bit 21 of medeleg is 1 and that of hedeleg is 0, so supervisor mode handles it",
    });
    expect(told.walk).toMatchObject({ ok: false, failedStage: "G", failedBit: "V" });
  });

  it("of a guest's own trap read it back from the guest's registers", () => {
    set("hedeleg", 1n << 8n);
    put(0x8000_a010n, pte(0x8000_0000n, ALL));
    run("VU", "ecall");
    expect(explainTrap(machine.hart)).toMatchObject({
      name: "environment call from U-mode",
      from: "VU",
      to: "VS",
      route: "bit 8 of medeleg is 1 and that of hedeleg is 1, so virtual supervisor mode handles it",
    });
  });

  it("of HLVX's fault ask for X", () => {
    set("hstatus", encodeCsr("hstatus", { SPVP: 1 }));
    put(SECOND_LEAF, pte(PHYSICAL, ALL & ~X));
    run("S", "hlvx.wu a0, (a1)");
    expect(explainTrap(machine.hart).walk).toMatchObject({ ok: false, failedStage: "G", failedBit: "X" });
  });

  it("of HLV's fault use the guest's rights", () => {
    set("hstatus", encodeCsr("hstatus", { SPVP: 1 }));
    put(SECOND_LEAF, 0n);
    run("S", "hlv.d a0, (a1)");
    expect(explainTrap(machine.hart)).toMatchObject({
      from: "S",
      to: "S",
      walk: { mode: "VS", failedStage: "G" },
    });
  });
});
