/* Switching between two address spaces, as a scheduler does: satp, SFENCE.VMA, then 16 pages touched. */
#include "bench.h"

#define PAGES 16
#define WINDOW 0x40000000UL

typedef u64 table[512];
static table roots[2], middles[2], lasts[2] __attribute__((aligned(4096)));
static u64 frames[2][PAGES][512] __attribute__((aligned(4096)));

/* In supervisor.S: calls work(argument) in supervisor mode, and comes back to machine mode with what it returned. */
u64 in_supervisor_mode(u64 (*work)(u64), u64 argument);

static u64 satp_of(int space) { return 8UL << 60 | (u64)roots[space] >> 12; }

static u64 work(u64 rounds) {
  u64 sum = 0;
  for (u64 round = 0; round < rounds; round++) {
    __asm__ volatile("csrw satp, %0\n sfence.vma" ::"r"(satp_of(round & 1)) : "memory");
    for (u64 page = 0; page < PAGES; page++) {
      volatile u64 *word = (volatile u64 *)(WINDOW + page * PAGE_BYTES);
      sum = sum * 31 + (*word += page + round);
    }
  }
  __asm__ volatile("csrw satp, zero\n sfence.vma" ::: "memory");
  return sum;
}

u64 run(u64 rounds) {
  for (int space = 0; space < 2; space++) {
    roots[space][2] = pte(0x80000000UL, PTE_LEAF); /* this program, where it is */
    roots[space][1] = pte((u64)middles[space], PTE_V);
    middles[space][0] = pte((u64)lasts[space], PTE_V);
    for (int page = 0; page < PAGES; page++) lasts[space][page] = pte((u64)frames[space][page], PTE_LEAF);
  }
  return in_supervisor_mode(work, rounds);
}
