/** Figures of notebook 04 say what the machine says; and the reader's parts run two kernels. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import type { FigureBundle } from "../../../lib/course/figure.ts";
import { referenceAnswer } from "../../../lib/course/help.ts";
import { exitsPicture, type WatchedRun, watchExits } from "../../../lib/course/second-wall/exits.ts";
import { guestFaultCard } from "../../../lib/course/second-wall/fault-card.ts";
import type { GuestTouch } from "../../../lib/course/second-wall/guest-touches.ts";
import { type Built, partsTable, readerParts } from "../../../lib/course/second-wall/reader-parts.ts";
import { twoStageReads } from "../../../lib/course/second-wall/reads-check.ts";
import { ownerOf, secondStage, setSecondBit } from "../../../lib/course/second-wall/second-pages.ts";
import { entryTo, hgatpFor, readsOf, vsatpFor } from "../../../lib/course/second-wall/two-stage-machine.ts";
import { vmQuilt } from "../../../lib/course/second-wall/vm-quilt.ts";
import { walkCostMap, walkCosts } from "../../../lib/course/second-wall/walk-cost.ts";
import { buildHost, type VmHost } from "../../../lib/course/vm-host.ts";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { assetFile } from "../../../lib/host/node-assets.ts";
import { vaddr } from "../../../lib/isa/address.ts";
import { MODE_NUMBER } from "../../../lib/isa/mode.ts";
import { explainTranslation } from "../../../lib/mmu/explain-translation.ts";
import { StageWalker } from "../../../lib/mmu/stage-walker.ts";
import { translate } from "../../../lib/mmu/translate.ts";
import { ExitKind } from "../../../lib/vmm/layout.ts";
import { labelContrasts } from "./figure-inks.ts";
import { allElements, parseXml } from "./markup.ts";

const image = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));
const CONSOLE = readFileSync(path.join(import.meta.dirname, "../../golden/mini-kernel-console.txt"), "utf8");
const kernel = { image, begins: "machine" as const, ramBytes: 1 << 20 };
const OPTIONS = { guests: [kernel, kernel], slice: 20_000, seed: 1, judge: false as const };
const PLENTY = 5_000_000;

const svgOf = (figure: FigureBundle): string => String(figure["image/svg+xml"]);
const textOf = (figure: FigureBundle): string => String(figure["text/plain"]);

/** Exits of a kind, as the hypervisor itself has counted them in RAM. */
const counted = (host: VmHost, kind: number): number =>
  host.vcpus().reduce((sum, { exits }) => sum + Number(exits.get(kind)), 0);

