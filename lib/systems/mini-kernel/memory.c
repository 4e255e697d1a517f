/*
 * Pages and page tables (Sv39). Nothing is both writable and executable, and nothing of the kernel carries PTE_U.
 */
#include "kernel.h"

enum { LEVELS = 3, INDEX_BITS = 9, PAGE_BITS = 12, PPN_SHIFT = 10 };
#define SATP_SV39 (UINT64_C(8) << 60)

/* Pages are handed out once, from the end of the image up, and never come back. */
static char *next_page = kernel_end;

void *allocate_page(void) {
  uint64_t *page = (uint64_t *)next_page;
  if (next_page == kernel_end + HEAP_BYTES) panic("out of pages");
  next_page += PAGE_SIZE;
  for (size_t i = 0; i < PAGE_SIZE / sizeof *page; i++) page[i] = 0;
  return page;
}

static size_t index_at(uint64_t virtual, int level) {
  return virtual >> (PAGE_BITS + INDEX_BITS * level) & ((1 << INDEX_BITS) - 1);
}

static uint64_t *target(uint64_t pte) { return (uint64_t *)(pte >> PPN_SHIFT << PAGE_BITS); }

static uint64_t pte_for(const void *page, int flags) {
  return (uintptr_t)page >> PAGE_BITS << PPN_SHIFT | flags;
}

static void map_page(uint64_t *table, uint64_t virtual, uint64_t physical, int permissions) {
  for (int level = LEVELS - 1; level > 0; level--) {
    uint64_t *pte = &table[index_at(virtual, level)];
    if ((*pte & PTE_V) == 0) *pte = pte_for(allocate_page(), PTE_V);
    table = target(*pte);
  }
  /* Accessed and dirty are set from the start: some harts fault where others would set them. */
  table[index_at(virtual, 0)] = pte_for((void *)physical, PTE_V | PTE_A | PTE_D | permissions);
}

void map(uint64_t *root, uint64_t virtual, uint64_t physical, size_t bytes, int permissions) {
  for (size_t offset = 0; offset < bytes; offset += PAGE_SIZE) {
    map_page(root, virtual + offset, physical + offset, permissions);
  }
}

/* Where the kernel finds a byte that U-mode may read at this address, or NULL. Every leaf here is at level 0. */
const char *user_byte(const uint64_t *root, uint64_t virtual) {
  const int needed = PTE_V | PTE_R | PTE_U;
  const uint64_t *table = root;
  if (virtual >> (PAGE_BITS + LEVELS * INDEX_BITS - 1) != 0) return NULL; /* not canonical, or the negative half */
  for (int level = LEVELS - 1; level > 0; level--) {
    uint64_t pte = table[index_at(virtual, level)];
    if ((pte & PTE_V) == 0) return NULL;
    table = target(pte);
  }
  uint64_t leaf = table[index_at(virtual, 0)];
  if ((leaf & needed) != needed) return NULL;
  return (const char *)target(leaf) + virtual % PAGE_SIZE;
}

static void map_same(uint64_t *root, uintptr_t start, uintptr_t end, int permissions) {
  map(root, start, start, end - start, permissions);
}

/* The kernel sees physical memory at its own addresses: each part of the image with its own permissions, the pages
   that are handed out, and two devices. Machine mode's pages and the CLINT are not there. */
void map_kernel(uint64_t *root) {
  map_same(root, (uintptr_t)kernel_text, (uintptr_t)kernel_rodata, PTE_R | PTE_X);
  map_same(root, (uintptr_t)kernel_rodata, (uintptr_t)kernel_data, PTE_R);
  map_same(root, (uintptr_t)kernel_data, (uintptr_t)kernel_end + HEAP_BYTES, PTE_R | PTE_W);
  map_same(root, UART_BASE, UART_BASE + PAGE_SIZE, PTE_R | PTE_W);
  map_same(root, FINISHER_BASE, FINISHER_BASE + PAGE_SIZE, PTE_R | PTE_W);
}

void use_page_table(const uint64_t *root) {
  csr_write(satp, SATP_SV39 | (uintptr_t)root >> PAGE_BITS);
  __asm__ volatile("sfence.vma" ::: "memory");
}
