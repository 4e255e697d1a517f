/**
 * Random directories, contexts and page tables for an IOMMU, mostly good ones with a mistake here and there, written by the
 * specification's bit diagrams. Knows nothing of the code under test.
 *
 * Left out is what QEMU 10 is known to do otherwise than RISC-V IOMMU 1.0 says; unit tests have these rules from the text:
 * - it takes a request for execution as one for reading (against "Process to translate an IOVA", step 17);
 * - it does not look at the privilege that a request with a process number asks for, nor then at U in the first stage
 *   ("Process-context fields", ENS and SUM), nor tell process 0 from none;
 * - it looks late or never at DPE without PDTV, reserved modes and bits of a context, and the alignment of a root ("Device-context configuration checks");
 * - it wants the right to write a device's own tables for a device's write, though they are only read ("Process to locate
 *   the Process-context", and the second stage of implicit accesses);
 * - it walks for addresses that repeat no sign bit ("Two-Stage Address Translation" of the privileged manual);
 * - it does not refuse process numbers that are too large for the directory, and calls a guest-page fault in the process
 *   directory an access fault to it (same place).
 */
import type { Request, Scenario } from "./iommu-scenario.ts";
import { seededNumbers } from "./random.ts";

const TABLES = 0x8020_0000;
/** Where devices may find memory behind a stage: guest-physical, or virtual. */
const WINDOW = 0x1000_0000n;
const WINDOW_PAGES = 12;
const LARGE = 0x1020_0000n;
const HUGE = 0x4000_0000n;
/** Where the last stage leads: pages far from each other, so that no answer can be right by accident. */
const DATA = 0x1_0000_0000n;
const FAR = 0x40_0000n;

const V = 1n;
const RWX = 0b1110n;
const U = 1n << 4n;
const AD = 3n << 6n;
const GOOD = V | RWX | U | AD;

/** What a test needs: the scenario, and each question in words. */
export interface RandomScenario {
  readonly scenario: Scenario;
  readonly questions: readonly string[];
}

/** Builds one machine's worth of tables. */
class Tables {
  readonly words = new Map<number, bigint>();
  readonly pick: (limit: number) => number;
  #next = TABLES;

  constructor(seed: number) {
    this.pick = seededNumbers(seed);
  }

  /** One time in `times`. */
  rarely(times: number): boolean {
    return this.pick(times) === 0;
  }

  page(count = 1): number {
    const bytes = 4096 * count;
    this.#next = Math.ceil(this.#next / bytes) * bytes;
    const at = this.#next;
    this.#next += bytes;
    return at;
  }

  set(address: number, word: bigint): void {
    this.words.set(address, word);
  }

  /** A page-table or directory pointer. */
  pointer(address: number): bigint {
    return (BigInt(address >>> 12) << 10n) | V;
  }

  leaf(target: bigint, flags: bigint): bigint {
    return ((target >> 12n) << 10n) | flags;
  }

  /** Flags of a leaf: good ones, or with one to three bits of the lowest eight turned, or a reserved bit set. */
  flags(isUserAlways = false): bigint {
    if (!this.rarely(2)) return GOOD;
    let flags = GOOD;
    for (let turn = 0; turn <= this.pick(3); turn++) flags ^= 1n << BigInt(this.pick(8));
    if (isUserAlways) flags |= U;
    return this.rarely(6) ? flags | (1n << BigInt(54 + this.pick(6))) : flags;
  }

  /** Tables of `levels` levels; the root has four pages if it is a second stage's. Returns the root and the way to map an address. */
  tree(
    levels: number,
    rootPages: number,
  ): { root: number; map(address: bigint, level: number, pte: bigint): void } {
    const root = this.page(rootPages);
    const rootBits = rootPages === 1 ? 9 : 11;
    const known = new Map<string, number>();
    const map = (address: bigint, leafLevel: number, pte: bigint): void => {
      let table = root;
      for (let level = levels - 1; ; level--) {
        const bits = level === levels - 1 ? rootBits : 9;
        const index = Number(BigInt.asUintN(bits, address >> BigInt(12 + 9 * level)));
        const at = table + 8 * index;
        if (level === leafLevel) {
          this.set(at, pte);
          return;
        }
        const key = `${level}:${at}`;
        const next = known.get(key) ?? this.page();
        known.set(key, next);
        this.set(at, this.pointer(next));
        table = next;
      }
    };
    return { root, map };
  }
}

