/** Guests that share a hart, as assembly text. Each counts its work in `s0`. */

/** Works without end. */
export const BUSY = "again: addi s0, s0, 1\n j again";

/** Works for a while, sleeps for a while, by its own hart's timer; both in ticks of `time`. */
export const sleeper = (work: number, sleep: number): string => `li t0, 0x20
  csrw sie, t0
  li s2, ${work}
  li s3, ${sleep}
again: csrr t1, time
  add t1, t1, s2
work: addi s0, s0, 1
  csrr t2, time
  bltu t2, t1, work
  add t1, t2, s3
  csrw stimecmp, t1
  wfi
  li t1, -1
  csrw stimecmp, t1
  j again`;

/** Asks for a timer interrupt every so many ticks, by calls of its firmware, and prints a letter at each. */
export const beater = (letter: string, ticks: number): string => `la t0, beat
  csrw stvec, t0
  li t0, 0x20
  csrw sie, t0
  li s2, ${ticks}
  csrr s1, time
  add s1, s1, s2
  mv a0, s1
  li a7, 0x54494d45
  li a6, 0
  ecall
  csrsi sstatus, 2
work: addi s0, s0, 1
  j work
  .balign 4
beat: li a0, ${letter.charCodeAt(0)}
  li a7, 1
  ecall
  add s1, s1, s2
  mv a0, s1
  li a7, 0x54494d45
  li a6, 0
  ecall
  sret`;

/** Keeps a number in `sscratch`, works for a while, and prints `y` or `n`: whether it is still there. */
export const keeper = (number: number, rounds = 3_000): string => `li s1, ${number}
again: csrw sscratch, s1
  li t0, ${rounds}
work: addi s0, s0, 1
  addi t0, t0, -1
  bnez t0, work
  csrr t1, sscratch
  li a0, 121
  beq t1, s1, print
  li a0, 110
print: li a7, 1
  ecall
  j again`;

/** Works until shortly before each tick of a scheduler that samples, and sleeps over the tick. Ticks come at multiples of their length. */
export const thief = (tick: number, margin: number, after = 40): string => `li t0, 0x20
  csrw sie, t0
  li s3, ${tick}
again: csrr t1, time
  remu t2, t1, s3
  sub t1, t1, t2
  add s2, t1, s3
  li t3, ${margin}
  sub s4, s2, t3
work: addi s0, s0, 1
  csrr t1, time
  bltu t1, s4, work
  addi t1, s2, ${after}
  csrw stimecmp, t1
  wfi
  li t1, -1
  csrw stimecmp, t1
  j again`;
