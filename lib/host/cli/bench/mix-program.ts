/**
 * The guest of the `mix` benchmark, built with our own assembler, and the same computation in plain arithmetic that says
 * what its result must be.
 *
 * Each round: a random place in a 256 KiB table (called function), 64-bit, 32-bit, 16-bit and byte accesses, multiplication,
 * branches that depend on data, a division every eighth round.
 */

import { VIRT_MAP } from "../../../board/memory-map.ts";
import type { Item } from "../../../isa/assembler/item.ts";
import { type Program, program } from "../../../isa/assembler/program.ts";
import { asm } from "../../../isa/assembler/typed.ts";
import { encodeCsr, SV39 } from "../../../isa/csr-map.ts";

const ORIGIN = 0x8000_0000n;
/** Physical places in RAM. */
const TABLE = 0x8010_0000n;
const SCRATCH = 0x8020_0000n;
const PAGE_TABLES = 0x8030_0000n;
const TABLE_WORDS = 32_768;
const SEED = 0x1234_5678_9abc_def1n;
const GOLDEN = 0x9e37_79b9_7f4a_7c15n;
/** Under Sv39 the guest sees its 4 MiB here. */
const VIRTUAL_BASE = 0x4000_0000n;
const PAGE_BYTES = 4096n;
const MAPPED_BYTES = 4n << 20n;

/** Everything that the guest needs in RAM. */
export interface MixGuest {
  readonly program: Program;
  /** Page tables to put at physical addresses; none when addresses are not translated. */
  readonly tables: readonly { readonly paddr: bigint; readonly entries: BigUint64Array }[];
}

/** `xorshift64` in a0, called each round. */
const random: readonly Item[] = [
  asm.label("random"),
  asm.slli("t0", "a0", 13),
  asm.xor("a0", "a0", "t0"),
  asm.srli("t0", "a0", 7),
  asm.xor("a0", "a0", "t0"),
  asm.slli("t0", "a0", 17),
  asm.xor("a0", "a0", "t0"),
  asm.ret(),
];

/** s0 table, s1 scratch, s2 rounds left, s3 sum, s4 golden ratio, a0 random state. */
const round: readonly Item[] = [
  asm.label("round"),
  asm.call("random"),
  asm.slli("t1", "a0", 49),
  asm.srli("t1", "t1", 46),
  asm.add("t1", "t1", "s0"), // t1: place in the table
  asm.ld("t2", 0, "t1"),
  asm.add("t2", "t2", "a0"),
  asm.sd("t2", 0, "t1"),
  asm.lw("t3", 4, "t1"),
  asm.add("s3", "s3", "t3"),
  asm.andi("t4", "a0", 1),
  asm.beqz("t4", "even"),
  asm.xor("s3", "s3", "t2"),
  asm.j("joined"),
  asm.label("even"),
  asm.add("s3", "s3", "s2"),
  asm.label("joined"),
  asm.srli("t4", "a0", 61),
  asm.add("t4", "t4", "t1"),
  asm.lbu("t5", 0, "t4"),
  asm.add("s3", "s3", "t5"),
  asm.mul("t5", "t2", "s4"),
  asm.srli("t5", "t5", 32),
  asm.xor("s3", "s3", "t5"),
  asm.andi("t4", "s2", 7),
  asm.bnez("t4", "undivided"),
  asm.srli("t4", "a0", 40),
  asm.ori("t4", "t4", 1),
  asm.divu("t5", "s3", "t4"),
  asm.remu("t6", "s3", "t4"),
  asm.add("s3", "s3", "t5"),
  asm.sub("s3", "s3", "t6"),
  asm.label("undivided"),
  asm.addw("t4", "s3", "s2"),
  asm.sh("t4", 0, "s1"),
  asm.lhu("t5", 0, "s1"),
  asm.add("s3", "s3", "t5"),
  asm.addi("s2", "s2", -1),
  asm.bnez("s2", "round"),
];

/** Opens all memory to supervisor mode, switches Sv39 on and goes there. */
const enterSupervisor: readonly Item[] = [
  asm.li("t0", -1),
  asm.srli("t0", "t0", 10),
  asm.csrw("pmpaddr0", "t0"),
  asm.li("t0", 0x1f),
  asm.csrw("pmpcfg0", "t0"),
  asm.li("t0", encodeCsr("satp", { MODE: SV39, PPN: PAGE_TABLES / PAGE_BYTES })),
  asm.csrw("satp", "t0"),
  asm.li("t0", encodeCsr("mstatus", { MPP: 1 })),
  asm.csrw("mstatus", "t0"),
  asm.la("t0", "start"),
  asm.li("t1", ORIGIN - VIRTUAL_BASE),
  asm.sub("t0", "t0", "t1"),
  asm.csrw("mepc", "t0"),
  asm.mret(),
];

