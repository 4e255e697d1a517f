/*
 * Integer mix: 4,096 random places in a table of 256 KiB. Accesses of all widths, a multiplication, branches that depend on
 * data, a division every eighth time.
 */
#include "bench.h"

#define STEPS 4096
#define WORDS 32768
#define GOLDEN 0x9e3779b97f4a7c15UL

static union word {
  u64 whole;
  int half[2];
  u8 bytes[8];
} table[WORDS];
static volatile unsigned short scratch;

/* A call, as most programs make many. */
static __attribute__((noinline)) u64 next(u64 state) {
  next_word(&state);
  return state;
}

u64 run(u64 rounds) {
  u64 state = 0x123456789abcdef1UL, sum = 0;
  for (u64 left = rounds * STEPS; left > 0; left--) {
    state = next(state);
    union word *place = &table[state % WORDS];
    u64 value = place->whole + state;
    place->whole = value;
    sum += (u64)(long)place->half[1];
    if (state & 1) sum ^= value;
    else sum += left;
    sum += place->bytes[state >> 61];
    sum ^= value * GOLDEN >> 32;
    if (left % 8 == 0) {
      u64 divisor = state >> 40 | 1;
      sum = sum + sum / divisor - sum % divisor;
    }
    scratch = (unsigned short)((u32)sum + (u32)left);
    sum += scratch;
  }
  return sum;
}
