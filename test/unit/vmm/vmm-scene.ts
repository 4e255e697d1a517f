/** Boards with the reference hypervisor and guests, and what an onlooker recounts of its frames. */
import { type BoardConfig, buildBoard } from "../../../lib/board/virt.ts";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { PTE } from "../../../lib/mmu/pte.ts";
import { installVmm, type Vmm, type VmmOptions } from "../../../lib/vmm/hypervisor.ts";
import {
  DOMAINS,
  DomainFlag,
  DomainState,
  FOREIGN_MAPPINGS,
  FrameType,
  GrantFlag,
  VCPUS,
} from "../../../lib/vmm/layout.ts";
import type { LoadOptions } from "../../../lib/vmm/loader.ts";

export type Board = ReturnType<typeof buildBoard>;
export interface VmmScene {
  readonly board: Board;
  readonly vmm: Vmm;
}

/** A board with guests. */
export function vmmScene(load: LoadOptions, options: VmmOptions = {}, config: BoardConfig = {}): VmmScene {
  const board = buildBoard(config);
  const vmm = installVmm(board, load, options);
  if (vmm.kind !== "vmm") throw new Error(vmm.message);
  return { board, vmm };
}

export const GUEST_BASE = 0x8000_0000n;

/** A guest's program in assembly, as bytes that begin at its RAM's beginning. */
export function guestBytes(text: string): Uint8Array {
  const built = assemble(text, { origin: GUEST_BASE });
  if (built.kind !== "program") throw new Error(built.message);
  return built.bytes;
}

/** A page that a domain's second stage maps. */
interface Leaf {
  readonly domain: number;
  readonly page: bigint;
  readonly frame: number;
  readonly isWritable: boolean;
}

/** What the tables of all second stages say about frames, counted by walking them from outside. */
export function recount({ board, vmm }: VmmScene) {
  const { state } = vmm;
  const references = new Map<number, number>();
  const counts = new Map<number, number>();
  const leaves: Leaf[] = [];
  const add = (map: Map<number, number>, frame: number): void =>
    void map.set(frame, (map.get(frame) ?? 0) + 1);
  const entryAt = (at: bigint): bigint => {
    const word = board.memory.load(at, 8);
    if (typeof word !== "bigint") throw new Error("a table outside RAM");
    return word;
  };
  const walk = (domain: number, table: bigint, level: number, base: bigint): void => {
    for (let index = 0; index < (level === 2 ? 2048 : 512); index++) {
      const entry = entryAt(table + BigInt(8 * index));
      if ((entry & PTE.V) === 0n) continue;
      const to = ((entry >> 10n) & ((1n << 44n) - 1n)) << 12n;
      const frame = Number((to - 0x8000_0000n) >> 12n);
      const page = base + (BigInt(index) << BigInt(12 + 9 * level));
      const isLeaf = (entry & (PTE.R | PTE.W | PTE.X)) !== 0n;
      const isWritable = (entry & PTE.W) !== 0n;
      // An entry above the lowest level is about as many frames as it maps.
      for (let part = 0; part < (isLeaf ? 512 ** level : 1); part++) {
        add(references, frame + part);
        if (!isLeaf || isWritable) add(counts, frame + part);
        if (isLeaf)
          leaves.push({ domain, page: page + BigInt(4096 * part), frame: frame + part, isWritable });
      }
      if (!isLeaf) walk(domain, to, level - 1, page);
    }
  };
  for (let id = 1; id < DOMAINS; id++) if (state.domain(id).id !== 0) walk(id, state.root(id), 2, 0n);
  return { references, counts, leaves };
}

/** Whether a domain's page is one that the owner of its frame has granted. */
function isGranted({ vmm: { state } }: VmmScene, { domain, page, isWritable }: Leaf, owner: number): boolean {
  return Array.from({ length: FOREIGN_MAPPINGS }, (_, index) => state.foreign(index)).some((mapping) => {
    if (mapping.mapper !== domain || mapping.page !== page || mapping.granter !== owner) return false;
    const { flags, to } = state.domain(owner).grants.get(mapping.grant);
    const needed = GrantFlag.VALID | (isWritable ? GrantFlag.WRITABLE : 0);
    return to === domain && (flags & needed) === needed;
  });
}

/** Sentences about frames whose entry does not say what the tables say. None is what a test wants. */
export function frameMistakes(scene: VmmScene): string[] {
  const { state } = scene.vmm;
  const { references, counts, leaves } = recount(scene);
  const mistakes: string[] = [];
  const own = new Set(
    leaves.filter(({ domain, frame }) => state.frame(frame).owner === domain).map(({ frame }) => frame),
  );
  const frames = Number(scene.vmm.map.ram.sizeBytes >> 12n);
  const owned = new Map<number, number>();
  for (let number = 0; number < frames; number++) {
    const { type, owner, refCount, typeCount } = state.frame(number);
    const used = references.get(number) ?? 0;
    const isLetGo =
      type === FrameType.RAM && state.domain(owner).state === DomainState.DYING && !own.has(number);
    const isMissedByOwner = type !== FrameType.SHARED && !isLetGo;
    const expected = type === FrameType.FREE ? 0 : used + (isMissedByOwner ? 1 : 0);
    if (refCount !== expected)
      mistakes.push(`frame ${number}: ${refCount} references, and it has ${expected}`);
    if (typeCount !== (counts.get(number) ?? 0))
      mistakes.push(`frame ${number}: type count ${typeCount}, and it has ${counts.get(number) ?? 0}`);
    const isParavirtual = (state.domain(owner).flags & DomainFlag.PARAVIRTUAL) !== 0;
    if (type === FrameType.RAM && used === 0 && !isParavirtual)
      mistakes.push(`frame ${number} is domain ${owner}'s, and nothing maps it`);
    if (type === FrameType.FREE && used > 0) mistakes.push(`frame ${number} is free and mapped`);
    if (type !== FrameType.FREE) owned.set(owner, (owned.get(owner) ?? 0) + 1);
  }
  for (const leaf of leaves) {
    const { domain, page, frame, isWritable } = leaf;
    const { owner, type } = state.frame(frame);
    if (type === FrameType.SHARED && owner === 0 && !isWritable) continue;
    if (owner !== domain && type === FrameType.RAM && isGranted(scene, leaf, owner)) continue;
    if (owner !== domain || type !== FrameType.RAM)
      mistakes.push(
        `domain ${domain} maps 0x${page.toString(16)} to frame ${frame} of ${owner}, type ${type}`,
      );
  }
  for (let id = 0; id < DOMAINS; id++)
    if (state.domain(id).frames !== (owned.get(id) ?? 0))
      mistakes.push(
        `domain ${id} has ${owned.get(id) ?? 0} frames and believes in ${state.domain(id).frames}`,
      );
  return mistakes;
}

/** How often virtual CPUs came to the hypervisor, all together. */
export function exitsOf({ vmm: { state } }: VmmScene, domain = 1): number {
  let sum = 0n;
  for (let index = 0; index < VCPUS; index++) {
    const vcpu = state.vcpu(index);
    if (vcpu.domain !== domain) continue;
    for (let kind = 0; kind < vcpu.exits.length; kind++) sum += vcpu.exits.get(kind);
  }
  return Number(sum);
}