/** Which guest to build. */
export interface MixOptions {
  readonly sv39: boolean;
  readonly rounds: number;
  /** How it ends: asleep with the result in s3, or by switching off with the result's low 16 bits as exit code. */
  readonly ends?: "wfi" | "poweroff";
}

const sleep: readonly Item[] = [asm.label("done"), asm.wfi(), asm.j("done")];

/** The test finisher takes `code << 16 | 0x3333` for "failed with this code". */
const switchOff: readonly Item[] = [
  asm.slli("t1", "s3", 48),
  asm.srli("t1", "t1", 32),
  asm.li("t2", 0x3333),
  asm.or("t1", "t1", "t2"),
  asm.li("t0", VIRT_MAP.testFinisher.base),
  asm.sw("t1", 0, "t0"),
];

/** Builds the guest for a number of rounds. */
export function mixGuest({ sv39, rounds, ends = "wfi" }: MixOptions): MixGuest {
  const shift = sv39 ? ORIGIN - VIRTUAL_BASE : 0n;
  const assembled = program({ origin: ORIGIN }, [
    ...(sv39 ? enterSupervisor : []),
    asm.label("start"),
    asm.li("s0", TABLE - shift),
    asm.li("s1", SCRATCH - shift),
    asm.li("s2", rounds),
    asm.li("s3", 0),
    asm.li("s4", GOLDEN),
    asm.li("a0", SEED),
    ...round,
    ...(ends === "wfi" ? sleep : switchOff),
    ...random,
  ]);
  if (assembled.kind !== "program") throw new Error(assembled.message);
  return { program: assembled, tables: sv39 ? pageTables() : [] };
}

const POINTER = 0x01n; // V
const LEAF = 0xcfn; // D A X W R V
const pte = (address: bigint, flags: bigint): bigint => ((address / PAGE_BYTES) << 10n) | flags;

/** Three levels down to 4 KiB pages: 4 MiB of RAM at {@link VIRTUAL_BASE}; the devices stay at their addresses. */
function pageTables(): MixGuest["tables"] {
  const root = new BigUint64Array(512);
  const middle = new BigUint64Array(512);
  const leaves = new BigUint64Array(Number(MAPPED_BYTES / PAGE_BYTES));
  const [middleAt, leavesAt] = [PAGE_TABLES + PAGE_BYTES, PAGE_TABLES + 2n * PAGE_BYTES];
  root[0] = pte(0n, LEAF); // a gigapage: the devices, where they are
  root[Number(VIRTUAL_BASE >> 30n)] = pte(middleAt, POINTER);
  middle[0] = pte(leavesAt, POINTER);
  middle[1] = pte(leavesAt + PAGE_BYTES, POINTER);
  for (let page = 0; page < leaves.length; page++)
    leaves[page] = pte(ORIGIN + BigInt(page) * PAGE_BYTES, LEAF);
  return [
    { paddr: PAGE_TABLES, entries: root },
    { paddr: middleAt, entries: middle },
    { paddr: leavesAt, entries: leaves },
  ];
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** What the guest's sum must be, by plain arithmetic on a plain table. */
export function mixModel(rounds: number): bigint {
  const table = new BigUint64Array(TABLE_WORDS);
  let state = SEED;
  let sum = 0n;
  for (let left = rounds; left > 0; left--) {
    state ^= u64(state << 13n);
    state ^= state >> 7n;
    state ^= u64(state << 17n);
    const at = Number(state % BigInt(TABLE_WORDS));
    const value = u64((table[at] ?? 0n) + state);
    table[at] = value;
    sum = u64(sum + BigInt.asIntN(32, value >> 32n));
    sum = state % 2n === 1n ? sum ^ value : u64(sum + BigInt(left));
    sum += (value >> (8n * (state >> 61n))) & 0xffn;
    sum = u64(sum) ^ (u64(value * GOLDEN) >> 32n);
    if (left % 8 === 0) {
      const divisor = (state >> 40n) | 1n;
      sum = u64(sum + sum / divisor - (sum % divisor));
    }
    sum = u64(sum + ((sum + BigInt(left)) & 0xffffn));
  }
  return sum;
}
