/**
 * How the fast path writes CSRs: `hart/csr-write.ts` in code, for writes that change nothing but stored bits.
 *
 * Specialized: what may unmask or raise an interrupt is written here only if none is pending and enabled afterwards; what
 * changes the rights of accesses, or the address space, only if the banks of translations for the new ones are known.
 */
import { fieldMask } from "../../../bits/field.ts";
import { isWrittenAsStored } from "../../../hart/csr-write.ts";
import { HS_VIEW, VS_INTERRUPTS } from "../../../hart/interrupts.ts";
import { HART_LAYOUT, type StoredCsr } from "../../../hart/layout.ts";
import { SSTATUS_MASK } from "../../../hart/status.ts";
import { STIP } from "../../../hart/supervisor-timer.ts";
import { type Csr, type CsrField, writableMask } from "../../../isa/csr.ts";
import { CSRS, type CsrName } from "../../../isa/csr-map.ts";
import { csrOffset } from "../layout.ts";
import type { Local } from "../wasm/code.ts";
import { type Access, pushWord } from "./csr-access-code.ts";
import { PRIVILEGED_WORD } from "./words.ts";

/** A way to write: CSRs of one key share its code. */
export interface CsrWrite {
  readonly key: string;
  /** Where the word lies that is written, in bytes from the state block. */
  readonly offset: number;
  /** Computes `access.next`; branches to `access.slow` where more would happen than that it is stored. */
  readonly compute: (access: Access) => void;
}

/** Fields that take only some values, each with these as a set of bits. */
type Legal = readonly { readonly field: CsrField; readonly values: bigint }[];

function legalValues(csr: Csr): Legal {
  return Object.values(csr.fields).flatMap((field) => {
    if (typeof field.rule === "string") return [];
    return [{ field, values: field.rule.legal.reduce((set, value) => set | (1n << value), 0n) }];
  });
}

/** Values must fit into a set of 64 bits. */
const MAX_WIDTH = 6;
const isSimple = (csr: Csr): boolean => legalValues(csr).every(({ field }) => field.width <= MAX_WIDTH);

/** What the rules of fields are, for CSRs to share code. */
const rulesKey = (csr: Csr): string =>
  [
    writableMask(csr),
    csr.voidOnIllegal,
    ...legalValues(csr).map(({ field, values }) => `${field.lsb}:${values}`),
  ].join(" ");

/** `legalize` of `isa/csr.ts`: what the word becomes under the rules of its fields. Sets `next`. */
function legalizeInto(access: Access, csr: Csr, value: Local): void {
  const { state, next } = access;
  const { code } = state;
  replaceInto(access, writableMask(csr), () => code.get(value));
  for (const { field, values } of legalValues(csr)) {
    const wanted = state.keep64(() => state.fieldOf(value, field));
    state.withFields(next, [[field, () => code.get(wanted)]]);
    if (csr.voidOnIllegal) pushWord(access);
    else code.get(next);
    code.i64(BigInt.asIntN(64, values));
    code.get(wanted);
    code.op("i64.shr_u");
    code.i64(1n);
    code.ops("i64.and", "i32.wrap_i64", "select");
    code.set(next);
  }
}

/** `next` = the word with the bits of a mask replaced. */
function replaceInto(access: Access, mask: bigint | (() => void), pushValue: () => void): void {
  const { state, next } = access;
  const { code } = state;
  const kept = state.keep64(() => state.push64(mask));
  pushWord(access);
  code.get(kept);
  code.i64(-1n);
  code.ops("i64.xor", "i64.and");
  pushValue();
  code.get(kept);
  code.ops("i64.and", "i64.or");
  code.set(next);
}

/** Branches away if any bit that `push` pushes, i64, is set. */
function bailIfAny({ state, slow }: Access, push: () => void): void {
  push();
  state.code.ops("i64.eqz", "i32.eqz");
  state.code.brIf(slow);
}

/** SD as FS wants it. @spec norm:mstatus_sd_op1 */
function summarize({ state, next }: Access): void {
  const { code } = state;
  const { FS, SD } = CSRS.mstatus.fields;
  state.withFields(next, [[SD, 1n]]);
  state.withFields(next, [[SD, 0n]]);
  state.hasAll(next, fieldMask(FS));
  code.op("select");
  code.set(next);
}

/** Turns to the rights that the new status gives. */
function selectContext(access: Access, name: "mstatus" | "vsstatus"): void {
  const { state, parts, slow, mode, next } = access;
  const { code } = state;
  state.bailUnlessQuiet(slow);
  code.get(state.h);
  code.get(mode);
  if (name === "mstatus") code.get(next);
  else state.csr("mstatus");
  if (name === "vsstatus") code.get(next);
  else state.csr("vsstatus");
  code.call(parts.selectContext);
  code.op("i32.eqz");
  code.brIf(slow);
}

/** Writes `mstatus` or `vsstatus`. */
function writeStatus(access: Access, name: "mstatus" | "vsstatus", value: Local): void {
  legalizeInto(access, CSRS[name], value);
  summarize(access);
  selectContext(access, name);
}

/** `sstatus` is a part of `mstatus`. */
function writeSupervisorStatus(access: Access): void {
  const { state, value } = access;
  replaceInto(access, SSTATUS_MASK, () => state.code.get(value));
  const whole = state.keep64(() => state.code.get(access.next));
  writeStatus(access, "mstatus", whole);
}

