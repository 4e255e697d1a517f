/* The kernel from its first line of C to its last. */
#include "kernel.h"

#define DEVICE_TREE_MAGIC 0xedfe0dd0 /* d0 0d fe ed, read as a little-endian word */
#define SIE_STIE 0x20

void power_off(void) {
  store32(FINISHER_BASE, FINISHER_PASS);
  for (;;) {
  }
}

void panic(const char *why) {
  print("kernel: panic: ");
  print(why);
  print("\n");
  store32(FINISHER_BASE, 1 << 16 | FINISHER_FAIL);
  for (;;) {
  }
}

void kernel_main(uint64_t hart, const uint32_t *device_tree) {
  console_start();
  print("mini-kernel: S-mode on hart ");
  print_decimal(hart);
  print(*device_tree == DEVICE_TREE_MAGIC ? ", device tree found\n" : ", no device tree\n");

  start_process("hello", hello);
  start_process("prober", prober);
  start_process("scribbler", scribbler);
  start_process("jumper", jumper);
  start_process("waiter", waiter);

  struct frame *first = next_process();
  print("kernel: Sv39 on, five processes ready\n");
  csr_write(sie, SIE_STIE);
  timer_in(TICK_LENGTH);
  resume(first);
}
