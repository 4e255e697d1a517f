/** Guests that make one call after another out of a table, and a neighbor that has nothing to do with it. */
import { type Referee, referee } from "../../../lib/referee/referee.ts";
import { FIRST_HYPERCALL, HYPERCALLS } from "../../../lib/vmm/hypercalls.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { DomainState } from "../../../lib/vmm/layout.ts";
import type { Guest } from "../../../lib/vmm/loader.ts";
import { frameMistakes, guestBytes, type VmmScene, vmmScene } from "../../unit/vmm/vmm-scene.ts";

/** A call: `a0` to `a5`, `a6` and `a7`. */
export interface Call {
  readonly name: string;
  readonly args: readonly bigint[];
  readonly a6: bigint;
  readonly a7: bigint;
}

/** `a7` of a hypercall. */
export const numberOf = (name: string): bigint =>
  FIRST_HYPERCALL + BigInt(Object.keys(HYPERCALLS).indexOf(name));

/** A page that the caller may give away, grant and have overwritten: its code and its table lie lower. */
export const OWN_PAGE = 0x8008_0000n;
export const RAM_BYTES = 1024 * 1024;

/** Arguments that somebody might not have thought of: small numbers, limits and their neighbors, numbers of domains, addresses of all kinds
 * but those of the caller's own code: who gives that away calls nobody any more. */
export const VALUES: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 4n, 5n, 7n, 8n, 15n, 16n, 31n, 32n, 33n, 63n, 64n, 65n, 255n, 256n, 511n, 512n],
  ...[4095n, 4096n, 4097n, 65_535n, 65_536n, 2n ** 31n - 1n, 2n ** 32n - 1n, 2n ** 32n],
  ...[OWN_PAGE, OWN_PAGE + 1n, OWN_PAGE + 4088n, OWN_PAGE + 4095n, OWN_PAGE + 0x1000n],
  // The last page of RAM, the first byte behind it, and the hypervisor's own memory, which is somewhere else for a guest.
  ...[0x800f_f000n, 0x800f_ffffn, 0x8010_0000n, 0x8020_0000n, 0x8020_3000n],
  // Devices, nothing, and the ends of the guest-physical and of all numbers.
  ...[0x1000_0000n, 0x0c00_0000n, 0x1000_1000n, 0x4000_0000n, 2n ** 41n - 4096n, 2n ** 41n, 2n ** 63n],
  ...[2n ** 56n, 2n ** 64n - 4096n, 2n ** 64n - 8n, 2n ** 64n - 2n, 2n ** 64n - 1n],
];

const WORDS = 8;
const BYTES = 8 * WORDS;
/** Places of `s0` and `s1` among the registers: how far a caller is, and where its table ends. */
const [S0, S1] = [8, 9];
const NEIGHBOR = `li s0, 0x80010000\n li s2, 0
  again: sd s2, (s0)\n li t0, 300\n wait: addi t0, t0, -1\n bnez t0, wait\n ld t1, (s0)\n bne t1, s2, spoiled
  andi a0, s2, 15\n addi a0, a0, 97\n li a7, 1\n ecall\n addi s2, s2, 1\n j again
  spoiled: li a0, 33\n li a7, 1\n ecall\n j spoiled`;

/**
 * Makes the calls of its table in the mode, and skips what traps. Its timer ends whatever sleep a call brings: the interrupt is enabled and never
 * taken.
 */
export function caller(calls: readonly Call[], mode: "VS" | "VU"): Uint8Array {
  const table = calls.flatMap(({ args, a6, a7 }) => [
    ...Array.from({ length: 6 }, (_, index) => args[index] ?? 0n),
    a6,
    a7,
  ]);
  const isSupervisor = mode === "VS";
  const enter = isSupervisor
    ? "li t0, 0x20\n csrw sie, t0"
    : "la t0, loop\n csrw sepc, t0\n li t0, 0x100\n csrc sstatus, t0\n sret";
  return guestBytes(`la s0, table\n la s1, end\n la t0, handler\n csrw stvec, t0\n ${enter}\n j loop
    .align 2\n handler: csrr t0, sepc\n addi t0, t0, 4\n csrw sepc, t0\n sret
    loop: bgeu s0, s1, loop
    ${isSupervisor ? "csrr t0, time\n addi t0, t0, 300\n csrw stimecmp, t0" : ""}
    ${Array.from({ length: WORDS }, (_, index) => `ld a${index}, ${8 * index}(s0)`).join("\n")}
    ecall\n addi s0, s0, ${BYTES}\n j loop
    .balign 8\n table: ${table.map((word) => `.dword ${word}`).join("\n")}\n end: .dword 0`);
}

