/**
 * Where everything of an image of random programs is. An image holds up to 500 programs; each has a descriptor (what the hart
 * is set to before it), code, two pages of its own, and a place for what it leaves.
 */

export const RAM_START = 0x8000_0000;
export const MAX_PROGRAMS = 500;

/** The fixed part: setup, handlers, dump. */
export const HARNESS = RAM_START;
/** Where handlers keep registers: one area for each handler's mode, 64 bytes apart. */
export const AREA = 0x8000_4000;
/** A machine that knows the `tohost` convention ends when 1 is stored here. */
export const TOHOST = 0x8000_4800;
/** Page tables, a page each. The window's lowest table is filled from the descriptor before each program. */
export const TABLES = {
  own: { root: 0x8000_5000, middle: 0x8000_6000, lowest: 0x8000_7000 },
  guest: { root: 0x8000_8000, middle: 0x8000_9000, lowest: 0x8000_a000 },
  /** The second stage's root has four pages. */
  second: { root: 0x8000_c000, middle: 0x8001_0000, lowest: 0x8001_1000 },
} as const;

export const DESCRIPTORS = 0x8010_0000;
export const DESCRIPTOR_WORDS = 128;
export const RESULTS = 0x8020_0000;
export const RESULT_WORDS = 256;
export const CODE = 0x8040_0000;
export const CODE_BYTES = 2048;
export const PAGES = 0x8060_0000;
/** Two pages for each program. */
export const PAGES_BYTES = 0x2000;
export const RAM_END = PAGES + MAX_PROGRAMS * PAGES_BYTES;

/** Virtual addresses. All RAM is mapped onto itself for S-mode, and once more for U-mode. */
export const USER_ALIAS = 0x1_0000_0000;
/** Eight pages as the program has them, and behind them one superpage. */
export const WINDOW = 0xc000_0000;
export const WINDOW_PAGES = 8;
export const SUPERPAGE = 0xc020_0000;
/** The same in guest-physical space. */
export const GUEST_WINDOW = 0x1_4000_0000;
export const GUEST_SUPERPAGE = 0x1_4020_0000;
/** Nobody answers here. */
export const NOBODY = 0x0800_0000;

/** Words of a descriptor. */
export const WORD = {
  entry: 0,
  mstatus: 1,
  end: 2,
  satp: 3,
  medeleg: 4,
  mideleg: 5,
  mie: 6,
  mip: 7,
  mcounteren: 8,
  scounteren: 9,
  menvcfg: 10,
  fcsr: 11,
  hstatus: 12,
  hedeleg: 13,
  hideleg: 14,
  hvip: 15,
  hcounteren: 16,
  henvcfg: 17,
  vsstatus: 18,
  vsatp: 19,
  hgatp: 20,
  /** Negative for a program that starts in VS or VU. */
  isGuest: 21,
  ownPages: 24,
  guestPages: 34,
  secondPages: 44,
  integers: 64,
  floats: 96,
} as const;

/** Entries of one stage that a program has of its own: eight pages, the superpage, and the pointer to the eight. */
export const PAGE_WORDS = 10;

/** Words of a result. */
export const RESULT = {
  integers: 0,
  floats: 32,
  fcsr: 64,
  csrs: 65,
  pages: 98,
  logCount: 127,
  log: 128,
} as const;
/** Words that a handler writes for each trap, and how many traps a program may take. */
export const LOG_WORDS = 8;
export const LOG_LIMIT = 13;
/** Names of those words. `handler` is 3 for M, 1 for S (HS), 2 for VS. */
export const LOG_NAMES = ["handler", "cause", "epc", "tval", "status", "tval2", "tinst", "hstatus"] as const;

/** What of the CSRs is kept at the end, in this order; a row that needs H is left out without it. */
export const FINAL_CSRS = [
  "mideleg",
  "mie",
  "mip",
  "mcounteren",
  "scounteren",
  "satp",
  "sepc",
  "scause",
  "stval",
  "menvcfg",
  "senvcfg",
  "mepc",
  "mcause",
  "mtval",
] as const;
export const FINAL_HYPERVISOR_CSRS = [
  "hstatus",
  "hedeleg",
  "hideleg",
  "hvip",
  "hie",
  "hcounteren",
  "henvcfg",
  "htval",
  "htinst",
  "hgatp",
  "vsstatus",
  "vsepc",
  "vscause",
  "vstval",
  "vsatp",
  "vsie",
  "mtval2",
  "mtinst",
] as const;
