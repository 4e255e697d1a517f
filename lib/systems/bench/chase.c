/* Following a chain of 4,096 pointers in random order through 256 KiB: each load waits for the one before it. */
#include "bench.h"

#define NODES 4096

static struct node {
  struct node *next;
  u64 value, unused[6];
} nodes[NODES];

u64 run(u64 rounds) {
  static u32 order[NODES];
  u64 seed = 88172645463325252UL, sum = 0;
  for (u32 i = 0; i < NODES; i++) order[i] = i;
  for (u32 i = NODES - 1; i > 0; i--) {
    u32 j = (u32)(next_word(&seed) % (i + 1)), swapped = order[i];
    order[i] = order[j], order[j] = swapped;
  }
  for (u32 i = 0; i < NODES; i++) {
    nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
    nodes[order[i]].value = next_word(&seed);
  }
  struct node *at = &nodes[order[0]];
  for (u64 round = 0; round < rounds; round++)
    for (u32 i = 0; i < NODES; i++) sum += at->value, at = at->next;
  return sum;
}
