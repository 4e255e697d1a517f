/**
 * A stock Linux as a guest of a hypervisor whose world switch, scheduler and timer are the reader's. The kernel is Debian's, fetched once by
 * `npx dom0 fetch linux`; it is no part of the kit. Where it is not, the C kernel of the kit runs, and a boot that was recorded is shown.
 */
import { readAsset } from "../../assets/asset-source.ts";
import { parseLinuxImage } from "../../board/linux-image.ts";
import { INSNS_PER_TICK } from "../../bus/clock.ts";
import { localAnswer } from "../../checks/answer.ts";
import type { Check } from "../../checks/check.ts";
import { DomainState } from "../../vmm/layout.ts";
import type { VmmParts } from "../../vmm/parts.ts";
import { type FigureBundle, markupBundle } from "../figure.ts";
import { type Table, tableHtml, tableText } from "../marks/html.ts";
import { groupDigits } from "../marks/scale.ts";
import { escapeMarkup } from "../marks/svg.ts";
import { buildHost, type VmHost } from "../vm-host.ts";
import { BUSY } from "./guests.ts";
import { initialFiles } from "./linux-init.ts";
import { RECORDED_BOOT } from "./recorded-boot.ts";
import { ringCheck } from "./ring-check.ts";
import { shareCheck } from "./share-check.ts";
import { type FairShare, type Ring, shareParts, timerParts } from "./sharing-parts.ts";
import { switchCheck } from "./switch-check.ts";
import { sharesOf } from "./watch.ts";
import { switchParts, type WorldSwitch } from "./world-switch-parts.ts";

/** What a reader has written so far. */
export interface ReadersParts {
  readonly ring: Ring;
  readonly worldSwitch: WorldSwitch;
  readonly scheduler: FairShare;
}

/** What came of a boot. */
export interface BootFacts {
  /** Lines of the console that say how far it came. */
  readonly lines: readonly string[];
  /** Ticks of the machine's time until Linux had switched itself off. */
  readonly ticks: number;
  readonly switches: number;
  /** Linux's part of the hart, in hundredths. */
  readonly share: number;
}

/** A boot, as a page shows it. */
export interface LinuxBoot {
  readonly view: FigureBundle;
  readonly facts: BootFacts;
  /** Whether there was no kernel: then `facts` are those of a boot before. */
  readonly isRecorded: boolean;
  /** Which parts were the reader's. */
  readonly own: readonly string[];
}

const MIB = 1024 * 1024;
const PIECE = 5_000_000;
const PIECES = 400;
/** Linux has three quarters of the hart, a guest that only counts the rest. */
const WEIGHTS = { linux: 768, neighbor: 256 } as const;
const INSTANCES = 12;

interface Part {
  readonly name: string;
  readonly check: Check;
  readonly answer: unknown;
  readonly parts: VmmParts;
}

const partsOf = ({ ring, worldSwitch, scheduler }: ReadersParts): readonly Part[] => [
  { name: "timer", check: ringCheck, answer: ring, parts: timerParts(ring) },
  { name: "world switch", check: switchCheck, answer: worldSwitch, parts: switchParts(worldSwitch) },
  { name: "scheduler", check: shareCheck, answer: scheduler, parts: shareParts(scheduler) },
];

const isRight = ({ check, answer }: Part): boolean =>
  check.run(localAnswer(answer), { instances: INSTANCES }).passed;

/** Boots Linux beside a neighbor. Parts whose check does not hold yet are the reference's own. */
export async function bootLinux(readers: ReadersParts): Promise<LinuxBoot> {
  const all = partsOf(readers);
  const right = all.filter(isRight);
  const parts: VmmParts = Object.assign({}, ...right.map((part) => part.parts));
  const kernel = await readAsset("linux/vmlinux").catch(() => undefined);
  const live = kernel === undefined ? undefined : bootKernel(kernel, parts);
  const facts = live ?? RECORDED_BOOT;
  const notice =
    live === undefined
      ? `The kernel is not on this machine (npx dom0 fetch linux brings it). ${await bootSmallKernel(parts)} What follows was recorded, with the reference's parts.`
      : undefined;
  return {
    facts,
    isRecorded: live === undefined,
    own: right.map(({ name }) => name),
    view: viewOf(all, right, facts, notice),
  };
}

