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
  { id: "machine", title: "Machine-level ISA", files: ["priv/machine.adoc"] },
  { id: "supervisor", title: "Supervisor-level ISA", files: ["priv/supervisor.adoc"] },
  { id: "csrs", title: "Control and status registers", files: ["priv/csrs.adoc", "priv/intro.adoc"] },
  { id: "sstc", title: "Sstc: supervisor timers", files: ["priv/sstc.adoc"] },
  { id: "svadu", title: "Svadu: accessed and dirty bits", files: ["priv/svadu.adoc"] },
  { id: "svnapot", title: "Svnapot: larger pages", files: ["priv/svnapot.adoc"] },
  { id: "svpbmt", title: "Svpbmt: page-based memory types", files: ["priv/svpbmt.adoc"] },
  { id: "base", title: "RV32I and RV64I", files: ["unpriv/rv32.adoc", "unpriv/rv64.adoc"] },
  { id: "zicsr", title: "Zicsr: CSR instructions", files: ["unpriv/zicsr.adoc"] },
  { id: "zicntr", title: "Zicntr: counters", files: ["unpriv/zicntr.adoc"] },
  { id: "zifencei", title: "Zifencei: instruction fence", files: ["unpriv/zifencei.adoc"] },
  { id: "m", title: "M: multiplication and division", files: ["unpriv/m-st-ext.adoc"] },
  {
    id: "a",
    title: "A: atomic instructions",
    files: ["unpriv/zalrsc.adoc", "unpriv/zaamo.adoc", "unpriv/a-st-ext.adoc"],
  },
  { id: "f", title: "F: single precision", files: ["unpriv/f-st-ext.adoc"] },
  { id: "d", title: "D: double precision", files: ["unpriv/d-st-ext.adoc"] },
  { id: "c", title: "C: compressed instructions", files: ["unpriv/zca.adoc", "unpriv/zcd.adoc"] },
  { id: "b", title: "B: bit manipulation", files: ["unpriv/zb.adoc", "unpriv/zbb.adoc", "unpriv/zbs.adoc"] },
  { id: "zicond", title: "Zicond: conditional zero", files: ["unpriv/zicond.adoc"] },
];
