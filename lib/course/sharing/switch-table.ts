/** The CSRs of a world switch as tables: whose each is, and what the hart has of the guest that runs. */
import { groupedHex } from "../../bits/hex.ts";
import { type FigureBundle, markupBundle } from "../figure.ts";
import { type Table, tableHtml, tableText } from "../marks/html.ts";
import type { VmHost } from "../vm-host.ts";
import { GUEST_CSRS, HOST_CSRS } from "./world-switch-parts.ts";

const shown = (table: Table): FigureBundle => markupBundle(tableHtml(table), tableText(table));

/** Why a CSR is the guest's. */
const GROUPS: readonly (readonly [names: (name: string) => boolean, why: string])[] = [
  [
    (name) => name.startsWith("vs"),
    "the guest's own: its kernel reads and writes it under its old name, without vs",
  ],
  [(name) => name === "hvip", "interrupts that are pending for the guest"],
  [(name) => name === "htimedelta", "how far the guest's clock is from the machine's"],
  [(name) => name === "hgatp", "the guest's second stage"],
  [(name) => name === "sepc", "where the guest goes on"],
  [(name) => /^h(ed|id)eleg$/.test(name), "which traps go to the guest's kernel directly"],
  [() => true, "what the guest is allowed, and which of its interrupts it has enabled"],
];

/** Whose CSR is which: what a world switch has to swap, and what it must leave alone. */
export function whoseCsrs(): FigureBundle {
  const rows = GROUPS.flatMap(([isOne, why], index) => {
    const names = GUEST_CSRS.filter(
      (name) => GROUPS.findIndex(([other]) => other(name)) === index && isOne(name),
    );
    return names.length === 0 ? [] : [[{ text: names.join(" "), code: true }, "the guest's", why]];
  });
  return shown({
    caption: "Whose CSR is it?",
    columns: ["CSR", "whose", "what it is"],
    namesRows: true,
    rows: [
      ...rows,
      [
        { text: "sstatus", code: true },
        "both",
        "bit 8, SPP, is the guest's: its kernel or its program goes on; all else is the hypervisor's",
      ],
      [
        { text: HOST_CSRS.join(" "), code: true },
        "the hypervisor's",
        "how it is entered, why, and when its own timer goes off",
      ],
    ],
  });
}

/** What the hart has now in the CSRs of the guest that runs, beside what the hypervisor had kept of it. Different ones are strong. */
export function csrsInHart(host: VmHost, title = "In RAM and in the hart"): FigureBundle {
  const { current } = host.state.pcpu(0);
  const vcpu = host.vcpus().find(({ address }) => address === current);
  const names = ["vsstatus", "vstvec", "vsscratch", "vsepc", "vstimecmp", "hvip", "hgatp"] as const;
  return shown({
    caption: vcpu === undefined ? `${title}: nobody runs` : `${title}, domain ${vcpu.domain}`,
    columns: ["CSR", "kept in RAM", "in the hart", ""],
    namesRows: true,
    rightColumns: [1, 2],
    rows:
      vcpu === undefined
        ? []
        : names.map((name) => {
            const [kept, now] = [vcpu.vs[name], host.board.hart.csr(name)];
            const text = (value: bigint) => ({ text: groupedHex(value), code: true, strong: kept !== now });
            return [{ text: name, code: true }, text(kept), text(now), kept === now ? "" : "not the same"];
          }),
  });
}
