/* Quicksort of 131,072 random words: data-dependent branches. */
#include "bench.h"

#define COUNT 131072

static u64 words[COUNT];

static void sort(u64 *low, u64 *high) {
  while (low < high) {
    u64 pivot = low[(high - low) / 2];
    u64 *left = low, *right = high;
    do {
      while (*left < pivot) left++;
      while (*right > pivot) right--;
      if (left <= right) {
        u64 word = *left;
        *left++ = *right;
        *right-- = word;
      }
    } while (left <= right);
    if (right - low < high - left) {
      sort(low, right);
      low = left;
    } else {
      sort(left, high);
      high = right;
    }
  }
}

u64 run(u64 rounds) {
  u64 seed = 88172645463325252UL, sum = 0;
  for (u64 round = 0; round < rounds; round++) {
    for (u64 i = 0; i < COUNT; i++) words[i] = next_word(&seed);
    sort(words, words + COUNT - 1);
    for (u64 i = 0; i < COUNT; i++) sum = sum * 31 + words[i];
  }
  return sum;
}
