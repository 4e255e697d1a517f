/** How many there can be. */

/** Entries of the domain table; entry 0 is the hypervisor's. */
export const DOMAINS = 8;
/** Virtual CPUs of all domains together. */
export const VCPUS = 16;
/** Virtual CPUs of one domain. */
export const DOMAIN_VCPUS = 4;
