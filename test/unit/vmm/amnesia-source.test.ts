/** What a file of the hypervisor would keep at its top level is found: its source is evaluated afresh between traps. Each mistake is planted. */
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { type HypervisorModule, installHypervisor } from "../../../lib/hs/hypervisor.ts";
import type { HandlerOptions } from "../../../lib/hs/install.ts";
import { compareAmnesia } from "../../../lib/referee/amnesia.ts";
import { violationText } from "../../../lib/referee/violation.ts";
import { FIRST_HYPERCALL, HYPERCALLS } from "../../../lib/vmm/hypercalls.ts";
import { loadGuests } from "../../../lib/vmm/loader.ts";
import { type MakeVmm, vmmAfresh } from "../../support/vmm-afresh.ts";
import { guestBytes } from "./vmm-scene.ts";

const number = (name: string): bigint => FIRST_HYPERCALL + BigInt(Object.keys(HYPERCALLS).indexOf(name));
/** Asks for the version and puts it where the trace shows it, prints a letter, touches a page, and so on. */
const GUEST = guestBytes(`li s0, 40\n li s1, 0x80010000
  loop: li a7, ${number("version")}\n ecall\n csrw sscratch, a0\n li a0, 46\n li a7, 1\n ecall
  sd s0, (s1)\n li t0, 4096\n add s1, s1, t0\n li a7, ${number("yield")}\n ecall\n addi s0, s0, -1\n bnez s0, loop
  li a7, 8\n ecall`);

/** Changes a piece of source that must be there. */
const replacing =
  (before: string, after: string) =>
  (text: string): string => {
    if (text.split(before).length !== 2) throw new Error(`the source has not one place like ${before}`);
    return text.replace(before, after);
  };

const buildWith = (make: MakeVmm) => (handlers: HandlerOptions) => {
  const board = buildBoard({ ramBytes: 32 * 1024 * 1024 });
  const { sizeBytes } = board.bus.ram;
  const makeModule = (): HypervisorModule => ({ ...make(sizeBytes), name: "planted" });
  const hypervisor = installHypervisor(board, makeModule, { handlers });
  if (hypervisor.kind !== "hypervisor") throw new Error(hypervisor.message);
  const guests = [{ image: GUEST }, { image: GUEST }];
  if (loadGuests(board, hypervisor.map, { guests, slice: 2_000 }) !== undefined) throw new Error("no room");
  return board;
};
const compare = (make: MakeVmm) => compareAmnesia({ build: buildWith(make), instructions: 100_000, seed: 1 });

describe("the hypervisor's source, evaluated afresh between traps", () => {
  it("does the same", async () => {
    expect(compare(await vmmAfresh())).toBeUndefined();
  });

  it.each([
    [
      "counts calls at the top level of a file",
      "version: () => ONE",
      "version: () => ++calls",
      "let calls = 0n;",
    ],
    [
      "asks only once whose guest it is",
      "return { ...host, vcpu, domain: host.state.domain(vcpu.domain) };",
      "return { ...host, vcpu, domain: (first ??= host.state.domain(vcpu.domain)) };",
      "let first;",
    ],
  ])("parts from an ordinary run when it %s", async (_, before, after, declared) => {
    const plant = replacing(before, after);
    const violation = compare(await vmmAfresh((text) => `${declared}\n${plant(text)}`));
    expect(violation?.invariant).toBe("I10");
    expect(violation?.sentence).toContain("where handlers forget");
    expect(violationText(violation as never)).toContain("kept outside machine RAM");
    expect(violation?.lastEvents.split("\n").length).toBeGreaterThan(1);
  });
});
