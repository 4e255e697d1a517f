/** `dom0 layout [FILE]`: the structures of the kit's privileged software as one C header, made from the TypeScript that uses them. */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { PAGE_BYTES } from "../../bus/machine-memory.ts";
import { BootInfo, HartArea } from "../../firmware/map.ts";
import { cHeader } from "../../hs/c-header.ts";
import { HsArea } from "../../hs/hypervisor-vector.ts";
import type { StructShape } from "../../hs/struct.ts";
import { PageUpdate, StartInfo, vmmLayout } from "../../vmm/layout.ts";
import type { Command } from "./main.ts";
import { parsed, Refusal, refusing } from "./refusal.ts";

/** Structures that C may share, each with those inside it. */
export const SHARED_STRUCTS: readonly StructShape[] = [
  HsArea,
  HartArea,
  BootInfo,
  // What a paravirtualized guest finds, and what it asks with.
  StartInfo,
  PageUpdate,
  // All that the reference hypervisor keeps. How much RAM there is decides lengths of tables, and no structure.
  ...new Set(Object.values(vmmLayout(PAGE_BYTES)).flatMap(({ c }) => c.struct ?? [])),
];

/** Text of the header. */
export const layoutHeader = (): string =>
  cHeader({
    file: "layout.h",
    origin: "the struct() descriptions in lib/hs, lib/firmware and lib/vmm by `dom0 layout`",
    structs: SHARED_STRUCTS,
  });

export const command: Command = {
  summary: "the structures of privileged software as a C header",
  usage: `Usage: dom0 layout [FILE]

Writes a C header with the structures that the hypervisors and the firmware keep in RAM: declarations with their offsets asserted,
and offsets as macros for assembly. Without FILE, to standard output.`,
  run: async (args) => refusing("layout", async () => layout(args)),
};

function layout(args: string[]): number {
  const { positionals } = parsed(() => parseArgs({ args, allowPositionals: true }));
  const [file, ...others] = positionals;
  if (others.length > 0) throw new Refusal("name one file to write; --help tells more.", 2);
  if (file === undefined) {
    process.stdout.write(layoutHeader());
    return 0;
  }
  try {
    writeFileSync(file, layoutHeader());
  } catch (error) {
    throw new Refusal(`${file} cannot be written: ${(error as NodeJS.ErrnoException).code}.`);
  }
  process.stdout.write(`${file}: ${SHARED_STRUCTS.length} structures and those inside them\n`);
  return 0;
}
