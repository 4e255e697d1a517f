/** Some emitted instructions as text, for reviewers: `test/golden/translator`. `npx vitest run -u` writes them anew. */
import { join } from "node:path";
import { expect, it } from "vitest";
import wabt from "wabt";
import { PageFlag } from "../../../../../lib/bus/ram.ts";
import { TRANSLATED_RAM_BASE } from "../../../../../lib/engine/translator/emit/atomic.ts";
import { DATA_BANK_AREA, FLAGS_BIAS, RAM_OFFSET } from "../../../../../lib/engine/translator/layout.ts";
import { reservationWord } from "../../../../../lib/hart/reservations.ts";
import { type DecodedInsn, decode } from "../../../../../lib/isa/decode.ts";
import { assembled } from "../../../../support/assembled.ts";
import { moduleOf } from "../../../../support/emitted-instruction.ts";

const GOLDEN = join(import.meta.dirname, "../../../../golden/translator");

/** What a file shows. Numbers of functions are those of the lines. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  "integer.wat": [
    "add a0, a1, a2",
    "c.mv a0, a1",
    "li a0, 5",
    "addw a0, a1, a2",
    "sraiw a0, a1, 7",
    "sltu a0, a1, a2",
    "beqz a0, .+8",
    "bltu a0, a1, .+8",
    "czero.eqz a0, a1, a2",
  ],
  "multiplication.wat": ["mulh a0, a1, a2", "div a0, a1, a2", "remuw a0, a1, a2"],
  "bits.wat": ["sh3add.uw a0, a1, a2", "max a0, a1, a2", "orc.b a0, a1", "rev8 a0, a1", "bclr a0, a1, a2"],
  "memory.wat": ["lbu a0, 3(a1)", "ld a0, 8(a1)", "sd a0, 8(a1)"],
  "atomic.wat": ["lr.w a0, (a1)", "sc.w a0, a2, (a1)", "amoadd.d a0, a2, (a1)", "amomaxu.w a0, a2, (a1)"],
  "float.wat": [
    "fld fa0, 8(a1)",
    "fmv.d fa0, fa1",
    "fadd.d fa0, fa1, fa2",
    "fmul.d fa0, fa1, fa2",
    "fmul.s fa0, fa1, fa2",
    "flt.d a0, fa1, fa2",
    "fcvt.w.d a0, fa1, rtz",
    "fmadd.s fa0, fa1, fa2, fa3",
    "fmadd.d fa0, fa1, fa2, fa3",
  ],
};

/** What to look at in each of them. */
const LOOK: Readonly<Record<string, string>> = {
  "integer.wat":
    "a result goes to its register's place in the state block; nothing is compared, and nothing gives up.",
  "multiplication.wat":
    "division never traps: zero and the overflow are told apart before WebAssembly's own instruction.",
  "bits.wat":
    "what WebAssembly has no instruction for is a few of its own, without a loop and without memory.",
  "memory.wat":
    "the tag is compared before the access; a store looks at its page's flag too; nothing has changed when one gives up.",
  "atomic.wat":
    "the tag also refuses misaligned addresses; lr.w leaves a reservation and a flag, sc.w compares and forgets it.",
  "float.wat":
    "singles are boxed, NaNs canonical; what may round or raise a flag otherwise than on the host gives up.",
};

/** The one instruction of a line of assembly. */
function instructionOf(text: string): DecodedInsn {
  const { bytes } = assembled(text);
  const word = bytes.reduceRight((bits, byte) => ((bits << 8) | byte) >>> 0, 0);
  const decoded = decode(word);
  if (decoded === undefined || bytes.length !== decoded.sizeBytes)
    throw new Error(`${text} is not one instruction`);
  return decoded;
}

/** Constants of the layout by name, so that moving things about changes no file here. */
const NAMES: readonly (readonly [value: number | bigint, name: string])[] = [
  [FLAGS_BIAS, "FLAGS_BIAS"],
  [DATA_BANK_AREA, "DATA_BANK_AREA"],
  [reservationWord(TRANSLATED_RAM_BASE, 4) - BigInt(RAM_OFFSET), "RESERVATION_BIAS"],
];

const named = (text: string): string =>
  NAMES.reduce((result, [value, name]) => result.replaceAll(new RegExp(`\\b${value}\\b`, "g"), name), text);

for (const [file, lines] of Object.entries(FILES)) {
  it(`${file} shows what is emitted`, async () => {
    const bytes = moduleOf(lines.map(instructionOf), 255 & ~PageFlag.HOLDS_RESERVATION);
    const module = (await wabt()).readWasm(bytes, { check: true });
    const look = `;; Functions return 0 when they are done, and 2 when they give up. Look how\n;; ${LOOK[file]}\n`;
    const comments = look + lines.map((line, index) => `;; ${index}: ${line}\n`).join("");
    const text = module.toText({ foldExprs: true, inlineExport: true });
    module.destroy();
    await expect(comments + named(text)).toMatchFileSnapshot(join(GOLDEN, file));
  });
}
