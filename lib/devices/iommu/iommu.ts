/**
 * The RISC-V IOMMU: what stands between devices and memory. Each device has a number; the device directory says in which
 * address space it works, and page tables say what it may touch there. What it may not touch, it neither reads nor
 * changes, and software finds a record of the attempt.
 *
 * It keeps no copies of tables: each transaction walks them anew, as a hart's walk does in coherent mode.
 *
 * @spec RISC-V IOMMU Architecture Specification 1.0
 */
import { getField, setField } from "../../bits/field.ts";
import {
  ACCESS_FAULT,
  type AccessFault,
  type Device,
  type DeviceState,
  type Width,
} from "../../bus/device.ts";
import type { DmaPort } from "../../bus/dma.ts";
import { IrqLine } from "../../bus/irq-line.ts";
import { type IommuFault, iommuFault, type Transaction } from "./fault.ts";
import {
  CAPABILITIES,
  DDTP,
  DirectoryMode,
  FCTL,
  ICVEC_WRITABLE,
  IommuCause,
  IommuOffset,
  Ipsr,
  TOLD_DESPITE_DTF,
  TR_REQ_CTL,
  TR_RESPONSE,
  WIRES,
} from "./formats.ts";
import {
  appendFault,
  COMMAND_CONDITIONS,
  COMMAND_QUEUE,
  emptyQueue,
  FAULT_CONDITIONS,
  FAULT_QUEUE,
  legalIndex,
  obeyCommands,
  type QueueControl,
  type QueueState,
  writeQueueBase,
  writeQueueControl,
} from "./queues.ts";
import { type IoTranslation, translateTransaction } from "./translate-transaction.ts";
import { TranslatedDma } from "./translated-dma.ts";

/** A register: where, how wide, and what reading and writing do. Values have no sign. */
interface Register {
  readonly widthBytes: 4 | 8;
  readonly read: () => bigint;
  readonly write?: (value: bigint) => void;
}

/** What the IOMMU does before software has said anything: let nothing through, or everything. */
export type ModeAtReset = "off" | "bare";

const HALF = 0xffff_ffffn;
const PAGE_MASK = 0xfffn;

/** The IOMMU of a board. */
export class Iommu implements Device {
  readonly name = "iommu";
  readonly sizeBytes = 4096;
  /** Interrupt wires; `icvec` says which cause drives which. */
  readonly wires: readonly IrqLine[] = Array.from(
    { length: WIRES },
    (_, wire) => new IrqLine(`iommu.${wire}`),
  );
  readonly #memory: DmaPort;
  readonly #modeAtReset: bigint;
  readonly #registers: ReadonlyMap<number, Register>;
  #ddtp = 0n;
  readonly #commands: QueueState = emptyQueue();
  readonly #faults: QueueState = emptyQueue();
  #pending = 0n;
  #vectors = 0n;
  #requestAddress = 0n;
  #requestControl = 0n;
  #response = 0n;

  /** @param memory  RAM as it is: the IOMMU's own accesses are not translated. */
  constructor(memory: DmaPort, modeAtReset: ModeAtReset) {
    this.#memory = memory;
    this.#modeAtReset = modeAtReset === "off" ? DirectoryMode.OFF : DirectoryMode.BARE;
    this.#registers = this.#registerTable();
    this.reset();
  }

  /** What the device with this number sees of memory. */
  portOf(deviceId: number): DmaPort {
    return new TranslatedDma(this.#memory, (iova, kind) =>
      this.translate({ deviceId, processId: undefined, isPrivileged: false, iova, kind }),
    );
  }

