/** PMP against a model that asks every byte. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { paddr } from "../../../lib/isa/address.ts";
import type { CsrName } from "../../../lib/isa/csr-map.ts";
import { checkPmp, isPmpUniform, pmpEntry } from "../../../lib/mmu/pmp.ts";
import { bareMachine } from "../../support/bare-machine.ts";

const machine = bareMachine({ ramBytes: 4096 });
const { state } = machine.hart;

interface Entry {
  readonly config: number;
  readonly address: bigint;
}

function program(entries: readonly Entry[]): void {
  machine.hart.reset();
  for (const [index, { address }] of entries.entries())
    writeCsr(machine.hart, `pmpaddr${index}` as CsrName, address);
  const word = (first: number): bigint =>
    entries
      .slice(first, first + 8)
      .reduce((value, { config }, index) => value | (BigInt(config) << BigInt(8 * index)), 0n);
  writeCsr(machine.hart, "pmpcfg0", word(0));
  writeCsr(machine.hart, "pmpcfg2", word(8));
}

/** Whether an entry matches a byte; NAPOT by trying sizes, not by bit tricks. */
function matchesByte(entries: readonly Entry[], index: number, byte: bigint): boolean {
  const entry = entries[index];
  if (entry === undefined) return false;
  const { config, address } = entry;
  switch ((config >> 3) & 3) {
    case 1:
      return byte >= (index === 0 ? 0n : (entries[index - 1]?.address ?? 0n) * 4n) && byte < address * 4n;
    case 2:
      return byte / 4n === address;
    case 3: {
      const bits = address.toString(2).padStart(54, "0");
      const ones = bits.length - bits.replace(/1*$/, "").length;
      const size = 8n * 2n ** BigInt(ones);
      return byte / size === (address * 4n) / size;
    }
    default:
      return false;
  }
}

/** The manual's rules, byte by byte. */
function model(
  entries: readonly Entry[],
  mode: 0 | 1 | 3,
  right: number,
  first: bigint,
  length: number,
): boolean {
  const bytes = Array.from({ length }, (_, index) => first + BigInt(index));
  for (const [index, { config }] of entries.entries()) {
    const matched = bytes.filter((byte) => matchesByte(entries, index, byte)).length;
    if (matched === 0) continue;
    if (matched < length) return false;
    return (mode === 3 && (config & 0x80) === 0) || (config & right) !== 0;
  }
  return mode === 3;
}

const legalConfig = fc
  .integer({ min: 0, max: 255 })
  .filter((byte) => (byte & 0x60) === 0 && (byte & 3) !== 2);
const smallAddress = fc.integer({ min: 0, max: 63 }).map(BigInt);
const entries = fc.array(fc.record({ config: legalConfig, address: smallAddress }), { maxLength: 16 });

describe("PMP", () => {
  it("agrees with a model that asks every byte (norm:pmp_cfg_permissions norm:pmp_a_field_encoding norm:pmp_a_field_tor norm:pmp_a_field_off norm:pmp_a_field_napot_na4 norm:pmp_napot_encoding_low_bits norm:pmp_entry_priority norm:pmp_full_match_required norm:pmp_no_entry_match norm:pmp_rwx_check norm:pmp_l_bit_m_mode_enforcement norm:pmp_check_priv_modes)", () => {
    const rights = { fetch: 4, load: 1, store: 2 } as const;
    fc.assert(
      fc.property(
        entries,
        fc.constantFrom(0, 1, 3),
        fc.constantFrom("fetch", "load", "store"),
        fc.integer({ min: 0, max: 300 }),
        fc.constantFrom(1, 2, 4, 8),
        (list, mode, kind, first, length) => {
          program(list);
          const { allowed } = checkPmp(state, mode, kind, paddr(BigInt(first)), length);
          expect(allowed).toBe(model(list, mode, rights[kind], BigInt(first), length));
        },
      ),
      { seed: 1, numRuns: 5000 },
    );
  });

  it("is uniform over a range only if it says the same to every access inside", () => {
    fc.assert(
      fc.property(
        entries,
        fc.integer({ min: 0, max: 200 }),
        fc.constantFrom(0, 1, 3),
        (list, first, mode) => {
          program(list);
          if (!isPmpUniform(state, paddr(BigInt(first)), 64)) return;
          const answers = new Set<boolean>();
          for (let at = first; at < first + 64; at++)
            answers.add(checkPmp(state, mode, "load", paddr(BigInt(at)), 1).allowed);
          expect(answers.size).toBe(1);
        },
      ),
      { seed: 1, numRuns: 2000 },
    );
  });

  it("opens everything with one NAPOT entry of all ones", () => {
    program([{ config: 0x1f, address: 2n ** 54n - 1n }]);
    expect(pmpEntry(state, 0)).toMatchObject({ matching: "NAPOT", first: 0n, end: 2n ** 57n });
    expect(checkPmp(state, 0, "store", paddr(2n ** 56n - 8n), 8).allowed).toBe(true);
  });

  it("without rules allows machine mode everything and the others nothing (norm:pmp_no_entry_match)", () => {
    program([]);
    expect(checkPmp(state, 3, "store", paddr(0x8000_0000n), 8)).toEqual({ allowed: true, entry: undefined });
    expect(checkPmp(state, 1, "fetch", paddr(0x8000_0000n), 4)).toEqual({ allowed: false, entry: undefined });
  });
});
