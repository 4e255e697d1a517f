/* 1,500 different functions, called in turn: code that fits in no cache of translations by accident. */
#include "bench.h"

#define FUNCTION(n)                                                     \
  static __attribute__((noinline)) u64 f##n(u64 x, u64 y) {             \
    for (int i = 0; i < 3; i++) {                                       \
      x += (y ^ 0x##n##5bd1UL) * (2 * 0x##n##UL + 1);                   \
      if ((x >> (0x##n % 23)) & 1) y = (y << 7 | y >> 57) + 0x##n##UL;  \
      else y ^= x >> (0x##n % 29 + 1);                                  \
      if (y % (0x##n % 7 + 3) == 0) x ^= y * 0x##n##3UL;                \
    }                                                                   \
    return x + y * 0x##n##UL;                                           \
  }
#define ENTRY(n) f##n,

/* Numbers of four hexadecimal digits from 1000 up, ten and a hundred at a time: 15 hundreds. */
#define TEN(M, p) M(p##0) M(p##1) M(p##2) M(p##3) M(p##4) M(p##5) M(p##6) M(p##7) M(p##8) M(p##9)
#define HUNDRED(M, p)                                                                  \
  TEN(M, p##0) TEN(M, p##1) TEN(M, p##2) TEN(M, p##3) TEN(M, p##4)                     \
  TEN(M, p##5) TEN(M, p##6) TEN(M, p##7) TEN(M, p##8) TEN(M, p##9)
#define ALL(M)                                                                                   \
  HUNDRED(M, 10) HUNDRED(M, 11) HUNDRED(M, 12) HUNDRED(M, 13) HUNDRED(M, 14)                     \
  HUNDRED(M, 15) HUNDRED(M, 16) HUNDRED(M, 17) HUNDRED(M, 18) HUNDRED(M, 19)                     \
  HUNDRED(M, 20) HUNDRED(M, 21) HUNDRED(M, 22) HUNDRED(M, 23) HUNDRED(M, 24)

ALL(FUNCTION)
static u64 (*const functions[])(u64, u64) = {ALL(ENTRY)};

u64 run(u64 rounds) {
  u64 x = 88172645463325252UL, count = sizeof functions / sizeof functions[0];
  for (u64 round = 0; round < rounds; round++)
    for (u64 i = 0; i < count; i++) x = functions[i](x, round + i);
  return x;
}
