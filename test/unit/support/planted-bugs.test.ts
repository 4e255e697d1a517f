/** Random programs find bugs that are planted in our own engine; the rows of known differences forgive none of them. */
import { expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import type { HartState } from "../../../lib/hart/state.ts";
import { runCampaign } from "../../support/programs/campaign.ts";
import { poolOf } from "../../support/programs/items.ts";
import { type Ram, runHere } from "../../support/programs/machines.ts";
import { QEMU_10_DIFFERENCES } from "../../support/programs/qemu-10-differences.ts";

type SetStored = HartState["setStored"];
type Name = Parameters<SetStored>[0];

/** A bug: what the hart stores in a CSR instead of what it should. */
interface Bug {
  readonly about: string;
  readonly csr: Name;
  readonly spoil: (value: bigint) => bigint;
  /** Word in which it has to show. */
  readonly word: RegExp;
}

const BUGS: readonly Bug[] = [
  { about: "forgets mtval2", csr: "mtval2", spoil: () => 0n, word: /tval2/ },
  { about: "forgets htval", csr: "htval", spoil: () => 0n, word: /tval2|htval/ },
  {
    about: "has mstatus.GVA the wrong way",
    csr: "mstatus",
    spoil: (value) => value ^ (1n << 38n),
    word: /status/,
  },
  {
    about: "has hstatus.GVA the wrong way",
    csr: "hstatus",
    spoil: (value) => value ^ (1n << 6n),
    word: /hstatus/,
  },
  { about: "forgets SPVP", csr: "hstatus", spoil: (value) => value & ~(1n << 8n), word: /hstatus|cause/ },
  { about: "has a bit of scause wrong", csr: "scause", spoil: (value) => value ^ 2n, word: /cause/ },
];

const prototype = Object.getPrototypeOf(buildBoard({}).hart.state) as { setStored: SetStored };

/** Runs our board with the bug in it; it is gone again afterwards. */
function runSpoiled({ csr, spoil }: Bug, elf: Uint8Array): Ram {
  const right = prototype.setStored;
  prototype.setStored = function (this: HartState, name: Name, value: bigint): void {
    right.call(this, name, name === csr ? spoil(value) : value);
  };
  try {
    return runHere(elf);
  } finally {
    prototype.setStored = right;
  }
}

const kind = { withH: true, pool: poolOf(true, new Set()), environment: 1n << 61n };

for (const [table, known] of [["QEMU 10", QEMU_10_DIFFERENCES]] as const)
  for (const bug of BUGS)
    it(`a hart that ${bug.about} is found in spite of the table for ${table}, and shown small`, async () => {
      const { failures } = await runCampaign({
        kind,
        peer: { name: "the right one", run: async (elf) => runHere(elf) },
        here: (elf) => runSpoiled(bug, elf),
        known,
        firstSeed: 1,
        programs: 60,
        maxFailures: 1,
      });
      expect(failures[0]).toMatch(bug.word);
      const instructions = failures[0]?.match(/^ {2}\+ /gm) ?? [];
      expect(instructions.length).toBeLessThanOrEqual(6);
    });