describe("figures of two guests", () => {
  let host: VmHost;
  let run: WatchedRun;
  beforeAll(() => {
    host = buildHost(OPTIONS);
    run = watchExits(host.board, PLENTY);
  });

  it("exits: as many as the hypervisor has counted in its own RAM, but for the last, which never returns", () => {
    const devices = run.exits.filter(({ why }) => why.startsWith("a device")).length;
    const pages = run.exits.filter(({ why }) => why === "memory not given yet").length;
    expect(run.stop.reason).toBe("poweroff");
    expect(devices).toBe(counted(host, ExitKind.MMIO) - 1);
    expect(pages).toBe(counted(host, ExitKind.DEMAND_PAGE));
    expect(Math.min(...run.exits.map(({ cost }) => cost))).toBeGreaterThan(50);
    expect(textOf(exitsPicture(run))).toContain(`${run.exits.length.toLocaleString("en")} exits`);
  });

  it("quilt: a page of each VM for each entry of its second stage, in frames that the frame table calls its own", () => {
    const text = textOf(vmQuilt(host));
    for (const vm of [1, 2]) {
      const pages = secondStage(host, vm);
      expect(text.match(new RegExp(`(?<=^  0x8.*)${vm}(?=[^_]*$)`, "gm"))?.length ?? 0).toBeGreaterThan(0);
      expect(text).toContain(`VM ${vm} has ${pages.length}`);
      for (const { hpa } of pages) expect(ownerOf(host, hpa)).toBe(`VM ${vm}`);
    }
    expect(text).toContain("0 frames are reached by both");
    expect(ownerOf(host, 0x8020_0000n)).toBe("the hypervisor");
    expect(ownerOf(host, 0xf_0000_0000n)).toBe("no memory");
  });

  it("quilt: a frame that both reach is marked, in drawing and words", () => {
    const before = host.board.snapshot();
    const [mine, theirs] = [secondStage(host, 1)[0], secondStage(host, 2)[0]];
    host.board.memory.store(mine?.at ?? 0n, 8, theirs?.entry ?? 0n);
    const quilt = vmQuilt(host);
    host.board.revert(before);
    expect(textOf(quilt)).toMatch(/!/);
    expect(textOf(quilt)).toContain("1 frames are reached by both");
    expect(svgOf(quilt)).toContain(">!<");
  });

  it("a bit of the second stage is changed and nothing else; where nothing is mapped, nothing", () => {
    const before = host.board.snapshot();
    const [page] = secondStage(host, 1);
    expect(setSecondBit(host, 1, page?.gpa ?? 0n, "W", false)).toBe((page?.entry ?? 0n) & ~4n);
    expect(setSecondBit(host, 1, 0x4000_0000n, "W", false)).toBeUndefined();
    host.board.revert(before);
  });

  it.each([
    ["exits", () => exitsPicture(run)],
    ["quilt", () => vmQuilt(host)],
    ["cost", () => walkCostMap()],
  ] as const)(
    "%s: well-formed, with a text alternative, in the palette's paints, the same twice",
    (_, draw) => {
      const svg = svgOf(draw());
      const root = parseXml(svg);
      expect(allElements(root).filter(({ name }) => name === "text").length).toBeGreaterThan(5);
      expect(/<desc>[^<]{20,}<\/desc>/.test(svg)).toBe(true);
      for (const [, paint = ""] of svg.matchAll(/(?:fill|stroke)="([^"]*)"/g))
        expect(paint).toMatch(/^(var\(--dom0-[\w-]+, #[0-9a-f]{6}\)|none)$/);
      expect(svgOf(draw())).toBe(svg);
      expect(labelContrasts(svg).filter(({ ratio }) => ratio < 4.5)).toEqual([]);
      expect(textOf(draw()).split("\n").length).toBeLessThanOrEqual(30);
    },
  );
});

describe("the map of costs", () => {
  it("is the manual's arithmetic: (levels + 1) walks of the second stage, and the guest's own entries", () => {
    const levels: Readonly<Record<string, number>> = { off: 0, "1 GiB": 1, "2 MiB": 2, "4 KiB": 3 };
    for (const { guest, host, reads } of walkCosts()) {
      const [own = 0, second = 0] = [levels[guest], levels[host]];
      expect(reads, `${guest} ${host}`).toBe((own + 1) * second + own);
    }
  });
});

describe("the card of a guest-page fault", () => {
  it.each([
    ["sb a3, 0(a0)", "it stores x13"],
    ["lhu a4, 0(a0)", "it loads x14"],
    ["c.ld a5, 0(a0)", "of two bytes: it loads x15"],
  ])("reads %s out of htinst", (instruction, words) => {
    const text = `li a0, 0x10000000\n ${instruction}\n wfi`;
    const host = buildHost({ guests: [{ image: text }], judge: false });
    for (let tries = 0; tries < 20 && host.board.hart.csr("htval") !== 0x400_0000n; tries += 1)
      host.board.run({ instructions: 5_000, until: { trap: true } });
    expect(textOf(guestFaultCard(host.board))).toContain(words);
  });
});

/** What 04.6 counts, by a hart that remembers: each touch is translated, and what was not remembered is counted. */
function readsOfMachine(touches: readonly GuestTouch[]): { afresh: number; remembered: number } {
  const counts = { afresh: 0, remembered: 0 };
  const boards = (["coherent", "sticky"] as const).map((translations) =>
    buildBoard({ ramBytes: 4 << 20, translations }),
  );
  for (const [index, board] of boards.entries()) {
    const { hart } = board;
    writeCsr(hart, "pmpaddr0", (1n << 54n) - 1n);
    writeCsr(hart, "pmpcfg0", 0x1fn);
    const put = (at: bigint, entry: bigint) => board.memory.store(at, 8, entry);
    for (const vm of [1, 2]) {
      // Guest-physical 0x8010_0000 + n lies in this VM's own MiB.
      const base = 0x8000_0000n + (BigInt(vm) << 20n);
      const [root, middle, last, pages] = [base, base + 0x4000n, base + 0x5000n, base + 0x10000n];
      put(root + 16n, entryTo(middle, 1n));
      for (const table of [0n, 1n]) put(middle + 8n * table, entryTo(last + (table << 12n), 1n));
      for (const page of [0x100n, 0x101n, 0x102n, 0x103n, 0x200n, 0x201n, 0x202n, 0x203n])
        put(
          last + ((page >> 9n) << 12n) + 8n * (page & 511n),
          entryTo(pages + ((page & 7n) << 12n) + ((page >> 9n) << 15n), 0xdfn),
        );
      put(pages + 8n, entryTo(0x8010_1000n, 1n));
      for (const table of [0n, 1n])
        put(pages + 0x1000n + 8n * table, entryTo(0x8010_2000n + (table << 12n), 1n));
      for (const page of [0n, 1n, 2n, 3n])
        put(
          pages + 0x2000n + ((page / 2n) << 12n) + 8n * (page % 2n),
          entryTo(0x8020_0000n + (page << 12n), 0xdfn),
        );
    }
    for (const touch of touches) {
      if (touch.what === "fence") {
        const everything = { address: undefined, id: undefined };
        if (touch.stage === "second") hart.remembered?.fenceSecondStage(everything);
        else for (const vm of [1n, 2n]) hart.remembered?.fenceGuest(vm, everything);
        continue;
      }
      writeCsr(hart, "hgatp", hgatpFor(0x8000_0000n + (BigInt(touch.vm) << 20n), touch.vm));
      writeCsr(hart, "vsatp", touch.tables.length === 0 ? 0n : vsatpFor(0x8010_0000n));
      const address = touch.page << 12n;
      const explained = explainTranslation(hart, address, "load", "VU");
      if (!explained.ok) throw new Error(explained.sentence);
      counts[index === 0 ? "afresh" : "remembered"] += readsOf(explained);
      const walker = new StageWalker(hart.remembered, {});
      const rights = { mode: MODE_NUMBER.VU, needsExecute: false };
      translate(hart.state, hart.bus, vaddr(address), "load", 8, rights, {}, walker);
      walker.keep();
    }
  }
  return counts;
}

describe("the count of 04.6", () => {
  it("is what harts read that remember nothing, and harts that remember", () => {
    // Two pages of the guest share their last table; indexes 0 and 1 of it, so that page 2 begins another.
    const touch = fc
      .record({ vm: fc.constantFrom(1, 2), number: fc.nat(3), isOff: fc.boolean() })
      .map(({ vm, number, isOff }): GuestTouch => {
        const page = BigInt(number);
        const table = page / 2n;
        return isOff
          ? { what: "touch", vm, page: 0x80200n + page, tables: [], gpa: 0x80200n + page }
          : {
              what: "touch",
              vm,
              page: 0x40000n + table * 512n + (page % 2n),
              tables: [0x80100n, 0x80101n, 0x80102n + table],
              gpa: 0x80200n + page,
            };
      });
    const fence = fc.constantFrom<GuestTouch>(
      { what: "fence", stage: "guest" },
      { what: "fence", stage: "second" },
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 5, arbitrary: touch }, { weight: 1, arbitrary: fence }), {
          minLength: 1,
          maxLength: 40,
          size: "max",
        }),
        (touches) => {
          expect(twoStageReads(touches)).toEqual(readsOfMachine(touches));
        },
      ),
      { seed: 1, numRuns: process.env["DOM0_TEST_FULL"] === "1" ? 300 : 25 },
    );
  });
});

