/**
 * The words that name a part of the machine. A color in this book always means one of these parts, so prose,
 * code, editor and output all classify words with this one table.
 */
export type MachinePart = "register" | "csr" | "memory" | "mode-m" | "mode-s" | "mode-u";

const registerPattern = "(?:zero|ra|sp|gp|tp|t[0-6]|s(?:1[01]|[0-9])|a[0-7]|x(?:3[01]|[12][0-9]|[0-9])|pc)";
const csrPattern =
  "(?:(?:m|s|u|vs|h)(?:status|epc|cause|tvec|tval|tval2|tinst|ie|ip|scratch|ideleg|edeleg|counteren|envcfg|counter)" +
  "|[sv]?satp|vsatp|hgatp|hvip|stimecmp|pmpcfg[0-9]*|pmpaddr[0-9]*|mhartid|misa|mcycle|minstret|mvendorid|marchid|mimpid)";
const addressPattern = "0x[0-9A-Fa-f][0-9A-Fa-f_]{4,}n?";

const wholeWord: readonly (readonly [RegExp, MachinePart])[] = [
  [new RegExp(`^${registerPattern}$`), "register"],
  [new RegExp(`^${csrPattern}(?:\\.[A-Z]+)?$`), "csr"],
  [new RegExp(`^${addressPattern}$`), "memory"],
  [/^M(?:-mode)?$/, "mode-m"],
  [/^(?:HS|S)(?:-mode)?$/, "mode-s"],
  [/^U(?:-mode)?$/, "mode-u"],
];

/** The part that a whole word names, or undefined. */
export function machinePart(word: string): MachinePart | undefined {
  return wholeWord.find(([pattern]) => pattern.test(word))?.[1];
}

/** Finds machine words in a line of code: quoted names and long hexadecimal numbers. */
export const codeWords = new RegExp(
  `(["'\`])(${registerPattern}|${csrPattern}|[MSU])\\1|\\b${addressPattern}`,
  "g",
);

/** Finds mode names in prose. */
export const proseModes = /\b(M|S|U)-mode\b/g;

/** The part that one match of {@link codeWords} names. */
export function codeWordPart(match: string): MachinePart | undefined {
  return machinePart(match.replace(/^["'`]|["'`]$/g, ""));
}
