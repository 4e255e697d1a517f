/** Answers to assignment 01: right ones, other right ones, and wrong ones that somebody would really hand in. */

/** Source of an answer cell, by its name. */
export type Answers = Readonly<Record<"checksum" | "codec" | "trip" | "replay", string>>;

const asProgram = (name: string, parameters: string, items: string): string =>
  `function ${name}(${parameters}) {\n  return program({ origin: RAM }, [\n${items}\n  ]);\n}`;

const checksum = (items: string): string => asProgram("checksum", "", items);

export const CHECKSUM = {
  /** Shifts instead of a multiplication: 31 × h = (h << 5) − h. */
  shifts:
    checksum(`asm.mv("t3", "a0"), asm.li("a0", 0), label("loop"), asm.beqz("a1", "end"), asm.lbu("t1", 0, "t3"),
    asm.slli("t0", "a0", 5), asm.sub("a0", "t0", "a0"), asm.add("a0", "a0", "t1"),
    asm.addi("t3", "t3", 1), asm.addi("a1", "a1", -1), asm.j("loop"), label("end"), asm.wfi()`),
  /** Loads bytes with their sign. */
  signedBytes:
    checksum(`asm.li("t0", 0), asm.li("t2", 31), label("next"), asm.beqz("a1", "done"), asm.lb("t1", 0, "a0"),
    asm.mul("t0", "t0", "t2"), asm.add("t0", "t0", "t1"), asm.addi("a0", "a0", 1), asm.addi("a1", "a1", -1), asm.j("next"),
    label("done"), asm.mv("a0", "t0"), asm.wfi()`),
  /** Tests the count after the first byte. */
  testsTooLate: checksum(`asm.li("t0", 0), asm.li("t2", 31), label("next"), asm.lbu("t1", 0, "a0"),
    asm.mul("t0", "t0", "t2"), asm.add("t0", "t0", "t1"), asm.addi("a0", "a0", 1), asm.addi("a1", "a1", -1), asm.bnez("a1", "next"),
    asm.mv("a0", "t0"), asm.wfi()`),
  /** Multiplies in 32 bits. */
  narrow:
    checksum(`asm.li("t0", 0), asm.li("t2", 31), label("next"), asm.beqz("a1", "done"), asm.lbu("t1", 0, "a0"),
    asm.mulw("t0", "t0", "t2"), asm.addw("t0", "t0", "t1"), asm.addi("a0", "a0", 1), asm.addi("a1", "a1", -1), asm.j("next"),
    label("done"), asm.mv("a0", "t0"), asm.wfi()`),
  /** Forgets to stop. */
  endless: checksum(`label("here"), asm.j("here")`),
} as const;

const codec = (decode: string, encode: string): string =>
  `const NAMED = 0xc_19aan;
function decodeMstatus(word: bigint): Mstatus { const bit = (at: bigint) => ((word >> at) & 1n) === 1n; ${decode} }
function encodeMstatus(status: Mstatus): bigint { ${encode} }`;

const flags = "sie: bit(1n), mie: bit(3n), spie: bit(5n), mpie: bit(7n), sum: bit(18n), mxr: bit(19n)";
const modes = "spp: Number((word >> 8n) & 1n), mpp: Number((word >> 11n) & 3n)";
const put = `let word = status.rest;
  const set = (at: bigint, on: boolean) => { if (on) word |= 1n << at; };
  set(1n, status.sie); set(3n, status.mie); set(5n, status.spie); set(7n, status.mpie); set(18n, status.sum); set(19n, status.mxr);
  return word | (BigInt(status.spp) << 8n) | (BigInt(status.mpp) << 11n);`;

export const CODEC = {
  plain: codec(`return { ${flags}, ${modes}, rest: word & ~NAMED };`, put),
  /** Drops every bit without a name. */
  forgetful: codec(`return { ${flags}, ${modes}, rest: 0n };`, put),
  /** Leaves the old mpp in rest, so that a new one cannot clear it. */
  stickyMpp: codec(`return { ${flags}, ${modes}, rest: word & ~(NAMED & ~0x1800n) };`, put),
  /** Works on 32 bits of a number. */
  narrow: codec(
    `const low = Number(word & 0xffffffffn); return { ${flags}, ${modes}, rest: BigInt((low & ~0xc19aa) >>> 0) };`,
    put,
  ),
  /** One bit too low for mpp. */
  wrongPlace: codec(
    `return { ${flags}, spp: Number((word >> 8n) & 1n), mpp: Number((word >> 10n) & 3n), rest: word & ~NAMED };`,
    put,
  ),
} as const;

const trip = (medeleg: string, handler: string): string =>
  asProgram(
    "trip",
    "token: number",
    `asm.li("t0", -1), asm.csrw("pmpaddr0", "t0"), asm.li("t0", 0x1f), asm.csrw("pmpcfg0", "t0"), ${medeleg}
    asm.la("t0", "handler"), asm.csrw("stvec", "t0"), asm.li("t0", 0x1800), asm.csrc("mstatus", "t0"),
    asm.la("t0", "user"), asm.csrw("mepc", "t0"), asm.mret(),
    label("user"), asm.li("a0", token), asm.ecall(), asm.mv("s1", "a0"), label("stay"), asm.j("stay"),
    label("handler"), ${handler}`,
  );

const DELEGATE = 'asm.li("t0", 1 << 8), asm.csrw("medeleg", "t0"),';
const SKIP = 'asm.csrr("t1", "sepc"), asm.addi("t1", "t1", 4), asm.csrw("sepc", "t1"), asm.sret()';

export const TRIP = {
  plain: trip(DELEGATE, `asm.slli("a0", "a0", 1), ${SKIP}`),
  /** Returns to the ecall itself. */
  forever: trip(DELEGATE, 'asm.add("a0", "a0", "a0"), asm.sret()'),
  /** Returns the token as it came. */
  single: trip(DELEGATE, SKIP),
  /** Lets the call land in M-mode. */
  undelegated: trip("", `asm.add("a0", "a0", "a0"), ${SKIP}`),
  /** Never leaves S-mode again. */
  stays: trip(DELEGATE, "asm.wfi()"),
} as const;

const replay = (hash: string, retired: string): string =>
  `function traceHash(seed: number, turns: number): string { ${hash} }
function retired(turns: number): number { return ${retired}; }`;

const run = (board: string): string =>
  `const board = buildBoard(${board}); board.load(pulse(turns)); board.run({ instructions: 2_000 }); return board.trace.hash();`;
const SAME = "{ ramBytes: 1 << 20, seed }";

export const REPLAY = {
  plain: replay(run(SAME), "3 * turns + 2"),
  /** Forgets wfi. */
  offByOne: replay(run(SAME), "3 * turns + 1"),
  /** Another size of RAM is another machine. */
  otherRam: replay(run("{ ramBytes: 1 << 21, seed }"), "3 * turns + 2"),
  /** Ignores the seed. */
  seedless: replay(run("{ ramBytes: 1 << 20 }"), "3 * turns + 2"),
  /** A constant. */
  constant: replay('return "0".repeat(64);', "3 * turns + 2"),
} as const;

/** Right answers, none of them the instructor's. */
export const RIGHT: Answers = {
  checksum: CHECKSUM.shifts,
  codec: CODEC.plain,
  trip: TRIP.plain,
  replay: REPLAY.plain,
};
