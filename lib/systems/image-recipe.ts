/** How each guest image is made. Students compile nothing: images are committed, and a test builds them again. */

/** Sources and flags of one image. Paths are relative to `lib/systems`. */
export interface ImageRecipe {
  /** File name in `images/`. */
  readonly image: string;
  /** Folder of the sources, which are compiled one by one in this order. */
  readonly folder: string;
  readonly sources: readonly string[];
  /** Read by the compiler besides the sources. */
  readonly headers: readonly string[];
  /** Linker script, read by the C preprocessor first. */
  readonly linkerScript: string;
  readonly compileFlags: readonly string[];
  readonly linkFlags: readonly string[];
}

/** The compiler that the committed images come from; another version lays code out differently. */
export const COMPILER = "riscv64-unknown-elf-gcc";
/** Its version, as `-dumpfullversion` prints it. */
export const COMPILER_VERSION = "12.2.0";
/** The generated header, relative to `lib/systems`. */
export const BOARD_HEADER = "include/board.h";

const FREESTANDING = [
  "-march=rv64im_zicsr_zifencei",
  "-mabi=lp64",
  "-mcmodel=medany",
  "-mno-relax",
  "-std=c11",
  "-O2",
  "-ffreestanding",
  "-fno-builtin",
  "-fno-common",
  "-fno-pic",
  "-fno-asynchronous-unwind-tables",
  "-Wall",
  "-Wextra",
  "-Werror",
] as const;

const STATIC = ["-nostdlib", "-static", "-Wl,--no-relax", "-Wl,--build-id=none"] as const;

/** A benchmark: its own sources beside what all have. It may use floating point. */
const bench = (name: string, sources: readonly string[], more: readonly string[] = []): ImageRecipe => ({
  image: `bench-${name}.elf`,
  folder: "bench",
  sources: ["start.S", "print.c", ...sources],
  headers: ["bench.h"],
  linkerScript: "bench.ld",
  compileFlags: [
    ...FREESTANDING.filter((flag) => !/^-m(arch|abi)=/.test(flag)),
    "-march=rv64gc",
    "-mabi=lp64d",
    ...more,
  ],
  linkFlags: STATIC,
});

/** Every image of the kit. */
export const IMAGE_RECIPES: readonly ImageRecipe[] = [
  {
    image: "mini-kernel.elf",
    folder: "mini-kernel",
    sources: ["start.S", "main.c", "console.c", "memory.c", "process.c", "trap.c", "user.c"],
    headers: ["kernel.h", "layout.h"],
    linkerScript: "mini-kernel.ld",
    compileFlags: FREESTANDING,
    linkFlags: STATIC,
  },
  ...["mix", "sha256", "qsort", "bytecode", "chase", "memcpy", "bigcode", "fencei"].map((name) =>
    bench(name, [`${name}.c`]),
  ),
  bench("matmul", ["matmul.c"], ["-ffp-contract=off"]),
  bench("matmul-fused", ["matmul.c"], ["-ffp-contract=fast"]),
  bench("ecall", ["ecall.c", "ecall-trap.S"]),
  bench("ptswitch", ["ptswitch.c", "supervisor.S"]),
  bench("hvexit", ["hvexit.c", "guest.S"]),
  bench("hvhop", ["hvhop.c", "guest.S"], ["-DPAGES=2048"]),
  bench("hvhop-near", ["hvhop.c", "guest.S"], ["-DPAGES=256"]),
];

/** What `images/manifest.json` says about one image. */
export interface ManifestEntry {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly compiler: string;
  readonly flags: readonly string[];
  /** SHA-256 over the names and bytes of all sources, headers and the linker script. */
  readonly sourceSha256: string;
}

/** `images/manifest.json`: entries by file name. */
export type Manifest = Readonly<Record<string, ManifestEntry>>;
