/** The process of `profile.ts`. Argument: a {@link ProfileOrder}; answer: a {@link ProfileAnswer}; both JSON. */
import { type Profiler, Session } from "node:inspector";
import path from "node:path";
import process from "node:process";
import type { Board } from "../../../board/board.ts";
import { buildBoard } from "../../../board/virt.ts";
import { ExitProfile } from "../../../engine/translator/region/exit-profile.ts";
import { DEBIAN_CACHE } from "../../debian-packages.ts";
import { linuxMachine } from "../../linux/machine.ts";
import { LINUX_FOLDER, readLinuxFiles } from "../../linux/packages.ts";
import { answerOrder } from "./child-answer.ts";
import { engineCounters } from "./engine-counters.ts";
import { withRounds } from "./guest-image.ts";
import { BOOT_COMMAND } from "./linux-boot.ts";
import type { ProfileAnswer, ProfileOrder, SampledFunction } from "./profile.ts";
import { leftRegions } from "./region-exits.ts";
import { watchSlowSteps } from "./slow-steps.ts";

/** A benchmark guest is stopped after so long; Linux runs to its power-off. */
const GUEST_MS = 4000;
const SLICE_INSNS = 20_000_000;
/** More than a guest does in that time. */
const ROUNDS = 1e12;
const SAMPLING_MICROSECONDS = 250;
/** Fewer samples than these say nothing. */
const LEAST_MILLISECONDS = 1;

/** Counts what a constructor of WebAssembly makes, and how long it takes, from now on. */
function timeConstructor(name: "Module" | "Instance") {
  const made = { count: 0, milliseconds: 0, bytes: 0 };
  const original: object = WebAssembly[name];
  const timed = new Proxy(original as typeof WebAssembly.Module, {
    construct(target, args: [ArrayBuffer | Uint8Array, ...unknown[]], newTarget) {
      const began = performance.now();
      const result: object = Reflect.construct(target, args, newTarget);
      made.milliseconds += performance.now() - began;
      made.count += 1;
      made.bytes += args[0].byteLength ?? 0;
      return result;
    },
  });
  Object.defineProperty(WebAssembly, name, { value: timed });
  return made;
}

function boardOf({ guest, engine }: ProfileOrder, exits: ExitProfile): Board {
  const translating = { exits };
  if (guest === "linux") {
    const files = readLinuxFiles(path.join(DEBIAN_CACHE, LINUX_FOLDER));
    const machine = linuxMachine(files, { engine, translating, command: BOOT_COMMAND });
    if (machine.kind === "refused") throw new Error(machine.message);
    return machine.board;
  }
  const board = buildBoard({ engine, translating });
  const loaded = board.loadElf(withRounds(guest, ROUNDS));
  if (loaded.kind === "load-error") throw new Error(loaded.message);
  return board;
}

/** Runs to power-off, or until it has lasted long enough; instructions retired since power-on. */
function runFor(board: Board, milliseconds: number): number {
  const began = performance.now();
  let retired = 0;
  while (performance.now() - began < milliseconds) {
    const stop = board.run({ instructions: SLICE_INSNS });
    retired = stop.retired;
    if (stop.reason !== "budget") break;
  }
  return retired;
}

/** Milliseconds in each function itself, most first. */
function selfTimes(profile: Profiler.Profile, board: Board): SampledFunction[] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const functions = new Map<string, { name: string; url: string; milliseconds: number }>();
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const frame = nodes.get(id);
    if (frame === undefined) continue;
    const { functionName: name, url, lineNumber } = frame;
    const key = `${name}\n${url}\n${lineNumber}`;
    const known = functions.get(key) ?? { name, url, milliseconds: 0 };
    known.milliseconds += (profile.timeDeltas?.[index] ?? 0) / 1000;
    functions.set(key, known);
  }
  return [...functions.values()]
    .filter(({ milliseconds }) => milliseconds >= LEAST_MILLISECONDS)
    .sort((left, right) => right.milliseconds - left.milliseconds)
    .map((each) => {
      const address = /\b(?:0x)?([0-9a-f]{6,})/.exec(each.url.startsWith("wasm:") ? each.name : "")?.[1];
      const symbol = address === undefined ? undefined : board.symbols.nameOf(BigInt(`0x${address}`));
      return symbol === undefined ? each : { ...each, symbol };
    });
}

function profiled(order: ProfileOrder): ProfileAnswer {
  const modules = timeConstructor("Module");
  const instances = timeConstructor("Instance");
  let board: Board | undefined;
  const slowSteps = watchSlowSteps(() => board);
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.setSamplingInterval", { interval: SAMPLING_MICROSECONDS });
  session.post("Profiler.start");
  const [began, used] = [performance.now(), process.cpuUsage()];
  const exits = new ExitProfile();
  const built = boardOf(order, exits);
  board = built;
  const retired = runFor(built, order.guest === "linux" ? Number.POSITIVE_INFINITY : GUEST_MS);
  const { user, system } = process.cpuUsage(used);
  const wallMs = performance.now() - began;
  let functions: SampledFunction[] = [];
  // Answers at once: the session is in this very thread.
  session.post("Profiler.stop", (error, { profile }) => {
    if (error !== null) throw error;
    functions = selfTimes(profile, built);
  });
  const processorMs = (user + system) / 1000;
  const counters = { ...engineCounters(built), ...slowSteps() };
  const nameOf = (address: bigint): string => built.symbols.nameOf(address) ?? `0x${address.toString(16)}`;
  const regions = leftRegions(exits.counts, nameOf);
  return { retired, wallMs, processorMs, functions, modules, instances, regions, counters };
}

answerOrder(profiled);
