/** The program of every guest of notebook 06: it takes an order out of a mailbox in its own memory, and carries it out with its own instructions. */
import { assemble } from "../../isa/assembler/text.ts";
import { FIRST_HYPERCALL, HYPERCALLS } from "../../vmm/hypercalls.ts";

/** Where a guest's memory begins, in addresses of its own. */
export const GUEST_BASE = 0x8000_0000n;
/** Page 1 is the mailbox, page 2 a list for updates of page tables, page 3 room for what is copied. */
export const MAILBOX = GUEST_BASE + 0x1000n;
export const UPDATE_LIST = GUEST_BASE + 0x2000n;
export const ROOM = GUEST_BASE + 0x3000n;

/** Words of the mailbox. */
export const WORD = { order: 0n, operands: 1n, answer: 7n, instructions: 9n } as const;
/** What can be ordered. */
export const ORDER = { load: 1n, store: 2n, call: 3n, move: 4n } as const;
/** An access that met a trap is answered with this, minus its cause. */
export const TRAPPED = -1_000n;

/** The number of a hypercall, as it stands in `a7`. Throws `RangeError` for a name that there is not. */
export function hypercallNumber(name: string): bigint {
  const place = Object.keys(HYPERCALLS).indexOf(name);
  if (place < 0)
    throw new RangeError(`there is no hypercall "${name}": ${Object.keys(HYPERCALLS).join(", ")}`);
  return FIRST_HYPERCALL + BigInt(place);
}

const call = (name: string): string => `li a7, ${hypercallNumber(name)}\n ecall`;

/** `s2` is `instret` when the order began. Its number is in the mailbox, so that no two guests' mailboxes are equal. */
const SOURCE = `la t0, handler\n csrw stvec, t0\n li s0, ${MAILBOX}
  ${call("domain")}
  sd a0, 64(s0)
wait: ${call("yield")}
  ld t1, 0(s0)\n beqz t1, wait
  ld t2, 8(s0)\n ld t3, 16(s0)\n ld t4, 24(s0)
  li t0, 1\n beq t1, t0, load\n li t0, 2\n beq t1, t0, store\n li t0, 4\n beq t1, t0, move
  ld a0, 8(s0)\n ld a1, 16(s0)\n ld a2, 24(s0)\n ld a3, 32(s0)\n ld a4, 40(s0)\n ld a7, 48(s0)
  csrr s2, instret\n ecall\n csrr s3, instret\n sd a0, 56(s0)\n j done
load: csrr s2, instret\n ld t3, (t2)\n csrr s3, instret\n sd t3, 56(s0)\n j done
store: csrr s2, instret\n sd t3, (t2)\n csrr s3, instret\n sd zero, 56(s0)\n j done
move: csrr s2, instret\n add t4, t4, t2
again: ld t5, (t2)\n sd t5, (t3)\n addi t2, t2, 8\n addi t3, t3, 8\n bltu t2, t4, again
  csrr s3, instret\n sd zero, 56(s0)
done: sub s3, s3, s2\n sd s3, 72(s0)\n sd zero, 0(s0)\n j wait
.align 2
handler: csrr t1, scause\n li t2, ${TRAPPED}\n sub t2, t2, t1\n sd t2, 56(s0)
  csrr s3, instret\n la t1, done\n csrw sepc, t1\n sret`;

/** Four pages: the program, and what it reads and writes itself. */
export function puppetImage(): Uint8Array {
  const built = assemble(SOURCE, { origin: GUEST_BASE });
  if (built.kind !== "program") throw new Error(built.message);
  const image = new Uint8Array(4 * 4096);
  image.set(built.bytes);
  return image;
}
