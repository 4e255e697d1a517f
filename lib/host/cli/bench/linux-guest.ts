/**
 * `linux-guest`: what a stock kernel's boot to a command and to power-off costs in a virtual machine of the reference hypervisor, against
 * the bare boot on the same board and engine. Whole processes, in turns.
 */
import { middle } from "./arithmetic.ts";
import { BOOT_COMMAND } from "./linux-boot.ts";
import type { LinuxAnswer, LinuxOrder } from "./linux-child.ts";
import { isLinuxHere } from "./linux-contest.ts";
import type { GuestAnswer, GuestOrder } from "./linux-guest-child.ts";
import { type Bench, type BenchRow, rounded } from "./row.ts";
import { timedScript } from "./timed-process.ts";

const TURNS = 3;
const LIMIT_MS = 20 * 60_000;
const ENGINE = "translator";

const SCENES = {
  "one guest": { count: 1, terminal: "hvc0" },
  "one guest, 16550": { count: 1, terminal: "ttyS0" },
  "two guests": { count: 2, terminal: "hvc0" },
} as const;

const perMillion = (exits: GuestAnswer["exits"], retired: number): string =>
  Object.entries(exits)
    .map(([kind, count]) => `${kind} ${count}`)
    .concat(
      `together ${Math.round(Object.values(exits).reduce((sum, count) => sum + count, 0) / (retired / 1e6))} in a million instructions`,
    )
    .join(", ");

function run(): BenchRow[] {
  if (!isLinuxHere()) return [];
  const bare: { seconds: number; answer: LinuxAnswer }[] = [];
  const guests = Object.entries(SCENES).map(([name, scene]) => ({
    name,
    scene,
    runs: [] as { seconds: number; answer: GuestAnswer }[],
  }));
  const order: LinuxOrder = { engine: ENGINE, command: BOOT_COMMAND };
  for (let turn = 0; turn < TURNS; turn++) {
    bare.push(timedScript<LinuxAnswer>("linux-child", order, LIMIT_MS));
    for (const { scene, runs } of guests) {
      const guestOrder: GuestOrder = { ...order, ...scene };
      runs.push(timedScript<GuestAnswer>("linux-guest-child", guestOrder, LIMIT_MS));
    }
  }
  const secondsBare = middle(bare.map(({ seconds }) => seconds));
  const row = (bench: string, seconds: number, retired: number): BenchRow => ({
    bench,
    engine: ENGINE,
    mips: rounded(retired / seconds / 1e6),
    seconds: rounded(seconds),
    unit: "instructions",
    value: retired,
  });
  const rows = guests.map(({ name, scene, runs }): BenchRow => {
    const [first] = runs;
    const seconds = middle(runs.map((each) => each.seconds));
    process.stderr.write(`${name}: ${perMillion(first?.answer.exits ?? {}, first?.answer.retired ?? 0)}\n`);
    return {
      ...row(`linux-guest, ${name}`, seconds, first?.answer.retired ?? 0),
      peer: scene.count === 1 ? "bare boot" : `${scene.count} bare boots`,
      ratio: rounded((scene.count * secondsBare) / seconds),
    };
  });
  return [row("linux-guest, bare", secondsBare, bare[0]?.answer.retired ?? 0), ...rows];
}

/** The benchmark, for `npm run bench`. */
export const bench: Bench = {
  about: `Debian's kernel as a guest of the hypervisor, and bare, ${TURNS} boots each`,
  run: () => Promise.resolve(run()),
};
