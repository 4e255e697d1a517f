/* A system call: from user mode to machine mode and back, with all registers saved. */
#include "bench.h"

/* In ecall-trap.S: runs user_loop(rounds) in user mode until its last call. */
u64 in_user_mode(u64 rounds);

u64 run(u64 rounds) { return in_user_mode(rounds); }
