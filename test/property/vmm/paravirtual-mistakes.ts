/** Mistakes that hypervisors with paravirtualized guests have made, or could: each is one edit of the hypervisor's own text. */

/** A mistake: pieces of the text that are there exactly once, and what stands there instead. */
export interface Mistake {
  readonly about: string;
  /** It harms nobody but the guest itself, whose memory is not what it should be: the referee has nothing against that. */
  readonly isOwnHarm?: boolean;
  readonly edits: readonly (readonly [from: RegExp, to: string])[];
}

export const MISTAKES: readonly Mistake[] = [
  {
    about: "lets a leaf stand above level 0 and looks at its first frame alone (XSA-148)",
    edits: [[/if \(level > 0\) return void 0;/, ""]],
  },
  {
    about: "lets sixteen pages be mapped by one entry",
    edits: [[/ \| \(0, import_field\d*\.fieldMask\)\(import_pte\d*\.PTE_FIELDS\.N\)/, ""]],
  },
  {
    about: "lets a page be everybody's",
    edits: [[/import_pte\d*\.PTE\.G \| /, ""]],
  },
  {
    about: "does not ask whose a frame is",
    edits: [[/if \(frame\.owner !== domain\) return void 0;/, ""]],
  },
  {
    about: "takes a writable mapping for one that is only read",
    edits: [[/return meaning\.isWritable \? getTyped\(/, "return 0 ? getTyped("]],
  },
  {
    about: "takes a table of any level for the one that is wanted",
    edits: [
      [
        /if \(meaning\.kind === "table"\) return getTyped\(host, domain, meaning\.to, tableOf\(level - 1\), left\);/,
        `if (meaning.kind === "table") {
         const present = host.state.frame(host.state.frameNumber(meaning.to));
         return getTyped(host, domain, meaning.to, levelOf(present.type) >= 0 ? present.type : tableOf(level - 1), left); }`,
      ],
    ],
  },
  {
    about: "makes something else of a frame that is in use",
    edits: [[/if \(frame\.typeCount > 0\) return Fault\.BUSY;/, ""]],
  },
  {
    about: "forgets the reference of an entry that is replaced",
    edits: [[/putEntry\(host, old, level\);/, ""]],
  },
  {
    about: "counts no reference for a page that is only read",
    edits: [[/refer\(host, address, false\);\n(\s*return 0n;)/, "$1"]],
  },
  {
    about: "does not fence when it changes an entry",
    edits: [[/if \(\(old & import_pte\d*\.PTE\.V\) !== 0n\) fenceGuests\(host\);/, ""]],
  },
  {
    about: "does not fence when it changes the root",
    isOwnHarm: true,
    edits: [[/fenceGuests\(visit\);\n(\s*putTyped\(visit, old\))/, "$1"]],
  },
  {
    about: "lets a table become something else by an entry of its own that is being changed",
    edits: [
      [/refer\(host, table, true\);\n(\s*const refused)/, "$1"],
      [/unrefer\(host, table, true\);\n(\s*return refused)/, "$1"],
    ],
  },
  {
    about: "lets a table become something else while its entries are being checked",
    edits: [[/frame\.typeCount = 1;/, ""]],
  },
  {
    about: "keeps what it has counted of a table that it then refuses",
    edits: [[/putEntries\(host, address, level, index\);/, ""]],
  },
  {
    about: "undoes one entry too many of a table that it refuses",
    edits: [[/putEntries\(host, address, level, index\);/, "putEntries(host, address, level, index + 1);"]],
  },
  {
    about: "keeps what a table has counted that becomes memory",
    edits: [[/putEntries\(host, address, before, TABLE_ENTRIES\);/, ""]],
  },
  {
    about: "keeps the old root in use",
    edits: [[/putTyped\(visit, old\);/, ""]],
  },
  {
    about: "takes out pins that are not there",
    edits: [[/frame === void 0 \|\| \(frame\.flags & TableFlag\.PINNED\) === 0/, "frame === void 0"]],
  },
];

/** The text with a mistake. */
export const planted =
  ({ edits }: Mistake) =>
  (text: string): string => {
    let changed = text;
    for (const [from, to] of edits) {
      if (changed.split(from).length !== 2 + capturesOf(from)) throw new Error(`not exactly once: ${from}`);
      changed = changed.replace(from, to);
    }
    return changed;
  };

/** Splitting gives the captures, too. */
const capturesOf = (pattern: RegExp): number =>
  new RegExp(`${pattern.source}|`).exec("")?.slice(1).length ?? 0;
