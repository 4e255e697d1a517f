/** What a random guest does: operations that stay operations whatever stands before them, because all that they name comes from small pools. */
import fc from "fast-check";

/** A machine that programs run on. */
export type SceneName = "three" | "two" | "paravirtual";

/** Pages of each domain's RAM that operations are about, places where granted pages are mapped, and entries of a guest's own table. */
export const [PAGES, PLACES, SLOTS] = [5, 3, 4];

const domain = fc.integer({ min: 1, max: 3 });
const page = fc.nat({ max: PAGES - 1 });
const place = fc.nat({ max: PLACES - 1 });
const slot = fc.nat({ max: SLOTS - 1 });
const value = fc.integer({ min: 1, max: 3 });
/** Numbers of grants, mappings and ports: the lowest are given out first. */
const number = fc.nat({ max: 2 });
const isWritable = fc.boolean();
/** Where it is `STRAY` an operation names what it says; else what there is of that kind, so that most of them succeed. */
export const STRAY = 4;
const stray = fc.nat({ max: STRAY });
const rights = fc.constantFrom("r", "rw", "rx", "rwx");
/** What an entry leads to: a page of RAM, or a place. */
const target = fc.oneof(
  { weight: 2, arbitrary: fc.record({ page }) },
  { weight: 1, arbitrary: fc.record({ place }) },
);
/** Where an access goes: straight to it, through an entry of 4 KiB, or through one of 2 MiB. */
const way = fc.oneof(
  { weight: 3, arbitrary: fc.record({ direct: target }) },
  { weight: 3, arbitrary: fc.record({ slot }) },
  { weight: 1, arbitrary: fc.record({ large: page }) },
);

type Arbitraries<Fields> = { readonly [Key in keyof Fields]: fc.Arbitrary<Fields[Key]> };
const act = <const Name extends string, Fields extends object>(
  name: Name,
  weight: number,
  fields: Arbitraries<Fields>,
) => ({
  weight,
  arbitrary: fc
    .tuple(domain, fc.record<Fields>(fields))
    .map(([id, rest]) => ({ act: name, domain: id, ...rest })),
});

const ordinary = fc.oneof(
  act("map", 6, { slot, target, rights }),
  act("unmap", 2, { slot }),
  act("protect", 2, { slot, rights }),
  act("large", 2, { isOn: fc.boolean() }),
  act("load", 8, { stray, way }),
  act("store", 8, { stray, way, value }),
  act("plant", 5, { stray, way }),
  act("fetch", 4, { stray, way }),
  act("grant", 9, { to: domain, page, isWritable }),
  act("grant_map", 8, { stray, granter: domain, number, place, isWritable }),
  act("grant_unmap", 4, { stray, number }),
  act("grant_revoke", 2, { stray, number }),
  act("grant_copy", 3, { stray, granter: domain, number, page, isStore: fc.boolean() }),
  act("balloon_give", 4, { page }),
  act("balloon_take", 2, { page }),
  act("event_allocate", 5, { to: domain }),
  act("event_bind", 5, { stray, to: domain, number }),
  act("event_send", 5, { stray, number }),
  act("event_take", 2, {}),
  act("yield", 1, {}),
  act("print", 1, { value }),
  act("device", 2, { isStore: fc.boolean(), value }),
  act("twins", 2, { page, value }),
  act("scan", 2, { hasCollisions: fc.boolean() }),
);

/** Pages of the paravirtualized domain: memory, and its first tables, the lowest level first. */
export const PV = {
  pages: 20,
  memory: [2, 3, 4, 5],
  low: 17,
  middle: 18,
  root: 19,
  alias: 40,
  built: 2,
} as const;
const pvMemory = fc.constantFrom(...PV.memory);
const pvPage = fc.constantFrom(...PV.memory, PV.low, PV.middle, PV.root);
const index = fc.constantFrom(...PV.memory, PV.alias);
const kind = fc.constantFrom("rw", "rw", "r", "x", "table", "none", "global", "user");
const to = fc.oneof(
  { weight: 8, arbitrary: pvPage },
  { weight: 1, arbitrary: fc.constantFrom("neighbor" as const, "hypervisor" as const) },
);
const pvAct = <const Name extends string, Fields extends object>(
  name: Name,
  weight: number,
  fields: Arbitraries<Fields>,
) => ({ weight, arbitrary: fc.record<Fields>(fields).map((rest) => ({ act: name, ...rest })) });

const paravirtual = fc.oneof(
  pvAct("pv_update", 5, { table: fc.constant(PV.low as number), index, to, kind }),
  pvAct("pv_update", 3, { table: pvPage, index, to, kind }),
  pvAct("pv_table", 3, { page: pvMemory, level: fc.nat({ max: 2 }), index, to, kind }),
  pvAct("pv_pin", 2, { page: pvPage, level: fc.nat({ max: 2 }) }),
  pvAct("pv_unpin", 2, { page: pvPage }),
  pvAct("pv_root", 2, { page: fc.constantFrom(...PV.memory, PV.root) }),
  pvAct("pv_load", 3, { page: pvMemory, isAlias: fc.boolean() }),
  pvAct("pv_store", 3, { page: pvMemory, isAlias: fc.boolean(), value }),
  pvAct("pv_print", 1, { value }),
);

