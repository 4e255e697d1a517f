/**
 * Values as text: for the last expression of a cell and for `console.log`.
 *
 * Looks like Node's `util.inspect`, runs in a browser too, and is deterministic: an error prints without its stack, a
 * promise without its state. It never throws, whatever a getter or a proxy does, and never prints without end.
 */
import { type Frame, layOut } from "./layout.ts";
import { printKey, printPrimitive } from "./primitives.ts";

const DEPTH = 2;
const ELEMENTS = 100;
/** Values printed in one call at most; what follows is left out with a note. */
const BUDGET = 20_000;
const CUSTOM = Symbol.for("nodejs.util.inspect.custom");

/** Prints a value; a string comes quoted. */
export function inspect(value: unknown): string {
  return new Inspection().print(value, 0);
}

class Inspection {
  #indentation = 0;
  #deepest = 0;
  #budget = BUDGET;
  readonly #enclosing: object[] = [];
  readonly #circular = new Map<object, number>();

  print(value: unknown, depth: number): string {
    const primitive = printPrimitive(value, this.#indentation);
    if (primitive !== undefined) return primitive;
    const target = value as object;
    if (this.#budget-- <= 0) return "...";
    try {
      return this.#custom(target, depth) ?? this.#known(target, depth);
    } catch {
      return "<unprintable>";
    }
  }

  #custom(value: object, depth: number): string | undefined {
    const own: unknown = Reflect.get(value, CUSTOM);
    if (typeof own !== "function" || Reflect.get(value, "constructor")?.prototype === value) return undefined;
    const printed: unknown = own.call(value, DEPTH - depth, { depth: DEPTH, stylize: String }, inspect);
    if (printed === value) return undefined;
    return typeof printed === "string"
      ? printed.replaceAll("\n", `\n${" ".repeat(this.#indentation)}`)
      : this.print(printed, depth);
  }

  /** Cycles and depth first, then the object's own form. */
  #known(value: object, depth: number): string {
    if (this.#enclosing.includes(value)) {
      const number = this.#circular.get(value) ?? this.#circular.size + 1;
      this.#circular.set(value, number);
      return `[Circular *${number}]`;
    }
    const form = describe(value);
    if (isEmpty(value, form)) return form.kind === "leaf" ? form.prefix : brackets(form).join("");
    if (depth > DEPTH && form.kind !== "leaf") return `[${form.short}]`;
    this.#enclosing.push(value);
    this.#deepest = depth;
    const printed = this.#entries(value, form, depth);
    this.#enclosing.pop();
    const number = this.#circular.get(value);
    return number === undefined ? printed : `<ref *${number}> ${printed}`;
  }

  #entries(value: object, form: Form, depth: number): string {
    const keys = shownKeys(value, form);
    const special = this.#special(value, form, depth);
    const all = [...special.entries, ...keys.map((key) => this.#property(value, key, depth))];
    const [open, close] = brackets(form);
    const frame: Frame = {
      open,
      close,
      base: form.kind === "leaf" ? form.prefix : "",
      indentation: this.#indentation,
      height: this.#deepest - depth,
      ...(form.kind === "list" && { elements: isNumeric(value, all.length) ? "numeric" : "mixed" }),
      ...(special.endsInNote && keys.length === 0 && { endsInNote: true }),
    };
    return layOut(all, frame);
  }

  #special(value: object, form: Form, depth: number): { entries: string[]; endsInNote?: boolean } {
    if (form.kind === "list") return this.#elements(value as ArrayLike<unknown>, depth);
    if (value instanceof Map) {
      const pairs = [...Map.prototype.entries.call(value)].slice(0, BUDGET);
      return {
        entries: this.#indented(() =>
          pairs.map(([key, held]) => `${this.print(key, depth + 1)} => ${this.print(held, depth + 1)}`),
        ),
      };
    }
    if (value instanceof Set) {
      const members = [...Set.prototype.values.call(value)].slice(0, BUDGET);
      return { entries: this.#indented(() => members.map((member) => this.print(member, depth + 1))) };
    }
    if (value instanceof ArrayBuffer) return { entries: bufferEntries(value) };
    if (value instanceof WeakMap || value instanceof WeakSet) return { entries: ["<items unknown>"] };
    return { entries: [] };
  }

  #elements(list: ArrayLike<unknown>, depth: number): { entries: string[]; endsInNote: boolean } {
    const entries: string[] = [];
    let at = 0;
    while (at < list.length && entries.length < ELEMENTS) {
      if (at in list) {
        entries.push(this.#indented(() => this.print(list[at], depth + 1)));
        at += 1;
        continue;
      }
      const from = at;
      while (at < list.length && !(at in list)) at += 1;
      entries.push(`<${at - from} empty item${at - from > 1 ? "s" : ""}>`);
    }
    const more = list.length - at;
    if (more > 0) entries.push(`... ${more} more item${more > 1 ? "s" : ""}`);
    return { entries, endsInNote: more > 0 };
  }

  #property(value: object, key: string | symbol, depth: number): string {
    const descriptor = Reflect.getOwnPropertyDescriptor(value, key);
    const name = printKey(key);
    if (descriptor?.get !== undefined)
      return `${name}: [Getter${descriptor.set === undefined ? "" : "/Setter"}]`;
    if (descriptor?.set !== undefined) return `${name}: [Setter]`;
    return `${name}: ${this.#indented(() => this.print(descriptor?.value, depth + 1))}`;
  }

  #indented<T>(body: () => T): T {
    this.#indentation += 2;
    try {
      return body();
    } finally {
      this.#indentation -= 2;
    }
  }
}

