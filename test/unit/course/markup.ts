/** A strict reader of the XML subset that figures use: the oracle for "well-formed" that shares no code with them. */

/** One element with its attributes, children and text. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

const TOKEN = /<(\/?)([A-Za-z][\w:-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
const ENTITY = /&(?!(?:amp|lt|gt|quot|#\d+|#x[0-9a-f]+);)/i;

/** Parses one element; throws with the place of the first fault. */
export function parseXml(source: string): XmlElement {
  const root: XmlElement = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(source);
    if (found === null) throw new Error(`not well-formed at ${at}: ${source.slice(at, at + 60)}`);
    const [, closes, name = "", attributes = "", empty, text] = found;
    const parent = open.at(-1) ?? root;
    if (ENTITY.test(text ?? attributes)) throw new Error(`bare ampersand at ${at}`);
    if (text !== undefined) parent.text += text;
    else if (closes === "/") {
      if (parent.name !== name || open.length === 1)
        throw new Error(`</${name}> closes <${parent.name}> at ${at}`);
      open.pop();
    } else {
      const list = [...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)].map(
        ([, key = "", value = ""]) => [key, value] as const,
      );
      if (new Set(list.map(([key]) => key)).size !== list.length)
        throw new Error(`an attribute twice at ${at}`);
      const child: XmlElement = { name, attributes: Object.fromEntries(list), children: [], text: "" };
      parent.children.push(child);
      if (empty !== "/") open.push(child);
    }
  }
  const [only, ...rest] = root.children;
  if (open.length !== 1) throw new Error(`<${open.at(-1)?.name}> is never closed`);
  if (only === undefined || rest.length > 0 || root.text.trim() !== "")
    throw new Error("needs exactly one root element");
  return only;
}

/** Every element below and including `element`. */
export const allElements = (element: XmlElement): XmlElement[] => [
  element,
  ...element.children.flatMap(allElements),
];
