/**
 * Two stock kernels side by side on one machine, and a second machine to which the first of them moves while it works. Each has a disk and
 * a console of virtio, and runs a script from its disk that prints numbered lines, writes a sector for each and reads an older one back,
 * while a thousand other sectors are copied one by one.
 */
import type { Board } from "../../board/board.ts";
import { program, script } from "../../board/disk/file-tree.ts";
import { buildBoard } from "../../board/virt.ts";
import { giveTerminal, installVmm, printedBy, type Vmm } from "../../vmm/hypervisor.ts";
import { awaitDomain } from "../../vmm/migration-wire.ts";
import { PROMPT } from "./file-systems.ts";
import { guestsMachine } from "./guests.ts";
import type { LinuxFiles } from "./packages.ts";

const MIB = 1024 * 1024;
/** The hypervisor's own, a guest's RAM and disk. */
const DESTINATION_BYTES = 192 * MIB;
const PIECE = 1_000_000;
const MOST_PIECES = 4_000;

/** The guest that moves, and the one that stays. */
export const MOVES = 1;
export const STAYS = 2;

/** First of the sectors that the script writes: the last mebibyte of the disk, where the file system has nothing. */
export const FIRST_SECTOR = 15 * 2 * 1024;
export const SECTOR_BYTES = 512;

/** What the script writes into the sector of a line. */
export const sectorText = (guest: number, line: number): string =>
  `${`guest ${guest} wrote ${line}`.padEnd(SECTOR_BYTES - 1)}\n`;

/** What it prints: a number, and what the sector of half that number holds. */
export const lineText = (guest: number, line: number): string =>
  `line ${line}: guest ${guest} wrote ${Math.ceil(line / 2)}`;

/** What it has in its journal for so many lines. */
export const journalText = (lines: number): string =>
  Array.from({ length: Math.floor(lines / 4) }, (_, index) => `entry ${4 * (index + 1)}\n`).join("");

/** Sectors that are copied meanwhile, and where they go: so that at any time one is being written. */
export const COPIED_SECTOR = 12 * 2 * 1024;
const COPIED_SECTORS = 1000;
/** What is copied: each sector says its number. */
export const copiedBytes = (): Uint8Array =>
  new TextEncoder().encode(
    Array.from(
      { length: COPIED_SECTORS },
      (_, number) => `${`sector ${number}`.padEnd(SECTOR_BYTES - 1)}\n`,
    ).join(""),
  );

/** `oflag=direct`: past the kernel's cache, so that each is a request of the disk. Every fourth line is in a file, too, which waits for the disk. */
const WORK = `#!/bin/sh
# work GUEST LINES: prints so many lines, and says in the end what it has heard meanwhile.
dmesg -n 1
sector() { dd bs=${SECTOR_BYTES} count=1 "$@" 2>/dev/null; }
stty -echo
dd if=/root/numbers of=/dev/vda bs=${SECTOR_BYTES} seek=${COPIED_SECTOR} oflag=direct 2>/dev/null &
i=0
while [ $i -lt $2 ]; do
  i=$((i + 1))
  printf '%-${SECTOR_BYTES - 1}s\\n' "guest $1 wrote $i" | sector of=/dev/vda seek=$((${FIRST_SECTOR} + i)) oflag=direct
  [ $((i % 4)) = 0 ] && echo "entry $i" | dd of=/root/journal oflag=append conv=notrunc,fsync 2>/dev/null
  echo "line $i:" $(sector if=/dev/vda skip=$((${FIRST_SECTOR} + (i + 1) / 2)) iflag=direct)
done
wait
read -r heard
echo "heard: $heard"
stty echo
sync
echo 3 >/proc/sys/vm/drop_caches
sha256sum /root/journal /dev/vda
`;

/** A machine with the hypervisor. */
export interface LinuxHost {
  readonly board: Board;
  readonly vmm: Vmm;
}

/** The machine with both guests, at their prompts, and the one without. */
export interface TwoMachines {
  readonly from: LinuxHost;
  readonly to: LinuxHost;
}

/** Builds both machines and boots the guests, or says in one line why not. */
export function twoMachines(
  files: LinuxFiles,
): TwoMachines | { readonly kind: "refused"; readonly message: string } {
  const built = guestsMachine(files, {
    engine: "translator",
    files: [script("root/work", WORK), program("root/numbers", copiedBytes())],
  });
  if (built.kind === "refused") return built;
  const from = { board: built.board, vmm: built.vmm };
  const board = buildBoard({ ramBytes: DESTINATION_BYTES, engine: "translator" });
  const vmm = installVmm(board, { guests: [] });
  if (vmm.kind !== "vmm") return { kind: "refused", message: vmm.message };
  awaitDomain({ board, vmm });
  board.run({ instructions: 100_000, untilInsns: 100_000 });
  const isUp = [MOVES, STAYS].every((guest) =>
    runUntil(from, () => printedBy(from.vmm, guest).endsWith(PROMPT)),
  );
  return isUp
    ? { from, to: { board, vmm } }
    : { kind: "refused", message: "the guests never came to their prompts." };
}

/** Runs a machine until something is so. False: it never was. */
export function runUntil({ board }: LinuxHost, isSo: () => boolean): boolean {
  for (let piece = 0; piece < MOST_PIECES; piece++) {
    if (isSo()) return true;
    board.run({ instructions: PIECE });
  }
  return isSo();
}

/** Types a command to a guest, which then has the terminal. Where in its console what follows begins. */
export function typeTo(host: LinuxHost, guest: number, text: string): number {
  const { console, uart } = host.vmm.state.domain(guest);
  giveTerminal(host.vmm, guest);
  const [begins, typed] = [Number(console.written), uart.typed];
  host.board.type(text);
  runUntil(host, () => uart.typed === typed + text.length);
  return begins;
}

/** Begins the work in both guests, which are to print so many lines; the terminal is the first's. Where in each console it begins. */
export function beginWork(
  from: LinuxHost,
  lines: number,
): { readonly stays: number; readonly moves: number } {
  const stays = typeTo(from, STAYS, `sh work ${STAYS} ${lines}\n`);
  return { stays, moves: typeTo(from, MOVES, `sh work ${MOVES} ${lines}\n`) };
}
