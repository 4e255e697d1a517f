/**
 * The data sets as tables: what each column holds, and which sets may be plotted.
 *
 * This is the only description of the columns. Row types derive from it, the loader parses by it, and
 * `dom0 datasets describe` writes it into each folder's `datapackage.json` for readers without TypeScript.
 */

/** What a cell of a column may hold. An empty cell is `null` where `optional`, otherwise an error. */
export interface Column {
  readonly type: "text" | "integer" | "number" | "flag";
  readonly optional?: true;
  /** The only values that occur; anything else is an error. */
  readonly oneOf?: readonly string[];
  readonly about: string;
}

export interface DatasetDescription {
  readonly title: string;
  readonly file: string;
  /** False for claims that nobody has confirmed: the loader gives such a set no numbers to plot. */
  readonly plottable: boolean;
  readonly row: string;
  readonly columns: Readonly<Record<string, Column>>;
}

const text = (about: string) => ({ type: "text", about }) as const;
const optionalText = (about: string) => ({ type: "text", optional: true, about }) as const;
const integer = (about: string) => ({ type: "integer", about }) as const;
const source = text("Where the row comes from: a repository with path and commit, a page, or a package.");
const note = optionalText("Where the figure is weak.");

export const DATASETS = {
  "xen-security-advisories": {
    title: "Xen Security Advisories, 2011 to 2026",
    file: "xen-security-advisories.csv",
    plottable: true,
    row: "one Xen Security Advisory number; ten numbers were never used",
    columns: {
      xsa: integer("Advisory number."),
      date: optionalText("Release date, ISO 8601."),
      year: { type: "integer", optional: true, about: "Year of release." },
      short_title: optionalText("Key words of the title, not the title."),
      cve_ids: optionalText("CVE identifiers, joined by semicolons."),
      component_class: text("Part of the stack that the fix changed."),
      subsystem_hint: optionalText("Parts of Xen that the fixing commits touch."),
      component_basis: optionalText("How the component was found."),
      impact: optionalText("Machine-made from short texts; empty means not classified, not harmless."),
      impact_basis: optionalText("The text that the impact was read from."),
      affects_qubes: { type: "flag", optional: true, about: "Whether Qubes OS says that it is affected." },
      qubes_bulletin: optionalText("Qubes Security Bulletin, when there is one."),
      qubes_reason: optionalText("Why Qubes OS is not affected."),
      number_unused: { type: "flag", optional: true, about: "True when the number was never used." },
      source,
      note,
    },
  },
  "advisories-by-year": {
    title: "Advisory counts by system, year and kind",
    file: "advisories-by-year.csv",
    plottable: true,
    row: "one count, for one system, year and kind; kinds are different units",
    columns: {
      system: text("Product or project."),
      year: text("Year, or a span where the count covers part of a year."),
      advisories: integer("The count."),
      kind: text("What was counted. Kinds cannot be compared with each other."),
      source,
      note,
    },
  },
  "code-size": {
    title: "Code and binary sizes of components",
    file: "code-size.csv",
    plottable: true,
    row: "one size, for one component of one version",
    columns: {
      system: text("Product or project."),
      version: text("Release or tag."),
      date: text("Date of the release or of the commit, ISO 8601."),
      component: text("What was measured."),
      metric: text("Unit and method."),
      value: { type: "number", about: "The size, in the unit of `metric`." },
      trusted: text("Whether a guest must trust that part."),
      source,
      note,
    },
  },
  escapes: {
    title: "Flaws across a VM, device or management boundary",
    file: "escapes.csv",
    plottable: true,
    row: "one flaw; a hand-picked list, for kinds of flaw and never for rates",
    columns: {
      id: text("CVE, XSA or bulletin identifier."),
      name: text("Short name."),
      year: integer("Year of disclosure."),
      product: text("Product."),
      component_attacked: text("The part that had the flaw."),
      bug_class: text("Class of the flaw, or `not published`."),
      prerequisite: text("What the attacker needs."),
      outcome: text("What the attacker gains."),
      source,
      note,
    },
  },
  "patch-cost": {
    title: "Reboots, patches, recovery and proof in figures",
    file: "patch-cost.csv",
    plottable: true,
    row: "one figure",
    columns: {
      topic: text("Group of the figure."),
      system: text("Product or project."),
      metric: text("What was measured."),
      value: text("The figure; some are ranges."),
      unit: optionalText("Unit of the figure."),
      period: text("Time that the figure covers."),
      source,
      note,
    },
  },
  timeline: {
    title: "Dated events in virtualization and operating systems",
    file: "timeline.csv",
    plottable: true,
    row: "one event",
    columns: {
      date: text("A year, a month or a day, ISO 8601."),
      system: text("Product or project."),
      event: text("What happened."),
      source,
      note,
    },
  },
  "riscv-normative-tags": {
    title: "Normative-rule tags of the RISC-V manual",
    file: "riscv-normative-tags.csv",
    plottable: true,
    row: "one tag name and where it stands; none of the manual's sentences",
    columns: {
      tag: text("Name of the rule, as cited by `@spec norm:<tag>`."),
      chapter_files: text("Manual sources that hold it, joined by semicolons."),
      section: text("Heading of the manual's section in which it stands."),
    },
  },
  unverified: {
    title: "Claims from memory that nobody has confirmed",
    file: "unverified.csv",
    plottable: false,
    row: "one claim, with what would confirm it",
    columns: {
      system: text("Product or project."),
      claim: text("The claim."),
      value_from_memory: text("What was remembered, as text: it must not be plotted."),
      what_would_confirm_it: text("The document that would settle it."),
    },
  },
} as const satisfies Readonly<Record<string, DatasetDescription>>;

export type DatasetName = keyof typeof DATASETS;

/** The sets that may be plotted: everything but `unverified`. */
export type PlottableDataset = {
  [N in DatasetName]: (typeof DATASETS)[N]["plottable"] extends true ? N : never;
}[DatasetName];

type CellOf<C extends Column> =
  | (C["type"] extends "text" ? string : C["type"] extends "flag" ? boolean : number)
  | (C extends { readonly optional: true } ? null : never);

/** One row: a property per column, `null` where the cell is empty. */
export type DatasetRow<N extends DatasetName> = {
  readonly [C in keyof (typeof DATASETS)[N]["columns"]]: (typeof DATASETS)[N]["columns"][C] extends Column
    ? CellOf<(typeof DATASETS)[N]["columns"][C]>
    : never;
};
