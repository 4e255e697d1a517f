/** Notebook files. The oracle of the writer is Jupyter's own form, typed by hand; of the reader, the writer. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Cell,
  isNotebookError,
  NOTEBOOK_LIMITS,
  type Notebook,
  type NotebookError,
  parseNotebook,
  parseNotebookBytes,
  refuseSize,
  writeNotebook,
} from "../../../lib/notebook/nbformat.ts";
import { withoutOutputs } from "../../../lib/notebook/notebook-outputs.ts";

const notebookOf = (cells: readonly unknown[], more: object = {}) =>
  JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5, ...more });

function parsed(text: string): Notebook {
  const notebook = parseNotebook(text);
  if (isNotebookError(notebook)) throw new Error(notebook.message);
  return notebook;
}

function refused(result: Notebook | NotebookError): string {
  if (!isNotebookError(result)) throw new Error("it was accepted");
  expect(result.message, "one line").not.toContain("\n");
  return result.message;
}

describe("writing a notebook", () => {
  it("gives the bytes that Jupyter writes: sorted keys, one space, lines as a list, a line feed at the end", () => {
    const notebook: Notebook = {
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { language_info: { name: "typescript" }, authors: [] },
      cells: [
        { cell_type: "markdown", id: "a", metadata: {}, source: "# Title\n\nthé end" },
        {
          cell_type: "code",
          id: "b",
          metadata: { tags: ["x"] },
          source: "",
          execution_count: 2,
          outputs: [
            { output_type: "stream", name: "stdout", text: "one\ntwo\n" },
            {
              output_type: "execute_result",
              data: { "text/plain": "1\n2", "application/json": { b: 1, a: ["x\n"] } },
              metadata: {},
              execution_count: 2,
            },
          ],
        },
      ],
    };
    expect(writeNotebook(notebook)).toBe(`{
 "cells": [
  {
   "cell_type": "markdown",
   "id": "a",
   "metadata": {},
   "source": [
    "# Title\\n",
    "\\n",
    "thé end"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": 2,
   "id": "b",
   "metadata": {
    "tags": [
     "x"
    ]
   },
   "outputs": [
    {
     "name": "stdout",
     "output_type": "stream",
     "text": [
      "one\\n",
      "two\\n"
     ]
    },
    {
     "data": {
      "application/json": {
       "a": [
        "x\\n"
       ],
       "b": 1
      },
      "text/plain": [
       "1\\n",
       "2"
      ]
     },
     "execution_count": 2,
     "metadata": {},
     "output_type": "execute_result"
    }
   ],
   "source": []
  }
 ],
 "metadata": {
  "authors": [],
  "language_info": {
   "name": "typescript"
  }
 },
 "nbformat": 4,
 "nbformat_minor": 5
}
`);
  });

  it("is undone by reading, for any notebook", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 60 }).map((each) => each.replaceAll("x", "\n"));
    const json = fc.jsonValue({ maxDepth: 3 }).filter((each) => !JSON.stringify(each).includes("__proto__"));
    const data = fc
      .dictionary(fc.constantFrom("text/plain", "text/html", "image/svg+xml"), text)
      .chain((plain) =>
        json.map((value) => JSON.parse(JSON.stringify({ ...plain, "application/json": value }))),
      );
    const output = fc.oneof(
      fc.record({ output_type: fc.constant("stream"), name: fc.constantFrom("stdout", "stderr"), text }),
      fc.record({ output_type: fc.constant("display_data"), data, metadata: fc.constant({}) }),
      fc.record({ output_type: fc.constant("error"), ename: text, evalue: text, traceback: fc.array(text) }),
    );
    const cell = fc.oneof(
      fc.record({ cell_type: fc.constantFrom("markdown", "raw"), metadata: fc.constant({}), source: text }),
      fc.record({
        cell_type: fc.constant("code"),
        metadata: fc.constant({ tags: ["a"] }),
        source: text,
        execution_count: fc.option(fc.nat()),
        outputs: fc.array(output, { maxLength: 3 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 6 }), (cells) => {
        const numbered = cells.map((each, at) => ({ ...each, id: `id-${at}` })) as Cell[];
        const notebook: Notebook = {
          cells: numbered,
          metadata: { kept: [1] },
          nbformat: 4,
          nbformat_minor: 5,
        };
        const written = writeNotebook(notebook);
        expect(parsed(written)).toEqual(notebook);
        expect(writeNotebook(parsed(written))).toBe(written);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe("reading a notebook", () => {
  it("joins lines and keeps what it does not know", () => {
    const notebook = parsed(
      notebookOf(
        [
          {
            cell_type: "code",
            id: "a",
            metadata: { nbgrader: { grade: true } },
            source: ["a\n", "b"],
            outputs: [],
            execution_count: null,
            novel: 1,
          },
        ],
        { extra: "kept" },
      ),
    );
    expect(notebook.cells[0]).toMatchObject({
      source: "a\nb",
      metadata: { nbgrader: { grade: true } },
      novel: 1,
    });
    expect(notebook).toMatchObject({ extra: "kept" });
  });

  it("gives cells without an id one that is the same each time, and copies another", () => {
    const ids = (cells: readonly unknown[]) =>
      parsed(notebookOf(cells, { nbformat_minor: 4 })).cells.map(({ id }) => id);
    const cell = { cell_type: "raw", metadata: {}, source: "" };
    expect(ids([cell, cell])).toEqual(["cell-1", "cell-2"]);
    expect(
      ids([
        { ...cell, id: "same" },
        { ...cell, id: "same" },
        { ...cell, id: "bad id" },
      ]),
    ).toEqual(["same", "same-2", "cell-3"]);
  });

  it("takes a byte-order mark for what it is", () => {
    expect(isNotebookError(parseNotebookBytes(new TextEncoder().encode(`\ufeff${notebookOf([])}`)))).toBe(
      false,
    );
  });
});

describe("a file that is no usable notebook is refused in one line that says what to do", () => {
  const code = { cell_type: "code", metadata: {}, source: "", outputs: [], execution_count: null };
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["an empty file", " \n", /empty: save the notebook again/],
    ["a truncated file", notebookOf([code]).slice(0, -20), /ends in the middle.*get it again/],
    ["a file with merge conflicts", '{"cells": [\n<<<<<<< HEAD\n]}', /merge conflict marks.*resolve/],
    ["text", "hello", /not JSON.*get it again/],
    ["a list", "[]", /its top is no object/],
    ["other JSON", "{}", /no "nbformat" number.*check the path/],
    [
      "nbformat 3",
      JSON.stringify({ nbformat: 3, worksheets: [] }),
      /old format 3; open it in JupyterLab and save it/,
    ],
    ["a future format", notebookOf([], { nbformat: 5 }), /format is 5.*save it as nbformat 4/],
    ["no cells", JSON.stringify({ nbformat: 4, metadata: {} }), /no list "cells"/],
    ["cells twice", '{"nbformat":4,"cells":[],"cells":[]}', /"cells" appears twice/],
    [
      "a key twice inside a cell",
      notebookOf([code]).replace('"source":""', '"source":"","source":"x"'),
      /"source" appears twice/,
    ],
    [
      "a cell of an unknown type",
      notebookOf([{ ...code, cell_type: "heading" }]),
      /cell 1 is of type "heading"/,
    ],
    ["a cell that is no object", notebookOf([5]), /cell 1 is no object/],
    ["a source that is no text", notebookOf([{ ...code, source: [1] }]), /cell 1: source is no text/],
    [
      "an unknown output",
      notebookOf([{ ...code, outputs: [{ output_type: "pyout" }] }]),
      /cell 1 has an output of unknown type; clear its outputs/,
    ],
    ["deep nesting", `${"[".repeat(101)}${"]".repeat(101)}`, /deeper than 100 levels/],
    ["nesting that would break a parser", "[".repeat(1_000_000), /deeper than 100 levels/],
    [
      "too many cells",
      notebookOf(Array.from({ length: 5_001 }, () => code)),
      /5001 cells, more than the limit of 5000/,
    ],
    [
      "a cell as large as a book",
      notebookOf([{ ...code, source: "x".repeat(1_000_001) }]),
      /cell 1 has 1000001 characters/,
    ],
  ];
  for (const [name, text, message] of cases) {
    it(name, () => expect(refused(parseNotebook(text))).toMatch(message));
  }

  it("a size, before a byte is read", () => {
    const error = refuseSize(200_000_000);
    expect(error?.message).toMatch(/200 MB, more than the 20 MB.*clear its outputs/);
    expect(refuseSize(NOTEBOOK_LIMITS.bytes)).toBeUndefined();
  });

  it("bytes that are no UTF-8", () => {
    expect(refused(parseNotebookBytes(new Uint8Array([0x7b, 0xff, 0xfe])))).toMatch(/not UTF-8/);
  });

  it("any damage to a notebook gives a notebook or one line, never an exception", () => {
    const text = notebookOf([code, { ...code, cell_type: "markdown" }]);
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 5 }), (at, cut, added) => {
        const result = parseNotebook(text.slice(0, at) + added + text.slice(at + cut));
        if (isNotebookError(result)) refused(result);
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });
});

describe("a notebook without outputs", () => {
  it("has no outputs, counts or times, and its cells as they were", () => {
    const notebook = parsed(
      notebookOf([
        {
          cell_type: "code",
          id: "a",
          metadata: { tags: ["t"], execution: { "iopub.status.busy": "2026" } },
          source: "1",
          execution_count: 3,
          outputs: [{ output_type: "stream", name: "stdout", text: "1" }],
        },
        { cell_type: "markdown", id: "b", metadata: {}, source: "text" },
      ]),
    );
    expect(withoutOutputs(notebook).cells).toEqual([
      {
        cell_type: "code",
        id: "a",
        metadata: { tags: ["t"] },
        source: "1",
        execution_count: null,
        outputs: [],
      },
      { cell_type: "markdown", id: "b", metadata: {}, source: "text" },
    ]);
  });
});
