/**
 * A reader's parts keep everything in machine RAM, or I10 says where they do not. These tests are not among those of the hypervisor, which
 * `npm test` runs a second time with handlers that always forget: here one of the two runs must remember.
 */
import { expect, it } from "vitest";
import { BUSY } from "../../../lib/course/sharing/guests.ts";
import { buildHost } from "../../../lib/course/vm-host.ts";
import { compareAmnesia } from "../../../lib/referee/amnesia.ts";
import type { VmmParts } from "../../../lib/vmm/parts.ts";

const SMALL = 1 << 18;
const violation = (parts: () => VmmParts) =>
  compareAmnesia({
    build: (handlers) => {
      const guests = [BUSY, BUSY].map((image) => ({ image, ramBytes: SMALL }));
      return buildHost({ guests, slice: 500, parts, handlers, judge: false }).board;
    },
    instructions: 100_000,
    seed: 1,
  });

it("a scheduler that counts its calls in a closure is found by amnesia", () => {
  const remembering = (): VmmParts => {
    let calls = 0;
    return { choose: (_host, { vcpus }) => vcpus[calls++ % 2] };
  };
  expect(violation(remembering)).toMatchObject({ invariant: "I10" });
});

it("a scheduler that reads who ran last out of RAM is not accused", () => {
  const reading = (): VmmParts => ({
    choose: (_host, { vcpus, current }) => vcpus.find((vcpu) => vcpu.address !== current?.address),
  });
  expect(violation(reading)).toBeUndefined();
});
