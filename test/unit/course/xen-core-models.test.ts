/**
 * The models that judge exercises of notebook 06 against the hypervisor itself: random histories of grants and of event channels, made
 * by guests with their own hypercalls, end as the models say, and the counts of the frame table are theirs.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededWords } from "../../../lib/checks/seed.ts";
import { type EventCall, eventModel, quietDomains } from "../../../lib/course/xen-core/event-model.ts";
import { askWords, type GrantOp, grantPlans } from "../../../lib/course/xen-core/grant-histories.ts";
import {
  frameBehind,
  GRANT_PAGES,
  type GrantOffice,
  grantModel,
  quietOffice,
} from "../../../lib/course/xen-core/grant-model.ts";
import { buildOffice, type OfficeGuest } from "../../../lib/course/xen-core/office.ts";
import { hpa } from "../../../lib/hs/address.ts";
import { PortState } from "../../../lib/vmm/layout.ts";

const HISTORIES = process.env["DOM0_TEST_FULL"] === "1" ? 100 : 16;
const RAM = 0x8001_0000n;
const FAR = 0x9000_0000n;

/** Where a model's page is in a guest: its own frames in RAM, what is mapped far from it. */
const addressOf = (page: number): bigint => (page < GRANT_PAGES ? RAM : FAR) + 4096n * BigInt(page);

/** An office of three guests, who have touched their pages; grants and mappings under the model's numbers. */
class Twin {
  readonly #scene = buildOffice({ alice: {}, bob: {}, carol: {} });
  readonly #guests: readonly OfficeGuest[] = [this.#scene.alice, this.#scene.bob, this.#scene.carol];
  readonly #grants: { readonly from: number; readonly number: number }[] = [];
  readonly #mappings: number[] = [];

  constructor() {
    for (const guest of this.#guests)
      for (let page = 0; page < GRANT_PAGES; page++) guest.store(addressOf(page), "mine");
  }

  do({ me, ask }: GrantOp): number {
    const guest = this.#guests[me - 1];
    if (guest === undefined) throw new Error(`no guest ${me}`);
    switch (ask.call) {
      case "grant": {
        const number = guest.call(
          "grant",
          ask.to,
          addressOf((ask.frame - frameBehind(1, 0)) % GRANT_PAGES),
          ask.writable ? 1 : 0,
        );
        if (number < 0) return number;
        return this.#grants.push({ from: me, number }) - 1;
      }
      case "map": {
        const { from, number } = this.#grants[ask.grant] ?? { from: (me % 3) + 1, number: 31 };
        const mapping = guest.call("grant_map", from, number, addressOf(ask.page), ask.writable ? 1 : 0);
        return mapping < 0 ? mapping : this.#mappings.push(mapping) - 1;
      }
      case "unmap": {
        const mapping = this.#mappings[ask.mapping] ?? 63;
        return guest.call("grant_unmap", mapping);
      }
      case "revoke":
        return guest.call("grant_revoke", this.#grants[ask.grant]?.number ?? 31);
    }
  }

  /** What the frame table says of the frames that the model knows. */
  counts(): { readonly refs: number; readonly writers: number }[] {
    const { state } = this.#scene.office.vmm;
    return this.#guests.flatMap((guest) =>
      Array.from({ length: GRANT_PAGES }, (_, page) => {
        const { refCount, typeCount } = state.frame(
          state.frameNumber(hpa(guest.frameOf(addressOf(page)) ?? 0n)),
        );
        return { refs: refCount, writers: typeCount };
      }),
    );
  }

  check(): readonly unknown[] {
    return [...this.#scene.office.judge.violations, ...this.#scene.office.judge.check()];
  }
}

/**
 * What the hypervisor cannot be asked in the model's words: it hands out numbers again that have become free, it names grants by their
 * owner, and a guest has no name for a frame that is not its own.
 */
function isNamed(office: GrantOffice, { me, ask }: GrantOp): boolean {
  if (ask.call === "grant") return office.frames.get(ask.frame)?.owner === me;
  if (ask.call === "unmap") return (office.mappings[ask.mapping] ?? null) !== null;
  if (ask.call === "revoke") return office.grants[ask.grant]?.from === me;
  return (office.grants[ask.grant] ?? null) !== null;
}

describe("the model of grants", () => {
  it("answers and counts as the hypervisor does", { timeout: 120_000 }, () => {
    let asked = 0;
    for (const plan of fc.sample(grantPlans, { seed: 6, numRuns: HISTORIES })) {
      const twin = new Twin();
      let office = quietOffice();
      const story: string[] = [];
      for (const op of plan) {
        if (!isNamed(office, op)) continue;
        const result = grantModel(office, op.me, op.ask);
        story.push(`${askWords(op)} = ${result.value}`);
        expect(twin.do(op), story.join("; ")).toBe(result.value);
        office = result.office;
        expect(twin.counts(), story.join("; ")).toEqual(
          [...office.frames.values()].map(({ refs, writers }) => ({ refs, writers })),
        );
        asked += 1;
      }
      expect(twin.check()).toEqual([]);
    }
    expect(asked).toBeGreaterThan(3 * HISTORIES);
  });
});

const NAMES = ["free", "waiting", "bound"] as const;

describe("the model of event channels", () => {
  it("answers and keeps what the hypervisor does", { timeout: 120_000 }, () => {
    const word = seededWords(3);
    const pick = (count: number): number => (word() >>> 8) % count;
    for (let history = 0; history < HISTORIES; history++) {
      const scene = buildOffice({ alice: {}, bob: {}, carol: {} });
      const guests = [scene.alice, scene.bob, scene.carol];
      let domains = quietDomains(3);
      for (let step = 0; step < 40; step++) {
        const domain = 1 + pick(3);
        const other = 1 + ((domain + pick(2)) % 3);
        const call =
          (["allocate", "bind", "bind", "send", "send", "mask", "take", "close"] as const)[pick(8)] ?? "take";
        const a = call === "allocate" ? other : call === "bind" ? (pick(9) === 0 ? 4 : other) : pick(5);
        const asked: EventCall = { domain, call, a, b: call === "bind" ? pick(4) : pick(3) };
        const result = eventModel(domains, asked);
        // Six ports there, thirty-two here.
        if (result.value === -28n) continue;
        domains = result.domains;
        expect(guests[domain - 1]?.call(`event_${call}`, a, asked.b), JSON.stringify(asked)).toBe(
          Number(result.value),
        );
        for (const [number, { ports, pending, masked }] of domains.entries()) {
          if (number === 0) continue;
          const view = scene.office.vmm.state.domain(number);
          expect([view.eventsPending, view.eventsMasked], JSON.stringify(asked)).toEqual([pending, masked]);
          for (const [port, end] of ports.entries()) {
            const is = view.ports.get(port);
            expect(NAMES[is.state], JSON.stringify(asked)).toBe(end.state);
            if (is.state === PortState.BOUND)
              expect([is.remote, is.remotePort]).toEqual([end.remote, end.remotePort]);
          }
        }
      }
      expect(scene.office.judge.check()).toEqual([]);
    }
  });
});
