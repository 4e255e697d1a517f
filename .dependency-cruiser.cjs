/**
 * The import rule of ARCHITECTURE.md as a table: a layer may import itself and the layers named for it.
 * `lib/host/cli/check-layers.ts` runs this and fails when fewer modules were seen than exist.
 */
const MACHINE = ["bits", "isa", "bus", "hart", "mmu", "engine", "devices", "board"];
const MAY = {
  bits: [],
  isa: ["bits"],
  bus: ["bits", "isa"],
  hart: ["bits", "isa", "bus"],
  mmu: ["bits", "isa", "bus", "hart"],
  engine: ["bits", "isa", "bus", "hart", "mmu"],
  devices: ["bits", "isa", "bus", "hart", "mmu"],
  board: ["bits", "isa", "bus", "hart", "mmu", "engine", "devices"],
  hs: MACHINE,
  firmware: [...MACHINE, "hs"],
  vmm: [...MACHINE, "hs"],
  systems: [...MACHINE, "hs", "firmware"],
  referee: [...MACHINE, "hs", "firmware", "vmm", "systems"],
  testbed: [...MACHINE, "hs", "firmware", "vmm", "systems", "referee"],
  attacks: ["isa", "testbed"],
  assets: ["bits"],
  notebook: ["bits"],
  checks: ["bits", "notebook"],
  course: [
    ...MACHINE,
    "assets",
    "notebook",
    "checks",
    "hs",
    "firmware",
    "vmm",
    "systems",
    "referee",
    "testbed",
    "attacks",
  ],
  grader: [
    ...MACHINE,
    "assets",
    "notebook",
    "checks",
    "hs",
    "firmware",
    "vmm",
    "systems",
    "referee",
    "testbed",
    "attacks",
  ],
};
const CORE_FREE = "^lib/(?!host/|grader/)";
const FRONT_DOORS = "^lib/(dist/)?(index|host/node|host/front-door)[.](ts|js|d[.]ts)$";
module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "front-door-only",
      comment: "Notebooks and assignments import dom0-kit, never a file inside lib.",
      severity: "error",
      from: { path: "^(notebooks|assignments)/" },
      to: { path: "^lib/", pathNot: FRONT_DOORS },
    },
    {
      name: "book-machinery",
      comment:
        "The book's build and workers are hosts: they bundle the cell compiler and a kernel. Nothing else inside lib.",
      severity: "error",
      from: { path: "^book/" },
      to: {
        path: "^lib/",
        pathNot: [
          FRONT_DOORS,
          "^lib/notebook/",
          "^lib/host/kernel/",
          "^lib/course/(palette|claim|help)[.]ts$",
        ],
      },
    },
    {
      name: "resolvable",
      severity: "error",
      from: { path: "^lib/" },
      to: { couldNotResolve: true, path: "^[.]" },
    },
    {
      name: "lib-stands-alone",
      severity: "error",
      from: { path: "^lib/" },
      to: { path: "^(notebooks|assignments|book|test)/" },
    },
    {
      name: "no-node-outside-host",
      severity: "error",
      from: { path: CORE_FREE },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "reference-knows-no-translator",
      severity: "error",
      from: { path: "^lib/engine/reference/" },
      to: { path: "^lib/engine/translator/" },
    },
    {
      name: "translator-knows-no-reference",
      severity: "error",
      from: { path: "^lib/engine/translator/" },
      to: { path: "^lib/engine/reference/" },
    },
    {
      name: "referee-is-independent",
      comment: "Who judges a walk or a count does not ask those who made it.",
      severity: "error",
      from: { path: "^lib/referee/" },
      to: { path: "^lib/(mmu|engine|vmm)/", pathNot: "^lib/vmm/layout[.]ts$" },
    },
    ...Object.entries(MAY).map(([layer, below]) => ({
      name: `layer-${layer}`,
      severity: "error",
      from: { path: `^lib/${layer}/` },
      to: { path: "^lib/", pathNot: `^lib/(${[layer, ...below].join("|")})/` },
    })),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|[.]astro)/" },
    enhancedResolveOptions: {
      extensions: [".ts", ".mjs", ".js", ".tsx"],
      exportsFields: ["exports"],
      conditionNames: ["import", "node"],
    },
  },
};
