/** Hypercalls about memory that comes and goes, and about domains that do. Those with a domain's number are for privileged callers alone. */
import { gpa } from "../hs/address.ts";
import { givePages, setTarget, takePages } from "./balloon.ts";
import { ramAddress } from "./domain.ts";
import { Fault } from "./errors.ts";
import type { Visit } from "./host.ts";
import { DomainFlag, PAGE_BYTES } from "./layout.ts";
import {
  createDomain,
  destroyDomain,
  limitDomain,
  pauseDomain,
  startDomain,
  unpauseDomain,
  writeDomain,
} from "./lifecycle.ts";
import type { Hypercall } from "./parts.ts";

/** For the class's dom0. */
const privileged =
  (serve: Hypercall): Hypercall =>
  (visit) =>
    (visit.domain.flags & DomainFlag.PRIVILEGED) === 0 ? Fault.NOT_PERMITTED : serve(visit);

/** The same, about a domain that is not the caller: who stops himself has nobody to tell the outcome. */
const aboutAnother = (serve: (visit: Visit, domain: bigint) => bigint): Hypercall =>
  privileged((visit) => {
    const { a0 } = visit.context.registers;
    return a0 === BigInt(visit.domain.id) ? Fault.INVALID : serve(visit, a0);
  });

/** By name. */
export const MEMORY_HYPERCALLS: Readonly<Record<string, Hypercall>> = {
  /** (page, count): how many were given. */
  balloon_give: (visit) => givePages(visit, visit.context.registers.a0, visit.context.registers.a1),
  /** (page, count): how many are there now. */
  balloon_take: (visit) => takePages(visit, visit.context.registers.a0, visit.context.registers.a1),
  /** (): how many frames the domain should have; 0: nobody has said. */
  balloon_target: ({ state, domain }) => BigInt(state.balloon(domain.id).target),
  /** (): how many frames it has, tables included. */
  balloon_frames: ({ domain }) => BigInt(domain.frames),
  /** (bytes of RAM, virtual CPUs, frames that it may have or 0, 1: in large pages): its number. */
  domain_create: privileged((visit) => {
    const { a0: ramBytes, a1: vcpus, a2: maxFrames, a3 } = visit.context.registers;
    const flags = a3 === 1n ? BigInt(DomainFlag.LARGE_PAGES) : 0n;
    return a3 > 1n ? Fault.INVALID : createDomain(visit, { ramBytes, vcpus, flags, maxFrames });
  }),
  /** (domain, address in it, address of one's own, bytes): within a page of each. */
  domain_write: aboutAnother((visit, domain) => {
    const { a1: address, a2: from, a3: bytes } = visit.context.registers;
    const page = BigInt(PAGE_BYTES);
    const own = ramAddress(visit, visit.domain, gpa(from));
    if (own === undefined || bytes > page - (from % page)) return Fault.BAD_ADDRESS;
    return writeDomain(visit, domain, address, own, bytes);
  }),
  /** (domain, where it begins, its `a1`) */
  domain_start: aboutAnother((visit, domain) =>
    startDomain(visit, domain, visit.context.registers.a1, visit.context.registers.a2),
  ),
  /** (domain) */
  domain_pause: aboutAnother(pauseDomain),
  /** (domain) */
  domain_unpause: aboutAnother(unpauseDomain),
  /** (domain) */
  domain_destroy: aboutAnother(destroyDomain),
  /** (domain, frames that it should have) */
  domain_target: privileged((visit) =>
    setTarget(visit, visit.context.registers.a0, visit.context.registers.a1),
  ),
  /** (domain, frames that it may have) */
  domain_limit: privileged((visit) =>
    limitDomain(visit, visit.context.registers.a0, visit.context.registers.a1),
  ),
};
