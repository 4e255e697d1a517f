/** The whole instruction set that this hart knows: the extensions' tables joined. */
import { a } from "./a.ts";
import { c } from "./c.ts";
import { d } from "./d.ts";
import { f } from "./f.ts";
import { h } from "./h.ts";
import type { Insn } from "./insn.ts";
import { m } from "./m.ts";
import { privileged } from "./privileged.ts";
import { rv64i } from "./rv64i.ts";
import { xhx } from "./xhx.ts";
import { zba } from "./zba.ts";
import { zbb } from "./zbb.ts";
import { zbs } from "./zbs.ts";
import { zicond } from "./zicond.ts";
import { zicsr } from "./zicsr.ts";
import { zifencei } from "./zifencei.ts";

/** Tables by extension, in the order in which the manual introduces them. */
export const EXTENSIONS = {
  ...{ rv64i, m, a, f, d, c },
  ...{ zicsr, zifencei, zicond, zba, zbb, zbs },
  ...{ privileged, h, xhx },
} as const satisfies Record<string, Record<string, Insn>>;

/** Every instruction by its mnemonic. */
export const INSTRUCTIONS = {
  ...rv64i,
  ...m,
  ...a,
  ...f,
  ...d,
  ...c,
  ...zicsr,
  ...zifencei,
  ...zicond,
  ...zba,
  ...zbb,
  ...zbs,
  ...privileged,
  ...h,
  ...xhx,
} as const satisfies Record<string, Insn>;

/** Name of an instruction in assembly. */
export type Mnemonic = keyof typeof INSTRUCTIONS;

/** All mnemonics. */
export const MNEMONICS = Object.keys(INSTRUCTIONS) as readonly Mnemonic[];
