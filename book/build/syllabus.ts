/** The course's plan: one line for each notebook, in order. */
export interface PlannedNotebook {
  readonly number: number;
  readonly title: string;
  readonly hours: string;
  readonly question: string;
  readonly after: readonly number[];
}

export const syllabus: readonly PlannedNotebook[] = [
  {
    number: 1,
    title: "Landing on the island",
    hours: "4",
    question: "What does a machine know about who is in charge?",
    after: [],
  },
  {
    number: 2,
    title: "Walls: Sv39 and a kernel you can read",
    hours: "5",
    question: "What keeps one program out of another's memory?",
    after: [1],
  },
  {
    number: 3,
    title: "Popek and Goldberg on trial",
    hours: "6",
    question: "When can a machine pretend to be itself, and who can tell?",
    after: [2],
  },
  {
    number: 4,
    title: "The second wall: the hypervisor extension",
    hours: "6",
    question: "What changes when hardware translates every address twice?",
    after: [2],
  },
  {
    number: 5,
    title: "Time, interrupts and sharing the CPU",
    hours: "5",
    question: "Can a guest steal time that the scheduler never sees?",
    after: [4],
  },
  {
    number: 6,
    title: "Xen's core: hypercalls, events, grants",
    hours: "7",
    question: "How small can an interface between guests be, and still be counted right?",
    after: [5],
  },
  {
    number: 7,
    title: "dom0: a whole operating system in command",
    hours: "6",
    question: "How much must be trusted before a guest can read one sector?",
    after: [6],
  },
  {
    number: 8,
    title: "ESX and Hyper-V ideas",
    hours: "5",
    question: "What do drivers in the hypervisor, or a root partition, buy instead?",
    after: [6],
  },
  {
    number: 9,
    title: "Freeze, copy, move, replay, fail over",
    hours: "6",
    question: "What can be done to a machine that is only data?",
    after: [5, 7],
  },
  {
    number: 10,
    title: "Escape I: into dom0",
    hours: "7",
    question: "How does one bug in a device model become control of everything?",
    after: [7],
  },
  {
    number: 11,
    title: "Escape II: under dom0, and through the front office",
    hours: "7",
    question: "What lies below domain 0, and who else holds a key?",
    after: [6, 10],
  },
  {
    number: 12,
    title: "Breaking up is hard to do",
    hours: "6",
    question: "Does taking domain 0 apart make the attacks fail, and at what cost?",
    after: [11],
  },
  {
    number: 13,
    title: "One well-designed OS I: capabilities, drivers that die",
    hours: "7",
    question: "What happens to the same bug when the driver is only a process?",
    after: [2, 12],
  },
  {
    number: 14,
    title: "One well-designed OS II: everything virtualization does",
    hours: "7",
    question: "Which feature of a hypervisor can a system not offer itself?",
    after: [9, 13],
  },
  {
    number: 15,
    title: "The trial",
    hours: "8–10",
    question: "Which claims of the essay survive your own measurements?",
    after: [14],
  },
];
