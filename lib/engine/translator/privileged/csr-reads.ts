/** How the fast path reads CSRs: `hart/csr-read.ts` in code. */
import { type bits, getField } from "../../../bits/field.ts";
import { INSNS_PER_TICK } from "../../../bus/clock.ts";
import { FCSR_FIELDS, INHIBIT_CY, INHIBIT_IR, isReadAsStored } from "../../../hart/csr-read.ts";
import { HS_VIEW, S_INTERRUPTS, VS_INTERRUPTS } from "../../../hart/interrupts.ts";
import { HART_LAYOUT, type LayoutName, type StoredCsr } from "../../../hart/layout.ts";
import { SSTATUS_MASK } from "../../../hart/status.ts";
import type { CsrName } from "../../../isa/csr-map.ts";
import { csrOffset, WORD } from "../layout.ts";
import { VIRTUAL } from "./context-code.ts";
import { type Access, pushWord } from "./csr-access-code.ts";
import { PRIVILEGED_WORD } from "./words.ts";

/** A way to read: CSRs of one key share its code. */
export interface CsrRead {
  readonly key: string;
  /** Where the word lies that `push` finds at `access.at`, in bytes from the state block. */
  readonly offset: number;
  /** Pushes the value, i64. */
  readonly push: (access: Access) => void;
}

/** The guest's own interrupts, where the hypervisor passes them on. */
function pushGuestInterrupts({ state }: Access): void {
  state.csr("hideleg");
  state.code.i64(VS_INTERRUPTS);
  state.code.op("i64.and");
}

/** The supervisor's interrupts, where machine mode passes them on. */
function pushDelegated({ state }: Access): void {
  state.csr("mideleg");
  state.code.i64(S_INTERRUPTS);
  state.code.op("i64.and");
}

/** A view of what `push` pushes: some of its bits, which may have other places. */
const view =
  (push: (access: Access) => void, mask: bigint | ((access: Access) => void), shift = 0n) =>
  (access: Access): void => {
    const { state } = access;
    push(access);
    state.push64(typeof mask === "bigint" ? mask : () => mask(access));
    state.code.op("i64.and");
    if (shift === 0n) return;
    state.code.i64(shift);
    state.code.op("i64.shr_u");
  };

const pushPending = ({ state, slow }: Access): void => state.pending(slow);

/** `cycle` and `instret`: what this hart has retired, unless the counter stands still, and its bias. */
const counter =
  (inhibit: bigint) =>
  (access: Access): void => {
    const { state } = access;
    const { code, h, budget } = state;
    pushWord(access);
    code.get(h);
    code.load("i64.load", WORD.instretBase);
    code.get(budget);
    code.ops("i64.extend_i32_s", "i64.sub");
    code.i64(0n);
    state.csr("mcountinhibit");
    code.i64(inhibit);
    code.ops("i64.and", "i64.eqz", "select", "i64.add");
  };

/** `time`: the machine's, and in a guest what `htimedelta` makes of it. */
function pushTime({ state, mode }: Access): void {
  const { code, h } = state;
  state.retired();
  code.get(h);
  code.load("f64.load", PRIVILEGED_WORD.sleptInsns);
  code.ops("f64.add", "i64.trunc_f64_u");
  code.i64(BigInt(INSNS_PER_TICK));
  code.op("i64.div_u");
  code.get(h);
  code.load("i64.load", PRIVILEGED_WORD.tickOffset);
  code.op("i64.add");
  state.csr("htimedelta");
  code.i64(0n);
  code.get(mode);
  code.i32(VIRTUAL);
  code.ops("i32.ge_u", "select", "i64.add");
}

const stored = (name: StoredCsr): number => csrOffset(name);
const field = (name: LayoutName): number => HART_LAYOUT[name].offset;
const biasOf = { cycle: field("mcycleBias"), instret: field("minstretBias") };

/** A part of `fcsr`. */
const floatPart = ({ lsb, width }: ReturnType<typeof bits>) =>
  view(pushWord, getField(-1n, { lsb: 0, width }) << BigInt(lsb), BigInt(lsb));

/** CSRs whose value is put together when they are read: where, and how. */
const READS: { readonly [N in CsrName]?: Omit<CsrRead, "key"> } = {
  fflags: { offset: stored("fcsr"), push: floatPart(FCSR_FIELDS.fflags) },
  frm: { offset: stored("fcsr"), push: floatPart(FCSR_FIELDS.frm) },
  sstatus: { offset: stored("mstatus"), push: view(pushWord, SSTATUS_MASK) },
  sie: { offset: stored("mie"), push: view(pushWord, pushDelegated) },
  hie: { offset: stored("mie"), push: view(pushWord, HS_VIEW) },
  vsie: { offset: stored("mie"), push: view(pushWord, pushGuestInterrupts, 1n) },
  sip: { offset: field("softwarePending"), push: view(pushPending, pushDelegated) },
  mip: { offset: field("softwarePending"), push: pushPending },
  hip: { offset: field("softwarePending"), push: view(pushPending, HS_VIEW) },
  hvip: { offset: field("softwarePending"), push: view(pushWord, VS_INTERRUPTS) },
  vsip: { offset: field("softwarePending"), push: view(pushPending, pushGuestInterrupts, 1n) },
  hgeip: { offset: field("guestExternal"), push: pushWord },
  cycle: { offset: biasOf.cycle, push: counter(INHIBIT_CY) },
  mcycle: { offset: biasOf.cycle, push: counter(INHIBIT_CY) },
  instret: { offset: biasOf.instret, push: counter(INHIBIT_IR) },
  minstret: { offset: biasOf.instret, push: counter(INHIBIT_IR) },
  time: { offset: 0, push: pushTime },
  mhartid: {
    offset: 0,
    push: ({ state }) => {
      state.word(PRIVILEGED_WORD.hartId);
      state.code.op("i64.extend_i32_u");
    },
  },
};

/** How a CSR is read, or `undefined`: by the slow path. */
export function csrRead(name: CsrName): CsrRead | undefined {
  if (isReadAsStored(name)) return { key: "stored", offset: csrOffset(name as StoredCsr), push: pushWord };
  const read = READS[name];
  return read === undefined ? undefined : { key: name, ...read };
}
