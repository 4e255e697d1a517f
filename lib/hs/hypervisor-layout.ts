/**
 * Where a hypervisor's pieces lie in RAM, one behind the other: machine code (R, X), hypercall table, page tables, harts' areas and
 * what the module keeps (R, W). Everything has a published name.
 */
import { SeededNumbers } from "../bits/seeded-numbers.ts";
import { PAGE_BYTES } from "../bus/machine-memory.ts";
import { program } from "../isa/assembler/program.ts";
import { type HPA, hpa } from "./address.ts";
import type { HypervisorModule } from "./hypervisor.ts";
import { HsArea, hypervisorCode, stubLabel } from "./hypervisor-vector.ts";
import { identityTables, MAPPABLE_END, type Region, type Rights } from "./identity-map.ts";

/** Defenses, for experiments that switch them off. */
export interface Guards {
  /** W^X: the page tables let nothing run but the hypervisor's code. Off: all of RAM may be executed. On when left out. */
  readonly wx: boolean;
  /** The vector compares a call's number with the size of the table before it loads the entry. On when left out. */
  readonly bounds: boolean;
  /** The hypercall table can be read and not written. Off when left out. */
  readonly sealedTable: boolean;
}

/** What the layout depends on. */
export interface Place {
  readonly ram: { readonly base: bigint; readonly end: bigint };
  readonly harts: number;
  readonly base?: bigint;
  readonly slide?: { readonly seed: number };
  readonly guards?: Partial<Guards>;
}

/** A layout. */
export interface HypervisorLayout {
  /** First byte of the image. */
  readonly base: HPA;
  /** The first byte behind it, a multiple of the page size: frames for guests begin here. */
  readonly end: HPA;
  /** Names of places in the code and of everything that the module keeps. */
  readonly symbols: ReadonlyMap<string, HPA>;
  /** HS-mode's `satp`. */
  readonly satp: bigint;
  /** Address of a symbol. Throws `RangeError` when there is none of this name. */
  addressOf(symbol: string): HPA;
}

/** Why there is no layout. */
interface NoLayout {
  readonly kind: "no-layout";
  readonly message: string;
}

const DEFAULT_BASE = 0x8020_0000n;
const PAGE = BigInt(PAGE_BYTES);
const SLIDES = 512;
/** A number that takes as many instructions as any to load. */
const LONG = 0x7654_3210_fedc_ba98n;
const SV39 = 8n << 60n;
/** One page of entries; handler numbers have room for no more. */
const MAX_HYPERCALLS = 512;
/** Below RAM: devices. */
const DEVICES: Region = { base: 0n, end: 0x4000_0000n, rights: "RW" };

const pagesUp = (address: bigint): bigint => ((address + PAGE - 1n) / PAGE) * PAGE;
const no = (message: string): NoLayout => ({ kind: "no-layout", message });

/** Lays a module out and builds its image. */
export function layOut(
  module: HypervisorModule,
  place: Place,
): { readonly image: Uint8Array; readonly layout: HypervisorLayout } | NoLayout {
  const { ram, harts, slide } = place;
  const guards: Guards = { wx: true, bounds: true, sealedTable: false, ...place.guards };
  const hypercalls = Object.keys(module.hypercalls).length;
  if (hypercalls > MAX_HYPERCALLS)
    return no(`The table has room for ${MAX_HYPERCALLS} hypercalls; ${module.name} has ${hypercalls}.`);
  const unslid = place.base ?? DEFAULT_BASE;
  if (unslid % PAGE !== 0n) return no(`The image must begin on a page; 0x${unslid.toString(16)} is none.`);
  const base =
    slide === undefined
      ? unslid
      : unslid + PAGE * BigInt(new SeededNumbers(slide.seed).between(0, SLIDES - 1));

  const common = {
    hypercalls,
    firstHypercall: module.firstHypercall ?? 0n,
    checksBounds: guards.bounds,
  };
  // How long the code is depends on its constants; none takes more instructions than these.
  const longest = assemble(base, { ...common, table: LONG, areas: LONG, satp: LONG });
  const table = pagesUp(base + BigInt(longest.bytes.length));
  const tables = table + PAGE;
  const regions = regionsOf(ram, { base, table, tables }, guards);
  const mapBytes = identityTables(tables, regions);
  const areas = tables + BigInt(mapBytes.length);
  const satp = SV39 | (tables / PAGE);
  const code = assemble(base, { ...common, table, areas, satp });

  const data = placeData(module, areas + BigInt(harts * HsArea.sizeBytes));
  const end = pagesUp(data.end);
  if (base < ram.base + PAGE || end > ram.end || end > MAPPABLE_END)
    return no(
      `${module.name} would lie from 0x${base.toString(16)} to 0x${end.toString(16)}; RAM for it is from 0x${(ram.base + PAGE).toString(16)} to 0x${ram.end.toString(16)}.`,
    );
  const symbols = new Map<string, HPA>([
    ...[...code.symbols].map(([name, address]): [string, HPA] => [name, hpa(address)]),
    ["hypercall_table", hpa(table)],
    ["page_tables", hpa(tables)],
    ...Array.from({ length: harts }, (_, hart): [string, HPA] => [
      `hart${hart}`,
      hpa(areas + BigInt(hart * HsArea.sizeBytes)),
    ]),
    ...data.symbols,
    ["image_end", hpa(end)],
  ]);
  const image = new Uint8Array(Number(end - base));
  image.set(code.bytes);
  image.set(tableBytes(code.symbols, hypercalls), Number(table - base));
  image.set(mapBytes, Number(tables - base));
  const addressOf = (symbol: string): HPA => {
    const found = symbols.get(symbol);
    if (found === undefined) throw new RangeError(`${module.name} has no symbol ${symbol}`);
    return found;
  };
  return { image, layout: { base: hpa(base), end: hpa(end), symbols, satp, addressOf } };
}

function assemble(origin: bigint, code: Parameters<typeof hypervisorCode>[0]) {
  const built = program({ origin }, hypervisorCode(code));
  if (built.kind !== "program") throw new Error(built.message);
  return built;
}

/** Devices, and RAM with what may not be written or executed cut out. */
function regionsOf(
  ram: Place["ram"],
  { base, table, tables }: Record<"base" | "table" | "tables", bigint>,
  guards: Guards,
): readonly Region[] {
  const ordinary: Rights = guards.wx ? "RW" : "RWX";
  return [
    DEVICES,
    { base: ram.base, end: base, rights: ordinary },
    { base, end: table, rights: "RX" },
    { base: table, end: tables, rights: guards.sealedTable ? "R" : ordinary },
    { base: tables, end: ram.end, rights: ordinary },
  ];
}

/** The module's own structures, each at a multiple of its alignment; those of a page or more on a page of their own. */
function placeData({ layout }: HypervisorModule, begin: bigint) {
  let end = begin;
  const symbols = Object.entries(layout).map(([name, { sizeBytes, alignment }]): [string, HPA] => {
    const grain = BigInt(Math.max(alignment, sizeBytes >= PAGE_BYTES ? PAGE_BYTES : 8));
    const at = ((end + grain - 1n) / grain) * grain;
    end = at + BigInt(sizeBytes);
    return [name, hpa(at)];
  });
  return { symbols, end };
}

function tableBytes(symbols: ReadonlyMap<string, bigint>, hypercalls: number): Uint8Array {
  const entries = BigUint64Array.from(
    Array.from({ length: hypercalls }, (_, number) => symbols.get(stubLabel(number)) ?? 0n),
  );
  return new Uint8Array(entries.buffer);
}
