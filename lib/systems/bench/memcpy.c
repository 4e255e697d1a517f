/* Copying a mebibyte there and back by 64-bit words. The buffers are a mebibyte apart, as two neighbors are. */
#include "bench.h"

#define WORDS 131072

static u64 one[WORDS], other[WORDS];

static void copy(u64 *to, const u64 *from) {
  for (u32 i = 0; i < WORDS; i += 8) {
    u64 a = from[i], b = from[i + 1], c = from[i + 2], d = from[i + 3];
    to[i] = a, to[i + 1] = b, to[i + 2] = c, to[i + 3] = d;
    a = from[i + 4], b = from[i + 5], c = from[i + 6], d = from[i + 7];
    to[i + 4] = a, to[i + 5] = b, to[i + 6] = c, to[i + 7] = d;
  }
}

u64 run(u64 rounds) {
  u64 seed = 88172645463325252UL, sum = 0;
  for (u32 i = 0; i < WORDS; i++) one[i] = next_word(&seed);
  for (u64 round = 0; round < rounds; round++) {
    one[round % WORDS] += round;
    copy(other, one);
    other[(round * 7) % WORDS] ^= round;
    copy(one, other);
  }
  for (u32 i = 0; i < WORDS; i++) sum = sum * 31 + one[i];
  return sum;
}
