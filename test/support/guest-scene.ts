/** A small guest with tables of both stages, for explanations and pictures. */
import { writeCsr } from "../../lib/hart/csr-write.ts";
import type { Hart } from "../../lib/hart/hart.ts";
import { type CsrName, encodeCsr } from "../../lib/isa/csr-map.ts";
import { bareMachine } from "./bare-machine.ts";

/** What may differ from the usual guest, whose every entry allows everything. */
export interface GuestScene {
  readonly wide?: boolean;
  readonly guestLeaf?: bigint;
  readonly hostLeaf?: bigint;
  /** The second stage's entry for the guest's last table. */
  readonly tableLeaf?: bigint;
  readonly hostBare?: boolean;
  readonly guestBare?: boolean;
  readonly sticky?: boolean;
}

const BASE = 0x8000_0000n;
const entry = (address: bigint, flags: bigint): bigint => ((address >> 12n) << 10n) | flags;

/** Virtual 0x4000_3000 → guest-physical 0x4000 → the page at 0x8002_0000. The guest's tables are guest-physical pages 1 to 3. */
export const GUEST_ADDRESS = 0x4000_3123n;

/** Builds it. The hart is in M-mode. */
export function guestScene(scene: GuestScene = {}): Hart {
  const { wide = false, guestLeaf = 0xdfn, hostLeaf = 0xdfn, tableLeaf = 0xdfn } = scene;
  const machine = bareMachine({ sticky: scene.sticky ?? false });
  const { hart, ram } = machine;
  const set = (name: CsrName, value: bigint) => writeCsr(hart, name, value);
  const put = (address: bigint, word: bigint) => ram.store(Number(address - BASE), 8, word);
  set("pmpaddr0", 2n ** 54n - 1n);
  set("pmpcfg0", 0x1fn);
  // The second stage: a root of 16 KiB, then tables; under Sv48x4 one more.
  const [root, upper, middle, last] = [0x8000_8000n, 0x8000_c000n, 0x8000_d000n, 0x8000_e000n];
  put(root, entry(wide ? upper : middle, 1n));
  put(upper, entry(middle, 1n));
  put(middle, entry(last, 1n));
  const pages = [0n, 0x8001_0000n, 0x8001_1000n, 0x8001_2000n, 0x8002_0000n, 0x8001_3000n];
  for (const [number, page] of pages.entries())
    put(last + BigInt(number * 8), entry(page, number === 4 ? hostLeaf : number === 3 ? tableLeaf : 0xdfn));
  // The guest's tables, at the pages to which its pages 1 to 3 lead; under Sv48 the root is page 5.
  put(0x8001_3000n, entry(0x1000n, 1n));
  put(0x8001_0008n, entry(0x2000n, 1n));
  put(0x8001_1000n, entry(0x3000n, 1n));
  put(0x8001_2018n, entry(0x4000n, guestLeaf));
  const mode = wide ? 9 : 8;
  set("vsatp", scene.guestBare ? 0n : encodeCsr("vsatp", { MODE: mode, ASID: 2, PPN: wide ? 5 : 1 }));
  set("hgatp", scene.hostBare ? 0n : encodeCsr("hgatp", { MODE: mode, VMID: 3, PPN: root >> 12n }));
  return hart;
}
