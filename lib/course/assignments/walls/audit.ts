/** Exercise A2.3: find what breaks W^X, also when two addresses share a frame. The referee's reading of the tables judges. */
import fc from "fast-check";
import { groupedHex } from "../../../bits/hex.ts";
import type { Answer } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import { type Broken, fails, forAllAtOnce } from "../../../checks/property.ts";
import { pagesIn, ROOT } from "../../walls/map-history.ts";

interface Page {
  readonly slot: number;
  readonly frame: number;
  readonly flags: bigint;
}
type Kind = "clean" | "direct" | "shared";

const SLOTS = [
  0x4000_0000n,
  0x4000_1000n,
  0x4020_0000n,
  0x8000_0000n,
  0x8000_5000n,
  0xffff_ffc0_0000_0000n,
] as const;
const READ_ONLY = 0xd3n;
const WRITABLE = 0xd7n;
const CODE = 0x5bn;
const BOTH = 0xdfn;

const pagesOf = (kind: Kind): fc.Arbitrary<readonly Page[]> =>
  fc
    .uniqueArray(
      fc.record({
        slot: fc.nat(SLOTS.length - 1),
        frame: fc.nat(kind === "shared" ? 2 : 40),
        flags: fc.constantFrom(READ_ONLY, WRITABLE, CODE, ...(kind === "direct" ? [BOTH] : [])),
      }),
      { minLength: 1, maxLength: 6, selector: ({ slot }) => slot },
    )
    // Without sharing each page has a frame of its own.
    .map((pages) =>
      kind === "shared" ? pages : pages.map((page, index) => ({ ...page, frame: page.frame * 8 + index })),
    );

function tablesFor(pages: readonly Page[]): Map<bigint, bigint> {
  const memory = new Map<bigint, bigint>();
  let next = ROOT;
  for (const { slot, frame, flags } of pages) {
    const address = SLOTS[slot] ?? 0n;
    let table = ROOT;
    for (const shift of [30n, 21n]) {
      const at = table + ((address >> shift) & 511n) * 8n;
      if (!memory.has(at)) {
        next += 4096n;
        memory.set(at, ((next >> 12n) << 10n) | 1n);
      }
      table = ((memory.get(at) ?? 0n) >> 10n) << 12n;
    }
    memory.set(table + ((address >> 12n) & 511n) * 8n, ((0x82000n + BigInt(frame)) << 10n) | flags);
  }
  return memory;
}

/** Addresses of pages whose frame can be written and executed, by whatever addresses. */
function guilty(memory: ReadonlyMap<bigint, bigint>): bigint[] {
  const pages = pagesIn({ memory, free: [] });
  const can = (frame: bigint, bit: bigint): boolean =>
    pages.some(({ to, rights }) => to === frame && (rights & bit) !== 0n);
  return pages
    .filter(({ to, rights }) => (rights & 12n) !== 0n && can(to, 4n) && can(to, 8n))
    .map(({ address }) => BigInt.asUintN(64, address))
    .sort((left, right) => (left < right ? -1 : 1));
}

const listText = (list: readonly bigint[]): string =>
  `[${list.map((address) => groupedHex(address, 8)).join(", ")}]`;

function judge(answer: Answer, run: CheckRun, kind: Kind, salt: number): Finding {
  if (!answer.isFunction) return fails("audit must be a function.");
  if (kind === "clean") {
    // Whoever never finds anything is not praised for finding nothing.
    const sample = tablesFor([{ slot: 0, frame: 0, flags: BOTH }]);
    const outcome = answer.call(sample, ROOT);
    if (!outcome.ok) return fails(`audit ${outcome.category}.`, outcome.message);
    if (!Array.isArray(outcome.value) || outcome.value.length === 0)
      return fails(
        "One page with W and X, and it was not found: an auditor who never finds anything says nothing.",
      );
  }
  return forAllAtOnce(pagesOf(kind), run, salt, (batch) => {
    const memories = batch.map(tablesFor);
    const outcomes = answer.callEach(memories.map((memory) => [memory, ROOT]));
    return memories.map((memory, index): Broken | undefined => {
      const outcome = outcomes[index];
      if (outcome?.ok !== true)
        return { hint: `audit ${outcome?.category ?? "did not answer"}.`, detail: outcome?.message ?? "" };
      const value = outcome.value;
      if (!Array.isArray(value) || !value.every((each): each is bigint => typeof each === "bigint"))
        return { hint: "audit must return a list of addresses (bigint).", detail: "" };
      const wanted = guilty(memory);
      const got = [...new Set(value as readonly bigint[])].sort((left, right) => (left < right ? -1 : 1));
      if (wanted.length === got.length && wanted.every((address, at) => address === got[at]))
        return undefined;
      const detail = `pages ${pagesIn({ memory, free: [] })
        .map(
          ({ address, to, rights }) =>
            `${groupedHex(BigInt.asUintN(64, address), 8)} to ${groupedHex(to, 8)} ${[..."RWX"].filter((_, bit) => (rights & (2n << BigInt(bit))) !== 0n).join("")}`,
        )
        .join(", ")}: guilty are ${listText(wanted)}, you say ${listText(got)}`;
      const missing = wanted.find((address) => !got.includes(address));
      if (missing === undefined)
        return {
          hint: "A page is accused that breaks nothing. A frame must be writable and executable, and a page that can only read it is innocent.",
          detail,
        };
      if (missing >> 39n !== 0n && got.includes(BigInt.asUintN(39, missing)))
        return {
          hint: "An address of the upper half is written with its high bits: bit 38 is repeated up to bit 63.",
          detail,
        };
      return {
        hint:
          kind === "shared"
            ? "A frame that one address may write and another execute breaks W^X as well: compare frames, not only entries."
            : "A page with W and X was not found. Visit all 512 entries of every table.",
        detail,
      };
    });
  });
}

const property = (kind: Kind, says: string, salt: number): Property => ({
  id: kind,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, kind, salt),
});

/** Check of exercise A2.3. */
export const auditCheck: Check = defineCheck({
  id: "A2.3",
  title: "Audit",
  points: 3,
  properties: [
    property("direct", "every page with W and X is found", 81),
    property("shared", "pages that share a frame, one to write and one to execute, are found", 82),
    property("clean", "nothing innocent is accused", 83),
  ],
});
