/** What a hypervisor is told of a guest-page fault: five registers, and what each says. */
import { groupedHex } from "../../bits/hex.ts";
import type { Board } from "../../board/board.ts";
import { causeWords } from "../../isa/trap.ts";
import { type FigureBundle, markupBundle } from "../figure.ts";
import { type Table, tableHtml, tableText } from "../marks/html.ts";

/** What `htinst` says. @spec norm:H_trap_xtinst */
function instructionWords(htinst: bigint): string {
  if (htinst === 0n) return "nothing told: fetch the instruction";
  if (htinst === 0x3000n) return "no instruction: the hart read a page table of the guest";
  if (htinst === 0x3020n) return "no instruction: the hart wrote a page table of the guest";
  const length = (htinst & 2n) === 0n ? "two bytes" : "four bytes";
  const opcode = (htinst | 2n) & 0x7fn;
  if (opcode === 0x03n) return `the instruction, of ${length}: it loads x${(htinst >> 7n) & 31n}`;
  if (opcode === 0x23n) return `the instruction, of ${length}: it stores x${(htinst >> 20n) & 31n}`;
  return `the instruction, of ${length}`;
}

/** Shows the registers of HS-mode behind a guest-page fault. */
export function guestFaultCard({ hart }: Board, title = "What the hypervisor is told"): FigureBundle {
  const [cause, tval, htval, htinst, pc] = (["scause", "stval", "htval", "htinst", "sepc"] as const).map(
    (name) => hart.csr(name),
  ) as [bigint, bigint, bigint, bigint, bigint];
  const code = (text: string) => ({ text, code: true });
  const table: Table = {
    caption: title,
    columns: ["register", "value", "meaning"],
    namesRows: true,
    rows: [
      ["scause", code(String(cause)), causeWords({ isInterrupt: false, cause: Number(cause) })],
      ["sepc", code(groupedHex(pc, 8)), "the instruction that faulted"],
      ["stval", code(groupedHex(tval, 8)), "the guest\u2019s own address"],
      [
        "htval",
        code(groupedHex(htval, 8)),
        `shifted left by 2: guest-physical ${groupedHex(htval << 2n, 8)}`,
      ],
      ["htinst", code(groupedHex(htinst, 8)), instructionWords(htinst)],
    ],
  };
  return markupBundle(tableHtml(table), tableText(table));
}
