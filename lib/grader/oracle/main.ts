/**
 * The oracle: a process that holds the instructor's tests and expected values, and never runs a student's code.
 *
 * It speaks on file descriptor 3 and blocks for every answer, so a test calls a student's function like any other.
 */
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import type { Check, CheckRun, Verdict } from "../../checks/check.ts";
import type { CheckHost } from "../../checks/registry.ts";
import { seedOf } from "../draw.ts";
import { readFrameSync, writeFrameSync } from "../wire.ts";
import { ENDLESS, isEndless } from "./endless.ts";
import { judge, type Surroundings } from "./judge.ts";
import { type CompileReply, KIND, type OracleJob, type OracleMessage } from "./protocol.ts";
import { Student } from "./student.ts";

const CHANNEL = 3;
const frontDoor = pathToFileURL(process.argv[2] ?? "").href;
const decoder = new TextDecoder();

/** Tests and instructors' modules say `dom0-kit` wherever the course lives. */
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "dom0-kit" ? { url: frontDoor, shortCircuit: true } : next(specifier, context),
});

interface Kit {
  setCheckHost(host: CheckHost | undefined): void;
}

const kit = (await import(frontDoor)) as Kit;

function send(message: OracleMessage): void {
  writeFrameSync(CHANNEL, Buffer.concat([Uint8Array.of(KIND.json), Buffer.from(JSON.stringify(message))]));
}

function receive(): { readonly kind: number; readonly payload: Uint8Array } | undefined {
  const bytes = readFrameSync(CHANNEL, Number.MAX_SAFE_INTEGER);
  return bytes === undefined ? undefined : { kind: bytes[0] ?? KIND.json, payload: bytes.subarray(1) };
}

const json = (payload: Uint8Array): unknown => JSON.parse(decoder.decode(payload));

function askCage(request: Uint8Array): Uint8Array | undefined {
  writeFrameSync(CHANNEL, Buffer.concat([Uint8Array.of(KIND.cage), request]));
  const reply = receive();
  return reply?.kind === KIND.cage ? reply.payload : undefined;
}

function compile(source: string): CompileReply {
  send({ type: "compile", source });
  const reply = receive();
  return reply === undefined ? { ok: "late" } : (json(reply.payload) as CompileReply);
}

const surroundings = (job: OracleJob, student: Student): Surroundings => ({
  compile,
  commit: (cell, survivors) => send({ type: "commit", cell, survivors }),
  load: (specifier) => import(specifier),
  begin: (work) => send({ type: "begin", work }),
  collect: async (test, body) => {
    const verdicts: Verdict[] = [];
    const run = (check: Check): CheckRun => ({
      seed: seedOf(job.draw, check.id),
      instances: job.instances,
      begins: (property) => {
        const work = { test, check: check.id, property };
        if (isEndless(job.endless, work)) return ENDLESS;
        send({ type: "begin", work });
        return undefined;
      },
    });
    kit.setCheckHost({
      answer: (value) => student.answer(value),
      run,
      report: (verdict) => verdicts.push(verdict),
    });
    try {
      await body();
    } finally {
      kit.setCheckHost(undefined);
    }
    return verdicts;
  },
});

async function serve(): Promise<void> {
  for (let message = receive(); message !== undefined; message = receive()) {
    const job = json(message.payload) as OracleJob;
    try {
      if (job.checksModule !== undefined) await import(pathToFileURL(job.checksModule).href);
      const student = new Student(askCage);
      send({ type: "done", report: await judge(job, student, surroundings(job, student)) });
    } catch (error) {
      send({
        type: "fault",
        message: error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error),
      });
    }
  }
}

await serve();