type Value<A> = A extends fc.Arbitrary<infer T> ? T : never;
export type Operation = Value<typeof ordinary> | Value<typeof paravirtual>;
export type Target = Value<typeof target>;
export type Way = Value<typeof way>;
/** An operation of a name. */
export type Act<Name extends Operation["act"]> = Extract<Operation, { readonly act: Name }>;

/** A program for all domains of a machine. Operations happen in the order of the list, each in its domain's own code. */
export interface CampaignProgram {
  readonly scene: SceneName;
  readonly operations: readonly Operation[];
}

const MOST = 40;
const list = (one: fc.Arbitrary<Operation>) => fc.array(one, { minLength: 1, maxLength: MOST, size: "max" });
/** Programs: half of them on three machines in one, some with a paravirtualized domain. */
export const programs: fc.Arbitrary<CampaignProgram> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ scene: fc.constant("three" as const), operations: list(ordinary) }) },
  { weight: 2, arbitrary: fc.record({ scene: fc.constant("two" as const), operations: list(ordinary) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      scene: fc.constant("paravirtual" as const),
      operations: list(fc.oneof({ weight: 1, arbitrary: ordinary }, { weight: 2, arbitrary: paravirtual })),
    }),
  },
);

/** Domains with a second stage; the paravirtualized one is the third. */
export const ordinaryDomains = (scene: SceneName): number => (scene === "three" ? 3 : 2);

/** The page that shall have the same bytes. */
export const twinOf = (page: number): number => (page + 1) % PAGES;

const targetText = (each: Target): string => ("page" in each ? `page ${each.page}` : `place ${each.place}`);
const wayText = (each: Way): string =>
  "direct" in each
    ? targetText(each.direct)
    : "slot" in each
      ? `the page of entry ${each.slot}`
      : `page ${each.large} through the large entry`;

const WORDS: { readonly [Name in Operation["act"]]: (each: Act<Name>) => string } = {
  map: (each) => `maps ${targetText(each.target)} at entry ${each.slot} of its table, ${each.rights}; fences`,
  unmap: (each) => `empties entry ${each.slot} of its table; fences`,
  protect: (each) => `makes entry ${each.slot} of its table ${each.rights}; fences`,
  large: (each) => `${each.isOn ? "makes" : "empties"} its large entry; fences`,
  load: (each) => `loads from ${wayText(each.way)}`,
  store: (each) => `stores ${each.value} to ${wayText(each.way)}`,
  plant: (each) => `stores a return instruction to ${wayText(each.way)}`,
  fetch: (each) => `calls ${wayText(each.way)}`,
  grant: (each) => `grants page ${each.page} to domain ${each.to}${each.isWritable ? ", writable" : ""}`,
  grant_map: (each) =>
    `maps grant ${each.number} of domain ${each.granter} at place ${each.place}${each.isWritable ? ", writable" : ""}`,
  grant_unmap: (each) => `takes mapping ${each.number} away`,
  grant_revoke: (each) => `takes grant ${each.number} back`,
  grant_copy: (each) =>
    `copies page ${each.page} ${each.isStore ? "to" : "from"} grant ${each.number} of domain ${each.granter}`,
  balloon_give: (each) => `gives page ${each.page} back`,
  balloon_take: (each) => `asks for page ${each.page}`,
  event_allocate: (each) => `allocates a port for domain ${each.to}`,
  event_bind: (each) => `binds port ${each.number + 1} of domain ${each.to}`,
  event_send: (each) => `sends through port ${each.number + 1}`,
  event_take: () => "takes its events",
  yield: () => "yields",
  print: (each) => `prints ${each.value} by SBI`,
  device: (each) =>
    each.isStore ? `stores ${each.value} to the serial port` : "loads the serial port's status",
  twins: (each) =>
    `stores ${each.value} and a return instruction to pages ${each.page} and ${twinOf(each.page)}`,
  scan: (each) => `equal pages are looked for${each.hasCollisions ? ", with bad hashes" : ""}`,
  pv_update: (each) => `makes entry ${each.index} of page ${each.table} lead to ${each.to}, ${each.kind}`,
  pv_table: (each) =>
    `writes a table into page ${each.page} whose entry ${each.index} leads to ${each.to}, ${each.kind}, and pins it at level ${each.level}`,
  pv_pin: (each) => `pins page ${each.page} as a table of level ${each.level}`,
  pv_unpin: (each) => `takes the pin out of page ${each.page}`,
  pv_root: (each) => `makes page ${each.page} its root`,
  pv_load: (each) => `loads from page ${each.page}${each.isAlias ? " by its other address" : ""}`,
  pv_store: (each) =>
    `stores ${each.value} to page ${each.page}${each.isAlias ? " by its other address" : ""}`,
  pv_print: (each) => `prints ${each.value} by SBI`,
};

/** The domain whose code has the operation. */
export const domainOf = (scene: SceneName, each: Operation): number =>
  "domain" in each ? ((each.domain - 1) % ordinaryDomains(scene)) + 1 : 3;

/** An operation in plain words. */
export function operationText(scene: SceneName, each: Operation): string {
  const words = WORDS[each.act] as (operation: Operation) => string;
  return `domain ${domainOf(scene, each)} ${words(each)}`;
}

/** All of a program's. */
export const programText = ({ scene, operations }: CampaignProgram): string =>
  [`on machine "${scene}":`, ...operations.map((each) => `  ${operationText(scene, each)}`)].join("\n");
