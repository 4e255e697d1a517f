/* Writing a function, FENCE.I, calling it ten times: what a just-in-time compiler does. */
#include "bench.h"

static u32 code[4] __attribute__((aligned(16)));

u64 run(u64 rounds) {
  u64 (*volatile function)(u64) = (u64(*)(u64))code;
  u64 sum = 0;
  code[1] = 0x00008067; /* ret */
  for (u64 round = 0; round < rounds; round++) {
    code[0] = 0x00050513 | (u32)(round & 0x7ff) << 20; /* addi a0, a0, round */
    __asm__ volatile("fence.i" ::: "memory");
    for (int i = 0; i < 10; i++) sum = function(sum * 31);
  }
  return sum;
}
