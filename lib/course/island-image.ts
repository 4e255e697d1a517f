/**
 * The island as bytes: a few pages of a machine that has one wall. M-mode boots and opens PMP, S-mode owns page tables
 * and a vault of sixteen pages, U-mode owns one page of code and one of data.
 *
 * Every byte follows from the options. The M-mode and S-mode code is as short as it can be; a real kernel comes with
 * the guest written in C.
 */

import { seededWords } from "../checks/seed.ts";
import { type Item, label } from "../isa/assembler/item.ts";
import { program } from "../isa/assembler/program.ts";
import { asm } from "../isa/assembler/typed.ts";
import { encodeCsr, SV39 } from "../isa/csr-map.ts";

/** What may differ between islands. */
export interface IslandOptions {
  /** Draws the secrets of the vault and, on a loose island, the page with the loose brick. */
  readonly seed: number;
  /** Whether one page of the vault has its U bit set by mistake. */
  readonly loose?: boolean;
  /** Exceptions that go to S-mode, as `medeleg` takes them. */
  readonly medeleg?: bigint;
}

/** One page as the kernel mapped it. */
export interface IslandPage {
  readonly name: string;
  /** Virtual address, Sv39. */
  readonly vaddr: bigint;
  readonly paddr: bigint;
  /** Permissions as letters, in the manual's order of bits from high to low: "UXR". */
  readonly flags: string;
  /** Physical address of the leaf PTE. */
  readonly pteAddress: bigint;
}

/** Physical addresses, all page-aligned. Kernel pages are mapped where they are. */
export const PLACE = {
  boot: 0x8000_0000n,
  kernel: 0x8000_1000n,
  rootTable: 0x8000_4000n,
  userMiddle: 0x8000_5000n,
  userLeaves: 0x8000_6000n,
  kernelMiddle: 0x8000_7000n,
  kernelLeaves: 0x8000_8000n,
  vault: 0x8001_0000n,
  userCode: 0x8002_0000n,
  userData: 0x8002_1000n,
  end: 0x8002_2000n,
} as const;

/** Where user code begins, a virtual address. */
export const USER_CODE = 0x4000_0000n;
/** Where user data begins, a virtual address. */
export const USER_DATA = 0x4000_1000n;
/** Pages in the vault. */
export const VAULT_PAGES = 16;

const PAGE = 4096n;

/** Bits of a PTE. @spec priv §Sv39: Page-Based 39-bit Virtual-Memory System */
const PTE = { V: 1n, R: 2n, W: 4n, X: 8n, U: 16n, G: 32n, A: 64n, D: 128n } as const;

/** Page faults, ECALL from U-mode, breakpoints and illegal instructions go to S-mode. */
export const USUAL_MEDELEG = encodeCsr(
  "medeleg",
  {},
  (1n << 2n) | (1n << 3n) | (1n << 8n) | (1n << 12n) | (1n << 13n) | (1n << 15n),
);

const satp = encodeCsr("satp", { MODE: SV39, PPN: PLACE.rootTable / PAGE });

/** M-mode: open PMP for everybody, delegate, turn translation on for the modes below, go to S-mode. */
const bootItems = (medeleg: bigint): Item[] => [
  asm.li("t0", -1n),
  asm.csrw("pmpaddr0", "t0"),
  asm.li("t0", 0x1f),
  asm.csrw("pmpcfg0", "t0"),
  asm.li("t0", medeleg),
  asm.csrw("medeleg", "t0"),
  asm.la("t0", "caught_by_m"),
  asm.csrw("mtvec", "t0"),
  asm.li("t0", satp),
  asm.csrw("satp", "t0"),
  asm.li("t0", encodeCsr("mstatus", { MPP: 3 })),
  asm.csrc("mstatus", "t0"),
  asm.li("t0", encodeCsr("mstatus", { MPP: 1 })),
  asm.csrs("mstatus", "t0"),
  asm.li("t0", PLACE.kernel),
  asm.csrw("mepc", "t0"),
  asm.mret(),
  asm.align(4),
  label("caught_by_m"),
  asm.csrr("s2", "mcause"),
  asm.csrr("s3", "mtval"),
  label("stay"),
  asm.wfi(),
  asm.j("stay"),
];

