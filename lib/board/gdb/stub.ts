/**
 * The GDB remote stub of a board: bytes from a debugger in, bytes for it out. It opens no socket and starts no run by
 * itself: whoever holds it feeds what arrives to `receive`, and calls `work` while `isRunning`.
 *
 * Harts are threads, numbered from 1. When one runs, all do, in their turns: a step of one hart takes the others along, so
 * that the course of events stays the one that can be repeated. Any bytes are answered; none throws, hangs, or fills memory.
 *
 * @spec GDB "Remote Serial Protocol", "Reverse Execution"
 */

import type { Hart } from "../../hart/hart.ts";
import type { Board } from "../board.ts";
import type { BreakpointHit, BreakpointSpec } from "../breakpoint.ts";
import type { Stop } from "../stop.ts";
import type { Travel, TravelError } from "../time-travel.ts";
import { readVirtual, writeVirtual } from "./memory.ts";
import { monitor } from "./monitor.ts";
import { bytesOf, hexOf, MAX_PACKET_BYTES, PacketReader, packet } from "./packets.ts";
import {
  generalRegisters,
  hexWord,
  readRegister,
  setGeneralRegisters,
  TARGET_XML,
  wordAt,
  writeRegister,
} from "./registers.ts";

/** What the board does for the debugger now. */
type Motion = "continue" | "step" | "back" | "back to hit";

const OK = "OK";
/** What GDB reads as "you do not know this packet". */
const UNKNOWN = "";
const ERROR = { malformed: "E01", noMemory: "E0e", noThread: "E03", refused: "E16" } as const;
const SIGNAL = { INTERRUPT: "02", TRAP: "05" } as const;
/** Bytes of memory in one answer: two digits each must fit in a packet. */
const MAX_MEMORY_BYTES = MAX_PACKET_BYTES / 2 - 32;
/** Steps of other harts in one piece of work. */
const STEPS_AT_ONCE = 2000;
const MAX_CONSOLE_CHARACTERS = 4000;
/** Bytes of text for the debugger's terminal in one packet. */
const MAX_TEXT_BYTES = 4000;

const SUPPORTED = [
  `PacketSize=${MAX_PACKET_BYTES.toString(16)}`,
  ...["qXfer:features:read+", "QStartNoAckMode+", "ReverseStep+", "ReverseContinue+"],
  ...["swbreak+", "hwbreak+", "vContSupported+"],
].join(";");

const BREAKPOINT_KINDS = ["execute", "execute", "write", "read", "access"] as const;
const WATCH_WORDS = { write: "watch", read: "rwatch", access: "awatch" } as const;

const encoder = new TextEncoder();

/** How a stub talks. */
export interface StubOptions {
  /** Sends what the guest prints to the debugger's terminal. */
  readonly showsConsole?: boolean;
}

/** One debugger at one board. */
export class GdbStub {
  readonly #board: Board;
  readonly #reader = new PacketReader();
  readonly #stopListening: () => void;
  #out: Uint8Array[] = [];
  #lastSent: Uint8Array | undefined;
  #acknowledges = true;
  #stopsAskFor = { software: false, hardware: false };
  /** The hart whose registers and memory are asked for. */
  #hart: Hart;
  #motion: Motion | undefined;
  #stopReply: string;
  /** Set by the debugger, by its own names for them. */
  readonly #breakpoints = new Map<string, { readonly id: number }>();
  #isOver = false;
  #printed = "";

