/** What the monitor's functions work with: the hart, and what is kept in RAM. */
import type { HsContext } from "../../hs/context.ts";
import type { IsaVariant } from "../../isa/variant.ts";
import { type ClassicView, classicState, type Exit } from "./layout.ts";

/** The monitor, for the time of one trap. */
export interface Monitor {
  readonly context: HsContext;
  readonly state: ClassicView;
  /** The machine that it runs on, which is also the machine that the guest believes in. */
  readonly isa: IsaVariant;
  /** The guest does not go on yet: `resume` leads to another handler, which finishes what this one has begun. */
  isUnfinished: boolean;
}

export const monitorOf = (context: HsContext, isa: IsaVariant): Monitor => ({
  context,
  state: classicState(context),
  isa,
  isUnfinished: false,
});

/** Modes of the guest, as `state.mode` has them. */
export const Mode = { U: 0n, S: 1n, M: 3n } as const;

/** Counts why the guest came. */
export const count = ({ state: { exits } }: Monitor, kind: (typeof Exit)[keyof typeof Exit]): void =>
  exits.set(kind, exits.get(kind) + 1n);

/** The guest goes on behind an instruction that was done for it. */
export const skip = ({ context: { csr } }: Monitor, bytes: number): void =>
  csr.write("mepc", csr.read("mepc") + BigInt(bytes));
