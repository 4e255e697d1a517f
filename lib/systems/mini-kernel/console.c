/* Output through the 16550 serial port, one byte at a time, waiting while it is busy. */
#include "kernel.h"

enum { THR = 0, FCR = 2, LCR = 3, LSR = 5 };
enum { FIFO_ON = 1, EIGHT_BITS = 3, THR_EMPTY = 0x20 };

void console_start(void) {
  store8(UART_BASE + LCR, EIGHT_BITS);
  store8(UART_BASE + FCR, FIFO_ON);
}

static void put(char byte) {
  while ((load8(UART_BASE + LSR) & THR_EMPTY) == 0) {
  }
  store8(UART_BASE + THR, byte);
}

void print_bytes(const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) put(bytes[i]);
}

void print(const char *text) {
  for (; *text != '\0'; text++) put(*text);
}

void print_hex(uint64_t value) {
  print("0x");
  for (int shift = 60; shift >= 0; shift -= 4) {
    if (shift != 0 && value >> shift == 0) continue;
    put("0123456789abcdef"[value >> shift & 15]);
  }
}

void print_decimal(uint64_t value) {
  if (value >= 10) print_decimal(value / 10);
  put('0' + value % 10);
}
