/** The smallest hypervisor: one guest in one large page, hypercalls that count, write and take their time, and a hole in one of them. */
import { beyond, type HPA, hpa } from "../../../lib/hs/address.ts";
import type { HsContext } from "../../../lib/hs/context.ts";
import { answerHypercall, type HypervisorMap, type HypervisorModule } from "../../../lib/hs/hypervisor.ts";
import { aligned, array, struct, u64 } from "../../../lib/hs/struct.ts";

/** Where the guest's page is, and where the guest takes it to be. */
export const GUEST_HPA = hpa(0x8080_0000n);
export const GUEST_GPA = 0x8000_0000n;

export const Domain = struct("domain", { calls: u64, mailbox: array(u64, 4), secret: u64 });

const GIGAPAGE = 1n << 30n;
const MEGAPAGE_BITS = 21n;
const pte = (at: bigint, flags: bigint): bigint => ((at >> 12n) << 10n) | flags;
const GUEST_LEAF = 0xdfn; // D A U X W R V

function enterGuest(context: HsContext, map: HypervisorMap): void {
  const { csr, registers } = context;
  const [root, middle] = [map.addressOf("g_root"), map.addressOf("g_middle")];
  context.store(beyond(root, 8n * (GUEST_GPA / GIGAPAGE)), 8, pte(middle, 1n));
  context.store(
    beyond(middle, 8n * ((GUEST_GPA % GIGAPAGE) >> MEGAPAGE_BITS)),
    8,
    pte(GUEST_HPA, GUEST_LEAF),
  );
  csr.write("hgatp", (8n << 60n) | (root >> 12n));
  context.fenceSecondStage();
  csr.write("hedeleg", 0xb1ffn & ~(1n << 10n));
  csr.set("hstatus", 1n << 7n); // SPV: SRET goes to the guest
  csr.set("sstatus", 1n << 8n); // SPP
  csr.write("sepc", GUEST_GPA);
  registers.a0 = BigInt(context.hart);
  context.store(beyond(map.addressOf(`hart${context.hart}`), 8 * 32), 8, map.addressOf("restore"));
}

const domainIn = (context: HsContext, map: HypervisorMap) => Domain.at(context, map.addressOf("domain"));
const EINVAL = 2n ** 64n - 22n;

/** @param checks  Whether `write` looks at the offset that the guest gives. */
export const miniHypervisor = (checks = true): HypervisorModule => ({
  name: "mini",
  layout: {
    domain: Domain,
    g_root: aligned(array(u64, 2048), 16384),
    g_middle: aligned(array(u64, 512), 4096),
  },
  hypercalls: {
    count(context, map) {
      const domain = domainIn(context, map);
      domain.calls += 1n;
      answerHypercall(context, domain.calls);
    },
    /** Word `a0` of the mailbox becomes `a1`. */
    write(context, map) {
      const { a0, a1 } = context.registers;
      const domain = domainIn(context, map);
      if (checks && a0 >= 4n) return answerHypercall(context, EINVAL);
      const word: HPA = beyond(beyond(domain.address, Domain.offsetOf("mailbox")), 8n * a0);
      context.store(word, 8, a1);
      answerHypercall(context, 0n);
    },
    /** Twice `a0`, taking its time. */
    *slow(context) {
      const first = context.registers.a0;
      yield;
      const second = context.registers.a0;
      yield;
      answerHypercall(context, first + second);
    },
  },
  trap(context) {
    const cause = context.csr.read("scause");
    if (cause !== 10n)
      throw new Error(`a guest's trap ${cause} at 0x${context.csr.read("stval").toString(16)}`);
    answerHypercall(context, 2n ** 64n - 38n); // no such call
  },
  init(context, map) {
    if (context.hart === 0) enterGuest(context, map);
  },
});