  constructor(board: Board, { showsConsole = false }: StubOptions = {}) {
    this.#board = board;
    this.#hart = board.hart;
    this.#stopReply = this.#stopped(SIGNAL.TRAP, board.hart);
    this.#stopListening = board.console.onText((text) => {
      if (showsConsole) this.#printed = (this.#printed + text).slice(-MAX_CONSOLE_CHARACTERS);
    });
  }

  /** Whether the board is to go on: then `work` must be called again and again. */
  get isRunning(): boolean {
    return this.#motion !== undefined;
  }

  /** Whether the debugger has taken its leave. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes bytes from the debugger; returns those for it. */
  receive(bytes: Uint8Array): Uint8Array {
    for (const received of this.#reader.read(bytes)) {
      if (received.kind === "packet") {
        if (this.#acknowledges) this.#raw("+");
        this.#answer(received.data);
      } else if (received.kind === "interrupt") this.#interrupt();
      else if (received.kind === "resend") this.#resend();
      else this.#raw("-");
    }
    return this.#taken();
  }

  /** Lets the board go on for at most so many instructions; returns what the debugger must hear. */
  work(instructions: number): Uint8Array {
    const reply = this.#move(instructions);
    if (this.#printed !== "") {
      this.#send(`O${hexOf(encoder.encode(this.#printed))}`);
      this.#printed = "";
    }
    if (reply !== undefined) this.#halt(reply);
    return this.#taken();
  }

  /** Takes away the breakpoints that the debugger set. */
  close(): void {
    for (const breakpoint of this.#breakpoints.values()) this.#board.breakpoints.remove(breakpoint);
    this.#breakpoints.clear();
    this.#stopListening();
    this.#motion = undefined;
    this.#isOver = true;
  }

  #move(instructions: number): string | undefined {
    switch (this.#motion) {
      case undefined:
        return undefined;
      case "continue":
        return this.#afterRun(this.#board.run({ instructions }));
      case "step":
        return this.#stepHart();
      case "back":
        return this.#afterTravel(this.#board.stepBack(1, this.#hart.id));
      case "back to hit":
        return this.#afterTravel(this.#board.reverseContinue("after"));
    }
  }

  #afterRun(stop: Stop): string | undefined {
    if (stop.reason === "budget") return undefined;
    const hits = stop.reason === "breakpoint" ? (stop.hits ?? []) : [];
    if (stop.reason === "breakpoint") {
      // GDB takes RISC-V's watchpoints to stop before the access, and steps over it to see the new value.
      if (hits.some(({ data }) => data !== undefined)) this.#board.stepBack();
      return this.#afterHits(hits, this.#board.harts[stop.hart] ?? this.#hart);
    }
    this.#say(endText(stop));
    return this.#stopped(SIGNAL.TRAP, this.#hart);
  }

  #afterTravel(result: Travel | TravelError): string {
    if (result.kind === "travel-error") {
      this.#say(result.message);
      return `T${SIGNAL.TRAP}thread:${threadOf(this.#hart)};replaylog:begin;`;
    }
    const first = result.hits?.[0];
    const hart = first === undefined ? this.#hart : (this.#board.harts[first.hart] ?? this.#hart);
    if (result.isStart) return `T${SIGNAL.TRAP}thread:${threadOf(hart)};replaylog:begin;`;
    return this.#afterHits(result.hits ?? [], hart);
  }

  #afterHits(hits: readonly BreakpointHit[], hart: Hart): string {
    const [first] = hits;
    const { kind } = first?.breakpoint.spec ?? {};
    const at = first?.data?.vaddr ?? first?.data?.paddr;
    const isWatch = kind === "read" || kind === "write" || kind === "access";
    const why = isWatch && at !== undefined ? `${WATCH_WORDS[kind]}:${at.toString(16)};` : "";
    const isBreak = kind === "execute" && this.#stopsAskFor.software;
    return this.#stopped(SIGNAL.TRAP, hart, isBreak ? "swbreak:;" : why);
  }

  /** One step of the debugger's hart; others take theirs when it is their turn. */
  #stepHart(): string | undefined {
    const before = this.#hart.retired;
    for (let made = 0; made < STEPS_AT_ONCE; made++) {
      const count = this.#board.trace.count;
      const { retired } = this.#board.clock;
      const { hart } = this.#board.step();
      const isIdle = this.#board.clock.retired === retired && this.#board.trace.count === count;
      if (hart === this.#hart.id || isIdle) return this.#stopped(SIGNAL.TRAP, this.#hart);
    }
    return this.#hart.retired === before ? undefined : this.#stopped(SIGNAL.TRAP, this.#hart);
  }

  #interrupt(): void {
    if (this.#motion !== undefined) this.#halt(this.#stopped(SIGNAL.INTERRUPT, this.#hart));
  }

  #halt(reply: string): void {
    this.#motion = undefined;
    this.#stopReply = reply;
    this.#send(reply);
  }

  #stopped(signal: string, hart: Hart, why = ""): string {
    this.#hart = hart;
    return `T${signal}thread:${threadOf(hart)};${why}`;
  }

  /** A line on the debugger's terminal; allowed only while the board moves. */
  #say(text: string): void {
    this.#send(`O${hexOf(encoder.encode(`${text}\n`))}`);
  }

  #answer(data: Uint8Array): void {
    const text = latin(data);
    // While the board moves, GDB sends nothing but Ctrl-C; whoever does is not answered out of turn.
    if (this.#motion !== undefined) return;
    const reply = text.startsWith("X") ? this.#writeBinary(text, data) : this.#reply(text);
    if (reply !== undefined) this.#send(reply);
  }

  /** The answer to a packet; undefined for those that set the board in motion, or end everything. */
  #reply(text: string): string | undefined {
    const rest = text.slice(1);
    switch (text[0]) {
      case "?":
        return this.#stopReply;
      case "g":
        return generalRegisters(this.#hart);
      case "G":
        return this.#setGeneral(rest);
      case "p":
        return this.#readRegister(rest);
      case "P":
        return this.#writeRegister(rest);
      case "m":
        return this.#readMemory(rest);
      case "M":
        return this.#writeMemory(rest);
      case "H":
        return this.#selectThread(rest);
      case "T":
        return this.#hartOf(rest) === undefined ? ERROR.noThread : OK;
      case "Z":
      case "z":
        return this.#breakpoint(text[0] === "Z", rest);
      default:
        return this.#motionOrQuery(text);
    }
  }

  #motionOrQuery(text: string): string | undefined {
    if (/^[cC]/.test(text)) return this.#start("continue");
    if (/^[sS]/.test(text)) return this.#start("step");
    if (text === "bs") return this.#start("back");
    if (text === "bc") return this.#start("back to hit");
    if (text.startsWith("vCont;")) return this.#resume(text.slice("vCont;".length));
    if (text === "vCont?") return "vCont;c;C;s;S";
    if (text === "k" || text.startsWith("vKill")) return this.#end(text === "k" ? undefined : OK);
    if (text === "D" || text.startsWith("D;")) return this.#end(OK);
    return this.#query(text);
  }

  #query(text: string): string {
    if (text.startsWith("qSupported")) {
      this.#stopsAskFor = { software: text.includes("swbreak+"), hardware: text.includes("hwbreak+") };
      return SUPPORTED;
    }
    if (text === "QStartNoAckMode") {
      this.#acknowledges = false;
      return OK;
    }
    if (text === "qC") return `QC${threadOf(this.#hart)}`;
    if (text === "qfThreadInfo") return `m${this.#board.harts.map(threadOf).join(",")}`;
    if (text === "qsThreadInfo") return "l";
    if (text.startsWith("qAttached")) return "1";
    if (text.startsWith("qThreadExtraInfo,")) return this.#threadInfo(text.slice("qThreadExtraInfo,".length));
    if (text.startsWith("qXfer:features:read:target.xml:")) return slice(TARGET_XML, text.split(":").at(-1));
    if (text.startsWith("qRcmd,")) return this.#monitor(text.slice("qRcmd,".length));
    return text.startsWith("qSymbol") ? OK : UNKNOWN;
  }

  #start(motion: Motion): undefined {
    this.#motion = motion;
  }

  /** The first action that names a hart, or all: a step of one hart comes before letting all go on. */
  #resume(actions: string): string | undefined {
    const parsed = actions.split(";").map((action) => /^([cCsS])[0-9a-f]*(?::(.+))?$/i.exec(action));
    if (parsed.length === 0 || parsed.includes(null)) return ERROR.malformed;
    const step = parsed.find((action) => action?.[1]?.toLowerCase() === "s");
    const hart = this.#hartOf(step?.[2] ?? "");
    if (step?.[2] !== undefined && hart === undefined) return ERROR.noThread;
    if (hart !== undefined) this.#hart = hart;
    return this.#start(step === undefined ? "continue" : "step");
  }

  #end(reply: string | undefined): string | undefined {
    this.close();
    return reply;
  }

  #selectThread(rest: string): string {
    const hart = this.#hartOf(rest.slice(1));
    if (hart === undefined) return ERROR.noThread;
    this.#hart = hart;
    return OK;
  }

  /** `0` and `-1` are any hart and all: the one that is selected. */
  #hartOf(thread: string): Hart | undefined {
    if (thread === "0" || thread === "-1") return this.#hart;
    return /^[0-9a-f]{1,4}$/i.test(thread) ? this.#board.harts[Number.parseInt(thread, 16) - 1] : undefined;
  }

  #threadInfo(thread: string): string {
    const hart = this.#hartOf(thread);
    if (hart === undefined) return ERROR.noThread;
    return hexOf(encoder.encode(`hart ${hart.id}, ${hart.mode}-mode${hart.state.waiting ? ", asleep" : ""}`));
  }

  #readRegister(rest: string): string {
    const value = readRegister(this.#hart, hexNumber(rest) ?? Number.NaN);
    return value === undefined ? ERROR.malformed : hexWord(value);
  }

  #writeRegister(rest: string): string {
    const [number = "", digits = ""] = rest.split("=");
    const bytes = bytesOf(digits);
    const at = hexNumber(number);
    if (bytes === undefined || bytes.length === 0 || at === undefined) return ERROR.malformed;
    return writeRegister(this.#hart, at, wordAt(bytes, 0)) ? OK : ERROR.refused;
  }

  #setGeneral(digits: string): string {
    const bytes = bytesOf(digits);
    return bytes !== undefined && setGeneralRegisters(this.#hart, bytes) ? OK : ERROR.malformed;
  }

  #readMemory(rest: string): string {
    const range = rangeOf(rest);
    if (range === undefined) return ERROR.malformed;
    const bytes = readVirtual(
      this.#board,
      this.#hart,
      range.address,
      Math.min(range.length, MAX_MEMORY_BYTES),
    );
    return bytes.length === 0 && range.length > 0 ? ERROR.noMemory : hexOf(bytes);
  }

  #writeMemory(rest: string): string {
    const [place = "", digits = ""] = rest.split(":");
    const range = rangeOf(place);
    const bytes = bytesOf(digits);
    if (range === undefined || bytes?.length !== range.length) return ERROR.malformed;
    return writeVirtual(this.#board, this.#hart, range.address, bytes) ? OK : ERROR.noMemory;
  }

  #writeBinary(text: string, data: Uint8Array): string {
    const colon = text.indexOf(":");
    const range = rangeOf(text.slice(1, colon));
    const bytes = data.subarray(colon + 1);
    if (colon < 0 || range === undefined || bytes.length !== range.length) return ERROR.malformed;
    return writeVirtual(this.#board, this.#hart, range.address, bytes) ? OK : ERROR.noMemory;
  }

  #breakpoint(isSet: boolean, rest: string): string {
    const [type = "", place] = [rest[0], rest.slice(2).split(";")[0] ?? ""];
    const kind = BREAKPOINT_KINDS[Number(type)];
    const range = rangeOf(place);
    if (kind === undefined) return UNKNOWN;
    if (range === undefined) return ERROR.malformed;
    const name = `${type},${place}`;
    const known = this.#breakpoints.get(name);
    if (!isSet) {
      if (known !== undefined) this.#board.breakpoints.remove(known);
      this.#breakpoints.delete(name);
      return OK;
    }
    if (known !== undefined) return OK;
    const { address, length } = range;
    const spec: BreakpointSpec =
      kind === "execute" ? { kind, address } : { kind, address, length: Math.max(1, length) };
    const breakpoint = this.#board.breakpoints.add(spec);
    if ("kind" in breakpoint) return ERROR.refused;
    this.#breakpoints.set(name, breakpoint);
    return OK;
  }

  #monitor(digits: string): string {
    const line = bytesOf(digits);
    if (line === undefined) return ERROR.malformed;
    const answer = monitor(this.#board, this.#hart, new TextDecoder().decode(line));
    const bytes = encoder.encode(answer);
    for (let at = 0; at < bytes.length; at += MAX_TEXT_BYTES)
      this.#send(`O${hexOf(bytes.subarray(at, at + MAX_TEXT_BYTES))}`);
    return OK;
  }

  #send(content: string): void {
    this.#lastSent = packet(content);
    this.#out.push(this.#lastSent);
  }

  #resend(): void {
    if (this.#lastSent !== undefined && this.#acknowledges) this.#out.push(this.#lastSent);
  }

  #raw(text: string): void {
    this.#out.push(encoder.encode(text));
  }

  #taken(): Uint8Array {
    const out = new Uint8Array(this.#out.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.#out) {
      out.set(part, at);
      at += part.length;
    }
    this.#out = [];
    return out;
  }
}

