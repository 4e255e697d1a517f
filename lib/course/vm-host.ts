/**
 * A machine with the reference hypervisor and guests, for a cell: some of the hypervisor's parts may be the reader's, and a referee watches.
 */
import type { Board } from "../board/board.ts";
import type { EngineName } from "../board/engine-choice.ts";
import type { Stop } from "../board/stop.ts";
import { buildBoard } from "../board/virt.ts";
import type { HandlerOptions } from "../hs/install.ts";
import { assemble } from "../isa/assembler/text.ts";
import { type Referee, type RefereeOptions, referee } from "../referee/referee.ts";
import { allVcpus, vcpusOf } from "../vmm/domain.ts";
import { FIRST_HYPERCALL, hypercallsWith } from "../vmm/hypercalls.ts";
import { installVmm, printedBy, type Vmm } from "../vmm/hypervisor.ts";
import type { VcpuView } from "../vmm/layout.ts";
import type { Guest, LoadOptions } from "../vmm/loader.ts";
import type { VmmParts } from "../vmm/parts.ts";

/** A guest of a cell: its image may be assembly text, which begins at the beginning of its RAM. */
export type HostGuest = Omit<Guest, "image"> & { readonly image: Uint8Array | string };

/** What a cell decides. */
export interface HostOptions extends Omit<LoadOptions, "guests"> {
  readonly guests: readonly HostGuest[];
  /** The reader's own parts; a function makes them afresh in amnesia mode. */
  readonly parts?: VmmParts | (() => VmmParts);
  readonly engine?: EngineName;
  readonly seed?: number;
  /** Bytes of the machine's RAM; when left out enough for these guests. */
  readonly ramBytes?: number;
  /** How handlers run: amnesia, races, how long they may be. */
  readonly handlers?: HandlerOptions;
  /** How the referee judges; false: it does not watch, and looks only when it is asked. */
  readonly judge?: RefereeOptions | false;
}

const MIB = 1024 * 1024;
const GUEST_RAM = 0x8000_0000n;
/** A guest's when nobody says, as the loader has it. */
const DEFAULT_RAM = 4 * MIB;
/** The hypervisor's image and tables. */
const OWN_RAM = 16 * MIB;

/** The machine. Domains are numbered from 1, in the order of the guests. */
export class VmHost {
  readonly board: Board;
  readonly vmm: Vmm;
  readonly #judge: RefereeOptions;
  #referee: Referee | undefined;

  constructor(options: HostOptions) {
    const { parts, handlers, engine, seed, judge = {}, ramBytes, ...load } = options;
    const guests = load.guests.map((guest, index) => ({ ...guest, image: imageOf(guest, index) }));
    this.board = buildBoard({
      ramBytes: ramBytes ?? ramFor(guests),
      ...(engine === undefined ? {} : { engine }),
      ...(seed === undefined ? {} : { seed }),
    });
    const vmm = installVmm(
      this.board,
      { ...load, guests },
      { ...(parts === undefined ? {} : { parts }), ...(handlers === undefined ? {} : { handlers }) },
    );
    if (vmm.kind !== "vmm") throw new RangeError(vmm.message);
    this.vmm = vmm;
    this.#judge = judge === false ? {} : judge;
    if (judge !== false) this.#referee = referee(this.board, vmm, judge);
  }

  /** Where the hypervisor keeps what, by name. */
  get map(): Vmm["map"] {
    return this.vmm.map;
  }

  /** What the hypervisor keeps, as an onlooker reads it in RAM. */
  get state(): Vmm["state"] {
    return this.vmm.state;
  }

  /** Who watches. */
  get referee(): Referee {
    this.#referee ??= referee(this.board, this.vmm, this.#judge);
    return this.#referee;
  }

  /** Runs until so many more instructions have retired, those of the hypervisor included, or something has ended the run. */
  run(instructions: number): Stop {
    return this.board.run({ instructions });
  }

  /** What a domain has printed, up to the last 16 KiB. */
  console(domain: number): string {
    return printedBy(this.vmm, domain);
  }

  /** Virtual CPUs that exist, of one domain or of all. */
  vcpus(domain?: number): readonly VcpuView[] {
    return domain === undefined ? allVcpus(this.vmm) : vcpusOf(this.vmm, domain);
  }
}

/** `a7` of a hypercall, the reader's new ones included. Throws `RangeError` for a name that no hypercall has. */
export function hypercallNumber(name: string, parts: VmmParts = {}): bigint {
  const place = Object.keys(hypercallsWith(parts)).indexOf(name);
  if (place < 0) throw new RangeError(`there is no hypercall "${name}"`);
  return FIRST_HYPERCALL + BigInt(place);
}

/** Builds the machine; the next instruction is its first. Throws `RangeError` with a sentence for guests that it cannot have. */
export const buildHost = (options: HostOptions): VmHost => new VmHost(options);

function imageOf({ image }: HostGuest, index: number): Uint8Array {
  if (typeof image !== "string") return image;
  const built = assemble(image, { origin: GUEST_RAM });
  if (built.kind !== "program") throw new RangeError(`guest ${index + 1}: ${built.message}`);
  return built.bytes;
}

/** The guests' RAM, their images, which wait outside of it until they are used, and the hypervisor's own. */
function ramFor(guests: readonly Guest[]): number {
  const wanted = guests.map(
    ({ ramBytes = DEFAULT_RAM, image, initramfs, disk }) =>
      ramBytes + image.length + (initramfs?.length ?? 0) + 2 * (disk?.length ?? 0),
  );
  const sum = wanted.reduce((all, bytes) => all + bytes, OWN_RAM);
  // A disk may be as large as an eighth of the machine's RAM.
  const disks = guests.map(({ disk }) => 8 * (disk?.length ?? 0));
  return MIB * Math.ceil(Math.max(sum, ...disks) / MIB);
}
