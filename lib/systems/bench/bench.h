/* What every benchmark has: a number of rounds that the host puts into the image, and a result that it reads back. */
#ifndef BENCH_H
#define BENCH_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

#define PAGE_BYTES 4096UL
#define PTE_V 0x01UL
#define PTE_LEAF 0xcfUL      /* V R W X, A and D set: machine's and supervisor's */
#define PTE_USER_LEAF 0xdfUL /* the same for user mode, and for every second stage */

/* Host's to set before the first instruction. Its place is in the symbol table. */
extern volatile u64 bench_rounds;

/* The work. Returns a word that depends on all of it. */
u64 run(u64 rounds);

/* Random words that depend on nothing: xorshift64, shifts 13, 7 and 17. */
static inline u64 next_word(u64 *state) {
  u64 x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

static inline u64 pte(u64 address, u64 flags) { return ((address >> 12) << 10) | flags; }

#endif
