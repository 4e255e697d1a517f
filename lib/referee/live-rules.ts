/** I1, for what harts use at this moment: the second stage that `hgatp` names, and translations that are older than the tables. */
import { hex } from "../bits/hex.ts";
import type { Hart } from "../hart/hart.ts";
import type { Mode } from "../isa/mode.ts";
import { DomainState, FrameType, VCPUS, VcpuState, type VcpuView } from "../vmm/layout.ts";
import { borrowingMistake } from "./frame-grants.ts";
import type { FrameView } from "./frame-rules.ts";
import { BIT, meaningOf, type Step, type Tables, tablesOf } from "./page-tables.ts";
import { isParavirtual, registersMistake, staleLeafOf } from "./paravirtual-rules.ts";
import type { Finding } from "./violation.ts";

const VMID_SHIFT = 44n;
const VMID_MASK = 0x3fffn;
const RIGHTS = BIT.R | BIT.W | BIT.X;
const PAGE = 4096n;

/** The VMID in a value of `hgatp`. */
export const vmidOf = (hgatp: bigint): number => Number((hgatp >> VMID_SHIFT) & VMID_MASK);

/** The domain whose virtual CPU a hart runs, as the hypervisor's own table says; 0: none. */
export const domainOn = (view: FrameView, hart: Hart): number => currentOn(view, hart)?.domain ?? 0;

function currentOn({ state }: FrameView, hart: Hart): VcpuView | undefined {
  const { current } = state.pcpu(hart.id);
  if (current === 0n) return undefined;
  for (let index = 0; index < VCPUS; index++) {
    const vcpu = state.vcpu(index);
    if (vcpu.address === current) return vcpu;
  }
  return undefined;
}

/** The tables that a guest of a domain has made for itself: those of a hart that runs it, else those kept for one of its virtual CPUs. */
export function ownTablesOf(view: FrameView, harts: readonly Hart[], domain: number): Tables | undefined {
  const hart = harts.find((each) => domainOn(view, each) === domain);
  if (hart !== undefined) return tablesOf("vsatp", hart.state.stored("vsatp"));
  for (let index = 0; index < VCPUS; index++) {
    const vcpu = view.state.vcpu(index);
    if (vcpu.state !== VcpuState.NONE && vcpu.domain === domain) return tablesOf("vsatp", vcpu.vs.vsatp);
  }
  return undefined;
}

/** What is wrong with a value of `hgatp` for a domain's guest, if anything is. */
function hgatpMistake(view: FrameView, value: bigint, domain: number): string | undefined {
  const tables = tablesOf("hgatp", value);
  if (tables === undefined) return "says Bare, so all of the machine's memory is the guest's";
  if (vmidOf(value) !== domain) return `says VMID ${vmidOf(value)}, and the guest is of domain ${domain}`;
  const own = view.secondStage(domain);
  if (own === undefined) return `names tables of domain ${domain}, which does not exist`;
  return own.root === tables.root && own.levels === tables.levels
    ? undefined
    : `leads to tables at ${hex(tables.root)}, and those of domain ${domain} are at ${hex(own.root)}`;
}

/** I1: a hart that runs a guest, or has just run it, runs it behind its own second stage. */
export function* guestRootOf(view: FrameView, hart: Hart, mode: Mode): Generator<Finding> {
  if (mode !== "VS" && mode !== "VU") return;
  const domain = domainOn(view, hart);
  if (domain === 0) return;
  if (isParavirtual(view, domain)) {
    yield* paravirtualOf(view, hart);
    return;
  }
  const value = hart.state.stored("hgatp");
  const mistake = hgatpMistake(view, value, domain);
  if (mistake === undefined) return;
  const sentence = `Hart ${hart.id} runs a guest of domain ${domain}, and its hgatp (${hex(value)}) ${mistake}.`;
  yield { invariant: "I1", object: `hgatp of hart ${hart.id}`, sentence };
}

/** I1: or, if it has none, with tables that were checked. */
function* paravirtualOf(view: FrameView, hart: Hart): Generator<Finding> {
  const vcpu = currentOn(view, hart);
  if (vcpu === undefined) return;
  const { state } = hart;
  const [hgatp, vsatp, hstatus] = [state.stored("hgatp"), state.stored("vsatp"), state.stored("hstatus")];
  const mistake = registersMistake(view, { hgatp, vsatp, hstatus }, vcpu);
  if (mistake === undefined) return;
  const sentence = `Hart ${hart.id} runs a paravirtualized guest of domain ${vcpu.domain}, and ${mistake}.`;
  yield { invariant: "I1", object: `vsatp of hart ${hart.id}`, sentence };
}

/** I1: so do virtual CPUs that wait for a hart. */
export function* savedRootsOf(view: FrameView): Generator<Finding> {
  for (let index = 0; index < VCPUS; index++) yield* savedRootOf(view, index);
}

