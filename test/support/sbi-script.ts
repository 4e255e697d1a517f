/**
 * A supervisor-mode program that makes a list of SBI calls and prints what each returned, over the legacy console: the same
 * bytes run on any firmware of a `virt` board.
 */
import { program } from "../../lib/isa/assembler/program.ts";
import { asm } from "../../lib/isa/assembler/typed.ts";
import { PAYLOAD } from "./sbi-caller.ts";

/** A call: what it is, extension, function, arguments. */
export type ScriptedCall = readonly [title: string, extension: bigint, number: bigint, ...args: bigint[]];

/** Words of a call in the program's table: a7, a6, a0 to a5. */
const CALL_WORDS = 8;

const PUTCHAR = 1;
const SHUTDOWN = 8;

/** Prints a0 as 16 hexadecimal digits; changes t0–t3, a0, a7. */
const printHex = [
  asm.label("print"),
  asm.mv("t1", "a0"),
  asm.li("t2", 60),
  asm.label("digit"),
  asm.srl("a0", "t1", "t2"),
  asm.andi("a0", "a0", 15),
  asm.addi("a0", "a0", 48),
  asm.li("t0", 58),
  asm.blt("a0", "t0", "put"),
  asm.addi("a0", "a0", 39),
  asm.label("put"),
  asm.li("a7", PUTCHAR),
  asm.ecall(),
  asm.addi("t2", "t2", -4),
  asm.bgez("t2", "digit"),
  asm.ret(),
];

const putText = (character: string) => [
  asm.li("a0", character.charCodeAt(0)),
  asm.li("a7", PUTCHAR),
  asm.ecall(),
];

/** For each call a line: a0, a1, and whether a software or timer interrupt is pending. Then the machine is switched off. */
export function scriptImage(calls: readonly ScriptedCall[]): Uint8Array {
  const words = calls.flatMap(([, extension, number, ...args]) => [
    extension,
    number,
    ...args,
    ...Array.from({ length: CALL_WORDS - 2 - args.length }, () => 0n),
  ]);
  const registers = ["a7", "a6", "a0", "a1", "a2", "a3", "a4", "a5"] as const;
  const built = program({ origin: PAYLOAD }, [
    asm.li("t0", 0x20), // the timer may wake the hart; it interrupts nothing, for sstatus.SIE is 0
    asm.csrw("sie", "t0"),
    asm.la("s0", "table"),
    asm.li("s1", calls.length),
    asm.label("next"),
    ...registers.map((register, index) => asm.ld(register, 8 * index, "s0")),
    asm.ecall(),
    asm.mv("s2", "a0"),
    asm.mv("s3", "a1"),
    asm.csrr("s4", "sip"),
    asm.andi("s4", "s4", 0x22),
    ...(["s2", "s3", "s4"] as const).flatMap((register, index) => [
      asm.mv("a0", register),
      asm.call("print"),
      ...putText(index === 2 ? "\n" : " "),
    ]),
    asm.addi("s0", "s0", 8 * CALL_WORDS),
    asm.addi("s1", "s1", -1),
    asm.bnez("s1", "next"),
    asm.li("a7", SHUTDOWN),
    asm.ecall(),
    asm.label("stay"),
    asm.j("stay"),
    ...printHex,
    asm.align(8),
    asm.label("table"),
    asm.dword(...words),
    asm.label("list"),
    asm.dword(1),
  ]);
  if (built.kind !== "program") throw new Error(built.message);
  return built.bytes;
}

/** What a line of the console says. */
export interface ScriptedResult {
  readonly error: bigint;
  readonly value: bigint;
  /** `sip` without the external bit. */
  readonly pending: bigint;
}

/** The results by title, out of a console that may begin with a firmware's own words. */
export function resultsIn(
  console: string,
  calls: readonly ScriptedCall[],
): ReadonlyMap<string, ScriptedResult> {
  const lines = console.match(/^[0-9a-f]{16} [0-9a-f]{16} [0-9a-f]{16}$/gm) ?? [];
  if (lines.length !== calls.length)
    throw new Error(`${lines.length} results for ${calls.length} calls: ${console.slice(-500)}`);
  return new Map(
    calls.map(([title], index) => {
      const [error = 0n, value = 0n, pending = 0n] = (lines[index] ?? "")
        .split(" ")
        .map((word) => BigInt(`0x${word}`));
      return [title, { error: BigInt.asIntN(64, error), value, pending }];
    }),
  );
}
