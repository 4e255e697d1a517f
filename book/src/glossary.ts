/**
 * The book's glossary: one entry for each term that a reader may want explained where it stands.
 *
 * A definition is one or two sentences, true for this machine, without a claim. `forms` are the spellings in prose,
 * longest meaning first; a form in backquotes is inline code. `rule` is a normative rule of the RISC-V manual.
 * The build refuses a rule that there is not, a form that two terms claim, and a term that no chapter uses
 * although `chapter` is here.
 */

/** One term. */
export interface GlossaryTerm {
  /** Its anchor on the glossary page. */
  readonly id: string;
  readonly term: string;
  readonly forms: readonly string[];
  /** Plain text; backquotes mark code. */
  readonly definition: string;
  readonly rule?: string;
  /** Section of the manual or another document, when no single rule says it. */
  readonly source?: string;
  /** The chapter that introduces it. */
  readonly chapter: number;
}

export const GLOSSARY: readonly GlossaryTerm[] = [
  // Chapter 1: the machine and its modes.
  {
    id: "hart",
    term: "hart",
    forms: ["hart", "harts"],
    definition:
      "A hardware thread: one program counter with its registers, which fetches and executes instructions by itself.",
    source: "RISC-V manual, volume I, Introduction",
    chapter: 1,
  },
  {
    id: "csr",
    term: "CSR, control and status register",
    forms: ["control and status register", "CSR", "CSRs"],
    definition:
      "A register that says how the hart behaves or what has happened to it. Each has a 12-bit address, which also says the lowest mode that may touch it and whether it can be written.",
    source: "RISC-V manual, volume II, CSR Address Mapping Conventions",
    chapter: 1,
  },
  {
    id: "privilege-mode",
    term: "privilege mode",
    forms: ["privilege mode", "privilege modes"],
    definition:
      "What the code that a hart runs may do: M (machine), S (supervisor) or U (user). With the hypervisor extension, S becomes HS, and guests run in VS and VU.",
    source: "RISC-V manual, volume II, Privilege Levels",
    chapter: 1,
  },
  {
    id: "trap",
    term: "trap",
    forms: ["trap", "traps"],
    definition:
      "A transfer of control to a handler, caused by an exception or an interrupt. Hardware writes the cause and the way back into CSRs; software does not choose where it lands.",
    source: "RISC-V manual, volume I, Exceptions, Traps, and Interrupts",
    chapter: 1,
  },
  {
    id: "interrupt",
    term: "interrupt",
    forms: ["interrupt", "interrupts"],
    definition:
      "An event from outside the running program, such as a timer, that may cause a trap between any two instructions.",
    source: "RISC-V manual, volume I, Exceptions, Traps, and Interrupts",
    chapter: 5,
  },
  {
    id: "delegation",
    term: "trap delegation",
    forms: ["`medeleg`", "`mideleg`", "trap delegation", "delegate", "delegates", "delegated"],
    definition:
      "Sending a trap to a lower mode than M without running M-mode code. `medeleg` has one bit for each exception, `mideleg` one for each interrupt.",
    rule: "medeleg_mideleg_op1",
    chapter: 1,
  },
  {
    id: "retire",
    term: "retire",
    forms: ["retire", "retires", "retired"],
    definition:
      "To run to completion and change the visible state. An instruction that traps does not retire.",
    rule: "ecall_ebreak_no_minstret_inc",
    chapter: 1,
  },
  {
    id: "budget",
    term: "budget",
    forms: ["budget", "budgets"],
    definition:
      "The number of instructions that a run of the board may take. It is the only clock in this book, so every run repeats.",
    chapter: 1,
  },
  {
    id: "pmp",
    term: "PMP, physical memory protection",
    forms: ["PMP", "physical memory protection"],
    definition:
      "Rules of M-mode about ranges of physical addresses: whether lower modes may read, write or execute there. Where no rule matches, S and U may do nothing.",
    rule: "pmp_no_entry_match",
    chapter: 1,
  },
  {
    id: "mret",
    term: "MRET",
    forms: ["`mret`"],
    definition:
      "The return from a trap to M-mode: the hart goes to the address in `mepc`, in the mode that the field MPP of `mstatus` names.",
    rule: "mstatus_xret_op",
    chapter: 1,
  },
  {
    id: "page",
    term: "page",
    forms: ["page", "pages"],
    definition:
      "4,096 bytes whose address is a multiple of 4,096: the unit in which address translation gives out memory and rights.",
    rule: "Sv39_page_offset_sz",
    chapter: 1,
  },
  {
    id: "page-fault",
    term: "page fault",
    forms: ["page fault", "page faults"],
    definition:
      "The exception of an access that the page tables do not allow: cause 12 for a fetch, 13 for a load, 15 for a store or an atomic operation.",
    source: "RISC-V manual, volume II, Machine Cause Register",
    chapter: 1,
  },
  {
    id: "system-call",
    term: "system call",
    forms: ["system call", "system calls"],
    definition:
      "A program's request to its kernel. Here: an `ecall` in user mode, which is a trap with cause 8.",
    source: "RISC-V manual, volume II, Environment Call and Breakpoint",
    chapter: 1,
  },
  {
    id: "snapshot",
    term: "snapshot",
    forms: ["snapshot", "snapshots"],
    definition:
      "The whole state of a board at one instant: registers, memory, devices. Reverting to it makes the machine go on from there as if nothing had happened since.",
    chapter: 1,
  },
  {
    id: "trace-hash",
    term: "trace hash",
    forms: ["trace hash", "trace hashes"],
    definition:
      "A digest of every trap, return, CSR write and device access of a run, each with its instruction count. Equal hashes mean equal histories.",
    chapter: 1,
  },
  {
    id: "kernel",
    term: "kernel",
    forms: ["kernel", "kernels"],
    definition:
      "The part of an operating system that runs in supervisor mode: it writes the page tables and takes the traps of the programs.",
    chapter: 1,
  },
  {
    id: "hypervisor",
    term: "hypervisor",
    forms: ["hypervisor", "hypervisors", "VMM", "virtual machine monitor"],
    definition:
      "Software that lets whole operating systems run as guests, each as if the machine were its own. Also called a virtual machine monitor, VMM.",
    source: "Popek and Goldberg, Formal requirements for virtualizable third generation architectures, 1974",
    chapter: 1,
  },

  // Chapter 2: walls.
  {
    id: "pte",
    term: "PTE, page table entry",
    forms: ["page table entry", "page table entries", "PTE", "PTEs"],
    definition:
      "64 bits: a physical page number and flags. It points to the next table, or is a leaf that maps a page.",
    rule: "Sv39_pte_sz",
    chapter: 2,
  },
  {
    id: "leaf",
    term: "leaf",
    forms: ["leaf", "leaves"],
    definition: "A page table entry with R, W or X set: it maps a page instead of pointing to another table.",
    rule: "Sv39_leaf_any_level",
    chapter: 1,
  },
  {
    id: "sv39",
    term: "Sv39",
    forms: ["Sv39"],
    definition:
      "The manual's scheme for 39-bit virtual addresses: three levels of tables with 512 entries each, nine bits of the address for each level, and twelve for the byte in the page.",
    rule: "Sv39_levels",
    chapter: 2,
  },
  {
    id: "satp",
    term: "satp",
    forms: ["`satp`"],
    definition:
      "The CSR for address translation of S and U: the scheme, the address space's number (ASID) and the page number of the root table.",
    rule: "satp",
    chapter: 2,
  },
  {
    id: "ppn",
    term: "PPN, physical page number",
    forms: ["PPN", "PPNs", "page number", "physical page number"],
    definition: "A physical address divided by 4,096: which page, not which byte.",
    rule: "Sv39_page_offset_sz",
    chapter: 2,
  },
  {
    id: "large-page",
    term: "superpage",
    forms: ["superpage", "superpages", "large page", "large pages", "megapage", "gigapage"],
    definition:
      "What a leaf above the last level maps: 2 MiB (megapage) or 1 GiB (gigapage) at once. Its physical address must be a multiple of its size.",
    rule: "Sv39_superpage_align_fault",
    chapter: 2,
  },
  {
    id: "wx",
    term: "W^X",
    forms: ["W^X", "write xor execute"],
    definition:
      "Write xor execute: the rule that no page is both writable and executable, so that nobody who can write a page can make it run.",
    chapter: 2,
  },
  {
    id: "tlb",
    term: "TLB, translation lookaside buffer",
    forms: ["translation lookaside buffer", "TLB", "TLBs"],
    definition:
      "Where a hart remembers translations that it has made. It may go on using one after the tables have changed, until a fence covers it.",
    rule: "sfence_vma_implicit_access",
    chapter: 2,
  },
  {
    id: "fence",
    term: "SFENCE.VMA",
    forms: ["`sfence.vma`"],
    definition:
      "The instruction that orders a hart's earlier stores to page tables before its later uses of them: what it had remembered of the addresses named is no longer used.",
    rule: "sfence_vma_invalidation",
    chapter: 2,
  },
  {
    id: "property-test",
    term: "property test",
    forms: ["property test", "property tests"],
    definition:
      "A test that draws many random cases from a seed and says what must hold for all of them, instead of listing a few cases with their results.",
    chapter: 2,
  },

  // Chapter 3: Popek and Goldberg.
  {
    id: "sensitive",
    term: "sensitive instruction",
    forms: ["sensitive instruction", "sensitive instructions", "sensitive"],
    definition:
      "An instruction that changes the machine's resources or mode, or whose effect depends on them. A guest must not execute it directly.",
    source: "Popek and Goldberg, 1974",
    chapter: 3,
  },
  {
    id: "trap-and-emulate",
    term: "trap and emulate",
    forms: ["trap-and-emulate", "trap and emulate", "traps and emulates"],
    definition:
      "Running a guest in a lower mode, so that each of its privileged instructions traps, and doing in software what the instruction would have done to the guest's own machine.",
    source: "Popek and Goldberg, 1974",
    chapter: 3,
  },
  {
    id: "guest",
    term: "guest",
    forms: ["guest", "guests"],
    definition:
      "A system that runs on a hypervisor. With the hypervisor extension: whatever runs with V = 1, in VS or VU.",
    source: "RISC-V manual, volume II, Hypervisor Extension",
    chapter: 3,
  },
  {
    id: "shadow-table",
    term: "shadow page table",
    forms: ["shadow page table", "shadow page tables", "shadow table", "shadow tables"],
    definition:
      "A page table that the hypervisor makes from a guest's, with the guest's physical addresses replaced by the machine's. The hart walks this one; the guest never sees it.",
    chapter: 3,
  },

  // Chapter 4: the hypervisor extension.
  {
    id: "g-stage",
    term: "G-stage",
    forms: ["G-stage", "second stage"],
    definition:
      "The second of two translations of a guest's access: from guest-physical to machine addresses, by the hypervisor's table, which `hgatp` leads to.",
    rule: "hgatp_sz_acc_op",
    chapter: 4,
  },
  {
    id: "vs-stage",
    term: "VS-stage",
    forms: ["VS-stage", "first stage", "guest's own stage"],
    definition:
      "The first of two translations of a guest's access: from virtual to guest-physical addresses, by the guest's own table, which `vsatp` leads to.",
    rule: "vsatp_sz_acc_op",
    chapter: 4,
  },
  {
    id: "guest-physical",
    term: "guest-physical address",
    forms: [
      "guest-physical address",
      "guest-physical addresses",
      "guest-physical",
      "guest physical address",
      "guest physical addresses",
    ],
    definition: "What a guest takes for a physical address. The G-stage translates it once more.",
    source: "RISC-V manual, volume II, Two-Stage Address Translation",
    chapter: 4,
  },
  {
    id: "guest-page-fault",
    term: "guest-page fault",
    forms: ["guest-page fault", "guest-page faults", "guest page fault", "guest page faults"],
    definition:
      "The exception of an access that the G-stage does not allow: cause 20 for a fetch, 21 for a load, 23 for a store. It goes to the hypervisor, never to the guest.",
    source: "RISC-V manual, volume II, Two-Stage Address Translation",
    chapter: 4,
  },
  {
    id: "vmid",
    term: "VMID",
    forms: ["VMID", "VMIDs"],
    definition:
      "The number of a virtual machine in `hgatp`. A hart keeps what it remembers of G-stage translations apart by it.",
    rule: "hgatp_vmid",
    chapter: 4,
  },
  {
    id: "hfence-gvma",
    term: "HFENCE.GVMA",
    forms: ["`hfence.gvma`"],
    definition:
      "The fence for the G-stage: what the hart had remembered of the guest-physical addresses and the virtual machine named is no longer used.",
    rule: "hfence-gvma_op",
    chapter: 4,
  },
  {
    id: "hgatp",
    term: "hgatp",
    forms: ["`hgatp`"],
    definition:
      "The CSR for the G-stage: the scheme, the number of the virtual machine (VMID) and the page number of the root table, which is 16 KiB large.",
    rule: "hgatp_sz_acc_op",
    chapter: 4,
  },
  {
    id: "frame",
    term: "frame",
    forms: ["frame", "frames"],
    definition:
      "A page of the machine's own memory, as a hypervisor counts and gives it out: 4,096 bytes with an owner.",
    chapter: 4,
  },
  {
    id: "mmio",
    term: "MMIO, memory-mapped input and output",
    forms: ["MMIO", "memory-mapped"],
    definition:
      "Talking to a device by loads and stores at addresses that are not memory. A hypervisor leaves them unmapped, and plays the device when the access faults.",
    chapter: 7,
  },

  // Chapter 5: sharing.
  {
    id: "vcpu",
    term: "vCPU",
    forms: ["vCPU", "vCPUs", "virtual CPU", "virtual CPUs"],
    definition:
      "A guest's hart while it is not running: registers, CSRs and mode, kept in memory until a scheduler puts it on a real hart again.",
    chapter: 5,
  },
  {
    id: "hvip",
    term: "hvip",
    forms: ["`hvip`"],
    definition:
      "The CSR by which a hypervisor makes interrupts pending for the guest: a bit that it sets there is one that the guest sees.",
    rule: "hvip_sz_op",
    chapter: 5,
  },
  {
    id: "htimedelta",
    term: "htimedelta",
    forms: ["`htimedelta`"],
    definition:
      "What the hart adds to the time that a guest reads, so that a guest's clock can begin at 0 or stand still while it is moved.",
    rule: "htimedelta_sz_acc_op",
    chapter: 5,
  },
  {
    id: "scheduler",
    term: "scheduler",
    forms: ["scheduler", "schedulers"],
    definition: "The part of a kernel or hypervisor that decides who runs next on a hart, and for how long.",
    chapter: 5,
  },

  // Chapter 6: Xen.
  {
    id: "hypercall",
    term: "hypercall",
    forms: ["hypercall", "hypercalls"],
    definition:
      "A guest kernel's request to its hypervisor, as a system call is a program's to its kernel. Here: an `ecall` in VS-mode.",
    chapter: 6,
  },
  {
    id: "event-channel",
    term: "event channel",
    forms: ["event channel", "event channels"],
    definition:
      "Xen's one-bit message between domains: a pending bit that the sender sets through the hypervisor, and a mask bit with which the receiver holds it back.",
    source: "Xen public headers, event_channel.h",
    chapter: 6,
  },
  {
    id: "grant",
    term: "grant",
    forms: ["grant", "grants", "grant table", "grant tables"],
    definition:
      "A domain's permission for one other domain to map or copy one of its pages. The hypervisor counts who uses it, so that the page cannot be given away meanwhile.",
    source: "Xen public headers, grant_table.h",
    chapter: 6,
  },
  {
    id: "domain",
    term: "domain",
    forms: ["domain", "domains"],
    definition:
      "Xen's word for a virtual machine. Domain 0, dom0, is the one that may create and control the others.",
    chapter: 6,
  },
  {
    id: "paravirtual",
    term: "paravirtualization",
    forms: ["paravirtualization", "paravirtualized", "paravirtual"],
    definition:
      "Changing a guest so that it asks the hypervisor, by hypercalls, for what it would otherwise do to the hardware and be caught at.",
    chapter: 6,
  },
];
