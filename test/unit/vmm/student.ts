/**
 * Hypervisors that students hand in: the smallest one or the reference, with one mistake. What a referee or the runtime says of a run is text,
 * as the student sees it.
 */
import { type BoardConfig, buildBoard } from "../../../lib/board/virt.ts";
import {
  type HypervisorHandle,
  type HypervisorModule,
  type HypervisorOptions,
  installHypervisor,
} from "../../../lib/hs/hypervisor.ts";
import { type Referee, type RefereeOptions, referee } from "../../../lib/referee/referee.ts";
import { vmmModule } from "../../../lib/vmm/hypervisor.ts";
import { loadGuests } from "../../../lib/vmm/loader.ts";
import { guestThatCalls, sceneWith } from "../hs/hypervisor-scene.ts";
import { miniHypervisor } from "../hs/mini-hypervisor.ts";
import { guestBytes } from "./vmm-scene.ts";

export interface Judged {
  readonly board: ReturnType<typeof buildBoard>;
  readonly judge: Referee;
  /** What stopped the machine; empty when nothing did. */
  readonly message: string;
}

interface Options {
  readonly options?: HypervisorOptions;
  readonly config?: BoardConfig;
  readonly judging?: RefereeOptions;
}

/** The smallest hypervisor; its one guest calls `count`, then the student's `mistake`, then `count` again. */
export function smallest(
  mistake: HypervisorHandle,
  {
    options = {},
    config = {},
    judging = {},
    change = (module) => module,
  }: Options & {
    readonly change?: (module: HypervisorModule) => HypervisorModule;
  } = {},
): Judged {
  const { hypercalls, ...rest } = miniHypervisor();
  const module = change({ ...rest, name: "student", hypercalls: { ...hypercalls, mistake } });
  const calls = [0, 3, 0].map((number) => `li a7, ${number}`);
  const { board } = sceneWith(guestThatCalls(...calls), options, { module: () => module, config });
  const judge = referee(board, undefined, judging);
  const stop = board.run({ instructions: 200_000 });
  return { board, judge, message: stop.reason === "handler-error" ? stop.message : "" };
}

/** The first hypercall's `a7`. */
const CALL = 0x0a00_0000;
/** A guest that uses two pages, makes the student's call with the first one's address, and prints for ever. */
const CALLER = `li s0, 0x80010000\n sd s0, (s0)\n li t0, 4096\n add t0, t0, s0\n sd s0, (t0)
  mv a0, s0\n li a7, ${CALL}\n ecall\n again: li a0, 46\n li a7, 1\n ecall\n j again`;

/** The reference hypervisor with one hypercall, the student's, or other handlers; two guests, the first of which calls. */
export function reference(
  mistake: HypervisorHandle,
  {
    options = {},
    config = {},
    judging = {},
    change = (module) => module,
    guests = [CALLER, "again: addi s0, s0, 1\n j again"],
  }: Options & {
    readonly change?: (module: HypervisorModule) => HypervisorModule;
    readonly guests?: readonly string[];
  } = {},
): Judged {
  const board = buildBoard({ ramBytes: 32 * 1024 * 1024, ...config });
  const module = (): HypervisorModule =>
    change({ ...vmmModule(board.bus.ram.sizeBytes), name: "student", hypercalls: { mistake } });
  const hypervisor = installHypervisor(board, module, options);
  if (hypervisor.kind !== "hypervisor") throw new Error(hypervisor.message);
  const images = guests.map((text) => ({ image: guestBytes(text), ramBytes: 1024 * 1024 }));
  if (loadGuests(board, hypervisor.map, { guests: images, slice: 1_000 }) !== undefined)
    throw new Error("no room for guests");
  const judge = referee(board, undefined, judging);
  const stop = board.run({ instructions: 60_000 });
  return { board, judge, message: stop.reason === "handler-error" ? stop.message : "" };
}
