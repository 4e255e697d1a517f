/* An interpreter of a small stack machine, which counts primes: an indirect jump for every instruction. */
#include "bench.h"

enum { PUSH, LOAD, STORE, ADD, MOD, LESS, ZERO, JUMP, JUMP_IF, HALT };

/* Variables: 0 limit, 1 candidate, 2 divisor, 3 primes found. */
static const int program[] = {
    /*  0 */ PUSH, 2, STORE, 1,
    /*  4 */ LOAD, 1, LOAD, 0, LESS, ZERO, JUMP_IF, 57,  /* while candidate < limit */
    /* 12 */ PUSH, 2, STORE, 2,
    /* 16 */ LOAD, 2, LOAD, 1, LESS, ZERO, JUMP_IF, 41,  /* while divisor < candidate */
    /* 24 */ LOAD, 1, LOAD, 2, MOD, ZERO, JUMP_IF, 48,   /* it divides: no prime */
    /* 32 */ LOAD, 2, PUSH, 1, ADD, STORE, 2, JUMP, 16,
    /* 41 */ LOAD, 3, PUSH, 1, ADD, STORE, 3,            /* a prime */
    /* 48 */ LOAD, 1, PUSH, 1, ADD, STORE, 1, JUMP, 4,
    /* 57 */ HALT,
};

static u64 interpret(u64 limit) {
  u64 variables[4] = {limit, 0, 0, 0}, stack[16];
  u64 *top = stack;
  for (int pc = 0;;) {
    switch (program[pc]) {
    case PUSH: *top++ = (u64)program[pc + 1], pc += 2; break;
    case LOAD: *top++ = variables[program[pc + 1]], pc += 2; break;
    case STORE: variables[program[pc + 1]] = *--top, pc += 2; break;
    case ADD: top--, top[-1] += top[0], pc++; break;
    case MOD: top--, top[-1] %= top[0], pc++; break;
    case LESS: top--, top[-1] = top[-1] < top[0], pc++; break;
    case ZERO: top[-1] = top[-1] == 0, pc++; break;
    case JUMP: pc = program[pc + 1]; break;
    case JUMP_IF: pc = *--top ? program[pc + 1] : pc + 2; break;
    default: return variables[3];
    }
  }
}

u64 run(u64 rounds) {
  u64 sum = 0;
  for (u64 round = 0; round < rounds; round++) sum = sum * 31 + interpret(1000 + round % 8);
  return sum;
}
