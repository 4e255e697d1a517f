/** What the hart implements, in the spelling of device trees. */
import { EXTENSIONS } from "../isa/instructions.ts";
import type { IsaVariant } from "../isa/variant.ts";

/**
 * Parts of the instruction set that no ISA string names: what every hart with these modes has, and `hx`, with which firmware
 * enters TypeScript and which is nobody else's business.
 */
const UNNAMED = new Set(["privileged", "xhx"]);

/** Extensions that add CSRs and rules but no instructions, and have no table. */
const WITHOUT_INSTRUCTIONS = ["zicntr", "sstc", "svadu", "svnapot", "svpbmt"];

/** Names in an ISA string: the letters, then those with z, then those with s, each in the order of the tables. */
const rank = (name: string): number => (/^(rv|.$)/.test(name) ? 0 : name.startsWith("z") ? 1 : 2);

/** All that hart has, or what a variant of it has. */
export const isaStringOf = ({ hypervisor }: IsaVariant): string =>
  hypervisor ? isaString() : isaString().replace(/^(rv64[a-gi-z]*)h/, "$1");

/** For example `rv64im_zicsr_zifencei`: letters run together, longer names follow with underscores. */
export function isaString(
  extensions: readonly string[] = [...WITHOUT_INSTRUCTIONS, ...Object.keys(EXTENSIONS)],
): string {
  const named = extensions.filter((name) => !UNNAMED.has(name)).sort((a, b) => rank(a) - rank(b));
  return named.map((name) => (name.startsWith("rv") || name.length === 1 ? name : `_${name}`)).join("");
}
