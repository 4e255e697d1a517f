/* Prints the result in hexadecimal, so that the peer can be asked too. */
#include "bench.h"
#include "board.h"

void print_result(u64 word);

static void put(char letter) { *(volatile u8 *)UART_BASE = (u8)letter; }

void print_result(u64 word) {
  for (int shift = 60; shift >= 0; shift -= 4) put("0123456789abcdef"[(word >> shift) & 15]);
  put('\n');
}
