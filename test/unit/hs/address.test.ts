/** Address spaces are types: `npm run check` compiles this file, and each line that is marked must not compile without its mark. */
import { describe, expect, it } from "vitest";
import { beyond, type GPA, type GVA, gpa, gva, type HPA, hpa, pageOf } from "../../../lib/hs/address.ts";
import type { HsContext } from "../../../lib/hs/context.ts";
import { guestPointer, pointer, struct } from "../../../lib/hs/struct.ts";

const Domain = struct("domain", { root: pointer, entry: guestPointer });

/** Never called: it is here to be compiled. */
function mixUps(context: HsContext, virtual: GVA, guest: GPA, host: HPA): void {
  context.load(host, 8);
  context.loadAsGuest(virtual, 8);
  context.fenceSecondStage(guest);
  // @ts-expect-error a guest-physical address is no place in memory
  context.load(guest, 8);
  // @ts-expect-error nor is a virtual one
  context.store(virtual, 8, 0n);
  // @ts-expect-error nor a number that nobody called an address
  context.load(0x8000_0000n, 8);
  // @ts-expect-error HLV takes what the guest computes, not where it ends up
  context.loadAsGuest(host, 8);
  // @ts-expect-error and not what stands between
  context.loadAsGuest(guest, 8);
  // @ts-expect-error the second stage is told guest-physical addresses
  context.fenceSecondStage(host);
  // @ts-expect-error further on in one space is not in another
  context.load(beyond(guest, 8), 8);
  const domain = Domain.at(context, host);
  domain.root = host;
  domain.entry = guest;
  // @ts-expect-error a field has a space too
  domain.root = guest;
  // @ts-expect-error in both directions
  domain.entry = host;
  // @ts-expect-error and structures lie in memory
  Domain.at(context, guest);
}

describe("addresses", () => {
  it("of one space are not taken for those of another", () => {
    expect(mixUps).toHaveLength(4); // what it shows, the compiler has seen
  });

  it("are 64 bits, and wrap as registers do", () => {
    expect([gva(-1n), gpa(2n ** 64n + 5n), hpa(7n)]).toEqual([2n ** 64n - 1n, 5n, 7n]);
    expect(beyond(gva(2n ** 64n - 1n), 2)).toBe(1n);
    expect(beyond(hpa(0x1000n), -8)).toBe(0xff8n);
  });

  it("know their page, and larger pieces", () => {
    expect(pageOf(hpa(0x8020_1fffn))).toBe(0x8020_1000n);
    expect(pageOf(gpa(0x8031_2345n), 1n << 21n)).toBe(0x8020_0000n);
  });
});
