/** Guests that run bytes drawn by lot, and call their firmware with any arguments: whatever happens to them, the hypervisor goes on. */
import { expect, it } from "vitest";
import { DomainState } from "../../../lib/vmm/layout.ts";
import { seededNumbers } from "../../support/random.ts";
import { frameMistakes, guestBytes, vmmScene } from "../../unit/vmm/vmm-scene.ts";

const PROGRAMS = process.env["DOM0_TEST_FULL"] === "1" ? 300 : 12;
/** Counts up while it can, and shows that it still runs. */
const WITNESS = guestBytes("again: addi s0, s0, 1\n j again");

/** Goes on behind whatever traps, in the mode that it came from; after a trap it has its registers for addresses again. */
const skipping = (mode: "m" | "s"): string => `la t0, handler\n csrw ${mode}tvec, t0\n j begin\n .align 2
  handler: csrr t0, ${mode}epc\n addi t0, t0, 4\n andi t0, t0, -4\n la t1, begin\n bltu t0, t1, bad\n la t1, end\n bltu t0, t1, good\n bad: la t0, begin
  good: csrw ${mode}epc, t0\n li sp, 0x80008000\n li gp, 0x10000000\n li tp, 0x0c000000\n ${mode}ret\n begin:`;

const SYSTEM_WORDS = [0x0000_0073, 0x1020_0073, 0x3020_0073, 0x1050_0073, 0x1200_0073, 0x0010_0073];
const EXTENSIONS = [
  0, 1, 2, 3, 4, 5, 6, 7, 0x10, 0x5449_4d45, 0x73_5049, 0x5246_4e43, 0x48_534d, 0x4442_434e, 0x0a00_0000,
];

/** Words of all kinds: any, CSR instructions, loads and stores of devices, privileged ones. */
function randomWords(number: (limit: number) => number, count: number): string {
  const register = (): number => number(32);
  const any = (): number => number(65536) * 65536 + number(65536);
  const word = (): number => {
    switch (number(6)) {
      case 0:
        return any();
      case 1:
        return (
          number(4096) * 2 ** 20 + (register() << 15) + ((1 + number(7)) << 12) + (register() << 7) + 0x73
        );
      case 2:
        return (
          number(4096) * 2 ** 20 + ((2 + number(3)) << 15) + (number(7) << 12) + (register() << 7) + 0x03
        );
      case 3:
        return (
          number(128) * 2 ** 25 +
          (register() << 20) +
          ((2 + number(3)) << 15) +
          (number(4) << 12) +
          (register() << 7) +
          0x23
        );
      case 4:
        return SYSTEM_WORDS[number(SYSTEM_WORDS.length)] ?? 0;
      default:
        return (number(4096) << 20) + (register() << 15) + (register() << 7) + 0x13;
    }
  };
  return Array.from({ length: count }, () => `.word ${word() >>> 0}`).join("\n");
}

const randomCalls = (number: (limit: number) => number, count: number): string =>
  Array.from({ length: count }, () => {
    const values = [0, 1, 2, 4096, 0x8000_0000, 0x8000_2000, 0x7fff_ffff];
    const args = Array.from({ length: 6 }, (_, index) =>
      number(4) === 0
        ? `li a${index}, -${1 + number(4096)}`
        : `li a${index}, ${values[number(values.length)]}`,
    );
    return `${args.join("\n")}\n li a6, ${number(8)}\n li a7, ${EXTENSIONS[number(EXTENSIONS.length)]}\n ecall`;
  }).join("\n");

it(`${PROGRAMS} hostile guests of each kind leave the hypervisor, its counts and their neighbor as they should be`, () => {
  for (let seed = 1; seed <= PROGRAMS; seed++) {
    const number = seededNumbers(seed);
    const texts = [
      { begins: "machine", text: `${skipping("m")}\n ${randomWords(number, 300)}\n end: j begin` },
      { begins: "supervisor", text: `${skipping("s")}\n ${randomWords(number, 300)}\n end: j begin` },
      { begins: "supervisor", text: `${skipping("s")}\n ${randomCalls(number, 100)}\n end: j begin` },
    ] as const;
    const scene = vmmScene({
      guests: [
        ...texts.map(({ begins, text }) => ({
          image: guestBytes(text),
          begins,
          ramBytes: 256 * 1024,
          vcpus: 2,
        })),
        { image: WITNESS, ramBytes: 64 * 1024 },
      ],
      slice: 2_000,
    });
    const { reason } = scene.board.run({ instructions: 400_000 });
    expect([seed, reason]).toEqual([seed, "budget"]);
    expect([seed, frameMistakes(scene)]).toEqual([seed, []]);
    const { state } = scene.vmm;
    expect(state.domain(4).state).toBe(DomainState.RUNNING);
    expect(state.vcpu(6).schedule.ran).toBeGreaterThan(3_000n);
  }
});
