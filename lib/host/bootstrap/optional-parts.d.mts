/** A part that a machine may lack. */
export interface OptionalPartDescription {
  readonly title: string;
  readonly enables: string;
  readonly get: string;
  /** Absolute path of the part, or `undefined` when it is missing. */
  find(): string | undefined;
}

export declare const OPTIONAL_PARTS: Readonly<
  Record<"chromium" | "jupyter" | "qemu" | "newerQemu" | "gcc" | "opensbi" | "uboot" | "dtc" | "gdb" | "e2fsprogs" | "fsckMinix" | "debianLinux" | "bwrap", OptionalPartDescription>
>;
