/** Domains that are created, paused and destroyed while the machine runs, by its operator and by a privileged domain. */
import { describe, expect, it } from "vitest";
import { DomainFlag, DomainState, PortState, VcpuState } from "../../../lib/vmm/layout.ts";
import { carryOut, createGuest } from "../../../lib/vmm/operator.ts";
import { dismantle } from "../../../lib/vmm/second-stage.ts";
import { handsOn } from "./hands-on.ts";
import { ERROR, faulted, PUPPET, Puppets } from "./puppets.ts";
import { guestBytes } from "./vmm-scene.ts";

const RAM = 32 * 4096;
const FIRST = 0x8000_4000n;
const page = (number: number): bigint => FIRST + 4096n * BigInt(number);
const THERE = 0x4000_0000n;
const STORE = 2n;
const LOAD_FAULT = faulted(5);
const NEW = { image: PUPPET, ramBytes: RAM };

describe.each(["coherent", "sticky"] as const)("the operator of a machine (%s)", (translations) => {
  it("creates a domain, which runs, and destroys it, and all its frames are free", () => {
    const puppets = new Puppets([{}], {}, { translations });
    const free = puppets.free;
    expect(createGuest(puppets.scene, NEW)).toBe(2);
    puppets.run();
    puppets.store(2, page(0), 0x5ec2n);
    expect(puppets.load(2, page(0))).toBe(0x5ec2n);
    expect(puppets.mistakes()).toEqual([]);
    expect(puppets.destroy(2)).toBe(0);
    expect(puppets.scene.vmm.state.domain(2).state).toBe(DomainState.NONE);
    expect(puppets.free).toBe(free);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("gives the number to another, which finds nothing of the first", () => {
    const puppets = new Puppets([{}, {}, {}], {}, { translations });
    for (const number of [0, 1, 2]) puppets.store(2, page(number), 0x5ec2n);
    puppets.call(2, "event_allocate", 1);
    const frame = puppets.frameOf(2, page(0))?.at;
    puppets.destroy(2);
    for (const number of [0, 1, 2]) puppets.store(3, page(number), 0x7777n);
    expect(createGuest(puppets.scene, NEW)).toBe(2);
    puppets.run();
    expect([0, 1, 2].map((number) => puppets.load(2, page(number)))).toEqual([0n, 0n, 0n]);
    expect(puppets.scene.vmm.state.domain(2).ports.get(1).state).toBe(PortState.FREE);
    expect(frame).toBeDefined();
    expect(puppets.mistakes()).toEqual([]);
  });

  it("gives a virtual CPU to another, which finds no registers of the first", () => {
    const puppets = new Puppets([{}, {}], {}, { translations });
    puppets.store(2, page(0), 0x5ec2n);
    puppets.destroy(2);
    // The first had its mailbox's address in s0, and what it stored last in t3.
    const image = guestBytes(
      `mv a0, s0\n mv a1, t3\n li t0, ${FIRST}\n sd a0, (t0)\n sd a1, 8(t0)\n li t1, 1\n sd t1, 16(t0)\n stay: j stay`,
    );
    expect(createGuest(puppets.scene, { image, ramBytes: RAM })).toBe(2);
    puppets.run();
    const at = puppets.frameOf(2, FIRST)?.at ?? 0n;
    expect([0n, 8n, 16n].map((word) => puppets.scene.board.memory.load(at + word, 8))).toEqual([0n, 0n, 1n]);
  });

  it("gives a new domain the virtio console that its flags say, and the next with its number none", () => {
    const puppets = new Puppets([{}], {}, { translations });
    // The device's magic number, version and kind, as it says them.
    const image = guestBytes(
      `li t0, ${FIRST}\n li t1, 0x10003000\n lwu a0, (t1)\n lwu a1, 4(t1)\n lwu a2, 8(t1)\n sd a0, (t0)\n sd a1, 8(t0)\n sd a2, 16(t0)\n stay: j stay`,
    );
    for (const [flags, device] of [
      [DomainFlag.HAS_VIRTIO_CONSOLE, 3n],
      [0, 0n],
    ] as const) {
      expect(createGuest(puppets.scene, { image, ramBytes: RAM, flags })).toBe(2);
      puppets.run();
      const at = puppets.frameOf(2, FIRST)?.at ?? 0n;
      const words = [0n, 8n, 16n].map((word) => puppets.scene.board.memory.load(at + word, 8));
      expect(words).toEqual([0x7472_6976n, 2n, device]);
      expect(puppets.destroy(2)).toBe(0);
      puppets.run();
    }
    expect(puppets.mistakes()).toEqual([]);
  });

  it("can destroy the one that runs, and all of them; the machine stays on for others", () => {
    const puppets = new Puppets([{}, {}], {}, { translations });
    const { bootInfo, pool } = puppets.scene.vmm.state;
    let loaded = 0;
    for (const index of [0, 1])
      for (const piece of [0, 1, 2])
        loaded += Number(bootInfo.domain.get(index).pieces.get(piece).bytes) / 4096;
    for (const domain of [1, 2]) expect(puppets.destroy(domain)).toBe(0);
    puppets.run();
    // Also what the loader had left, which lay outside of the pool, is in it now.
    expect(loaded).toBeGreaterThan(2);
    expect(pool.free).toBe(pool.end - pool.first + loaded);
    expect(puppets.mistakes()).toEqual([]);
    expect([1, 2].map(() => createGuest(puppets.scene, NEW))).toEqual([1, 2]);
    puppets.run();
    expect(puppets.call(2, "domain")).toBe(2);
    expect(puppets.mistakes()).toEqual([]);
  });
});

describe("a page of a domain that is destroyed", () => {
  /** Guest 1 has granted a page to guest 2, which maps it twice, and one to guest 3, which does not map it. */
  function lent(): Puppets {
    const puppets = new Puppets([{}, {}, {}], {}, { translations: "sticky" });
    puppets.store(1, page(3), 0x1234n);
    expect(puppets.call(1, "grant", 2, page(3), 1)).toBe(0);
    expect(puppets.call(1, "grant", 3, page(4), 1)).toBe(1);
    expect(puppets.call(2, "grant_map", 1, 0, THERE, 1)).toBe(0);
    expect(puppets.call(2, "grant_map", 1, 0, THERE + 4096n, 0)).toBe(1);
    return puppets;
  }

  it("lives until its last mapping goes, and so long its owner's number is nobody's", () => {
    const puppets = lent();
    const { state } = puppets.scene.vmm;
    puppets.destroy(1);
    expect([state.domain(1).state, state.domain(1).frames]).toEqual([DomainState.DYING, 1]);
    expect(puppets.mistakes()).toEqual([]);
    puppets.store(2, THERE, 0x4321n);
    expect(puppets.load(2, THERE + 4096n)).toBe(0x4321n);
    // Nothing more can be had from it.
    expect(puppets.call(2, "grant_map", 1, 0, THERE + 8192n, 1)).toBe(ERROR.NO_DOMAIN);
    expect(puppets.call(3, "grant_map", 1, 1, THERE, 1)).toBe(ERROR.NO_DOMAIN);
    expect(createGuest(puppets.scene, NEW)).toBe(4);
    const free = puppets.free;
    expect(puppets.call(2, "grant_unmap", 0)).toBe(0);
    expect([state.domain(1).state, puppets.free]).toEqual([DomainState.DYING, free]);
    expect(puppets.mistakes()).toEqual([]);
    expect(puppets.call(2, "grant_unmap", 1)).toBe(0);
    expect([state.domain(1).state, puppets.free]).toEqual([DomainState.NONE, free + 1]);
    expect(puppets.load(2, THERE)).toBe(LOAD_FAULT);
    expect(createGuest(puppets.scene, NEW)).toBe(1);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("is unmapped with a domain that has mapped it, and the grant can be taken back", () => {
    const puppets = lent();
    expect(puppets.call(1, "grant_revoke", 0)).toBe(ERROR.BUSY);
    puppets.destroy(2);
    expect(puppets.scene.vmm.state.domain(2).state).toBe(DomainState.NONE);
    expect(puppets.mistakes()).toEqual([]);
    // What was granted to number 2 is not granted to the next number 2.
    expect(createGuest(puppets.scene, NEW)).toBe(2);
    puppets.run();
    expect(puppets.call(2, "grant_map", 1, 0, THERE, 1)).toBe(ERROR.NO_ENTRY);
    expect(puppets.call(1, "grant_revoke", 0)).toBe(ERROR.NO_ENTRY);
    expect(puppets.load(1, page(3))).toBe(0x1234n);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("goes with both when both go", () => {
    const puppets = lent();
    const { state } = puppets.scene.vmm;
    puppets.destroy(1);
    puppets.destroy(2);
    expect([state.domain(1).state, state.domain(2).state]).toEqual([DomainState.NONE, DomainState.NONE]);
    expect(puppets.mistakes()).toEqual([]);
  });
});

describe("taking a second stage apart", () => {
  it("fences the whole domain before the first of its frames is free", () => {
    const guest = { ramBytes: 6 * 1024 * 1024, largePages: true };
    const puppets = new Puppets([{}, guest], {}, { ramBytes: 16 * 1024 * 1024 });
    for (const place of [page(0), page(1), 0x8020_0000n]) puppets.store(2, place, 1n);
    const { state } = puppets.scene.vmm;
    carryOut(puppets.scene, { kind: "PAUSE", domain: 2 });
    const { free } = state.pool;
    const { host, fences } = handsOn(puppets.scene, () => {
      if (fences.length === 0) expect(state.pool.free).toBe(free);
    });
    dismantle(host, 2);
    expect(fences).toEqual([[undefined, 2n]]);
    expect(state.pool.free).toBeGreaterThan(free + 512);
    // A large page goes as a whole, and with it the table that was kept for it.
    expect(state.domain(2).frames).toBe(0);
    expect(puppets.mistakes()).toEqual([]);
  });
});

describe("event channels of a domain that is destroyed", () => {
  it("are closed at the other end, too", () => {
    const puppets = new Puppets([{}, {}]);
    expect(puppets.call(1, "event_allocate", 2)).toBe(1);
    expect(puppets.call(1, "event_allocate", 2)).toBe(2);
    expect(puppets.call(2, "event_bind", 1, 1)).toBe(1);
    expect(puppets.call(1, "event_send", 1)).toBe(0);
    puppets.destroy(2);
    expect(puppets.call(1, "event_send", 1)).toBe(ERROR.NO_ENTRY);
    createGuest(puppets.scene, NEW);
    puppets.run();
    expect(puppets.call(2, "event_bind", 1, 2)).toBe(ERROR.NO_ENTRY);
    expect(puppets.mistakes()).toEqual([]);
  });
});

describe("a privileged domain", () => {
  it("puts another together out of its own memory, and stops and ends it", () => {
    const puppets = new Puppets([{ privileged: true }, {}]);
    const { board, vmm } = puppets.scene;
    expect(puppets.call(1, "domain_create", RAM, 1, 0, 0)).toBe(3);
    // The program of the privileged domain is a puppet's; it copies its own.
    for (let at = 0; at < PUPPET.length; at += 4096)
      expect(
        puppets.call(1, "domain_write", 3, 0x8000_0000n + BigInt(at), 0x8000_0000n + BigInt(at), 4096),
      ).toBe(4096);
    expect(vmm.state.domain(3).state).toBe(DomainState.BUILDING);
    expect(puppets.call(1, "domain_start", 3, 0x8000_0000n, 0)).toBe(0);
    puppets.run();
    expect(puppets.call(3, "domain")).toBe(3);
    expect(puppets.call(1, "domain_write", 3, 0x8000_0000n, 0x8000_0000n, 8)).toBe(ERROR.BUSY);
    expect(puppets.call(1, "domain_start", 3, 0x8000_0000n, 0)).toBe(ERROR.BUSY);

    expect(puppets.call(1, "domain_pause", 3)).toBe(0);
    puppets.tell(3, STORE, [page(0), 5n]);
    puppets.run(100_000);
    expect([puppets.answer(3), puppets.answer(1)]).toEqual([undefined, 0n]);
    expect(puppets.call(1, "domain_unpause", 3)).toBe(0);
    puppets.run();
    expect([puppets.answer(3), puppets.load(3, page(0))]).toEqual([0n, 5n]);

    expect(puppets.call(1, "domain_target", 3, 20)).toBe(0);
    expect(puppets.call(3, "balloon_target")).toBe(20);
    expect(puppets.call(1, "domain_destroy", 3)).toBe(0);
    puppets.run(50_000);
    expect(vmm.state.domain(3).state).toBe(DomainState.NONE);
    expect(puppets.call(1, "domain_destroy", 3)).toBe(ERROR.NO_DOMAIN);
    expect(puppets.mistakes()).toEqual([]);
    expect(board.console.text).toBe("");
  });

  it("is refused what cannot be, and nobody else may do any of it", () => {
    const puppets = new Puppets([{ privileged: true }, {}]);
    const { state } = puppets.scene.vmm;
    expect(puppets.call(1, "domain_create", 100, 1, 0, 0)).toBe(ERROR.INVALID);
    expect(puppets.call(1, "domain_create", 0, 1, 0, 0)).toBe(ERROR.INVALID);
    expect(puppets.call(1, "domain_create", 1n << 40n, 1, 0, 0)).toBe(ERROR.INVALID);
    expect(puppets.call(1, "domain_create", RAM, 5, 0, 0)).toBe(ERROR.INVALID);
    expect(puppets.call(1, "domain_create", RAM, 1, 0, 2)).toBe(ERROR.INVALID);
    for (const name of ["pause", "unpause", "destroy", "start", "write"]) {
      expect(puppets.call(1, `domain_${name}`, 1)).toBe(ERROR.INVALID);
      expect(puppets.call(1, `domain_${name}`, 6)).toBe(
        name === "write" ? ERROR.BAD_ADDRESS : ERROR.NO_DOMAIN,
      );
    }
    for (const name of ["create", "write", "start", "pause", "unpause", "destroy", "target", "limit"])
      expect(puppets.call(2, `domain_${name}`, name === "create" ? RAM : 1, 1)).toBe(ERROR.NOT_PERMITTED);
    expect(puppets.call(1, "domain_limit", 2, 1)).toBe(0);
    // All numbers, then all virtual CPUs.
    expect([3, 4, 5].map(() => puppets.call(1, "domain_create", RAM, 4, 0, 0))).toEqual([3, 4, 5]);
    expect(puppets.call(1, "domain_create", RAM, 3, 0, 0)).toBe(ERROR.NO_SPACE);
    expect([6, 7].map(() => puppets.call(1, "domain_create", RAM, 1, 0, 0))).toEqual([6, 7]);
    expect(puppets.call(1, "domain_create", RAM, 1, 0, 0)).toBe(ERROR.NO_SPACE);
    expect(state.domain(3).flags & DomainFlag.PRIVILEGED).toBe(0);
    expect(puppets.mistakes()).toEqual([]);
  });
});

describe("a domain that was paused", () => {
  it("is awake when it goes on, whatever came meanwhile", () => {
    const puppets = new Puppets([{}, {}]);
    const { state } = puppets.scene.vmm;
    carryOut(puppets.scene, { kind: "PAUSE", domain: 2 });
    state.vcpu(1).paused = VcpuState.BLOCKED;
    carryOut(puppets.scene, { kind: "UNPAUSE", domain: 2 });
    puppets.run();
    expect(puppets.call(2, "domain")).toBe(2);
    expect(carryOut(puppets.scene, { kind: "PAUSE", domain: 7 })).toBe(ERROR.NO_DOMAIN);
  });
});
