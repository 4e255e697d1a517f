#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "layout.h"

/* ---- A process, and what its registers were when it last ran ---- */

enum { RA = 1, SP = 2, A0 = 10, A1 = 11, A7 = 17 };

struct frame {
  uint64_t pc;    /* offset FRAME_PC; start.S knows the order */
  uint64_t x[31]; /* x1 to x31 at FRAME_X(1) and up */
};

enum state { UNUSED, READY, DEAD };

struct process {
  struct frame frame;
  const char *name;
  enum state state;
  uint64_t *page_table; /* root, Sv39 */
};

static inline uint64_t *frame_reg(struct frame *frame, int number) { return &frame->x[number - 1]; }

/* ---- console.c ---- */
void console_start(void);
void print(const char *text);
void print_bytes(const char *bytes, size_t length);
void print_hex(uint64_t value);
void print_decimal(uint64_t value);

/* ---- memory.c ---- */
enum { PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_A = 64, PTE_D = 128 };

void *allocate_page(void);
void map(uint64_t *root, uint64_t virtual, uint64_t physical, size_t bytes, int permissions);
const char *user_byte(const uint64_t *root, uint64_t virtual);
void map_kernel(uint64_t *root);
void use_page_table(const uint64_t *root);

/* ---- process.c ---- */
extern struct process *current;
void start_process(const char *name, void (*program)(void));
struct frame *next_process(void);
void end_process(const char *how, uint64_t number);

/* ---- trap.c ---- */
extern uint64_t ticks;
struct frame *handle_trap(struct frame *frame, uint64_t cause, uint64_t tval);

/* ---- main.c ---- */
void panic(const char *why) __attribute__((noreturn));
void power_off(void) __attribute__((noreturn));

/* ---- start.S ---- */
void resume(struct frame *frame) __attribute__((noreturn));
void timer_in(uint64_t machine_ticks);

/* ---- user.c: programs, linked at user addresses ---- */
void hello(void);
void waiter(void);
void prober(void);
void scribbler(void);
void jumper(void);

/* ---- mini-kernel.ld: borders of the parts of the image; only their addresses mean something ---- */
extern char kernel_text[], kernel_rodata[], kernel_data[], kernel_end[];
extern char user_text[], user_rodata[], user_end[], user_load[];

/* ---- Control and status registers ---- */
#define csr_write(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"(value) : "memory")

static inline void store32(uintptr_t address, uint32_t value) { *(volatile uint32_t *)address = value; }
static inline void store8(uintptr_t address, uint8_t value) { *(volatile uint8_t *)address = value; }
static inline uint8_t load8(uintptr_t address) { return *(volatile uint8_t *)address; }

#endif
