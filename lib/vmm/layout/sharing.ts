/** What domains share: event channels and grants. */
import { guestPointer, struct, u16, u32 } from "../../hs/struct.ts";

/** Event channels of a domain; port 0 is none. */
export const PORTS = 32;
export const PortState = { FREE: 0, UNBOUND: 1, BOUND: 2 } as const;
/** One end of an event channel. Unbound, it waits for the domain `remote`; bound, the other end is that domain's `remotePort`. */
export const Port = struct("port", { state: u16, remote: u16, remotePort: u16, reserved: u16 });

/** Grants of a domain. */
export const GRANTS = 32;
/** Bits of a grant's `flags`. */
export const GrantFlag = { VALID: 1, WRITABLE: 2 } as const;
/** A page that a domain lets another use. */
export const Grant = struct("grant", {
  /** The domain that may use it. */
  to: u16,
  flags: u16,
  /** How many mappings there are: while there is one it cannot be taken back. */
  mapped: u32,
  page: guestPointer,
});

/** Mappings of other domains' pages, all together. */
export const FOREIGN_MAPPINGS = 64;
/** A domain's mapping of a page that another has granted; `mapper` 0: the entry is free. */
export const ForeignMapping = struct("foreign_mapping", {
  mapper: u16,
  granter: u16,
  grant: u16,
  flags: u16,
  page: guestPointer,
});
