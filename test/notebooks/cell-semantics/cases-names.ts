/** Names: what a cell sees of the cells before it. */
import { cell, type SemanticsCase } from "./case.ts";

export const NAME_CASES: readonly SemanticsCase[] = [
  {
    name: "a later cell sees the names of an earlier one",
    cells: [
      cell("const seen = 20;\nlet alsoSeen = 1;\nvar oldStyle = 21;"),
      cell("seen + alsoSeen + oldStyle", { value: "42" }),
    ],
  },
  {
    name: "a const is declared again with another type",
    cells: [cell("const twice = 'text';"), cell("const twice = 7;"), cell("twice + 1", { value: "8" })],
  },
  {
    name: "a function is declared again and the new one is called",
    cells: [
      cell("function version() { return 1; }"),
      cell("function version() { return 2; }"),
      cell("version()", { value: "2" }),
    ],
  },
  {
    name: "a class is declared again and objects of the old one keep their methods",
    cells: [
      cell("class Rower { stroke() { return 1; } }\nconst oldRower = new Rower();"),
      cell("class Rower { stroke() { return 2; } }"),
      cell("[oldRower.stroke(), new Rower().stroke()]", { value: "[ 1, 2 ]" }),
    ],
  },
  {
    name: "a function keeps the variable that it was written with when the name is declared again",
    cells: [
      cell("let anchor = 1;\nconst readAnchor = () => anchor;"),
      cell("let anchor = 'another';"),
      cell("[readAnchor(), anchor.length]", { value: "[ 1, 7 ]" }),
    ],
  },
  {
    name: "a function of an earlier cell sees a let that a later cell assigns",
    cells: [
      cell("let counter = 0;\nfunction increment() { counter++; }"),
      cell("counter = 100;\nincrement();\ncounter", { value: "101" }),
    ],
  },
  {
    name: "a later cell sees a let that a function of an earlier cell changed",
    cells: [
      cell("let tally = 0;\nconst bump = () => { tally += 5; };"),
      cell("bump();\nbump();"),
      cell("tally", { value: "10" }),
    ],
  },
  {
    name: "a var inside a block belongs to the whole cell and to later cells",
    cells: [
      cell("if (true) { var inBlock = 3; }\nfor (var step = 0; step < 4; step++) {}"),
      cell("inBlock! + step", { value: "7" }),
    ],
  },
  {
    name: "destructuring declares all its names",
    cells: [
      cell(
        "const { a: firstOf, ...othersOf } = { a: 1, b: 2, c: 3 };\nconst [headOf, [nestedOf = 9]] = [5, [undefined]];",
      ),
      cell("[firstOf, othersOf.c, headOf, nestedOf]", { value: "[ 1, 3, 5, 9 ]" }),
    ],
  },
  {
    name: "variables of an earlier cell are swapped by destructuring",
    cells: [
      cell("let left = 1;\nlet right = 2;"),
      cell(
        "[left, right] = [right, left];\n({ left, right } = { left: left * 10, right: right * 10 });\nvoid 0",
      ),
      cell("[left, right]", { value: "[ 20, 10 ]" }),
    ],
  },
  {
    name: "a shorthand property takes the value of an earlier name",
    cells: [cell("const port = 7;"), cell("({ port })", { value: "{ port: 7 }" })],
  },
  {
    name: "a parameter hides an earlier name of the same spelling",
    cells: [
      cell("const shadow = 1;"),
      cell(
        "const ownShadow = ((shadow: string) => shadow.length)('four');\nconst inner = { shadow: 3 }.shadow;",
      ),
      cell("[ownShadow, inner, shadow]", { value: "[ 4, 3, 1 ]" }),
    ],
  },
  {
    name: "a function is called before its declaration in the same cell",
    cells: [cell("const early = hoisted();\nfunction hoisted() { return 11; }\nearly", { value: "11" })],
  },
  {
    name: "compound assignment and increment work on an earlier let",
    cells: [
      cell("let sum = 1;\nlet maybe: number | undefined;"),
      cell("sum += 4;\nsum **= 2;\nsum--;\nmaybe ??= 6;\n[sum, maybe]", { value: "[ 24, 6 ]" }),
    ],
  },
  {
    name: "interfaces and type aliases of earlier cells type later ones",
    cells: [
      cell("interface Boat { name: string }\ntype Fleet = Boat[];"),
      cell("const fleet: Fleet = [{ name: 'Erik' }];\nfleet.map((boat) => boat.name.length)", {
        value: "[ 4 ]",
      }),
    ],
  },
  {
    name: "a class extends a generic class of an earlier cell",
    cells: [
      cell("class Crate<T> { constructor(readonly held: T) {} }"),
      cell("class Labelled<T> extends Crate<T> { label = 'crate'; }\nnew Labelled(3)", {
        value: "Labelled { held: 3, label: 'crate' }",
      }),
    ],
  },
  {
    name: "private fields, statics and accessors work across cells",
    cells: [
      cell(
        "class Vault { #code = 4; static made = 0; static { Vault.made = 1; } get code() { return this.#code; } }",
      ),
      cell("[new Vault().code, Vault.made]", { value: "[ 4, 1 ]" }),
    ],
  },
  {
    name: "an enum is a value and a type in later cells",
    cells: [
      cell("enum Tide { Low, High = 5 }"),
      cell("const tide: Tide = Tide.High;\n[tide, Tide[0]]", { value: "[ 5, 'Low' ]" }),
    ],
  },
  {
    name: "a const enum is usable in later cells",
    cells: [
      cell("const enum Depth { Shoal = 2, Deep = 40 }"),
      cell("Depth.Deep + Depth.Shoal", { value: "42" }),
    ],
  },
  {
    name: "a namespace is usable in later cells",
    cells: [cell("namespace Harbor { export const berths = 12; }"), cell("Harbor.berths", { value: "12" })],
  },
  {
    name: "a value may take the name of an earlier type",
    cells: [
      cell("type Course = 'north' | 'south';"),
      cell("const Course = { all: ['north', 'south'] as Course[] };"),
      cell("const heading: Course = 'north';\n[heading, Course.all.length]", { value: "[ 'north', 2 ]" }),
    ],
  },
  {
    name: "a generator of an earlier cell goes on where it stopped",
    cells: [
      cell(
        "function* waves() { yield 1; yield 2; yield 3; }\nconst wave = waves();\nconst firstWave = wave.next().value;",
      ),
      cell("[...wave]", { value: "[ 2, 3 ]" }),
    ],
  },
  {
    name: "a global declared by augmentation is known to later cells",
    cells: [
      cell("declare global { var lighthouse: number; }\nglobalThis.lighthouse = 8;\nvoid 0;"),
      cell("globalThis.lighthouse + 1", { value: "9" }),
    ],
  },
  {
    name: "a cell may say export, and means nothing by it",
    cells: [
      cell("export const shared = 5;\nexport function sharedToo() { return shared; }"),
      cell("sharedToo()", { value: "5" }),
    ],
  },
  {
    name: "names beyond ASCII are names",
    cells: [cell("const größe = 3;\nconst π = 3.14;"), cell("größe * π", { value: "9.42" })],
  },
];
