/** Two regions as text, for reviewers: `test/golden/translator/region-*.wat`. `npx vitest run -u` writes them anew. */
import { join } from "node:path";
import { expect, it } from "vitest";
import wabt from "wabt";
import {
  CELLS,
  DATA_ENTRIES,
  DATA_ENTRY_BYTES,
  FIRST_REGION_SLOT,
  FLAGS_BIAS,
  JUMP_CACHE,
  REGION_NOTES,
  SLOT_BYTES,
  WORD,
} from "../../../../../lib/engine/translator/layout.ts";
import { REGION_TYPE, writeBatch } from "../../../../../lib/engine/translator/region/batch.ts";
import { Discovery } from "../../../../../lib/engine/translator/region/discovery.ts";
import { graphOf } from "../../../../../lib/engine/translator/region/graph.ts";
import { writeRegion } from "../../../../../lib/engine/translator/region/region-writer.ts";
import { HART_LAYOUT } from "../../../../../lib/hart/layout.ts";
import { assembled } from "../../../../support/assembled.ts";

const BYTES = 0x8000;
const SLOT = FIRST_REGION_SLOT;
const OTHER_SLOT = FIRST_REGION_SLOT + 1;

/** Constants of the layout by name, so that moving things about changes nothing here. */
const NAMES: Readonly<Record<string, number>> = {
  CELL: CELLS + 4 * SLOT,
  NOTES: REGION_NOTES + 8 * SLOT,
  FLAGS_BIAS,
  JUMP_CACHE,
  ENTRIES_MASK: (DATA_ENTRIES - 1) * DATA_ENTRY_BYTES,
  CODE_BIT: WORD.codeBit,
  DATA_BANK: WORD.dataBank,
  PC: HART_LAYOUT.pc.offset,
};

/** The text of the region at the start of a program of which everything was executed. */
async function regionText(program: string): Promise<string> {
  const memory = new WebAssembly.Memory({ initial: 1 });
  new Uint16Array(memory.buffer, 0, 2048 * (SLOT_BYTES / 2)).fill(1);
  const { bytes, origin } = assembled(program);
  new Uint8Array(memory.buffer).set(bytes, BYTES);
  const code = new Discovery(memory, 300).discover(origin, (page) =>
    page === origin ? { slots: 0, bytes: BYTES, number: 0 } : undefined,
  );
  if (code === undefined) throw new Error("no region");
  const body = writeRegion(code, graphOf(code), {
    slot: SLOT,
    functionType: REGION_TYPE,
    storeFlags: 255,
    tactics: { guess: "page", coalesces: true },
    slotFor: () => OTHER_SLOT,
  });
  const parsed = (await wabt()).readWasm(writeBatch([{ name: "region", body, slots: [SLOT] }]), {
    check: true,
    readDebugNames: true,
    tail_call: true,
  });
  const text = parsed.toText({ foldExprs: true, inlineExport: true });
  parsed.destroy();
  return Object.entries(NAMES).reduce(
    (result, [name, value]) => result.replaceAll(new RegExp(`\\b${value}\\b`, "g"), name),
    text,
  );
}

const PROGRAMS = {
  loop: `
  again:
    ld a1, 0(a0)
    add a2, a2, a1
    addi a0, a0, 8
    bne a0, a3, again
    ret`,
  words: `
    lw a1, 0(a0)
    li a2, 0
  again:
    srliw a3, a1, 7
    slliw a4, a1, 25
    or a3, a3, a4
    addiw a5, a5, -1
    addw a2, a2, a3
    xor a1, a1, a2
    bnez a5, again
    add a0, a0, a3
    sw a2, 4(sp)
    ret`,
  call: `
    addi sp, sp, -16
    sd ra, 8(sp)
    sd s0, 0(sp)
    mv s0, a0
    beqz a0, leaf
    addi a0, a0, -1
    call function
    add a0, a0, s0
  leaf:
    ld ra, 8(sp)
    ld s0, 0(sp)
    addi sp, sp, 16
    ret
    .balign 64
  function:`,
};

/** What to look at in each of them. */
const LOOK: Readonly<Record<keyof typeof PROGRAMS, string>> = {
  loop: "registers stay in locals, the budget is asked once a turn, and a page is looked up only when it is another; exits store what is dirty.",
  words:
    "what is known to hold words is i32 in the loop, and extended at exits: a1 and a2 become i32 on the way in. a3, which is read as a whole behind the loop, is extended at once; a4 and a5, of which nothing is known on the way in, at the end of each turn.",
  call: "registers are stored before the call; behind it the pc and the cell are asked, and what is needed is loaded again.",
};

it.each(Object.entries(PROGRAMS))("a region with a %s is what its text shows", async (name, program) => {
  const look = `;; Look how ${LOOK[name as keyof typeof PROGRAMS]}`;
  const comment = program.trimEnd().replaceAll(/^/gm, ";;").replace(";;\n", "");
  await expect(`${look}\n${comment}\n${await regionText(program)}`).toMatchFileSnapshot(
    join(import.meta.dirname, `../../../../golden/translator/region-${name}.wat`),
  );
});