const MODES = [
  { mode: 8n, levels: 3 },
  { mode: 9n, levels: 4 },
] as const;

/** A window of pages, a large page and a huge one, each with flags of its own; `target` says where they lead. */
function mapWindow(
  tables: Tables,
  map: (address: bigint, level: number, pte: bigint) => void,
  target: bigint,
  distance: bigint,
  isUserAlways = false,
): void {
  for (let page = 0; page < WINDOW_PAGES; page++) {
    const address = WINDOW + BigInt(page * 4096);
    map(
      address,
      0,
      tables.leaf(target + BigInt(tables.pick(WINDOW_PAGES)) * distance, tables.flags(isUserAlways)),
    );
  }
  map(
    LARGE,
    1,
    tables.leaf(tables.rarely(5) ? target + 4096n : target & ~0x1f_ffffn, tables.flags(isUserAlways)),
  );
  map(HUGE, 2, tables.leaf(tables.rarely(5) ? 0x8020_0000n : 0x8000_0000n, tables.flags(isUserAlways)));
}

/** V, R, U and A: what a page must have for its tables to be read. */
const READ_BITS = [0n, 1n, 4n, 6n] as const;

function secondStage(tables: Tables, hasProcesses: boolean): bigint {
  if (tables.rarely(3)) return 0n;
  const { mode, levels } = MODES[tables.pick(2)] ?? MODES[0];
  const { root, map } = tables.tree(levels, 4);
  mapWindow(tables, map, DATA, FAR);
  // The device's own tables, where they are.
  const own = !hasProcesses && tables.rarely(6) ? GOOD ^ (1n << (READ_BITS[tables.pick(4)] ?? 0n)) : GOOD;
  for (let at = 0x8020_0000n; at < 0x8060_0000n; at += 0x20_0000n) map(at, 1, tables.leaf(at, own));
  const gscid = BigInt(tables.pick(65536)) << 44n;
  return (mode << 60n) | gscid | BigInt(root >>> 12);
}

function firstStage(tables: Tables, hasSecond: boolean, isOfProcess: boolean): bigint {
  if (tables.rarely(4)) return 0n;
  const { mode, levels } = MODES[tables.pick(2)] ?? MODES[0];
  const { root, map } = tables.tree(levels, 1);
  if (hasSecond) mapWindow(tables, map, WINDOW, 4096n, isOfProcess);
  else mapWindow(tables, map, DATA, FAR, isOfProcess);
  return (mode << 60n) | BigInt(root >>> 12);
}

/** A directory of eight-bit process numbers with three processes in it. */
function processDirectory(tables: Tables, hasSecond: boolean): bigint {
  const root = tables.page();
  for (const process of [1, 2, 3]) {
    const ta =
      (tables.rarely(8) ? 0n : V) | BigInt(tables.pick(4) << 1) | (BigInt(tables.pick(1 << 20)) << 12n);
    tables.set(root + 16 * process, ta);
    tables.set(root + 16 * process + 8, firstStage(tables, hasSecond, true));
  }
  return (tables.rarely(10) ? 0n : 1n << 60n) | BigInt(root >>> 12);
}

