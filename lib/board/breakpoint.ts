/** What a run may stop at, as data; and in words. */
import type { CsrName } from "../isa/csr-map.ts";
import type { Mode } from "../isa/mode.ts";
import { causeWords } from "../isa/trap.ts";
import type { SymbolTable } from "./symbols.ts";

/** Which addresses are meant: those that the hart uses, or those that it arrives at. */
export type AddressSpaceName = "virtual" | "physical";

/** Where to stop. `hart` restricts it to one hart. Addresses are unsigned 64-bit, and virtual unless `space` says otherwise. */
export type BreakpointSpec = { readonly hart?: number } & (
  | {
      /** Before the instruction at an address is executed. */
      readonly kind: "execute";
      readonly address: bigint;
      readonly space?: AddressSpaceName;
    }
  | {
      /** After an instruction that reads, writes, or does either, in a range. */
      readonly kind: "read" | "write" | "access";
      readonly address: bigint;
      /** Bytes; 1 when left out. */
      readonly length?: number;
      readonly space?: AddressSpaceName;
    }
  | {
      /** After privileged code has written a CSR by instruction. */
      readonly kind: "csr";
      readonly csr: CsrName;
    }
  | {
      /** After the privilege mode has changed: from this one, to this one. */
      readonly kind: "mode";
      readonly from?: Mode;
      readonly to?: Mode;
    }
  | {
      /** After a trap with one of these causes; any trap when no cause is given. */
      readonly kind: "trap";
      readonly causes?: readonly number[];
      /** Interrupts or exceptions; both when left out and no cause is given, else exceptions. */
      readonly interrupt?: boolean;
    }
);

/** A breakpoint that is set. */
export interface Breakpoint {
  readonly id: number;
  readonly spec: BreakpointSpec;
  /** Such as "before the instruction at main+0x4". */
  readonly text: string;
}

/** Data that an instruction touched. Values are unsigned, `length` bytes long, little-endian; of RAM only. */
export interface TouchedData {
  readonly kind: "read" | "write";
  readonly vaddr: bigint | undefined;
  readonly paddr: bigint;
  readonly length: number;
  readonly before: bigint | undefined;
  readonly after: bigint | undefined;
}

/** Which breakpoint stopped a run, and why. */
export interface BreakpointHit {
  readonly breakpoint: Breakpoint;
  readonly hart: number;
  /** Address of the instruction that did it, or that would come next for `execute`. */
  readonly pc: bigint;
  /** In words. */
  readonly text: string;
  readonly data?: TouchedData;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** A breakpoint in words. */
export function breakpointText(spec: BreakpointSpec, symbols: SymbolTable): string {
  const who = spec.hart === undefined ? "" : ` on hart ${spec.hart}`;
  const at = (address: bigint): string => symbols.nameOf(address) ?? hex(address);
  switch (spec.kind) {
    case "execute":
      return `before the instruction at ${spec.space === "physical" ? "physical " : ""}${at(spec.address)}${who}`;
    case "read":
    case "write":
    case "access": {
      const verb = { read: "reads", write: "writes", access: "touches" }[spec.kind];
      const place = `${spec.space === "physical" ? "physical " : ""}${at(spec.address)}`;
      return `when an instruction ${verb} ${spec.length ?? 1} bytes at ${place}${who}`;
    }
    case "csr":
      return `when ${spec.csr} is written${who}`;
    case "mode":
      return `when the mode changes${spec.from === undefined ? "" : ` from ${spec.from}`}${spec.to === undefined ? "" : ` to ${spec.to}`}${who}`;
    case "trap": {
      const causes = spec.causes?.map((cause) => causeWords({ isInterrupt: spec.interrupt ?? false, cause }));
      const any =
        spec.interrupt === undefined ? "any trap" : spec.interrupt ? "any interrupt" : "any exception";
      return `when ${causes?.join(" or ") ?? any} is taken${who}`;
    }
  }
}