/** S-mode: set the trap vector, go to U-mode; afterwards, read what went wrong. */
const kernelItems: readonly Item[] = [
  asm.la("t0", "caught_by_s"),
  asm.csrw("stvec", "t0"),
  asm.li("t0", encodeCsr("sstatus", { SPP: 1 })),
  asm.csrc("sstatus", "t0"),
  asm.li("t0", USER_CODE),
  asm.csrw("sepc", "t0"),
  asm.li("t0", 0),
  asm.sret(),
  asm.align(4),
  label("caught_by_s"),
  asm.csrr("s2", "scause"),
  asm.csrr("s3", "stval"),
  label("stay"),
  asm.wfi(),
  asm.j("stay"),
];

/** Bytes of code of ours, which always assembles. */
function assembled(origin: bigint, items: readonly Item[]): Uint8Array {
  const made = program({ origin }, items);
  if (made.kind === "assembly-error") throw new Error(made.message);
  return made.bytes;
}

const leafAddress = (vaddr: bigint): bigint =>
  (vaddr < PLACE.boot ? PLACE.userLeaves : PLACE.kernelLeaves) + ((vaddr >> 12n) & 511n) * 8n;

const page = (name: string, vaddr: bigint, paddr: bigint, flags: string): IslandPage => ({
  name,
  vaddr,
  paddr,
  flags,
  pteAddress: leafAddress(vaddr),
});

/** Number of the vault page that is loose under a seed, 0 to 15. */
const looseIndex = (seed: number): number => (seededWords(seed)() >>> 8) % VAULT_PAGES;

/** Every page that the kernel mapped. */
export function islandPages({ seed, loose = false }: IslandOptions): IslandPage[] {
  const culprit = loose ? looseIndex(seed) : -1;
  return [
    page("user code", USER_CODE, PLACE.userCode, "UXR"),
    page("user data", USER_DATA, PLACE.userData, "UWR"),
    page("kernel code", PLACE.kernel, PLACE.kernel, "XR"),
    ...Array.from({ length: VAULT_PAGES }, (_, index) => {
      const at = PLACE.vault + BigInt(index) * PAGE;
      return page(`vault ${index}`, at, at, index === culprit ? "UWR" : "WR");
    }),
  ];
}

/** The secret of each vault page, its first 64-bit word; never zero. */
export function vaultSecrets(seed: number): bigint[] {
  const word = seededWords(seed ^ 0x7a9e);
  return Array.from({ length: VAULT_PAGES }, () => (BigInt(word()) << 32n) | BigInt(word()) | 1n);
}

/** The whole image, to be loaded at `PLACE.boot`. The hart starts at its first byte. */
export function islandImage(options: IslandOptions): Uint8Array {
  const bytes = new Uint8Array(Number(PLACE.end - PLACE.boot));
  const view = new DataView(bytes.buffer);
  const put = (paddr: bigint, value: bigint): void =>
    view.setBigUint64(Number(paddr - PLACE.boot), value, true);
  const pointTo = (table: bigint): bigint => ((table >> 12n) << 10n) | PTE.V;
  bytes.set(assembled(PLACE.boot, bootItems(options.medeleg ?? USUAL_MEDELEG)), 0);
  bytes.set(assembled(PLACE.kernel, kernelItems), Number(PLACE.kernel - PLACE.boot));
  put(PLACE.rootTable + ((USER_CODE >> 30n) & 511n) * 8n, pointTo(PLACE.userMiddle));
  put(PLACE.rootTable + ((PLACE.boot >> 30n) & 511n) * 8n, pointTo(PLACE.kernelMiddle));
  put(PLACE.userMiddle, pointTo(PLACE.userLeaves));
  put(PLACE.kernelMiddle, pointTo(PLACE.kernelLeaves));
  for (const { paddr, flags, pteAddress } of islandPages(options)) {
    const letters = [...flags] as (keyof typeof PTE)[];
    const permissions = letters.reduce((mask, letter) => mask | PTE[letter], PTE.V | PTE.A | PTE.D);
    put(pteAddress, ((paddr >> 12n) << 10n) | permissions);
  }
  for (const [index, secret] of vaultSecrets(options.seed).entries())
    put(PLACE.vault + BigInt(index) * PAGE, secret);
  return bytes;
}
