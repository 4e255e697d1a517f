/** Guests that move between machines, and what is left of them. */
import type { HypervisorOptions } from "../../../lib/hs/hypervisor.ts";
import { referee } from "../../../lib/referee/referee.ts";
import type { Guest } from "../../../lib/vmm/loader.ts";
import { guestBytes, recount, type VmmScene, vmmScene } from "./vmm-scene.ts";

const CONFIG = { ramBytes: 16 * 1024 * 1024 };

/** A machine with one guest, or with none. */
export const machineWith = (guests: readonly Guest[], options: HypervisorOptions = {}): VmmScene =>
  vmmScene({ guests, slice: 500 }, options, CONFIG);

/** Writes all over `pages` pages, prints a letter now and then, and stops in the end. */
export const writer = (pages: number, letters: number): Guest => ({
  image: guestBytes(`li s0, 0x80010000\n li s1, 0\n li s2, 0\n li s6, ${letters}
    letter: li s3, ${pages * 4}
    next: li t0, ${pages}\n remu t1, s1, t0\n slli t1, t1, 12\n add t1, t1, s0\n andi t2, s1, 511\n slli t2, t2, 3\n add t1, t1, t2
    ld t3, (t1)\n add t3, t3, s1\n sd t3, (t1)\n addi s1, s1, 1\n addi s3, s3, -1\n bnez s3, next
    li t0, 26\n remu a0, s2, t0\n addi a0, a0, 97\n li a7, 1\n ecall\n addi s2, s2, 1\n bltu s2, s6, letter
    li a7, 8\n ecall\n j .`),
  ramBytes: 256 * 1024,
});

/** What a writer prints. */
export const alphabet = (letters: number): string =>
  Array.from({ length: letters }, (_, index) => String.fromCharCode(97 + (index % 26))).join("");

/**
 * Keeps all that it knows in memory: a counter in each of `pages` pages, of which each step raises one by what the one before holds, and
 * prints a letter that depends on all of them. A page that is not what it was shows in every letter from then on.
 */
export const rememberer = (pages: number, letters: number): Guest => ({
  image: guestBytes(`li s0, 0x80010000\n li s4, 0x80030000\n li s6, ${letters}
    step: ld s1, (s4)\n li t0, ${pages}\n remu t1, s1, t0\n slli t1, t1, 12\n add t1, t1, s0\n ld t2, (t1)
    addi t3, s1, ${pages - 1}\n remu t3, t3, t0\n slli t3, t3, 12\n add t3, t3, s0\n ld t4, (t3)
    add t2, t2, t4\n addi t2, t2, 7\n sd t2, (t1)
    li t5, 0\n li t6, 0\n mv t3, s0
    sum: ld t4, (t3)\n slli t0, t6, 5\n sub t6, t0, t6\n add t6, t6, t4\n li t0, 4096\n add t3, t3, t0\n addi t5, t5, 1\n li t0, ${pages}\n bltu t5, t0, sum
    li t0, 26\n remu a0, t6, t0\n addi a0, a0, 97\n li a7, 1\n ecall
    addi s1, s1, 1\n sd s1, (s4)\n bltu s1, s6, step
    li a7, 8\n ecall\n j .`),
  ramBytes: 256 * 1024,
});

/** What a domain's memory holds, page by page; pages of zeros are as good as none, and so is the device tree, which nobody here reads. */
export function memoryOf(scene: VmmScene, domain = 1): Map<bigint, string> {
  const pages = new Map<bigint, string>();
  for (const { domain: owner, page, frame } of recount(scene).leaves) {
    if (owner !== domain || page === scene.vmm.state.domain(domain).tree) continue;
    const at = scene.vmm.state.frameAddress(frame);
    const words = Array.from({ length: 512 }, (_, index) =>
      scene.board.memory.load(at + BigInt(8 * index), 8),
    );
    if (words.some((word) => word !== 0n)) pages.set(page, words.join());
  }
  return pages;
}

/** What a referee finds who looks once and goes: one that stayed would look behind each trap. */
export function violationsOf({ board, vmm }: VmmScene) {
  const judge = referee(board, vmm);
  const found = judge.check();
  judge.stop();
  return found;
}

/** Pages by address. */
export const inOrder = (pages: Map<bigint, string>) => [...pages].sort(([a], [b]) => (a < b ? -1 : 1));