/** Checks that no interrupt is pending and enabled when `mie` is `next`. */
function bailIfEnabled(access: Access): void {
  const { state, slow, next } = access;
  bailIfAny(access, () => {
    state.pending(slow);
    state.code.get(next);
    state.code.op("i64.and");
  });
}

/** The same when what software makes pending is `next`. */
function bailIfRaised(access: Access): void {
  const { state, slow, next } = access;
  bailIfAny(access, () => {
    state.pending(slow); // for its look at guest external interrupts
    state.code.op("drop");
    state.field("wiresPending");
    state.code.get(next);
    state.code.op("i64.or");
    state.csr("mie");
    state.code.op("i64.and");
  });
}

/** Writes through a view of `mie`, or of what software makes pending. */
const throughView =
  (check: (access: Access) => void, mask: bigint | ((access: Access) => void), shift = 0n) =>
  (access: Access): void => {
    const { state, value } = access;
    const pushMask = typeof mask === "bigint" ? mask : () => mask(access);
    replaceInto(access, pushMask, () => {
      state.code.get(value);
      state.code.i64(shift);
      state.code.op("i64.shl");
    });
    check(access);
  };

/** Pushes the bits of a mask that another CSR has, too. */
const within =
  (name: "mideleg" | "hideleg", mask: bigint) =>
  ({ state }: Access): void => {
    state.csr(name);
    state.code.i64(mask);
    state.code.op("i64.and");
  };

/** Whatever else decides about interrupts: written while none is pending and enabled. */
function storeWhileQuiet(name: "mideleg" | "hideleg" | "hgeie" | "hstatus"): CsrWrite {
  const compute = (access: Access): void => {
    legalizeInto(access, CSRS[name], access.value);
    access.state.bailUnlessQuiet(access.slow);
  };
  return { key: name, offset: csrOffset(name), compute };
}

/** To another address space, if it is one that was left not long ago. In a guest this is another CSR. */
function writeTranslation(access: Access): void {
  const { state, parts, slow, next } = access;
  const { code } = state;
  legalizeInto(access, CSRS.satp, access.value);
  state.word(PRIVILEGED_WORD.fencesAreIdle);
  code.op("i32.eqz");
  code.brIf(slow);
  pushWord(access);
  code.get(next);
  code.op("i64.ne");
  code.if();
  code.get(state.h);
  code.get(next);
  code.call(parts.switchSpace);
  code.op("i32.eqz");
  code.brIf(slow);
  code.end();
}

const MIE = csrOffset("mie");
const SOFTWARE = HART_LAYOUT.softwarePending.offset;
const SIP = writableMask(CSRS.sip);
const VSIP = writableMask(CSRS.vsip) << 1n;
// Else a write of `sip` would depend on who drives the timer's bit.
if ((SIP & STIP) !== 0n) throw new RangeError("sip.STIP is writable");

/** Writes with an effect that the fast path knows. */
const WRITES: { readonly [N in CsrName]?: Omit<CsrWrite, "key"> } = {
  mstatus: {
    offset: csrOffset("mstatus"),
    compute: (access) => writeStatus(access, "mstatus", access.value),
  },
  sstatus: { offset: csrOffset("mstatus"), compute: writeSupervisorStatus },
  vsstatus: {
    offset: csrOffset("vsstatus"),
    compute: (access) => writeStatus(access, "vsstatus", access.value),
  },
  mie: { offset: MIE, compute: throughView(bailIfEnabled, writableMask(CSRS.mie)) },
  sie: { offset: MIE, compute: throughView(bailIfEnabled, within("mideleg", writableMask(CSRS.sie))) },
  hie: { offset: MIE, compute: throughView(bailIfEnabled, HS_VIEW) },
  vsie: { offset: MIE, compute: throughView(bailIfEnabled, within("hideleg", VS_INTERRUPTS), 1n) },
  sip: { offset: SOFTWARE, compute: throughView(bailIfRaised, within("mideleg", SIP)) },
  hip: { offset: SOFTWARE, compute: throughView(bailIfRaised, writableMask(CSRS.hip)) },
  hvip: { offset: SOFTWARE, compute: throughView(bailIfRaised, writableMask(CSRS.hvip)) },
  vsip: { offset: SOFTWARE, compute: throughView(bailIfRaised, within("hideleg", VSIP & VS_INTERRUPTS), 1n) },
  satp: { offset: csrOffset("satp"), compute: writeTranslation },
  mideleg: storeWhileQuiet("mideleg"),
  hideleg: storeWhileQuiet("hideleg"),
  hgeie: storeWhileQuiet("hgeie"),
  hstatus: storeWhileQuiet("hstatus"),
};

/** How a CSR is written, or `undefined`: by the slow path. */
export function csrWrite(name: CsrName): CsrWrite | undefined {
  const write = WRITES[name];
  if (write !== undefined) return { key: name, ...write };
  const csr: Csr = CSRS[name];
  if (!isWrittenAsStored(name) || !isSimple(csr)) return undefined;
  const compute = (access: Access): void => legalizeInto(access, csr, access.value);
  return { key: rulesKey(csr), offset: csrOffset(name as StoredCsr), compute };
}
