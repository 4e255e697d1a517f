/* Why a process stopped running, and what happens next. */
#include "kernel.h"

#define INTERRUPT (UINT64_C(1) << 63)
enum { TIMER = 5 };
enum { ECALL = 8, FETCH_PAGE = 12, LOAD_PAGE = 13, STORE_PAGE = 15 };

uint64_t ticks;

static void kill(uint64_t cause, uint64_t tval) {
  const char *what = cause == FETCH_PAGE   ? " ran code at "
                     : cause == LOAD_PAGE  ? " read "
                     : cause == STORE_PAGE ? " wrote "
                                           : " did what it may not at ";
  print("kernel: ");
  print(current->name);
  print(what);
  print_hex(tval);
  print(", which is not allowed\n");
  end_process(" was killed, cause ", cause);
}

/* Prints a process's bytes, page by page: a process gets printed only what it could have read itself. */
static uint64_t write(uint64_t text, uint64_t length) {
  for (uint64_t done = 0; done < length;) {
    const char *bytes = user_byte(current->page_table, text + done);
    if (bytes == NULL) return -1;
    uint64_t rest_of_page = PAGE_SIZE - (text + done) % PAGE_SIZE;
    uint64_t count = length - done < rest_of_page ? length - done : rest_of_page;
    print_bytes(bytes, count);
    done += count;
  }
  return length;
}

static struct frame *system_call(struct frame *frame) {
  uint64_t *result = frame_reg(frame, A0);
  frame->pc += 4;
  switch (*frame_reg(frame, A7)) {
    case SYS_WRITE:
      *result = write(*frame_reg(frame, A0), *frame_reg(frame, A1));
      return frame;
    case SYS_TICKS:
      *result = ticks;
      return frame;
    case SYS_YIELD:
      return next_process();
    case SYS_EXIT:
      end_process(" exited with ", *frame_reg(frame, A0));
      return next_process();
    default:
      *result = -1;
      return frame;
  }
}

struct frame *handle_trap(struct frame *frame, uint64_t cause, uint64_t tval) {
  if (cause == (INTERRUPT | TIMER)) {
    ticks++;
    timer_in(TICK_LENGTH);
    return frame;
  }
  if (cause == ECALL) return system_call(frame);
  kill(cause, tval);
  return next_process();
}
