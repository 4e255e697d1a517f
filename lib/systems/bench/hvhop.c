/*
 * Pointers from page to page in a guest: PAGES (the recipe's) in random order, each mapped by itself in both stages.
 *
 * QEMU's table of translations has 256 entries until it is emptied while many are in use, which never happens here. One hop
 * on QEMU 7.2 and 10.0 takes so many ns (the best of three, same machine and run):
 *   256 pages 7 and 7; 1,024 pages 244 and 249; 2,048 pages 248 and 268; 4,096 pages 257 and 293; 8,192 pages 362 and 370.
 * So with 2,048 it walks both stages at nearly every hop, and with 256 at none.
 */
#include "bench.h"

#define ENTRIES 512
#define TABLES ((PAGES + ENTRIES - 1) / ENTRIES)
#define GUEST_VIRTUAL 0x40000000UL
#define GUEST_PHYSICAL 0x100000000UL

u64 in_guest(u64 (*work)(u64), u64 argument, u64 vsatp, u64 hgatp);

typedef u64 table[ENTRIES];
static table first_root, first_middle, first_last[TABLES] __attribute__((aligned(4096)));
static table second_middle, second_last[TABLES] __attribute__((aligned(4096)));
static u64 second_root[2048] __attribute__((aligned(16384)));
static u64 frames[PAGES][ENTRIES] __attribute__((aligned(4096)));

static u64 work(u64 rounds) {
  u64 sum = 0;
  const u64 *at = (const u64 *)GUEST_VIRTUAL;
  for (u64 round = 0; round < rounds; round++)
    for (int hop = 0; hop < PAGES; hop++) sum += at[1], at = (const u64 *)at[0];
  return sum;
}

u64 run(u64 rounds) {
  static u32 order[PAGES];
  u64 seed = 88172645463325252UL;
  for (u32 i = 0; i < PAGES; i++) order[i] = i;
  /* Page 0 stays first. */
  for (u32 i = PAGES - 1; i > 1; i--) {
    u32 j = 1 + (u32)(next_word(&seed) % i), swapped = order[i];
    order[i] = order[j], order[j] = swapped;
  }
  for (u32 i = 0; i < PAGES; i++) {
    u64 *frame = frames[order[i]];
    frame[0] = GUEST_VIRTUAL + order[(i + 1) % PAGES] * PAGE_BYTES;
    frame[1] = next_word(&seed);
    first_last[i / ENTRIES][i % ENTRIES] = pte(GUEST_PHYSICAL + i * PAGE_BYTES, PTE_LEAF);
    second_last[i / ENTRIES][i % ENTRIES] = pte((u64)frames[i], PTE_USER_LEAF);
  }
  for (u32 i = 0; i < TABLES; i++) {
    first_middle[i] = pte((u64)first_last[i], PTE_V);
    second_middle[i] = pte((u64)second_last[i], PTE_V);
  }
  first_root[2] = pte(0x80000000UL, PTE_LEAF);
  first_root[1] = pte((u64)first_middle, PTE_V);
  second_root[2] = pte(0x80000000UL, PTE_USER_LEAF);
  second_root[4] = pte((u64)second_middle, PTE_V);
  return in_guest(work, rounds, 8UL << 60 | (u64)first_root >> 12, 8UL << 60 | (u64)second_root >> 12);
}
