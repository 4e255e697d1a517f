/** What a guest's run asks of both stages: each fetch, load and store, with the guest-physical pages that its walk goes through. */
import type { Board } from "../../board/board.ts";
import { decodeCsr } from "../../isa/csr-map.ts";
import { explainTranslation } from "../../mmu/explain-translation.ts";

/** One touch of a virtual address by a guest, or a fence. Pages are numbers: addresses shifted right by 12. */
export type GuestTouch =
  | {
      readonly what: "touch";
      /** VMID. */
      readonly vm: number;
      readonly page: bigint;
      /** Guest-physical pages that hold the entries of the guest's walk, root first; none while its own stage is off. */
      readonly tables: readonly bigint[];
      /** The guest-physical page of the data. */
      readonly gpa: bigint;
    }
  /** `guest`: SFENCE.VMA of a guest. `second`: HFENCE.GVMA. Here each covers everything of its stage. */
  | { readonly what: "fence"; readonly stage: "guest" | "second" };

function touchOf(board: Board, vaddr: bigint, kind: "fetch" | "load" | "store"): GuestTouch | undefined {
  const { levels, guest } = explainTranslation(board.hart, vaddr, kind);
  if (guest?.gpa === undefined) return undefined;
  return {
    what: "touch",
    vm: Number(guest.hgatp.VMID),
    page: vaddr >> 12n,
    tables: levels.map(({ pteAddress }) => pteAddress >> 12n),
    gpa: guest.gpa >> 12n,
  };
}

/**
 * Runs so many instructions of guests, step by step, and lists what they touch. What the hypervisor does in between goes on, and
 * is left out; its fences are not.
 */
export function guestTouches(board: Board, instructions: number): GuestTouch[] {
  const touches: GuestTouch[] = [];
  let left = instructions;
  for (let steps = 0; left > 0 && steps < 200 * instructions; steps += 1) {
    const { mode } = board.hart;
    if (mode !== "VS" && mode !== "VU") {
      const { text } = board.step();
      if (text.startsWith("hfence.gvma")) touches.push({ what: "fence", stage: "second" });
      continue;
    }
    const fetch = touchOf(board, board.hart.pc, "fetch");
    const before = board.hart.csr("hgatp");
    const { memory, text, trap } = board.step();
    if (fetch !== undefined) touches.push(fetch);
    if (trap === undefined) left -= 1;
    if (trap === undefined && text.startsWith("sfence.vma")) touches.push({ what: "fence", stage: "guest" });
    const isSame = decodeCsr("hgatp", before).VMID === decodeCsr("hgatp", board.hart.csr("hgatp")).VMID;
    const data = memory !== undefined && isSame ? touchOf(board, memory.vaddr, memory.kind) : undefined;
    if (data !== undefined) touches.push(data);
  }
  return touches;
}
