/** The benchmark guests: C programs that do `bench_rounds` rounds of one kind of work and leave a word that depends on all of it. */

/** One of them. */
export interface BenchGuest {
  /** Asset path of the image. */
  readonly asset: string;
  /** What it makes a machine do. */
  readonly about: string;
}

const guest = (name: string, about: string): BenchGuest => ({ asset: `images/bench-${name}.elf`, about });

/** By name, in the order of tables. */
export const BENCH_GUESTS = {
  mix: guest("mix", "random places in 256 KiB: calls, branches, a multiplication, a division now and then"),
  sha256: guest("sha256", "SHA-256 of 16 KiB: 32-bit arithmetic, few branches"),
  qsort: guest("qsort", "quicksort of 131,072 words: branches that depend on data"),
  bytecode: guest("bytecode", "an interpreter that counts primes: indirect jumps"),
  chase: guest("chase", "4,096 pointers in random order: each load waits for the last"),
  memcpy: guest("memcpy", "a mebibyte there and back: loads and stores"),
  matmul: guest("matmul", "96 × 96 doubles, multiplication and addition apart"),
  "matmul-fused": guest("matmul-fused", "the same with fused multiply-add"),
  bigcode: guest("bigcode", "1,500 functions in turn: code that no cache holds by accident"),
  ecall: guest("ecall", "a system call from user to machine mode and back, registers saved"),
  ptswitch: guest("ptswitch", "satp, SFENCE.VMA and 16 pages touched"),
  fencei: guest("fencei", "code written, FENCE.I, ten calls"),
  hvexit: guest("hvexit", "a hypercall from VS-mode to HS-mode and back, registers saved"),
  hvhop: guest(
    "hvhop",
    "pointers from page to page behind two stages of translation, 2,048 pages: QEMU walks",
  ),
  "hvhop-near": guest("hvhop-near", "the same with 256 pages, all of which QEMU remembers: nobody walks"),
} as const satisfies Record<string, BenchGuest>;
/** Name of a benchmark guest. */
export type BenchGuestName = keyof typeof BENCH_GUESTS;

/** Symbol of the word that the host sets before the first instruction: how often to do the work. */
export const ROUNDS_SYMBOL = "bench_rounds";
/** Symbol of the word that holds the result in the end; it is printed too, as 16 hexadecimal digits. */
export const RESULT_SYMBOL = "bench_result";
