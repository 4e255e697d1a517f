/** Mistakes that the campaign must find: each is one edit of the hypervisor's own text, from the snapshot on where programs begin. */
import type { Mistake } from "./paravirtual-mistakes.ts";

export const CAMPAIGN_MISTAKES: readonly Mistake[] = [
  {
    about: "htval is shifted by one bit too few",
    edits: [[/csr\.read\("htval"\) << 2n/, 'csr.read("htval") << 1n']],
  },
  {
    about: "no hfence behind an unmapped page",
    edits: [
      [
        /fencePage\(host, domain, page\);\n(\s*unrefer\(host, addressIn\(leaf\.entry\), isWritable\d*\(leaf\.entry\)\);\n\s*return addressIn)/,
        "$1",
      ],
    ],
  },
  {
    about: "the reference of an unmapped page stays",
    edits: [
      [
        /unrefer\(host, addressIn\(leaf\.entry\), isWritable\d*\(leaf\.entry\)\);\n(\s*return addressIn)/,
        "$1",
      ],
    ],
  },
  {
    about: "grant_map loses its reference",
    edits: [
      [
        /return mapPage\(visit, id, \(0, (import_address\d*)\.gpa\)\(page\), frame, rights\) \? 0n/,
        "return mapPage(visit, id, (0, $1.gpa)(page), frame, rights) ? (unrefer(visit, frame, (rights & 4n) !== 0n), 0n)",
      ],
    ],
  },
  {
    about: "grants that are only to be read can be mapped writable",
    edits: [
      [
        /if \(isWritable\d* && \(grant\.flags & GrantFlag\.WRITABLE\) === 0\) return Fault\.NOT_PERMITTED;/,
        "",
      ],
    ],
  },
  {
    about: "mappings that are only to be read are writable",
    edits: [[/isWritable\d* \? Right\.READ \| Right\.WRITE : Right\.READ/, "Right.READ | Right.WRITE"]],
  },
  {
    about: "a grant that is mapped can be taken back",
    edits: [[/if \(grant\.mapped > 0\) return Fault\.BUSY;/, ""]],
  },
  {
    about: "granted pages can be given back while others map them",
    edits: [[/isLogged\(at, domain\) \|\| isGrantedPage\(domain, page\)/, "isLogged(at, domain)"]],
  },
  {
    about: "frames are handed out as their last owner left them",
    edits: [[/if \(\(frame\.flags & FrameFlag\.UNCLEAN\) !== 0\) clear\(host, address\);/, ""]],
  },
  {
    about: "writable entries are not counted as such",
    edits: [[/if \(counts\) frame\.typeCount \+= 1;/, ""]],
  },
  {
    about: "two domains have one VMID",
    edits: [
      [
        /csr\.write\(name, vs\[name\]\)/,
        'csr.write(name, name === "hgatp" && vs[name] !== 0n ? (vs[name] & ~(0x3fffn << 44n)) | (1n << 44n) : vs[name])',
      ],
    ],
  },
  {
    about: "a large page that is split loses its table's reference",
    edits: [[/refer\(host, table, true\);\n(\s*context\.store\(leaf\.at, 8, tableAt\(table\)\);)/, "$1"]],
  },
  {
    about: "pages are found equal by their hashes alone",
    edits: [[/if \(!areEqual\(host, found\.at, frame\)\)/, "if (false)"]],
  },
  {
    about: "copy-on-write does not copy",
    edits: [
      [/context\.store\(\(0, import_address\d*\.beyond\)\(own, offset\), 8, context\.load\([^;]*;/, ";"],
    ],
  },
  {
    about: "superpages are not looked for (XSA-148)",
    edits: [[/if \(level > 0\) return void 0;/, ""]],
  },
  {
    about: "a paravirtualized guest's tables can be mapped writable",
    edits: [[/return meaning\.isWritable \? getTyped\(/, "return 0 ? getTyped("]],
  },
];
