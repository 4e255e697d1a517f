/**
 * Looks over a JSON text before it is parsed: depth and repeated keys, which `JSON.parse` accepts in silence.
 *
 * One pass, no recursion, no allocation but the keys of open objects; malformed text is left for `JSON.parse` to say.
 */

/** What a text may contain. */
export interface JsonLimits {
  /** Brackets open at once. */
  readonly depth: number;
}

/** Why a text is refused, or `undefined`. */
export function scanJson(text: string, limits: JsonLimits): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let expectsKey = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = endOfString(text, at);
        if (expectsKey) {
          const keys = open.at(-1);
          const key = text.slice(at, end);
          if (keys?.has(key)) return `the key ${key}" appears twice in one object`;
          keys?.add(key);
          expectsKey = false;
        }
        at = end;
        break;
      }
      case 0x7b:
      case 0x5b: {
        if (open.length >= limits.depth) return `it is nested deeper than ${limits.depth} levels`;
        const isObject = text.charCodeAt(at) === 0x7b;
        open.push(isObject ? new Set() : undefined);
        expectsKey = isObject;
        break;
      }
      case 0x7d:
      case 0x5d:
        open.pop();
        expectsKey = false;
        break;
      case 0x2c:
        expectsKey = open.at(-1) !== undefined;
        break;
    }
  }
  return undefined;
}

/** Index of the closing quote of the string that starts at `from`. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at += 1;
    else if (code === 0x22) return at;
  }
  return text.length;
}
