/** HTML inside Markdown, rewritten as the JSX that MDX reads: closed tags, quoted attributes, comments in braces. */

const VOID = new Set("area base br col embed hr img input link meta source track wbr".split(" "));
const DROPPED = /<(script|style|iframe|object|embed|form)\b[\s\S]*?(?:<\/\1\s*>|$)/gi;
const COMMENT = /<!--([\s\S]*?)(?:-->|$)/g;
const TAG = /<(\/?)([A-Za-z][\w-]*)((?:"[^"]*"|'[^']*'|[^'">])*?)(\/?)>/g;
const ATTRIBUTE = /([^\s"'<>/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`]+))?/g;

const withoutDropped = (html: string): string => html.replaceAll(DROPPED, "");

/** Whether every opened tag is closed in order; only then can HTML become JSX. */
export function isBalancedMarkup(html: string): boolean {
  const open: string[] = [];
  for (const [, closing, name = "", , selfClosing] of withoutDropped(html)
    .replaceAll(COMMENT, "")
    .matchAll(TAG)) {
    const tag = name.toLowerCase();
    if (VOID.has(tag) || selfClosing === "/") continue;
    if (closing !== "/") open.push(tag);
    else if (open.pop() !== tag) return false;
  }
  return open.length === 0;
}

/**
 * One piece of HTML as JSX.
 * @param isBlock The piece stands alone between paragraphs: a tag whose partner is in another piece gets its own line.
 */
export function mdxMarkup(html: string, isBlock: boolean): string {
  const source = withoutDropped(html);
  const tags = [...source.matchAll(COMMENT), ...source.matchAll(TAG)].sort((a, b) => a.index - b.index);
  const lonely = isBlock ? lonelyTags(tags) : new Set<RegExpMatchArray>();
  let out = "";
  let from = 0;
  const textUntil = (end: number): string =>
    source.slice(from, end).replaceAll(/[{}<]/g, (sign) => `\\${sign}`);
  for (const match of tags) {
    if (match.index < from) continue;
    const markup = match[0].startsWith("<!--") ? commentMarkup(match[1] ?? "") : tagMarkup(match);
    out += textUntil(match.index) + (lonely.has(match) ? `\n${markup}\n` : markup);
    from = match.index + match[0].length;
  }
  return (out + textUntil(source.length)).replace(/\n{2,}/g, "\n").trim();
}

/** Tags of a piece whose partner is not in it. */
function lonelyTags(tags: readonly RegExpMatchArray[]): Set<RegExpMatchArray> {
  const open: RegExpMatchArray[] = [];
  const lonely = new Set<RegExpMatchArray>();
  for (const match of tags) {
    const [all, closing, name = "", , selfClosing] = match;
    if (all.startsWith("<!--") || VOID.has(name.toLowerCase()) || selfClosing === "/") continue;
    if (closing !== "/") open.push(match);
    else if (open.at(-1)?.[2]?.toLowerCase() === name.toLowerCase()) open.pop();
    else lonely.add(match);
  }
  for (const match of open) lonely.add(match);
  return lonely;
}

function commentMarkup(text: string): string {
  return `{/*${text.replaceAll("*/", "* /")}*/}`;
}

function tagMarkup([, closing = "", name = "", attributes = "", selfClosing = ""]: RegExpMatchArray): string {
  const tag = name.toLowerCase();
  if (closing === "/") return VOID.has(tag) ? "" : `</${tag}>`;
  const end = VOID.has(tag) || selfClosing === "/" ? " />" : ">";
  return `<${tag}${attributesMarkup(attributes)}${end}`;
}

function attributesMarkup(attributes: string): string {
  return [...attributes.matchAll(ATTRIBUTE)]
    .filter(([, name = ""]) => !/^on/i.test(name))
    .map(([, name = "", value]) => ` ${name}${value === undefined ? "" : `=${quoted(value)}`}`)
    .join("");
}

function quoted(value: string): string {
  if (/^["']/.test(value)) return value;
  return `"${value}"`;
}
