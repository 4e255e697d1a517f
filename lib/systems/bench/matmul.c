/* Multiplying matrices of 96 x 96 doubles. Compiled twice: with separate multiplication and addition, and fused. */
#include "bench.h"

#define N 96

static double a[N][N], b[N][N], c[N][N];

static u64 bits_of(double number) {
  union {
    double number;
    u64 bits;
  } both = {number};
  return both.bits;
}

u64 run(u64 rounds) {
  u64 seed = 88172645463325252UL, sum = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      a[i][j] = (double)(int)(next_word(&seed) % 2001 - 1000) / 1000;
      b[i][j] = (double)(int)(next_word(&seed) % 2001 - 1000) / 1000;
    }
  for (u64 round = 0; round < rounds; round++) {
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++) {
        double total = 0;
        for (int k = 0; k < N; k++) total += a[i][k] * b[k][j];
        c[i][j] = total;
      }
    a[round % N][(round * 5) % N] = c[(round * 3) % N][round % N] / 64;
  }
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) sum = sum * 31 + bits_of(c[i][j]);
  return sum;
}
