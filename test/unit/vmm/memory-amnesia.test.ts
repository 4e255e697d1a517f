/** What is kept about memory that comes and goes is in RAM, too: with handlers made afresh between traps a history is the same to the last event. */
import { expect, it } from "vitest";
import { carryOut, createGuest } from "../../../lib/vmm/operator.ts";
import { PUPPET, Puppets } from "./puppets.ts";

const LARGE = 0x8020_0000n;
const page = (number: number): bigint => 0x8000_4000n + 4096n * BigInt(number);

/** Something of everything, and what the guests saw of it. */
function history(handlers: { readonly amnesia?: { readonly seed: number } }) {
  const guest = { ramBytes: 6 * 1024 * 1024 };
  const puppets = new Puppets(
    [{ ...guest, largePages: true, privileged: true }, { ramBytes: 32 * 4096 }],
    {},
    { ramBytes: 16 * 1024 * 1024 },
    { handlers },
  );
  for (const number of [0, 1, 2]) {
    puppets.store(1, LARGE + 4096n * BigInt(number), 7n);
    puppets.store(2, page(number), 7n);
  }
  puppets.scene.vmm.state.pageSharing.domain = 1;
  puppets.scene.vmm.state.pageSharing.page = 510;
  carryOut(puppets.scene, { kind: "SHARE", words: [2n, 0n] });
  puppets.run(100_000);
  carryOut(puppets.scene, { kind: "SHARE", words: [0n, 0n] });
  puppets.store(2, page(0), 8n);
  const answers = [
    puppets.call(1, "balloon_give", LARGE, 2),
    puppets.call(1, "grant", 2, LARGE + 8192n, 1),
    puppets.call(2, "grant_map", 1, 0, 0x4000_0000n, 1),
    puppets.call(1, "domain_create", 32 * 4096, 1, 0, 0),
    puppets.call(1, "domain_target", 2, 9),
    puppets.call(2, "event_take"),
    puppets.call(2, "balloon_take", page(9), 5),
    puppets.destroy(1),
    createGuest(puppets.scene, { image: PUPPET, ramBytes: 32 * 4096 }),
    puppets.call(2, "grant_unmap", 0),
  ];
  puppets.run(100_000);
  const { merged, broken } = puppets.scene.vmm.state.pageSharing;
  return { answers, merged, broken, mistakes: puppets.mistakes(), trace: puppets.scene.board.trace.hash() };
}

it("a history of large, shared and given pages, of grants and of domains", () => {
  const plain = history({});
  expect(plain).toMatchObject({ answers: [2, 0, 0, 3, 0, 1, 5, 0, 4, 0], mistakes: [] });
  expect(plain.merged).toBeGreaterThan(1n);
  expect(plain.broken).toBeGreaterThan(0n);
  for (const seed of [1, 2]) expect(history({ amnesia: { seed } })).toEqual(plain);
});
