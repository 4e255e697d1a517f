/** The third question of a CSR access: what does writing do? Illegal values leave legal ones (WARL). */
import { type BitField, bits, fieldMask, setField } from "../bits/field.ts";
import { legalize, writableMask } from "../isa/csr.ts";
import { CSR_NAMES, CSRS, type CsrName, visibleCsr } from "../isa/csr-map.ts";
import { PMP_ENTRIES } from "../isa/csr-numbered.ts";
import { isVirtual } from "../isa/mode.ts";
import { presentBits } from "../isa/variant.ts";
import { Attention } from "./attention.ts";
import {
  environmentMask,
  FCSR_FIELDS,
  guestInterrupts,
  INHIBIT_CY,
  INHIBIT_IR,
  readCsr,
} from "./csr-read.ts";
import type { Hart } from "./hart.ts";
import { HS_VIEW } from "./interrupts.ts";
import { type StoredCsr, storedCsrSlot } from "./layout.ts";
import type { HartState } from "./state.ts";
import { markFloatDirty, SSTATUS_MASK, withSummary } from "./status.ts";
import { isGuestTimerOn, isTimerOn, STIP, VSTIP } from "./supervisor-timer.ts";

type Writer = (hart: Hart, value: bigint) => void;

const WRITABLE = Object.fromEntries(CSR_NAMES.map((name) => [name, writableMask(CSRS[name])])) as Record<
  CsrName,
  bigint
>;

/** Stores what a write leaves under the fields' rules. */
function storeLegal(hart: Hart, name: StoredCsr, value: bigint): void {
  const old = hart.state.stored(name);
  hart.state.setStored(name, legalize(CSRS[name], old, value, WRITABLE[name]));
}

/** A stored CSR that something else depends on. */
const storing =
  (name: StoredCsr, attention: number): Writer =>
  (hart, value) => {
    storeLegal(hart, name, value);
    hart.attention |= attention;
  };

/** Replaces the bits of `mask` in the register behind a view. */
const throughView = (old: bigint, value: bigint, mask: bigint): bigint => (old & ~mask) | (value & mask);

/** Writes `mstatus` or `vsstatus`. @spec norm:vsstatus_sd_xs_op */
const writeStatus =
  (name: "mstatus" | "vsstatus"): Writer =>
  (hart, value) => {
    const { state } = hart;
    storeLegal(hart, name, value);
    state.setStored(name, withSummary(state.stored(name)));
    hart.attention |= Attention.INTERRUPTS | Attention.ACCESS_CONTEXT; // norm:intr_mip_mie_xret_csrwr norm:csr_side_effects_synchronous norm:sfence_vma_sum_mxr_effect
  };

const writeMstatus = writeStatus("mstatus");

/** Writes a part of `fcsr`, or all of it. */
const writeFloatControl =
  (field: BitField): Writer =>
  ({ state }, value) => {
    state.setStored("fcsr", setField(state.stored("fcsr"), field, value));
    markFloatDirty(state);
  };

/** A guest's timer that is switched off has nothing pending. */
function stopGuestTimer(state: HartState): void {
  if (!isGuestTimerOn(state)) state.wiresPending &= ~VSTIP;
}

/** STIP changes hands between software and the timer, and starts from zero. @spec norm:mip_stip_stimecmp_acc */
function writeEnvironment(hart: Hart, value: bigint): void {
  const { state } = hart;
  storeLegal(hart, "menvcfg", value);
  if (isTimerOn(state)) state.softwarePending &= ~STIP;
  else state.wiresPending &= ~STIP;
  stopGuestTimer(state);
  hart.timer.compare();
  hart.attention |= Attention.TRANSLATIONS | Attention.INTERRUPTS;
}

/** Fields that machine mode has not given stay zero. */
function writeGuestEnvironment(hart: Hart, value: bigint): void {
  storeLegal(hart, "henvcfg", value & environmentMask(hart.state));
  stopGuestTimer(hart.state);
  hart.timer.compare();
  hart.attention |= Attention.TRANSLATIONS | Attention.INTERRUPTS;
}

/** What a timer compares. */
const writeTime =
  (name: "stimecmp" | "vstimecmp" | "htimedelta"): Writer =>
  (hart, value) => {
    storeLegal(hart, name, value);
    hart.timer.compare();
    hart.attention |= Attention.INTERRUPTS;
  };