/** Runs until Linux is off; `undefined` when the bytes are no kernel. */
function bootKernel(bytes: Uint8Array, parts: VmmParts): BootFacts | undefined {
  const kernel = parseLinuxImage(bytes);
  if (kernel.kind === "load-error") return undefined;
  const host = buildHost({
    guests: [
      {
        image: kernel.bytes,
        offset: kernel.textOffset,
        ramBytes: 96 * MIB,
        largePages: true,
        timer: "call",
        weight: WEIGHTS.linux,
        initramfs: initialFiles(),
        commandLine: "earlycon=sbi console=ttyS0",
        hasTerminal: false,
      },
      { image: BUSY, ramBytes: MIB, weight: WEIGHTS.neighbor },
    ],
    scheduler: "CREDIT",
    parts,
    engine: "translator",
    judge: false,
  });
  const end = runToEnd(host);
  return { ...factsOf(host), ...(end === "" ? {} : { lines: [...telling(host.console(1)), end] }) };
}

/** Runs until domain 1 is off; a sentence when that does not come. */
function runToEnd(host: VmHost): string {
  for (let piece = 0; piece < PIECES; piece++) {
    const stop = host.run(PIECE);
    const { state } = host.state.domain(1);
    if (state === DomainState.OFF) return "";
    if (stop.reason === "handler-error") return `The hypervisor stopped: ${stop.message}`;
    if (stop.reason !== "budget") return `The machine stopped: ${stop.reason}`;
  }
  return "The guest does not come to an end.";
}

const factsOf = (host: VmHost): BootFacts => ({
  lines: telling(host.console(1)),
  ticks: Math.round(host.board.clock.now / INSNS_PER_TICK),
  switches: Number(host.state.pcpu(0).switches),
  share: Math.round(1000 * (sharesOf(host)[0] ?? 0)) / 10,
});

/** Lines that tell a reader of this chapter something. */
const TELLING =
  /Linux version|SBI (specification|implementation)|riscv-timer|sched_clock: 64|Switched to clocksource|Memory: |ttyS0 at MMIO|Freeing unused kernel image|Run \/init|^init:|reboot:/;
const LONGEST = 70;

const telling = (console: string): string[] =>
  console
    .split(/\r?\n/)
    .filter((line) => TELLING.test(line))
    .map((line) => (line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}\u2026` : line));

/** Without Linux the kit's own kernel is the guest: the parts do their work for it. */
async function bootSmallKernel(parts: VmmParts): Promise<string> {
  const image = await readAsset("images/mini-kernel.elf");
  const host = buildHost({
    guests: [
      { image, begins: "machine" },
      { image: BUSY, ramBytes: MIB },
    ],
    scheduler: "CREDIT",
    parts,
    engine: "translator",
    judge: false,
  });
  const end = runToEnd(host);
  const lines = host.console(1).trim().split("\n").length;
  return end === ""
    ? `In its place the kit's kernel in C has run beside the neighbor, and printed ${lines} lines.`
    : `In its place the kit's kernel in C was to run. ${end}`;
}

function viewOf(
  all: readonly Part[],
  right: readonly Part[],
  facts: BootFacts,
  notice: string | undefined,
): FigureBundle {
  const table: Table = {
    caption: "A stock Linux, its neighbor, and whose hypervisor",
    columns: ["part", "whose"],
    namesRows: true,
    rows: [
      ...all.map((part) => [
        part.name,
        right.includes(part) ? "yours" : `the reference's, until check ${part.check.id} holds`,
      ]),
      ["memory, devices, all else", "the reference's"],
    ],
  };
  const sentence = `Linux was off after ${groupDigits(facts.ticks)} ticks and ${groupDigits(facts.switches)} world switches, and had ${facts.share.toFixed(1)} % of the hart.`;
  const said = notice === undefined ? [] : [notice];
  return markupBundle(
    [
      tableHtml(table),
      ...said.map((text) => `<p><strong>${escapeMarkup(text)}</strong></p>`),
      `<pre class="dom0-console">${escapeMarkup(facts.lines.join("\n"))}</pre>`,
      `<p>${escapeMarkup(sentence)}</p>`,
    ].join("\n"),
    [tableText(table), ...said, ...facts.lines, sentence].join("\n"),
  );
}