function deviceContext(tables: Tables, at: number): boolean {
  const hasProcesses = tables.rarely(3);
  const iohgatp = secondStage(tables, hasProcesses);
  const hasSecond = iohgatp >> 60n !== 0n;
  let tc = tables.rarely(12) ? 0n : V;
  if (tables.rarely(8)) tc |= 1n << 4n;
  if (hasProcesses) tc |= 1n << 5n;
  if (hasProcesses && tables.rarely(2)) tc |= 1n << 9n;
  tables.set(at, tc);
  tables.set(at + 8, iohgatp);
  tables.set(at + 16, BigInt(tables.pick(1 << 20)) << 12n);
  tables.set(
    at + 24,
    hasProcesses ? processDirectory(tables, hasSecond) : firstStage(tables, hasSecond, false),
  );
  return hasProcesses;
}

/** Numbers of devices in a directory of so many levels. */
function deviceNumbers(tables: Tables, levels: number): number[] {
  const bits = [7, 16, 24][levels - 1] ?? 7;
  return Array.from({ length: 8 }, () => tables.pick(2 ** bits));
}

function directory(
  tables: Tables,
  levels: number,
  devices: readonly number[],
): { ddtp: bigint; hasProcesses: Map<number, boolean> } {
  const root = tables.page();
  const known = new Map<string, number>();
  const hasProcesses = new Map<number, boolean>();
  for (const device of devices) {
    const path = [device & 0x7f, (device >> 7) & 0x1ff, device >> 16];
    let table = root;
    for (let level = levels - 1; level > 0; level--) {
      const at = table + 8 * (path[level] ?? 0);
      const next = known.get(`${level}:${at}`) ?? tables.page();
      known.set(`${level}:${at}`, next);
      const spoiled = tables.rarely(20) ? 1n << BigInt(1 + tables.pick(9)) : 0n;
      tables.set(at, tables.rarely(25) ? 0n : tables.pointer(next) | spoiled);
      table = next;
    }
    hasProcesses.set(device, deviceContext(tables, table + 32 * (path[0] ?? 0)));
  }
  return { ddtp: BigInt(levels + 1) | (BigInt(root >>> 12) << 10n), hasProcesses };
}

const READ = 1n << 3n;
const KINDS: readonly (readonly [string, bigint])[] = [
  ["reads", READ],
  ["writes", 0n],
];

function address(tables: Tables): bigint {
  const odd = [0n, HUGE - 4096n, 0x8060_0000n];
  const choice = tables.pick(10);
  if (choice === 0) return BigInt.asUintN(64, odd[tables.pick(odd.length)] ?? 0n);
  if (choice === 1) return LARGE + BigInt(tables.pick(512) * 4096);
  if (choice === 2) return HUGE + BigInt(tables.pick(2 ** 18) * 4096);
  return WINDOW + BigInt(tables.pick(WINDOW_PAGES + 1) * 4096);
}

/** A machine with random tables, and about a hundred questions to its IOMMU. */
export function randomScenario(seed: number): RandomScenario {
  const tables = new Tables(seed);
  const levels = 1 + tables.pick(3);
  const devices = deviceNumbers(tables, levels);
  const { ddtp, hasProcesses } = directory(tables, levels, devices);
  const asked = [...devices, tables.pick(2 ** 24)];
  const requests: Request[] = [];
  const questions: string[] = [];
  for (let question = 0; question < 120; question++) {
    const device = asked[tables.pick(asked.length)] ?? 0;
    const [verb, kind] = KINDS[tables.pick(2)] ?? ["reads", READ];
    const withProcess = hasProcesses.get(device) === true ? !tables.rarely(3) : tables.rarely(15);
    const process = withProcess ? 1 + tables.pick(tables.rarely(8) ? 250 : 4) : undefined;
    const iova = address(tables);
    const processBits = process === undefined ? 0n : (1n << 32n) | (BigInt(process) << 12n);
    const control = kind | processBits | (BigInt(device) << 40n);
    requests.push({ iova, control });
    const who = process === undefined ? "" : ` process ${process}`;
    questions.push(`device ${device}${who} ${verb} ${iova.toString(16)}`);
  }
  return { scenario: { directory: ddtp, words: tables.words, requests }, questions };
}
