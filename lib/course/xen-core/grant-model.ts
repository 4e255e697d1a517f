/** Grants as plain data, and what each call does to them: the model that answers are held against. */

/** A frame: whose it is, how many would miss it (its owner and each entry that maps it), and how many entries may write it. */
export interface GrantFrame {
  readonly owner: number;
  readonly refs: number;
  readonly writers: number;
}

/** An entry of a page table. */
export interface GrantEntry {
  readonly domain: number;
  readonly page: number;
  readonly frame: number;
  readonly writable: boolean;
}

/** A page that a domain lets another use; `mapped` says in how many places that is done. */
export interface Grant {
  readonly from: number;
  readonly to: number;
  readonly frame: number;
  readonly writable: boolean;
  readonly mapped: number;
}

/** A place where a granted page is mapped. */
export interface GrantMapping {
  readonly domain: number;
  readonly grant: number;
  readonly page: number;
}

/** All that the hypervisor keeps. Grants and mappings are named by their places; `null`: there is none any more. */
export interface GrantOffice {
  readonly frames: ReadonlyMap<number, GrantFrame>;
  readonly entries: readonly GrantEntry[];
  readonly grants: readonly (Grant | null)[];
  readonly mappings: readonly (GrantMapping | null)[];
}

/** What a domain asks for. */
export type GrantAsk =
  | { readonly call: "grant"; readonly to: number; readonly frame: number; readonly writable: boolean }
  | { readonly call: "map"; readonly grant: number; readonly page: number; readonly writable: boolean }
  | { readonly call: "unmap"; readonly mapping: number }
  | { readonly call: "revoke"; readonly grant: number };

/** A value or, negative, an error; and the office behind it. */
export interface GrantResult {
  readonly value: number;
  readonly office: GrantOffice;
}

const NOT_PERMITTED = -1;
const NO_ENTRY = -2;
const BAD_ADDRESS = -14;
const BUSY = -16;
const FIRST = 0x81a0;
/** Domains of an office, and frames of each: page n of a domain is its frame n, and may be written. */
export const GRANT_DOMAINS = 3;
export const GRANT_PAGES = 2;
/** The frame behind a domain's page at first. */
export const frameBehind = (domain: number, page: number): number =>
  FIRST + (domain - 1) * GRANT_PAGES + page;

/** An office in which nobody has granted anything. */
export function quietOffice(): GrantOffice {
  const frames = new Map<number, GrantFrame>();
  const entries: GrantEntry[] = [];
  for (let domain = 1; domain <= GRANT_DOMAINS; domain++)
    for (let page = 0; page < GRANT_PAGES; page++) {
      const frame = frameBehind(domain, page);
      frames.set(frame, { owner: domain, refs: 2, writers: 1 });
      entries.push({ domain, page, frame, writable: true });
    }
  return { frames, entries, grants: [], mappings: [] };
}

const count = (
  office: GrantOffice,
  frame: number,
  change: 1 | -1,
  writable: boolean,
): ReadonlyMap<number, GrantFrame> => {
  const old = office.frames.get(frame);
  if (old === undefined) return office.frames;
  const next = { ...old, refs: old.refs + change, writers: old.writers + (writable ? change : 0) };
  return new Map([...office.frames, [frame, next]]);
};

const mappedBy = (grants: GrantOffice["grants"], number: number, change: 1 | -1): GrantOffice["grants"] =>
  grants.map((grant, index) =>
    index === number && grant !== null ? { ...grant, mapped: grant.mapped + change } : grant,
  );

/** What a call does. */
export function grantModel(office: GrantOffice, me: number, ask: GrantAsk): GrantResult {
  switch (ask.call) {
    case "grant": {
      const { to, frame, writable } = ask;
      if (office.frames.get(frame)?.owner !== me) return { value: NOT_PERMITTED, office };
      const grants = [...office.grants, { from: me, to, frame, writable, mapped: 0 }];
      return { value: office.grants.length, office: { ...office, grants } };
    }
    case "map":
      return map(office, me, ask);
    case "unmap":
      return unmap(office, me, ask.mapping);
    case "revoke": {
      const grant = office.grants[ask.grant];
      if (grant === undefined || grant === null || grant.from !== me) return { value: NO_ENTRY, office };
      if (grant.mapped > 0) return { value: BUSY, office };
      return {
        value: 0,
        office: {
          ...office,
          grants: office.grants.map((each, index) => (index === ask.grant ? null : each)),
        },
      };
    }
  }
}

function map(
  office: GrantOffice,
  me: number,
  { grant: number, page, writable }: Extract<GrantAsk, { call: "map" }>,
): GrantResult {
  const grant = office.grants[number];
  if (grant === undefined || grant === null) return { value: NO_ENTRY, office };
  if (grant.to !== me || (writable && !grant.writable)) return { value: NOT_PERMITTED, office };
  if (office.entries.some((entry) => entry.domain === me && entry.page === page))
    return { value: BAD_ADDRESS, office };
  return {
    value: office.mappings.length,
    office: {
      frames: count(office, grant.frame, 1, writable),
      entries: [...office.entries, { domain: me, page, frame: grant.frame, writable }],
      grants: mappedBy(office.grants, number, 1),
      mappings: [...office.mappings, { domain: me, grant: number, page }],
    },
  };
}

function unmap(office: GrantOffice, me: number, number: number): GrantResult {
  const mapping = office.mappings[number];
  if (mapping === undefined || mapping === null || mapping.domain !== me) return { value: NO_ENTRY, office };
  const isIt = ({ domain, page }: GrantEntry): boolean => domain === me && page === mapping.page;
  const entry = office.entries.find(isIt);
  return {
    value: 0,
    office: {
      frames: entry === undefined ? office.frames : count(office, entry.frame, -1, entry.writable),
      entries: office.entries.filter((each) => !isIt(each)),
      grants: mappedBy(office.grants, mapping.grant, -1),
      mappings: office.mappings.map((each, index) => (index === number ? null : each)),
    },
  };
}
