/**
 * A program that asks an IOMMU for translations through its debug registers, and leaves the answers and the fault queue in
 * RAM. It is the same for every IOMMU; tables and requests are words that the test puts into RAM beside it.
 */
import { assembled } from "./assembled.ts";
import { elf } from "./elf-file.ts";

export const IOMMU_BASE = 0x301_0000;
const RAM = 0x8000_0000;
const REQUESTS = 0x8001_0000;
const RESPONSES = 0x8002_0000;
const FAULTS = 0x8003_0000;
export const MAX_REQUESTS = 1000;
/** 128 records of 32 bytes: one page. */
const FAULT_QUEUE_LOG2SZ_1 = 6;

/** One question. */
export interface Request {
  readonly iova: bigint;
  /** `tr_req_ctl` without Go. */
  readonly control: bigint;
}

/** What stands in RAM, and what is asked. */
export interface Scenario {
  /** `ddtp`. */
  readonly directory: bigint;
  readonly words: ReadonlyMap<number, bigint>;
  readonly requests: readonly Request[];
}

/** What an IOMMU answered. */
export interface Answers {
  readonly capabilities: bigint;
  readonly responses: readonly bigint[];
  /** Four words each. The queue holds 127 at most. */
  readonly faults: readonly (readonly bigint[])[];
}

const PROGRAM = `
    li s0, ${IOMMU_BASE}
    li s1, ${REQUESTS}
    li s2, ${RESPONSES}
    ld t0, 0(s0)
    sd t0, 0(s2)
    li t0, ${(FAULTS >> 12) >>> 0}
    li t1, 0xfffff
    and t0, t0, t1
    slli t0, t0, 10
    ori t0, t0, ${FAULT_QUEUE_LOG2SZ_1}
    sd t0, 40(s0)
    li t0, 1
    sw t0, 76(s0)
  wait:
    lwu t0, 76(s0)
    srli t0, t0, 16
    andi t0, t0, 1
    beqz t0, wait
    ld t0, 0(s1)
    sd t0, 16(s0)
    ld s3, 8(s1)
    addi s1, s1, 16
    addi s2, s2, 16
  again:
    beqz s3, done
    ld t0, 0(s1)
    sd t0, 600(s0)
    ld t0, 8(s1)
    ori t0, t0, 1
    sd t0, 608(s0)
  busy:
    ld t0, 608(s0)
    andi t0, t0, 1
    bnez t0, busy
    ld t0, 616(s0)
    sd t0, 0(s2)
    addi s1, s1, 16
    addi s2, s2, 8
    addi s3, s3, -1
    j again
  done:
    lwu t0, 52(s0)
    li s2, ${RESPONSES}
    sd t0, 8(s2)
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
  stop: j stop`;

/** The scenario as an ELF file. */
export function scenarioElf({ directory, words, requests }: Scenario): Uint8Array {
  if (requests.length > MAX_REQUESTS) throw new Error("too many requests for one image");
  const all = new Map(words);
  all.set(REQUESTS, directory);
  all.set(REQUESTS + 8, BigInt(requests.length));
  for (const [index, { iova, control }] of requests.entries()) {
    all.set(REQUESTS + 16 + 16 * index, iova);
    all.set(REQUESTS + 24 + 16 * index, control);
  }
  const last = Math.max(...all.keys());
  const bytes = new Uint8Array(last + 8 - RAM);
  bytes.set(assembled(PROGRAM).bytes);
  const view = new DataView(bytes.buffer);
  for (const [address, word] of all) view.setBigUint64(address - RAM, BigInt.asUintN(64, word), true);
  return elf([{ paddr: BigInt(RAM), bytes }]);
}

/** Reads the answers out of RAM. */
export function answersIn(ram: Uint8Array, scenario: Scenario): Answers {
  const view = new DataView(ram.buffer, ram.byteOffset);
  const word = (address: number): bigint => view.getBigUint64(address - RAM, true);
  const tail = Number(word(RESPONSES + 8));
  return {
    capabilities: word(RESPONSES),
    responses: scenario.requests.map((_, index) => word(RESPONSES + 16 + 8 * index)),
    faults: Array.from({ length: tail }, (_, record) =>
      [0, 8, 16, 24].map((offset) => word(FAULTS + 32 * record + offset)),
    ),
  };
}