/** How an object is written: what stands before its bracket, and which bracket. */
interface Form {
  readonly kind: "list" | "record" | "leaf";
  readonly prefix: string;
  /** Inside brackets, when it lies too deep to be opened. */
  readonly short: string;
}

function describe(value: object): Form {
  const name = constructorName(value);
  const shown = name ?? "Object: null prototype";
  if (Array.isArray(value)) {
    const prefix = name === "Array" ? "" : `${name ?? "[Array(1): null prototype]"}(${value.length})`;
    return { kind: "list", prefix, short: shown };
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const { length } = value as unknown as ArrayLike<unknown>;
    return { kind: "list", prefix: `${shown}(${length})`, short: shown };
  }
  if (typeof value === "function") return { kind: "leaf", prefix: functionForm(value), short: shown };
  const leaf = leafForm(value);
  if (leaf !== undefined) return { kind: "leaf", prefix: leaf, short: shown };
  if (value instanceof Map || value instanceof Set)
    return { kind: "record", prefix: `${shown}(${value.size})`, short: shown };
  const isOwnTag = Object.prototype.propertyIsEnumerable.call(value, Symbol.toStringTag);
  const tag: unknown = isOwnTag ? undefined : Reflect.get(value, Symbol.toStringTag);
  const extra = typeof tag === "string" && tag !== "" && tag !== name ? tag : undefined;
  if (name === undefined) {
    const prefix = extra === "Module" ? "[Module: null prototype]" : "[Object: null prototype]";
    return {
      kind: "record",
      prefix: extra === undefined || extra === "Module" ? prefix : `${prefix} [${extra}]`,
      short: prefix.slice(1, -1),
    };
  }
  if (extra !== undefined)
    return { kind: "record", prefix: `${name} [${extra}]`, short: `${name} [${extra}]` };
  return { kind: "record", prefix: name === "Object" ? "" : name, short: name };
}

function leafForm(value: object): string | undefined {
  if (value instanceof Error) return errorForm(value);
  if (value instanceof RegExp) return RegExp.prototype.toString.call(value);
  if (Object.prototype.toString.call(value) === "[object Date]") {
    const time = Number(value);
    return Number.isNaN(time) ? "Invalid Date" : String(Reflect.get(value, "toISOString").call(value));
  }
  if (
    value instanceof Number ||
    value instanceof Boolean ||
    value instanceof String ||
    value instanceof BigInt
  ) {
    const inner: unknown = value.valueOf();
    return `[${constructorName(value) ?? "Object"}: ${printPrimitive(inner, 0) ?? ""}]`;
  }
  return undefined;
}

function errorForm(error: Error): string {
  const name = String(error.name || constructorName(error) || "Error");
  const message = String(error.message);
  return `[${message === "" ? name : `${name}: ${message}`}]`;
}

function functionForm(value: object & { readonly name: string }): string {
  const source = Function.prototype.toString.call(value);
  const type = constructorName(value) ?? "Function";
  if (/^class[\s{]/.test(source)) {
    const parent: unknown = Object.getPrototypeOf(value);
    const parentName = typeof parent === "function" && parent.name !== "" ? ` extends ${parent.name}` : "";
    return `[class ${value.name === "" ? "(anonymous)" : value.name}${parentName}]`;
  }
  return value.name === "" ? `[${type} (anonymous)]` : `[${type}: ${value.name}]`;
}

function constructorName(value: object): string | undefined {
  for (let at: object | null = value; at !== null; at = Object.getPrototypeOf(at)) {
    const own: unknown = Object.getOwnPropertyDescriptor(at, "constructor")?.value;
    if (typeof own === "function" && own.name !== "" && value instanceof own) return own.name;
  }
  return undefined;
}

function shownKeys(value: object, form: Form): (string | symbol)[] {
  const keys = Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
  if (form.kind === "list")
    return keys.filter((key) => typeof key === "symbol" || !/^(0|[1-9]\d*)$/.test(key));
  if (value instanceof String) return keys.filter((key) => typeof key === "symbol" || !/^\d+$/.test(key));
  return keys.slice(0, BUDGET);
}

function brackets(form: Form): readonly [string, string] {
  const [open, close] = form.kind === "list" ? ["[", "]"] : ["{", "}"];
  return [form.kind === "leaf" || form.prefix === "" ? open : `${form.prefix} ${open}`, close];
}

/** Nothing to open, however deep it lies. */
function isEmpty(value: object, form: Form): boolean {
  if (form.kind === "list" && (value as ArrayLike<unknown>).length > 0) return false;
  if ((value instanceof Map || value instanceof Set) && value.size > 0) return false;
  const isOpaque = value instanceof ArrayBuffer || value instanceof WeakMap || value instanceof WeakSet;
  return !isOpaque && shownKeys(value, form).length === 0;
}

function bufferEntries(buffer: ArrayBuffer): string[] {
  const bytes = new Uint8Array(buffer, 0, Math.min(50, buffer.byteLength));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const more = buffer.byteLength - bytes.length;
  const note = more > 0 ? ` ... ${more} more byte${more > 1 ? "s" : ""}` : "";
  return [`[Uint8Contents]: <${hex}${note}>`, `[byteLength]: ${buffer.byteLength}`];
}

function isNumeric(value: object, shown: number): boolean {
  const list = value as ArrayLike<unknown>;
  for (let at = 0; at < shown; at++) {
    if (typeof list[at] !== "number" && typeof list[at] !== "bigint") return false;
  }
  return true;
}

/** A string as `console.log` prints it: bare at the top, quoted inside other values. */
export function printForConsole(value: unknown): string {
  return typeof value === "string" ? value : inspect(value);
}