export interface Hostile extends VmmScene {
  readonly judge: Referee;
}

/** A scene with two callers and their neighbor, and a referee who looks behind everything. */
export function hostileScene(images: readonly Uint8Array[], guest: Partial<Guest> = {}): Hostile {
  const guests = images.map((image) => ({ image, ramBytes: RAM_BYTES, ...guest }));
  const scene = vmmScene(
    { guests: [...guests, { image: guestBytes(NEIGHBOR), ramBytes: RAM_BYTES }], slice: 700 },
    {},
    { ramBytes: 32 * 1024 * 1024 },
  );
  return { ...scene, judge: referee(scene.board) };
}

/** What the hypervisor owes us whatever a guest does: sentences, none of which should be there. */
export function mistakesIn(scene: Hostile, neighbor: number, isSpared = true): string[] {
  const { judge, vmm } = scene;
  const printed = printedBy(vmm, neighbor);
  // The log keeps the last 16 KiB, so that it may begin in the middle.
  const alone = "abcdefghijklmnop".repeat(printed.length / 16 + 2);
  const isWell = alone.includes(printed) && printed.length > 3;
  return [
    ...judge.violations.map(({ sentence }) => sentence),
    ...judge.check().map(({ sentence }) => sentence),
    ...frameMistakes(scene),
    ...(isWell || !isSpared ? [] : [`the neighbor printed "${printed.slice(0, 80)}"`]),
  ];
}

/** A register of a domain's first virtual CPU, by number; 0 before it has begun. */
export function registerOf({ board, vmm }: VmmScene, domain: number, index: number): bigint {
  const { state } = vmm;
  const { address, area } = state.vcpu(domain - 1);
  const isCurrent = state.pcpu(0).current === address;
  return isCurrent ? BigInt.asUintN(64, board.hart.state.x[index] ?? 0n) : area.saved.x.get(index);
}

/** Calls that a domain has still to make. */
function callsLeft(scene: Hostile, domain: number): number {
  const at = registerOf(scene, domain, S0);
  return at === 0n ? Number.NaN : Number(registerOf(scene, domain, S1) - at) / BYTES;
}

/** Lets all callers come to the end of their tables. What has kept one from it is a sentence. */
export function finish(scene: Hostile, lists: readonly (readonly Call[])[]): string[] {
  const { board, vmm } = scene;
  for (let piece = 0; piece < 600; piece++) {
    const stop = board.run({ instructions: 50_000 });
    if (stop.reason !== "budget") return [`the machine stopped: ${JSON.stringify(stop)}`];
    if (lists.every((_, index) => callsLeft(scene, index + 1) === 0)) return [];
    const ended = lists.findIndex((_, index) => vmm.state.domain(index + 1).state !== DomainState.RUNNING);
    if (ended >= 0) return [describe(scene, lists, ended, "has ended its domain")];
  }
  const stuck = lists.findIndex((_, index) => callsLeft(scene, index + 1) !== 0);
  return [describe(scene, lists, stuck, "does not come back")];
}

function describe(scene: Hostile, lists: readonly (readonly Call[])[], index: number, what: string): string {
  const calls = lists[index] ?? [];
  const { name = "?", args = [] } = calls[calls.length - callsLeft(scene, index + 1)] ?? {};
  return `${name}(${args.map((each) => `0x${each.toString(16)}`).join(", ")}) of domain ${index + 1} ${what}`;
}
