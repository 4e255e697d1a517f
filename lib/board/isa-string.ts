/** What the hart implements, in the spelling of device trees. */
import { EXTENSIONS } from "../isa/instructions.ts";

/** Parts of the instruction set that every hart with these modes has and that no ISA string names. */
const UNNAMED = new Set(["privileged"]);

/** For example `rv64im_zicsr_zifencei`: letters run together, longer names follow with underscores. */
export function isaString(extensions: readonly string[] = Object.keys(EXTENSIONS)): string {
  const named = extensions.filter((name) => !UNNAMED.has(name));
  return named.map((name) => (name.startsWith("rv") || name.length === 1 ? name : `_${name}`)).join("");
}
