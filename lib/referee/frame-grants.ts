/**
 * I1 and I3 for pages that domains lend each other: who maps another's page must have a mapping in the hypervisor's table, and behind it a
 * grant that is valid, is for him, lets him do what his entry lets him do, and is of the page that lies there.
 */
import { hex } from "../bits/hex.ts";
import { DOMAINS, DomainState, FOREIGN_MAPPINGS, GRANTS, GrantFlag, type VmmState } from "../vmm/layout.ts";
import { BIT, type ReadWord, type Tables, walkTo } from "./page-tables.ts";
import type { Finding } from "./violation.ts";

/** What is looked at. */
interface Lending {
  readonly state: VmmState;
  readonly read: ReadWord;
  readonly secondStage: (domain: number) => Tables | undefined;
}

/** A page that a domain reaches and does not own. */
export interface Borrowed {
  readonly domain: number;
  /** Guest-physical, in that domain. */
  readonly page: bigint;
  /** Where it lies, and whose that is. */
  readonly frameAddress: bigint;
  readonly owner: number;
  /** R, W and X as in an entry. */
  readonly rights: bigint;
}

type Mapping = ReturnType<VmmState["foreign"]>;

function* mappingsIn({ state }: Lending): Generator<readonly [number, Mapping]> {
  for (let index = 0; index < FOREIGN_MAPPINGS; index++) {
    const mapping = state.foreign(index);
    if (mapping.mapper !== 0) yield [index, mapping];
  }
}

/** The grant that a mapping names, if there can be one of that number. */
function grantOf({ state }: Lending, { granter, grant }: Mapping) {
  return granter > 0 && granter < DOMAINS && grant < GRANTS
    ? state.domain(granter).grants.get(grant)
    : undefined;
}

/** Why a domain may not do what it can; `undefined`: its owner has granted it. */
export function borrowingMistake(lending: Lending, borrowed: Borrowed): string | undefined {
  const { domain, page, owner } = borrowed;
  let why = "which has not granted it";
  for (const [index, mapping] of mappingsIn(lending)) {
    if (mapping.mapper !== domain || mapping.page !== page || mapping.granter !== owner) continue;
    const mistake = mappingMistake(lending, index, mapping, borrowed);
    if (mistake === undefined) return undefined;
    why = mistake;
  }
  return why;
}

function mappingMistake(
  lending: Lending,
  index: number,
  mapping: Mapping,
  borrowed: Borrowed,
): string | undefined {
  const { granter, mapper } = mapping;
  const grant = grantOf(lending, mapping);
  const name = `mapping ${index} by grant ${mapping.grant} of domain ${granter}`;
  if (grant === undefined || (grant.flags & GrantFlag.VALID) === 0) return `and ${name} outlives its grant`;
  if (grant.to !== mapper) return `and ${name} is by a grant to domain ${grant.to}`;
  if ((borrowed.rights & BIT.X) !== 0n) return `and ${name} is to be executed, which no grant allows`;
  if ((borrowed.rights & BIT.W) !== 0n && (grant.flags & GrantFlag.WRITABLE) === 0)
    return `and ${name} is to be written, and was granted to be read`;
  const lies = placeOf(lending, granter, grant.page);
  return lies === undefined || lies === borrowed.frameAddress
    ? undefined
    : `and ${name} is of a page that lies at ${hex(lies)}`;
}

/** Where a granter has the page that it granted. One that was destroyed has it nowhere, and others still may. */
function placeOf({ state, read, secondStage }: Lending, granter: number, page: bigint): bigint | undefined {
  const tables = secondStage(granter);
  if (tables === undefined || state.domain(granter).state === DomainState.DYING) return undefined;
  const found = walkTo(tables, read, page).page;
  return found === undefined ? 0n : found.to + (page - found.address);
}

/** What is wrong with the tables of grants and of mappings, whoever maps what. */
export function* lendingOf(lending: Lending): Generator<Finding> {
  const mapped = new Map<string, number>();
  for (const [index, mapping] of mappingsIn(lending)) {
    const { granter, grant, mapper, page } = mapping;
    mapped.set(`${granter} ${grant}`, (mapped.get(`${granter} ${grant}`) ?? 0) + 1);
    const entry = grantOf(lending, mapping);
    const object = `mapping ${index}`;
    const who = `Mapping ${index}, of domain ${mapper} at guest-physical ${hex(page)}`;
    if (entry === undefined || (entry.flags & GrantFlag.VALID) === 0) {
      const sentence = `${who}, outlives grant ${grant} of domain ${granter}: the grant is not valid.`;
      yield { invariant: "I1", object, sentence };
    } else if (placeOf(lending, mapper, page) === 0n)
      yield { invariant: "I3", object, sentence: `${who}, is in the table, and nothing is mapped there.` };
  }
  const { state } = lending;
  for (let id = 1; id < DOMAINS; id++) {
    const domain = state.domain(id);
    if (domain.id === 0) continue;
    for (let number = 0; number < GRANTS; number++) {
      const grant = domain.grants.get(number);
      const count = (grant.flags & GrantFlag.VALID) === 0 ? 0 : grant.mapped;
      const found = mapped.get(`${id} ${number}`) ?? 0;
      if (count === found || (grant.flags & GrantFlag.VALID) === 0) continue;
      const sentence = `Grant ${number} of domain ${id} believes in ${count} mappings, and there are ${found}.`;
      yield { invariant: "I3", object: `grant ${number} of domain ${id}`, sentence };
    }
  }
}
