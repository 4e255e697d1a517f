/** Entries of the grant tables: looked for, and forgotten. Nothing here maps or unmaps (`grants.ts`). */
import type { GPA } from "../hs/address.ts";
import type { Host } from "./host.ts";
import { type DomainView, FOREIGN_MAPPINGS, GRANTS, GrantFlag } from "./layout.ts";

/** Numbers of a domain's grants that are valid. */
export const validGrants = ({ grants }: DomainView): number[] =>
  Array.from({ length: GRANTS }, (_, number) => number).filter(
    (number) => (grants.get(number).flags & GrantFlag.VALID) !== 0,
  );

/** Whether a domain has granted a page of its. */
export const isGrantedPage = (domain: DomainView, page: GPA): boolean =>
  validGrants(domain).some((number) => domain.grants.get(number).page === page);

/** Numbers of the mappings that a domain has of pages which were granted to it. */
export const mappingsOf = ({ state }: Pick<Host, "state">, mapper: number): number[] =>
  Array.from({ length: FOREIGN_MAPPINGS }, (_, index) => index).filter(
    (index) => state.foreign(index).mapper === mapper,
  );