/** The root of the second stage is 16 KiB and aligned to that. An unsupported MODE leaves the other fields writable. @spec norm:hgatp_ppn_op @spec norm:hgatp_mode_warl */
function writeGuestTranslation(hart: Hart, value: bigint): void {
  storeLegal(hart, "hgatp", value & ~3n);
  hart.attention |= Attention.ADDRESS_SPACE; // norm:hfence-gvma_mode
}

/** Enables through a view of `mie`. */
const writeEnables =
  (visible: (hart: Hart) => bigint, shift = 0n): Writer =>
  (hart, value) => {
    const { state } = hart;
    state.setStored("mie", throughView(state.stored("mie"), value << shift, visible(hart)));
    hart.attention |= Attention.INTERRUPTS;
  };

/** Pending bits that software owns, through a view of `mip`. @spec norm:hip_vssip_vssie_op */
const writeGuestPending =
  (visible: (hart: Hart) => bigint, shift = 0n): Writer =>
  (hart, value) => {
    const { state } = hart;
    state.softwarePending = throughView(state.softwarePending, value << shift, visible(hart));
    hart.attention |= Attention.INTERRUPTS;
  };

/** Writes the bits of `mip` that software owns. */
const writePending =
  (name: "mip" | "sip"): Writer =>
  (hart, value) => {
    const { state } = hart;
    const delegated = name === "sip" ? state.stored("mideleg") : -1n;
    // norm:mip_stip_no_stimecmp_acc
    const owned = isTimerOn(state) ? ~STIP : -1n;
    state.softwarePending = throughView(state.softwarePending, value, WRITABLE[name] & delegated & owned);
    hart.attention |= Attention.INTERRUPTS;
  };

/**
 * Sets a counter so that the *next* instruction reads `value`: the writing instruction itself is not counted in it.
 * @spec norm:mcycle_minstret_wr
 */
const writeCounter =
  (inhibit: bigint, bias: "mcycleBias" | "minstretBias"): Writer =>
  ({ state }, value) => {
    const stopped = (state.stored("mcountinhibit") & inhibit) !== 0n;
    state[bias] = stopped ? value : value - (state.instret + 1n);
  };

/** Stops and starts counters where they stand. @spec norm:mcountinhibit_op2 */
function writeInhibit(hart: Hart, value: bigint): void {
  const { state } = hart;
  const cycles = readCsr(hart, "mcycle");
  const instructions = readCsr(hart, "minstret");
  storeLegal(hart, "mcountinhibit", value);
  const inhibited = state.stored("mcountinhibit");
  state.mcycleBias = (inhibited & INHIBIT_CY) !== 0n ? cycles : cycles - state.instret;
  state.minstretBias = (inhibited & INHIBIT_IR) !== 0n ? instructions : instructions - state.instret;
}

const PMP_LOCK = 0x80;
const PMP_MODE = 0x18;
const PMP_TOR = 0x08;
/** Bits 6:5 of each byte read as zero, whatever is written. @spec norm:pmp_cfg_rv64_layout */
const PMP_BITS = 0x9f9f_9f9f_9f9f_9f9fn;

/** A locked entry keeps its byte until reset. @spec norm:pmp_l_bit_write_protection @spec norm:pmp_l_bit_function */
const writePmpConfig =
  (name: "pmpcfg0" | "pmpcfg2"): Writer =>
  (hart, value) => {
    let unlocked = value & PMP_BITS;
    const old = hart.state.stored(name);
    for (const field of Object.values(CSRS[name].fields)) {
      const mask = fieldMask(field);
      const locked = (old & mask & (BigInt(PMP_LOCK) << BigInt(field.lsb))) !== 0n;
      if (locked) unlocked = throughView(unlocked, old, mask);
    }
    storeLegal(hart, name, unlocked);
    hart.attention |= Attention.TRANSLATIONS;
  };

