/** `hypercall`: a guest's call into a hypervisor and back: vector, table and stub in machine code, the handler in TypeScript. */
import type { Board } from "../../../board/board.ts";
import type { EngineName } from "../../../board/engine-choice.ts";
import { buildBoard } from "../../../board/virt.ts";
import { hpa } from "../../../hs/address.ts";
import { answerHypercall, type HypervisorModule, installHypervisor } from "../../../hs/hypervisor.ts";
import { struct, u64 } from "../../../hs/struct.ts";
import { assemble } from "../../../isa/assembler/text.ts";
import { type Bench, type BenchRow, median, processorTimed, rounded } from "./row.ts";

const CALLS = 100_000;
const WARM_UP_CALLS = 20_000;
const REPEATS = 3;
const BUDGET = 1e9;
const GUEST = hpa(0x8080_0000n);

const Domain = struct("domain", { calls: u64 });

/** One guest, not translated; a call counts in RAM and answers with the count. */
const hypervisor: HypervisorModule = {
  name: "bench",
  layout: { domain: Domain },
  hypercalls: {
    count(context, map) {
      const domain = Domain.at(context, map.addressOf("domain"));
      const calls = domain.calls + 1n;
      domain.calls = calls;
      answerHypercall(context, calls);
    },
  },
  trap() {
    throw new Error("the guest trapped");
  },
  init(context, map) {
    const { csr } = context;
    csr.set("hstatus", 1n << 7n); // SRET goes to the guest
    csr.set("sstatus", 1n << 8n);
    csr.write("sepc", GUEST);
    context.store(hpa(map.addressOf("hart0") + 256n), 8, map.addressOf("restore"));
  },
};

/** The guest calls, and sleeps. */
function boardThatCalls(calls: number, engine: EngineName): Board {
  const text = `li s0, ${calls}\n li a7, 0\n again: ecall\n addi s0, s0, -1\n bnez s0, again\n end: wfi\n j end`;
  const guest = assemble(text, { origin: GUEST });
  if (guest.kind !== "program") throw new Error(guest.message);
  const board = buildBoard({ engine });
  const installed = installHypervisor(board, () => hypervisor);
  if (installed.kind !== "hypervisor") throw new Error(installed.message);
  board.memory.write(GUEST, guest.bytes);
  return board;
}

/** Processor seconds of the calls alone. The last answer is the number of calls. */
function secondsOf(engine: EngineName): number {
  const [short, long] = [WARM_UP_CALLS, WARM_UP_CALLS + CALLS].map((calls) => {
    const board = boardThatCalls(calls, engine);
    const { seconds, result } = processorTimed(() => board.run({ instructions: BUDGET }));
    if (result.reason !== "wfi" || board.hart.read("a0") !== BigInt(calls))
      throw new Error(`ended with ${result.reason} and ${board.hart.read("a0")} calls of ${calls}`);
    return seconds;
  });
  return (long ?? 0) - (short ?? 0);
}

function rowOf(engine: EngineName): BenchRow {
  const seconds = median(Array.from({ length: REPEATS }, () => secondsOf(engine)));
  return {
    bench: "hypercall",
    engine,
    unit: "µs a round trip",
    seconds: rounded(seconds),
    value: rounded((seconds * 1e6) / CALLS),
  };
}

/** The benchmark, for `npm run bench`. */
export const bench: Bench = {
  about: `${CALLS} hypercalls through a handler in TypeScript, there and back`,
  run: () => Promise.resolve((["reference", "translator"] as const).map(rowOf)),
};