describe("the reader's parts", () => {
  const solved = new Function(
    `${stripTypeScriptTypes(referenceAnswer("04.3", 1))}\n${stripTypeScriptTypes(referenceAnswer("04.4", 1))}
     return { decodeMmio, onGuestFault };`,
  )() as Built;

  it("run two kernels, which print what they print on a bare board, and the referee has nothing to say", () => {
    const own = readerParts(solved);
    const host = buildHost({ ...OPTIONS, parts: own.parts, judge: {} });
    expect(host.run(PLENTY).reason).toBe("poweroff");
    expect([host.console(1), host.console(2)]).toEqual([CONSOLE, CONSOLE]);
    expect(own.use).toEqual({ decoded: { yours: 2794, reference: 0 }, pages: { yours: 104, reference: 16 } });
    expect(host.referee.report()).toMatch(/^No invariant was broken/);
    expect(textOf(partsTable(own))).toMatch(/pages given +104 +16/);
  });

  it("leave no other trace when the handlers forget everything between traps", () => {
    const hashes = [{}, { amnesia: { seed: 3 } }].map((handlers) => {
      const host = buildHost({
        ...OPTIONS,
        guests: [kernel],
        parts: () => readerParts(solved).parts,
        handlers,
      });
      host.run(PLENTY);
      return host.board.trace.hash();
    });
    expect(hashes[1]).toBe(hashes[0]);
  });

  it("that store where they may not stop the machine with a sentence", () => {
    const { parts } = readerParts({
      onGuestFault: (_vm, _fault, memory, free) => {
        memory.set(0x8020_0000n, 1n);
        return { outcome: "mapped", memory, free };
      },
    });
    const host = buildHost({ ...OPTIONS, parts });
    const stop = host.run(PLENTY);
    expect(stop.reason === "handler-error" ? stop.message : stop.reason).toContain(
      "neither an entry on the way",
    );
  });

  it("that map one frame twice are named by the referee", () => {
    let first: bigint | undefined;
    const { parts } = readerParts({
      onGuestFault: (vm, fault, memory, free) => {
        const result = solved.onGuestFault?.(vm, fault, memory, free) as { memory: Map<bigint, bigint> };
        for (const [at, entry] of result.memory) {
          if ((entry & 0xffn) !== 0xdfn) continue;
          first ??= entry;
          result.memory.set(at, first);
        }
        return result;
      },
    });
    const host = buildHost({ ...OPTIONS, parts, judge: {} });
    host.run(PLENTY);
    expect(host.referee.report()).not.toMatch(/^No invariant was broken/);
  });

  it("that decode a wrong width give the guest a device that answers otherwise", () => {
    const { parts } = readerParts({
      decodeMmio: (htinst, instruction) => {
        const access = solved.decodeMmio?.(htinst, instruction) as object;
        return { ...access, register: 0 };
      },
    });
    const host = buildHost({ ...OPTIONS, parts });
    host.run(PLENTY);
    expect(host.console(1)).not.toBe(CONSOLE);
  });
});