/** A locked entry keeps its address; so does the entry below a locked TOR entry, whose bottom it is. */
const writePmpAddress =
  (entry: number): Writer =>
  (hart, value) => {
    const config = hart.state.pmpConfig;
    const own = config[entry] ?? 0;
    const next = config[entry + 1] ?? 0;
    const isBottomOfLocked = (next & PMP_LOCK) !== 0 && (next & PMP_MODE) === PMP_TOR;
    if ((own & PMP_LOCK) !== 0 || isBottomOfLocked) return;
    storeLegal(hart, `pmpaddr${entry}` as StoredCsr, value);
    hart.attention |= Attention.TRANSLATIONS;
  };

/** CSRs whose write does more than store. */
const WRITERS: { readonly [N in CsrName]?: Writer } = {
  fflags: writeFloatControl(FCSR_FIELDS.fflags),
  frm: writeFloatControl(FCSR_FIELDS.frm),
  fcsr: writeFloatControl(bits(7, 0)),
  mstatus: writeMstatus,
  sstatus: (hart, value) =>
    writeMstatus(hart, throughView(hart.state.stored("mstatus"), value, SSTATUS_MASK)),
  mie: storing("mie", Attention.INTERRUPTS),
  sie: writeEnables(({ state }) => WRITABLE.sie & state.stored("mideleg")),
  mip: writePending("mip"),
  sip: writePending("sip"), // norm:sip_acc
  mideleg: storing("mideleg", Attention.INTERRUPTS),
  // norm:sfence_vma_mode_effect
  satp: storing("satp", Attention.ADDRESS_SPACE | Attention.ACCESS_CONTEXT),
  stimecmp: writeTime("stimecmp"),
  ...{ vstimecmp: writeTime("vstimecmp"), htimedelta: writeTime("htimedelta") },
  hstatus: storing("hstatus", Attention.INTERRUPTS),
  hideleg: storing("hideleg", Attention.INTERRUPTS),
  hgeie: storing("hgeie", Attention.INTERRUPTS),
  hie: writeEnables(() => HS_VIEW), // norm:hie_acc
  vsie: writeEnables(({ state }) => guestInterrupts(state), 1n),
  hip: writeGuestPending(() => WRITABLE.hip),
  hvip: writeGuestPending(() => WRITABLE.hvip),
  vsip: writeGuestPending(({ state }) => (WRITABLE.vsip << 1n) & guestInterrupts(state), 1n),
  hgatp: writeGuestTranslation,
  vsatp: storing("vsatp", Attention.ADDRESS_SPACE),
  vsstatus: writeStatus("vsstatus"),
  henvcfg: writeGuestEnvironment,
  menvcfg: writeEnvironment,
  mcycle: writeCounter(INHIBIT_CY, "mcycleBias"),
  minstret: writeCounter(INHIBIT_IR, "minstretBias"),
  mcountinhibit: writeInhibit,
  pmpcfg0: writePmpConfig("pmpcfg0"),
  pmpcfg2: writePmpConfig("pmpcfg2"),
  ...Object.fromEntries(
    Array.from({ length: PMP_ENTRIES }, (_, entry) => [`pmpaddr${entry}`, writePmpAddress(entry)]),
  ),
};

/** Whether writing stores what the fields' rules leave, and has no further effect. */
export const isWrittenAsStored = (name: CsrName): boolean =>
  WRITERS[name] === undefined && storedCsrSlot(name) !== undefined;

/** Writes a CSR, 64 bits. Permission is another question; CSRs without storage ignore what is written. */
export function writeCsr(hart: Hart, name: CsrName, value: bigint): void {
  const wanted = BigInt.asUintN(64, value);
  const written = hart.isa.hypervisor ? wanted : wanted & presentBits(hart.isa, name);
  const writer = WRITERS[name];
  if (writer !== undefined) writer(hart, written);
  else if (storedCsrSlot(name) !== undefined) storeLegal(hart, name as StoredCsr, written);
}

/**
 * Writes as an instruction does in the present mode: in a guest, to the VS twin. There an unsupported translation mode
 * voids the write, as it does in `satp`.
 * @spec norm:vsatp_mode_unsupported_v1
 */
export function writeVisibleCsr(hart: Hart, name: CsrName, value: bigint): void {
  const virtual = isVirtual(hart.state.modeNumber);
  const written = BigInt.asUintN(64, value);
  const isVoid = virtual && name === "satp" && legalize(CSRS.satp, 0n, written) !== written;
  if (!isVoid) writeCsr(hart, visibleCsr(name, virtual), written);
}
