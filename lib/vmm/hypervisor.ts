/**
 * The reference hypervisor: virtual machines on a machine with the hypervisor extension. All that it keeps is in machine RAM.
 *
 * Reading order: `layout.ts` and `layout/` (what there is), `frames.ts` and `second-stage.ts` (memory), `domain.ts`, `vcpu.ts` (the world switch),
 * `trap.ts` (why guests come here), then an answer of your choice. `module.ts` puts all of it together.
 */
import type { Board } from "../board/board.ts";
import type { LoadError } from "../board/load-error.ts";
import { type Hypervisor, type HypervisorOptions, installHypervisor } from "../hs/hypervisor.ts";
import { onlooker } from "../hs/onlooker.ts";
import { DOMAINS, DomainFlag, PAGE_BYTES, type VmmState, vmmState } from "./layout.ts";
import { type LoadOptions, loadGuests } from "./loader.ts";
import { vmmModule } from "./module.ts";
import type { VmmParts } from "./parts.ts";

export { vmmModule } from "./module.ts";

/** An installed hypervisor, and its structures as an onlooker sees them. */
export interface Vmm extends Omit<Hypervisor, "kind"> {
  readonly kind: "vmm";
  readonly state: VmmState;
}

/** How the hypervisor is installed. */
export interface VmmOptions extends HypervisorOptions {
  /** What is not the reference's own; a function makes it afresh whenever the handlers are made. */
  readonly parts?: VmmParts | (() => VmmParts);
}

/**
 * Puts the hypervisor and its guests into a board's RAM.
 *
 * @returns  What was installed, or why nothing can run.
 * @example
 * const board = buildBoard({ ramBytes: 32 * 1024 * 1024 });
 * installVmm(board, { guests: [{ image: kernel, begins: "machine" }] });
 * board.run({ instructions: 10_000_000 });
 */
export function installVmm(board: Board, load: LoadOptions, options: VmmOptions = {}): Vmm | LoadError {
  const { sizeBytes } = board.bus.ram;
  const { parts = {} } = options;
  const make = typeof parts === "function" ? parts : () => parts;
  const hypervisor = installHypervisor(board, () => vmmModule(sizeBytes, make()), options);
  if (hypervisor.kind !== "hypervisor") return hypervisor;
  const refused = loadGuests(board, hypervisor.map, load);
  if (refused !== undefined) return refused;
  return { ...hypervisor, kind: "vmm", state: vmmState(onlooker(board), hypervisor.map) };
}

/** What a domain has printed, from a byte on when one is given, up to the last 16 KiB. */
export function printedBy({ state }: Pick<Vmm, "state">, domain: number, from = 0): string {
  const { console } = state.domain(domain);
  const size = console.bytes.length;
  const end = Number(console.written);
  const begin = Math.max(from, end - size);
  const bytes = Array.from({ length: Math.max(0, end - begin) }, (_, index) =>
    console.bytes.get((begin + index) % size),
  );
  return new TextDecoder().decode(Uint8Array.from(bytes), { stream: true });
}

/** What a domain's disk holds now; empty without one. */
export function diskOf(board: Board, { state }: Pick<Vmm, "state">, domain: number): Uint8Array {
  const disk = new Uint8Array(Number(state.domain(domain).virtio.diskBytes));
  const loaded = state.bootInfo.domain.get(domain - 1).disk;
  const pages = state.diskPages(domain);
  for (let at = 0; at < disk.length; at += PAGE_BYTES) {
    const frame = pages.get(at / PAGE_BYTES);
    if (frame === 0 && at >= loaded.bytes) continue;
    const from = frame === 0 ? loaded.from + BigInt(at) : state.frameAddress(frame);
    const bytes = board.memory.bytes(from, Math.min(PAGE_BYTES, disk.length - at));
    if (bytes instanceof Uint8Array) disk.set(bytes, at);
  }
  return disk;
}

/** Puts another domain at the board's serial port: it is typed to, and what it prints goes there. An operator's store, from outside. */
export function giveTerminal({ state }: Pick<Vmm, "state">, domain: number): void {
  for (let id = 1; id < DOMAINS; id++) {
    const each = state.domain(id);
    const others = each.flags & ~DomainFlag.HAS_TERMINAL;
    each.flags = id === domain ? others | DomainFlag.HAS_TERMINAL : others;
  }
}