  /** Translates one address for one access inside a page; a refusal goes to the fault queue, too. */
  translate(transaction: Transaction): IoTranslation | IommuFault {
    const { result, hidesFaults } = this.#translate(transaction);
    if (result.kind === "iommu-fault" && (!hidesFaults || TOLD_DESPITE_DTF.has(result.cause))) {
      const isNews = appendFault(this.#memory, this.#faults, result, transaction);
      if (isNews && (this.#faults.csr & FAULT_QUEUE.interruptEnable) !== 0n) this.#pending |= Ipsr.FIP;
      this.#drive();
    }
    return result;
  }

  #translate(transaction: Transaction): { result: IoTranslation | IommuFault; hidesFaults: boolean } {
    const mode = getField(this.#ddtp, DDTP.MODE);
    if (mode === DirectoryMode.OFF)
      return { result: iommuFault(IommuCause.ALL_DISALLOWED), hidesFaults: false };
    if (mode === DirectoryMode.BARE) {
      const passed: IoTranslation = {
        kind: "io-translation",
        paddr: transaction.iova,
        pageBytes: 4096n,
        pbmt: 0n,
      };
      return { result: passed, hidesFaults: false };
    }
    return translateTransaction(this.#memory, this.#ddtp, transaction);
  }

  load(offset: number, width: Width): bigint | AccessFault {
    if (width < 4) return ACCESS_FAULT;
    const whole = this.#registers.get(offset);
    if (width === 8 && whole?.widthBytes === 8) return whole.read();
    if (width === 4) return this.#loadHalf(offset);
    return (this.#loadHalf(offset + 4) << 32n) | this.#loadHalf(offset);
  }

  store(offset: number, width: Width, value: bigint): AccessFault | undefined {
    if (width < 4) return ACCESS_FAULT;
    const whole = this.#registers.get(offset);
    if (width === 8 && whole?.widthBytes === 8) whole.write?.(value);
    else if (width === 4) this.#storeHalf(offset, value);
    else {
      this.#storeHalf(offset + 4, value >> 32n);
      this.#storeHalf(offset, value & HALF);
    }
    this.#drive();
    return undefined;
  }

  reset(): void {
    Object.assign(this.#commands, emptyQueue());
    Object.assign(this.#faults, emptyQueue());
    this.#ddtp = this.#modeAtReset;
    this.#pending = 0n;
    this.#vectors = 0n;
    this.#requestAddress = 0n;
    this.#requestControl = 0n;
    this.#response = 0n;
    this.#drive();
  }

  save(): DeviceState {
    const queue = (name: string, { base, head, tail, csr }: QueueState): DeviceState => ({
      [`${name}Base`]: base,
      [`${name}Head`]: head,
      [`${name}Tail`]: tail,
      [`${name}Csr`]: csr,
    });
    return {
      ddtp: this.#ddtp,
      ...queue("command", this.#commands),
      ...queue("fault", this.#faults),
      pending: this.#pending,
      vectors: this.#vectors,
      requestAddress: this.#requestAddress,
      requestControl: this.#requestControl,
      response: this.#response,
    };
  }

  restore(state: DeviceState): void {
    const word = (name: string): bigint => state[name] as bigint;
    for (const [name, queue] of [
      ["command", this.#commands],
      ["fault", this.#faults],
    ] as const) {
      queue.base = word(`${name}Base`);
      queue.head = word(`${name}Head`);
      queue.tail = word(`${name}Tail`);
      queue.csr = word(`${name}Csr`);
    }
    this.#ddtp = word("ddtp");
    this.#pending = word("pending");
    this.#vectors = word("vectors");
    this.#requestAddress = word("requestAddress");
    this.#requestControl = word("requestControl");
    this.#response = word("response");
    this.#driveWires();
  }

  #registerTable(): ReadonlyMap<number, Register> {
    const at = IommuOffset;
    return new Map<number, Register>([
      [at.CAPABILITIES, { widthBytes: 8, read: () => CAPABILITIES }],
      [at.FCTL, { widthBytes: 4, read: () => FCTL }],
      [at.DDTP, { widthBytes: 8, read: () => this.#ddtp, write: (value) => this.#writeDirectory(value) }],
      ...this.#queueRegisters(this.#commands, COMMAND_QUEUE, [at.CQB, at.CQH, at.CQT, at.CQCSR]),
      ...this.#queueRegisters(this.#faults, FAULT_QUEUE, [at.FQB, at.FQH, at.FQT, at.FQCSR]),
      [
        at.IPSR,
        {
          widthBytes: 4,
          read: () => this.#pending,
          write: (value) => {
            this.#pending &= ~value;
          },
        },
      ],
      ...this.#requestRegisters(),
      [
        at.ICVEC,
        {
          widthBytes: 8,
          read: () => this.#vectors,
          write: (value) => {
            this.#vectors = value & ICVEC_WRITABLE;
          },
        },
      ],
    ]);
  }

  /** Software moves one index of a queue and reads the other. */
  #queueRegisters(
    queue: QueueState,
    control: QueueControl,
    [base, head, tail, csr]: readonly [number, number, number, number],
  ): [number, Register][] {
    const index = (which: "head" | "tail"): Register => ({
      widthBytes: 4,
      read: () => queue[which],
      ...(which === control.restarts
        ? {}
        : {
            write: (value: bigint) => {
              queue[which] = legalIndex(queue, value);
            },
          }),
    });
    return [
      [
        base,
        { widthBytes: 8, read: () => queue.base, write: (value) => writeQueueBase(queue, control, value) },
      ],
      [head, index("head")],
      [tail, index("tail")],
      [
        csr,
        { widthBytes: 4, read: () => queue.csr, write: (value) => writeQueueControl(queue, control, value) },
      ],
    ];
  }

  /** The way to ask for a translation without a device. @spec RISC-V IOMMU 1.0, "IOMMU Debug Support" */
  #requestRegisters(): [number, Register][] {
    const at = IommuOffset;
    return [
      [
        at.TR_REQ_IOVA,
        {
          widthBytes: 8,
          read: () => this.#requestAddress,
          write: (value) => {
            this.#requestAddress = value & ~PAGE_MASK;
          },
        },
      ],
      [
        at.TR_REQ_CTL,
        { widthBytes: 8, read: () => this.#requestControl, write: (value) => this.#request(value) },
      ],
      [at.TR_RESPONSE, { widthBytes: 8, read: () => this.#response }],
    ];
  }

  #request(value: bigint): void {
    let control = 0n;
    for (const field of Object.values(TR_REQ_CTL)) control = setField(control, field, getField(value, field));
    // Done at once: Go never reads as 1.
    this.#requestControl = setField(control, TR_REQ_CTL.GO, 0n);
    if (getField(control, TR_REQ_CTL.GO) === 0n) return;
    const hasProcess = getField(control, TR_REQ_CTL.PV) === 1n;
    const isRead = getField(control, TR_REQ_CTL.NW) === 1n;
    const isFetch = getField(control, TR_REQ_CTL.EXE) === 1n;
    const found = this.translate({
      deviceId: Number(getField(control, TR_REQ_CTL.DID)),
      processId: hasProcess ? Number(getField(control, TR_REQ_CTL.PID)) : undefined,
      isPrivileged: hasProcess && getField(control, TR_REQ_CTL.PRIV) === 1n,
      iova: this.#requestAddress,
      kind: isRead ? (isFetch ? "fetch" : "load") : "store",
    });
    this.#response = responseOf(found);
  }

  #writeDirectory(value: bigint): void {
    const asked = getField(value, DDTP.MODE);
    const mode = asked > DirectoryMode.THREE_LEVELS ? getField(this.#ddtp, DDTP.MODE) : asked;
    this.#ddtp = setField(setField(0n, DDTP.MODE, mode), DDTP.PPN, getField(value, DDTP.PPN));
  }

  /** Obeys what commands there are, and lets the wires say what is pending: a condition that lasts is pending again. */
  #drive(): void {
    obeyCommands(this.#memory, this.#commands, getField(this.#ddtp, DDTP.MODE));
    if (isPending(this.#commands, COMMAND_QUEUE, COMMAND_CONDITIONS)) this.#pending |= Ipsr.CIP;
    if (isPending(this.#faults, FAULT_QUEUE, FAULT_CONDITIONS)) this.#pending |= Ipsr.FIP;
    this.#driveWires();
  }

  #driveWires(): void {
    const levels = Array.from({ length: WIRES }, () => false);
    for (const cause of [0n, 1n]) {
      if (((this.#pending >> cause) & 1n) === 1n) levels[Number((this.#vectors >> (4n * cause)) & 3n)] = true;
    }
    for (const [wire, line] of this.wires.entries()) line.set(levels[wire] === true);
  }

  #loadHalf(offset: number): bigint {
    const low = this.#registers.get(offset);
    if (low !== undefined) return low.read() & HALF;
    const high = this.#registers.get(offset - 4);
    return high?.widthBytes === 8 ? high.read() >> 32n : 0n;
  }

  #storeHalf(offset: number, value: bigint): void {
    const low = this.#registers.get(offset);
    if (low !== undefined) {
      const rest = low.widthBytes === 8 ? (low.read() >> 32n) << 32n : 0n;
      low.write?.(rest | value);
      return;
    }
    const high = this.#registers.get(offset - 4);
    if (high?.widthBytes === 8) high.write?.((value << 32n) | (high.read() & HALF));
  }
}

const isPending = ({ csr }: QueueState, { interruptEnable }: QueueControl, conditions: bigint): boolean =>
  (csr & interruptEnable) !== 0n && (csr & conditions) !== 0n;

/** `tr_response`: a page larger than 4 KiB tells its size by the ones at the end of the page number. */
function responseOf(found: IoTranslation | IommuFault): bigint {
  if (found.kind === "iommu-fault") return setField(0n, TR_RESPONSE.FAULT, 1n);
  const { paddr, pageBytes, pbmt } = found;
  const isLarge = pageBytes > 4096n;
  const page = (paddr >> 12n) & ~((pageBytes >> 12n) - 1n);
  const ppn = isLarge ? page | ((pageBytes >> 13n) - 1n) : page;
  const word = setField(setField(0n, TR_RESPONSE.PBMT, pbmt), TR_RESPONSE.S, isLarge ? 1n : 0n);
  return setField(word, TR_RESPONSE.PPN, ppn);
}