const threadOf = (hart: Hart): string => (hart.id + 1).toString(16);

const latin = (data: Uint8Array): string => Array.from(data, (byte) => String.fromCharCode(byte)).join("");

const hexNumber = (digits: string): number | undefined =>
  /^[0-9a-f]{1,8}$/i.test(digits) ? Number.parseInt(digits, 16) : undefined;

function rangeOf(text: string): { readonly address: bigint; readonly length: number } | undefined {
  const match = /^([0-9a-f]{1,16}),([0-9a-f]{1,8})$/i.exec(text);
  return match === null
    ? undefined
    : { address: BigInt(`0x${match[1]}`), length: Number.parseInt(match[2] ?? "", 16) };
}

/** A part of a document, as `qXfer` asks for it: `l` before the last part, `m` before the others. */
function slice(document: string, range = ""): string {
  const parsed = rangeOf(range);
  if (parsed === undefined) return ERROR.malformed;
  const from = Number(parsed.address);
  const part = document.slice(from, from + Math.min(parsed.length, MAX_MEMORY_BYTES));
  return `${from + part.length >= document.length ? "l" : "m"}${part}`;
}

function endText(stop: Stop): string {
  switch (stop.reason) {
    case "poweroff":
      return `The guest switched the machine off (exit code ${stop.exitCode}). It can go back: reverse-stepi.`;
    case "reset":
      return "The guest asked for a reset.";
    case "wfi":
      return "All harts wait, and nothing will ever wake one.";
    case "trap-loop":
      return "A hart takes trap after trap and retires nothing between them.";
    default:
      return `The run ended: ${stop.reason}.`;
  }
}