/** What a virtual CPU will run with when its turn comes. */
function* savedRootOf(view: FrameView, index: number): Generator<Finding> {
  const vcpu = view.state.vcpu(index);
  const { state, domain } = vcpu;
  if (state === VcpuState.NONE || state === VcpuState.STOPPED) return;
  if (view.state.domain(domain).state !== DomainState.RUNNING) return;
  if (isParavirtual(view, domain)) {
    yield* savedParavirtual(view, vcpu, index);
    return;
  }
  const value = vcpu.vs.hgatp;
  const mistake = value === 0n ? undefined : hgatpMistake(view, value, domain);
  if (mistake === undefined) return;
  const sentence = `Virtual CPU ${index} of domain ${domain} is kept with an hgatp (${hex(value)}) that ${mistake}.`;
  yield { invariant: "I1", object: `hgatp of virtual CPU ${index}`, sentence };
}

/** While it has a hart, what is kept of it is old. */
function* savedParavirtual(view: FrameView, vcpu: VcpuView, index: number): Generator<Finding> {
  if (view.harts.some((hart) => currentOn(view, hart)?.address === vcpu.address)) return;
  const mistake = registersMistake(view, vcpu.vs, vcpu);
  if (mistake === undefined) return;
  const sentence = `Virtual CPU ${index} of domain ${vcpu.domain}, paravirtualized, is kept for later, and ${mistake}.`;
  yield { invariant: "I1", object: `vsatp of virtual CPU ${index}`, sentence };
}

/**
 * I1: what harts remember of second stages. On a board whose harts keep translations until a fence, a page that was taken away without one
 * can still be used.
 */
export function* staleOf(view: FrameView, harts: readonly Hart[]): Generator<Finding> {
  for (const hart of harts) {
    if (hart.remembered?.answers !== true) continue;
    for (const [space, leaves] of hart.remembered.save()) {
      const [stage, vmid, asid] = space.split(":");
      if (stage === "VS" && vmid === "0")
        for (const leaf of leaves) yield* staleLeafOf(view, hart, Number(asid), leaf);
      if (stage !== "G") continue;
      for (const leaf of leaves) yield* staleLeaf(view, hart, Number(vmid), leaf);
    }
  }
}

type RememberedLeaf = ReturnType<NonNullable<Hart["remembered"]>["save"]>[number][1][number];

function* staleLeaf(view: FrameView, hart: Hart, domain: number, leaf: RememberedLeaf): Generator<Finding> {
  const { path, level, start, bytes } = leaf;
  const last = path.at(-1);
  if (last === undefined) return;
  const meaning = meaningOf("hgatp", level, last.pte);
  if (meaning.kind !== "leaf") return;
  const first = meaning.to + (start & (meaning.bytes - 1n));
  for (let offset = 0n; offset < bytes; offset += PAGE) {
    const rights = meaning.rights & RIGHTS;
    const reason = strangerAt(view, domain, { page: start + offset, address: first + offset, rights });
    if (reason === undefined) continue;
    yield {
      invariant: "I1",
      object: `remembered page ${hex(start + offset)} of domain ${domain} on hart ${hart.id}`,
      sentence: `Hart ${hart.id} still remembers that guest-physical ${hex(start + offset)} of domain ${domain} is ${hex(first + offset)}, and ${reason}: an HFENCE.GVMA is missing.`,
      walk: path.map((step, index) => rememberedStep(step, level + path.length - 1 - index)),
    };
    return;
  }
}

/** Why a domain has no business at an address that it has for a page of its. */
function strangerAt(
  view: FrameView,
  domain: number,
  { page, address, rights }: Record<"page" | "address" | "rights", bigint>,
): string | undefined {
  const { book, state, isGranted } = view;
  if (isGranted(domain, address, rights)) return undefined;
  const frame = Number((address - state.frameAddress(0)) / PAGE);
  if (address < state.frameAddress(0) || frame >= book.frameCount) return "that is no RAM";
  const { owner, type } = book.entryOf(frame);
  if (type === FrameType.FREE) return `frame ${frame} is not given to anybody now`;
  const isWritable = (rights & BIT.W) !== 0n;
  if (type === FrameType.SHARED) return isWritable ? `frame ${frame} is one that pages share now` : undefined;
  if (owner !== domain) {
    const mistake = borrowingMistake(view, { domain, page, frameAddress: address, owner, rights });
    return mistake === undefined ? undefined : `frame ${frame} belongs to domain ${owner} now, ${mistake}`;
  }
  return type !== FrameType.RAM && isWritable ? `frame ${frame} holds page tables now` : undefined;
}

const rememberedStep = ({ address, pte }: RememberedLeaf["path"][number], level: number): Step => ({
  register: "hgatp",
  level,
  index: Number((address & 0xfffn) >> 3n),
  at: address,
  entry: pte,
  meaning: meaningOf("hgatp", level, pte),
});
