/* Five programs for U-mode: two that behave, three that reach for what is not theirs. */
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "layout.h"

static inline uint64_t system_call(uint64_t number, uint64_t first, uint64_t second) {
  register uint64_t a0 __asm__("a0") = first;
  register uint64_t a1 __asm__("a1") = second;
  register uint64_t a7 __asm__("a7") = number;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a7) : "memory");
  return a0;
}

static uint64_t write(const char *text, size_t length) {
  return system_call(SYS_WRITE, (uintptr_t)text, length);
}

static uint64_t ticks(void) { return system_call(SYS_TICKS, 0, 0); }

static void yield(void) { system_call(SYS_YIELD, 0, 0); }

static void exit(uint64_t code) {
  system_call(SYS_EXIT, code, 0);
}

static void say(const char *text) {
  size_t length = 0;
  while (text[length] != '\0') length++;
  write(text, length);
}

/* A while in U-mode without a system call: the timer finds its own way in. */
static void work(void) {
  volatile uint32_t sum = 0;
  for (uint32_t i = 0; i < 500; i++) sum += i * i;
}

/* The kernel's memory: what the three intruders are after. */
#define KERNEL_MEMORY (RAM_BASE + MACHINE_BYTES)

void hello(void) {
  say("hello: I live in U-mode\n");
  yield();
  if (write((const char *)KERNEL_MEMORY, 16) == (uint64_t)-1) say("hello: the kernel does not print its own memory for me\n");
  exit(0);
}

void waiter(void) {
  uint64_t start = ticks();
  while (ticks() < start + 3) work();
  say("waiter: three timer interrupts came and went\n");
  exit(3);
}

void prober(void) {
  say("prober: reading the kernel's memory\n");
  volatile uint64_t secret = *(volatile uint64_t *)KERNEL_MEMORY;
  (void)secret;
  say("prober: nobody stopped me\n");
  exit(1);
}

void scribbler(void) {
  say("scribbler: writing over my own code\n");
  *(volatile uint32_t *)(uintptr_t)scribbler = 0;
  say("scribbler: nobody stopped me\n");
  exit(1);
}

void jumper(void) {
  volatile uint32_t code[] = {0x00008067}; /* ret */
  say("jumper: running code on my stack\n");
  ((void (*)(void))(uintptr_t)code)();
  say("jumper: nobody stopped me\n");
  exit(1);
}
