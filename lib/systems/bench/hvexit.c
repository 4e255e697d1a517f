/* A hypercall: from VS-mode to HS-mode and back, with all registers saved; the guest runs behind a second stage. */
#include "bench.h"

u64 in_guest(u64 (*work)(u64), u64 argument, u64 vsatp, u64 hgatp);
u64 hypercall(u64 sum, u64 word);

static u64 second_stage[2048] __attribute__((aligned(16384)));

static u64 work(u64 rounds) {
  u64 sum = 0;
  for (u64 round = 0; round < rounds; round++) sum = hypercall(sum, round);
  return sum;
}

u64 run(u64 rounds) {
  second_stage[2] = pte(0x80000000UL, PTE_USER_LEAF);
  return in_guest(work, rounds, 0, 8UL << 60 | (u64)second_stage >> 12);
}
