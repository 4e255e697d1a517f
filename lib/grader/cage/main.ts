/**
 * The cage: a process that runs one student's cells and answers questions about them on file descriptor 3.
 *
 * It holds no test, no expected value and no verdict; whatever a student does to this realm, they do to their own
 * answers. What this file needs later it captures now, so that an honest run does not depend on what cells patch.
 */
import { enableCompileCache, flushCompileCache } from "node:module";
import { pathToFileURL } from "node:url";
import { format, types } from "node:util";
import { decodeInert } from "../../checks/decode.ts";
import { encodeInert } from "../../checks/encode.ts";
import { FunctionHandle, type Inert } from "../../checks/inert.ts";
import { thrown } from "../../checks/thrown.ts";
import { setDisplaySink } from "../../notebook/display.ts";
import type { EmittedCell } from "../../notebook/kernel-protocol.ts";
import { type StartedCell, startCell } from "../cell-runner.ts";
import { readFrameSync, writeFrameSync } from "../wire.ts";
import { hideProcess, kitLoader } from "./cell-world.ts";
import { OUTPUT_KEPT, REQUEST, SETTLE_MS } from "./protocol.ts";

const CHANNEL = 3;
const { apply } = Reflect;
const { isArray } = Array;
const { parse } = JSON;
const { isProxy, isPromise } = types;
const startTimer = setTimeout;
const stopTimer = clearTimeout;
const promiseThen = Promise.prototype.then;
const NewPromise = Promise;
const text = String;
const exit = process.exit.bind(process);

const [, , frontDoorFile = "", cache, mode] = process.argv;
const frontDoor = pathToFileURL(frontDoorFile).href;
const scopes: { [cell: number]: StartedCell | undefined } = Object.create(null);
const functions: object[] = [];
let printed = "";

/** Gives each function one number for the life of the cage. */
function handleOf(found: object): number {
  for (let index = 0; index < functions.length; index += 1) if (functions[index] === found) return index + 1;
  functions[functions.length] = found;
  return functions.length;
}

const host = { handleOf, isProxy };

function print(line: string): void {
  if (printed.length < OUTPUT_KEPT) printed += line;
}

function captureOutput(): void {
  for (const method of ["log", "info", "debug", "warn", "error", "dir", "table", "trace"] as const) {
    console[method] = (...args: readonly unknown[]) => print(`${format(...args)}\n`);
  }
  setDisplaySink((bundle) => print(`${text(bundle["text/plain"] ?? "")}\n`));
  process.on("uncaughtException", (error) => print(`${thrown(error).message}\n`));
  process.on("unhandledRejection", (error) => print(`${thrown(error).message}\n`));
}

type Settled = { readonly ok: true; readonly value: unknown } | ReturnType<typeof thrown>;

const LATE: Settled = {
  ok: false,
  category: "did not settle in time",
  message: "the promise did not settle",
};

/** Waits for a native promise, with a deadline; the first settlement counts. */
function settle(promise: Promise<unknown>): Promise<Settled> {
  return new NewPromise((resolve) => {
    const timer = startTimer(() => resolve(LATE), SETTLE_MS);
    const finish = (settled: Settled) => {
      stopTimer(timer);
      resolve(settled);
    };
    apply(promiseThen, promise, [
      (value: unknown) => finish({ ok: true, value }),
      (error: unknown) => finish(thrown(error)),
    ]);
  });
}

const isOpen = mode === "serve-open";
const loadAnything = (specifier: string): Promise<object> =>
  import(specifier === "dom0-kit" ? frontDoor : specifier);
const load = isOpen ? loadAnything : kitLoader(frontDoor);

const scopeOf = (cell: number): object => scopes[cell]?.scope() ?? {};

async function runCell(cell: EmittedCell): Promise<Inert> {
  printed = "";
  const started = startCell(cell, scopeOf, load);
  scopes[cell.id] = started;
  const settled = await settle(started.done);
  const survivors: string[] = [];
  for (let index = 0; index < cell.values.length; index += 1) {
    const name = cell.values[index] ?? "";
    if (settled.ok || hasValue(started.scope(), name)) survivors[survivors.length] = name;
  }
  const status = settled.ok
    ? { status: "ok" }
    : { status: "error", category: settled.category, message: settled.message };
  return { ...status, output: printed, survivors };
}

/** Was a name reached before the cell stopped? Reading one that was not throws. */
function hasValue(scope: object, name: string): boolean {
  try {
    void (scope as Record<string, unknown>)[name];
    return true;
  } catch {
    return false;
  }
}

/** One value, made inert: a value that cannot cross becomes what `otherwise` says. */
function inert(value: unknown, otherwise: (reason: string) => Inert): Inert {
  const encoded = encodeInert(value, host);
  if (!encoded.ok) return otherwise(encoded.reason);
  const decoded = decodeInert(encoded.bytes);
  return decoded.ok ? decoded.value : otherwise(decoded.reason);
}

function readValue(reference: Inert): Inert {
  if (!isArray(reference)) return undefined;
  const [cell, name] = reference as readonly Inert[];
  if (typeof cell !== "number" || typeof name !== "string") return undefined;
  try {
    return inert((scopeOf(cell) as Record<string, unknown>)[name], () => undefined);
  } catch {
    return undefined;
  }
}

const uncrossable = (reason: string): Inert => ({
  ok: false,
  category: "returned a value that cannot cross",
  message: reason,
});

/** An argument that is a handle is one of the student's own functions, passed back. */
const local = (value: Inert): unknown => (value instanceof FunctionHandle ? functions[value.id - 1] : value);

async function callOnce(target: unknown, args: Inert): Promise<Inert> {
  if (typeof target !== "function")
    return { ok: false, category: "is not a function", message: "is not a function" };
  const given: unknown[] = [];
  if (isArray(args))
    for (let index = 0; index < args.length; index += 1) given[index] = local(args[index] as Inert);
  try {
    const returned: unknown = apply(target, undefined, given);
    if (!isPromise(returned)) return inert({ ok: true, value: returned }, uncrossable);
    const settled = await settle(returned as Promise<unknown>);
    return inert(settled, uncrossable);
  } catch (error) {
    return { ...thrown(error) };
  }
}

async function answer(request: Inert): Promise<Inert> {
  if (!isArray(request)) return undefined;
  const [kind, first, second] = request as readonly Inert[];
  if (kind === REQUEST.cell && typeof first === "string") return await runCell(parse(first) as EmittedCell);
  const replies: Inert[] = [];
  if (kind === REQUEST.values && isArray(first)) {
    for (let index = 0; index < first.length; index += 1) replies[index] = readValue(first[index] as Inert);
  }
  if (kind === REQUEST.call && typeof first === "number" && isArray(second)) {
    const target = functions[first - 1];
    for (let index = 0; index < second.length; index += 1) {
      replies[index] = await callOnce(target, second[index] as Inert);
    }
  }
  return replies;
}

async function serve(): Promise<void> {
  for (;;) {
    const bytes = readFrameSync(CHANNEL);
    if (bytes === undefined) return;
    const request = decodeInert(bytes);
    const reply = encodeInert(request.ok ? await answer(request.value) : undefined, host);
    writeFrameSync(CHANNEL, reply.ok ? reply.bytes : new Uint8Array([0]));
  }
}

if (cache !== undefined && cache !== "") enableCompileCache(cache);
if (mode === "warm-up") {
  await import(frontDoor);
  flushCompileCache();
} else {
  captureOutput();
  if (!isOpen) hideProcess(print);
  await serve();
}
exit(0);
