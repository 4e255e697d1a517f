/** Hints and reference answers of notebook 04, as source text that a test puts in place of each stub. */
import type { Help } from "../exercises/landing-answers.ts";
import { handWalkValues } from "./hand-walk.ts";
import { rootDraft, rootPlace } from "./root-draft.ts";
import { hgatpFor } from "./two-stage-machine.ts";

const hexText = (value: bigint): string => `0x${value.toString(16)}n`;

function handWalkAnswer(seed: number): string {
  const { leafAt, paddr, reads, store } = handWalkValues(seed);
  return `const mine = { seed: SEED, leafAt: ${hexText(leafAt)}, paddr: ${hexText(paddr)}, reads: ${reads}, store: ${store} };`;
}

function rootAnswer(seed: number): string {
  const draft = rootDraft(seed);
  const culprit = draft.pages.find(({ entry }) => (entry & 16n) === 0n);
  return `const hgatp = ${hexText(hgatpFor(rootPlace(draft), draft.vmid))};
const at = ${hexText(culprit?.at ?? 0n)};
const entry = ${hexText((culprit?.entry ?? 0n) | 16n)};`;
}

/** Help for each exercise of notebook 04. */
export const SECOND_WALL_HELP = {
  "04.1": {
    hints: [
      "vsatp's PPN is a guest-physical page. Take that address, plus 8 times the first index, through hgatp's tables: the root's index is (gpa >> 30n) & 2047n, the next (gpa >> 21n) & 511n, and there is a leaf of 2 MiB. Only now can you read the guest's first entry.",
      "Three guest-physical addresses: of the guest's entry in its root, of its leaf, of the data. Each costs two entries of the second stage. For the store look at W and D of the guest's leaf (15), then of the second stage's (23).",
    ],
    source: handWalkAnswer,
    because:
      "Every address that the guest's tables contain is guest-physical, their own included. So each of its entries costs a walk of the second stage before it can be read: 3 × 2 + 2 = 8.",
  },
  "04.2": {
    hints: [
      "A root has 4 × 4 KiB, and its address ends in 0x0000, 0x4000, 0x8000 or 0xc000. Which of the free frames does, with three more behind it?",
      "hgatp is (8n << 60n) | (vmid << 44n) | (root >> 12n). The leaf that needs a change has no U in its flags; U is 16n.",
    ],
    source: rootAnswer,
    because:
      "The two low bits of PPN do not exist in hgatp, so a root can only stand at a multiple of 16 KiB. And to the second stage every access of a guest is one of user mode: a leaf without U is nobody's.",
  },
  "04.3": {
    hints: [
      "If htinst is 0, take the instruction; its low two bits say whether it has four bytes (3) or two. Else bit 0 of htinst must be set, or it tells of something else; bit 1 says four bytes (1) or two (0). Then set both bits and read it like any load or store.",
      "Opcode: word & 0x7f is 0x03 or 0x23. funct3: (word >>> 12) & 7; the width is 1 << (funct3 & 3), bit 2 means unsigned; 7 is no load, above 3 no store. Short ones in quadrant 0 ((word & 3) === 0): word >>> 13 is 2 (c.lw), 3 (c.ld), 6 (c.sw), 7 (c.sd), the register 8 + ((word >>> 2) & 7).",
    ],
    source: () => `function decodeMmio(htinst: number, instruction: number) {
  const told = htinst !== 0;
  if (told && (htinst & 1) === 0) return undefined;
  const isShort = told ? (htinst & 2) === 0 : (instruction & 3) !== 3;
  if (!told && isShort) {
    const kind = instruction >>> 13;
    if ((instruction & 3) !== 0 || ![2, 3, 6, 7].includes(kind)) return undefined;
    const isStore = kind > 3;
    const width = kind % 4 === 3 ? 8 : 4;
    return { isStore, width, isSigned: !isStore && width === 4, register: 8 + ((instruction >>> 2) & 7), sizeBytes: 2 };
  }
  const word = told ? htinst | 3 : instruction;
  const funct3 = (word >>> 12) & 7;
  const opcode = word & 0x7f;
  const isStore = opcode === 0x23;
  if (!isStore && opcode !== 0x03) return undefined;
  if (isStore ? funct3 > 3 : funct3 === 7) return undefined;
  const register = (word >>> (isStore ? 20 : 7)) & 31;
  return { isStore, width: 1 << (funct3 & 3), isSigned: !isStore && funct3 < 4, register, sizeBytes: isShort ? 2 : 4 };
}`,
    because:
      "Width and sign are three bits of the instruction, and the register five. htinst brings them without a fetch; where it is 0, the hypervisor fetches as the guest would.",
  },
  "04.4": {
    hints: [
      'const gpa = fault.htval << 2n. Outside of RAM: "device". Then walk from vm.root as in 02.4, but with (gpa >> 30n) & 2047n in the root. Copy memory and free first, so that a refusal can return what it got.',
      'Clear each frame when you take it, for a table as for a page: 512 words. The leaf is ((frame >> 12n) << 10n) | 0xdfn. A leaf that is there already is "refused".',
    ],
    source:
      () => `function onGuestFault(vm: GuestMemory, fault: GuestFault, memory: Map<bigint, bigint>, free: bigint[]) {
  const gpa = fault.htval << 2n;
  if (gpa < vm.ramBase || gpa >= vm.ramBase + vm.ramBytes) return { outcome: "device", memory, free };
  const refused = { outcome: "refused", memory, free: [...free] };
  const path: bigint[] = [];
  let table: bigint | undefined = vm.root;
  for (const shift of [30n, 21n, 12n]) {
    const at: bigint | undefined = table === undefined ? undefined : table + ((gpa >> shift) & (shift === 30n ? 2047n : 511n)) * 8n;
    const entry: bigint = at === undefined ? 0n : (memory.get(at) ?? 0n);
    if (shift === 12n && entry !== 0n) return refused;
    if (at !== undefined) path.push(at);
    table = entry === 0n ? undefined : (entry >> 10n) << 12n;
  }
  // Every table that is missing takes a frame, and so does the page.
  if (free.length < 4 - path.length) return refused;
  let at = path.at(-1) ?? 0n;
  for (let level = path.length - 1; level < 3; level += 1) {
    const frame = free.shift() ?? 0n;
    for (let word = 0n; word < 4096n; word += 8n) memory.set(frame + word, 0n);
    memory.set(at, ((frame >> 12n) << 10n) | (level === 2 ? 0xdfn : 1n));
    at = frame + ((gpa >> (level === 0 ? 21n : 12n)) & 511n) * 8n;
  }
  return { outcome: "mapped", memory, free };
}`,
    because:
      "The frames that are needed are counted before the first store, so a refusal changes nothing. Each frame is cleared: in a table an old word is an entry, in a page an old word is somebody's secret.",
  },
  "04.5": {
    hints: [
      "As in 02.5, with one key for VM and page, such as 4 * event.vm + event.page. findIndex gives the place of the first load that saw something else than the map says.",
      "The VMID that is shared shows only when both VMs load the same page number with different frames. Sixty random requests over two VMs and four pages find everything.",
    ],
    source: () => `function trial(seed: number): VmOp[] {
  const word = seededWords(seed);
  const pick = (most: number) => (word() >>> 8) % most;
  return Array.from({ length: 80 }, (): VmOp => {
    const [what, vm, page] = [pick(4), 1 + pick(2), pick(4)];
    if (what === 0) return { op: "map", vm, page, frame: pick(4) };
    return what === 1 ? { op: "unmap", vm, page } : { op: "load", vm, page };
  });
}
function firstLie(history: readonly VmEvent[]): number {
  const frames = new Map<number, number>();
  return history.findIndex((event) => {
    const key = 4 * event.vm + event.page;
    if (event.op === "map") frames.set(key, event.frame);
    if (event.op === "unmap") frames.delete(key);
    return event.op === "load" && event.saw !== (frames.get(key) ?? -1);
  });
}`,
    because:
      "The property is the isolation of two VMs, said in one line: a load sees what its own VM's last map says, or faults. Fences, VMIDs and shifts do not occur in it, and so none of them can be forgotten.",
  },
  "04.6": {
    hints: [
      "afresh: for each touch, tables.length × (1 + 3) + 3. With three tables that is 15.",
      "Two sets for each VM. If the guest's page is new: one entry for each table, and three more for each table's guest-physical page that the second set does not know. In any case three for gpa, if the second set does not know it.",
    ],
    source: () => `function entryReads(touches: readonly GuestTouch[]) {
  let afresh = 0, remembered = 0;
  let guest = new Set<bigint>(), second = new Set<bigint>();
  for (const touch of touches) {
    if (touch.what === "fence") {
      if (touch.stage === "guest") guest = new Set(); else second = new Set();
      continue;
    }
    const { vm, page, tables, gpa } = touch;
    const named = (number: bigint) => 4n * number + BigInt(vm);
    const pass = (number: bigint) => {
      const cost = second.has(named(number)) ? 0 : 3;
      second.add(named(number));
      return cost;
    };
    afresh += tables.length * 4 + 3;
    if (!guest.has(named(page))) for (const table of tables) remembered += 1 + pass(table);
    if (tables.length > 0) guest.add(named(page));
    remembered += pass(gpa);
  }
  return { afresh, remembered };
}`,
    because:
      "Fifteen entries for one byte would make a guest crawl. The hart remembers, so two stages cost hardly more than one, and each stage has a fence of its own.",
  },
} as const satisfies Readonly<Record<string, Help>>;

/** Exercises of notebook 04. */
export type SecondWallExercise = keyof typeof SECOND_WALL_HELP;
