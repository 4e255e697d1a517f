/** The chapters of the manual that this machine implements, in the order of the coverage page. */
export interface Chapter {
  /** Name for the command line and for links. */
  readonly id: string;
  readonly title: string;
  /** Sources of the manual, as the data set of rules names them. */
  readonly files: readonly string[];
  /** The least share of its rules, in percent, that is tested or not applicable. */
  readonly floorPercent?: number;
}

export const CHAPTERS: readonly Chapter[] = [
  { id: "hypervisor", title: "Hypervisor extension", files: ["priv/hypervisor.adoc"], floorPercent: 90 },
  { id: "machine", title: "Machine-level ISA", files: ["priv/machine.adoc"], floorPercent: 70 },
  { id: "supervisor", title: "Supervisor-level ISA", files: ["priv/supervisor.adoc"], floorPercent: 64 },
  {
    id: "csrs",
    title: "Control and status registers",
    files: ["priv/csrs.adoc", "priv/intro.adoc"],
    floorPercent: 89,
  },
  { id: "sstc", title: "Sstc: supervisor timers", files: ["priv/sstc.adoc"], floorPercent: 100 },
  { id: "svadu", title: "Svadu: accessed and dirty bits", files: ["priv/svadu.adoc"], floorPercent: 66 },
  { id: "svnapot", title: "Svnapot: larger pages", files: ["priv/svnapot.adoc"], floorPercent: 100 },
  { id: "svpbmt", title: "Svpbmt: page-based memory types", files: ["priv/svpbmt.adoc"], floorPercent: 100 },
  { id: "base", title: "RV32I and RV64I", files: ["unpriv/rv32.adoc", "unpriv/rv64.adoc"], floorPercent: 69 },
  { id: "zicsr", title: "Zicsr: CSR instructions", files: ["unpriv/zicsr.adoc"], floorPercent: 61 },
  { id: "zicntr", title: "Zicntr: counters", files: ["unpriv/zicntr.adoc"], floorPercent: 100 },
  {
    id: "zifencei",
    title: "Zifencei: instruction fence",
    files: ["unpriv/zifencei.adoc"],
    floorPercent: 100,
  },
  { id: "m", title: "M: multiplication and division", files: ["unpriv/m-st-ext.adoc"], floorPercent: 91 },
  {
    id: "a",
    title: "A: atomic instructions",
    files: ["unpriv/zalrsc.adoc", "unpriv/zaamo.adoc", "unpriv/a-st-ext.adoc"],
    floorPercent: 100,
  },
  { id: "f", title: "F: single precision", files: ["unpriv/f-st-ext.adoc"], floorPercent: 63 },
  { id: "d", title: "D: double precision", files: ["unpriv/d-st-ext.adoc"], floorPercent: 60 },
  {
    id: "c",
    title: "C: compressed instructions",
    files: ["unpriv/zca.adoc", "unpriv/zcd.adoc"],
    floorPercent: 69,
  },
  {
    id: "b",
    title: "B: bit manipulation",
    files: ["unpriv/zb.adoc", "unpriv/zbb.adoc", "unpriv/zbs.adoc"],
    floorPercent: 92,
  },
  { id: "zicond", title: "Zicond: conditional zero", files: ["unpriv/zicond.adoc"], floorPercent: 100 },
];
