/** The island's page tables, read by a walker written from the manual for this test alone. */
import { describe, expect, it } from "vitest";
import {
  islandImage,
  islandPages,
  PLACE,
  USER_CODE,
  USER_DATA,
  VAULT_PAGES,
  vaultSecrets,
} from "../../../lib/course/island-image.ts";

/** Section "Virtual Address Translation Process" of the privileged manual, without permission checks. */
function walk(
  bytes: Uint8Array,
  root: bigint,
  vaddr: bigint,
): { leaf: bigint; at: bigint; levels: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let table = root;
  for (let level = 2; level >= 0; level -= 1) {
    const index = (vaddr >> BigInt(12 + 9 * level)) % 512n;
    const at = table + index * 8n;
    const pte = view.getBigUint64(Number(at - PLACE.boot), true);
    if ((pte & 1n) === 0n) return undefined;
    if ((pte & 0b1010n) !== 0n) return { leaf: pte, at, levels: 3 - level };
    table = ((pte >> 10n) & ((1n << 44n) - 1n)) * 4096n;
  }
  return undefined;
}

const flagLetters = (pte: bigint): string =>
  [..."UXWR"].filter((letter) => (pte & ({ U: 16n, X: 8n, W: 4n, R: 2n }[letter] ?? 0n)) !== 0n).join("");

describe("the island", () => {
  it.each([1, 2, 77])(
    "maps every page of its list, with its permissions, three levels deep (seed %i)",
    (seed) => {
      for (const loose of [false, true]) {
        const bytes = islandImage({ seed, loose });
        for (const page of islandPages({ seed, loose })) {
          const found = walk(bytes, PLACE.rootTable, page.vaddr);
          expect(found?.levels, page.name).toBe(3);
          expect(found?.at, page.name).toBe(page.pteAddress);
          expect(flagLetters(found?.leaf ?? 0n), page.name).toBe(page.flags);
          expect(((found?.leaf ?? 0n) >> 10n) * 4096n, page.name).toBe(page.paddr);
        }
      }
    },
  );

  it("maps nothing else: not the boot code, not the page tables", () => {
    const bytes = islandImage({ seed: 1 });
    const mapped = new Set(islandPages({ seed: 1 }).map((page) => page.vaddr));
    for (let vaddr = PLACE.boot; vaddr < PLACE.end; vaddr += 4096n)
      if (!mapped.has(vaddr)) expect(walk(bytes, PLACE.rootTable, vaddr)).toBeUndefined();
    for (let vaddr = USER_CODE; vaddr < USER_CODE + 512n * 4096n; vaddr += 4096n)
      expect(walk(bytes, PLACE.rootTable, vaddr) !== undefined).toBe(
        vaddr === USER_CODE || vaddr === USER_DATA,
      );
  });

  it("has no page that is both writable and executable, and no user page in the kernel's half", () => {
    for (const page of islandPages({ seed: 5 })) {
      expect(page.flags.includes("W") && page.flags.includes("X"), page.name).toBe(false);
      expect(page.flags.includes("U"), page.name).toBe(page.vaddr < PLACE.boot);
    }
  });

  it("has one loose brick when it is loose, in a place that the seed decides", () => {
    const places = Array.from({ length: 60 }, (_, seed) => {
      const loose = islandPages({ seed, loose: true }).filter(
        (page) => page.name.startsWith("vault") && page.flags.includes("U"),
      );
      expect(loose).toHaveLength(1);
      return loose[0]?.name;
    });
    expect(new Set(places).size).toBeGreaterThan(VAULT_PAGES / 2);
  });

  it("draws other secrets from another seed, and the same from the same", () => {
    expect(vaultSecrets(1)).toEqual(vaultSecrets(1));
    expect(new Set([...vaultSecrets(1), ...vaultSecrets(2)]).size).toBe(2 * VAULT_PAGES);
  });
});
