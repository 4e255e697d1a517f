/* Processes. They take turns when they yield or end; the timer only counts, so that output does not depend on time. */
#include "kernel.h"

static struct process processes[PROCESS_COUNT];
struct process *current;

void start_process(const char *name, void (*program)(void)) {
  struct process *process = processes;
  while (process->state != UNUSED) process++;
  uint64_t *root = allocate_page();
  map_kernel(root);
  uint64_t text_bytes = user_rodata - user_text;
  map(root, (uintptr_t)user_text, (uintptr_t)user_load, text_bytes, PTE_U | PTE_R | PTE_X);
  map(root, (uintptr_t)user_rodata, (uintptr_t)user_load + text_bytes, user_end - user_rodata, PTE_U | PTE_R);
  map(root, USER_STACK_TOP - PAGE_SIZE, (uintptr_t)allocate_page(), PAGE_SIZE, PTE_U | PTE_R | PTE_W);

  process->name = name;
  process->state = READY;
  process->page_table = root;
  process->frame.pc = (uintptr_t)program;
  *frame_reg(&process->frame, SP) = USER_STACK_TOP;
}

/* The next process in a circle. When none is left the machine has nothing more to do. */
struct frame *next_process(void) {
  size_t from = current == NULL ? PROCESS_COUNT - 1 : (size_t)(current - processes);
  for (size_t step = 1; step <= PROCESS_COUNT; step++) {
    struct process *process = &processes[(from + step) % PROCESS_COUNT];
    if (process->state != READY) continue;
    current = process;
    use_page_table(process->page_table);
    return &process->frame;
  }
  print("kernel: no process left, powering off\n");
  power_off();
}

void end_process(const char *how, uint64_t number) {
  print("kernel: ");
  print(current->name);
  print(how);
  print_decimal(number);
  print("\n");
  current->state = DEAD;
}
