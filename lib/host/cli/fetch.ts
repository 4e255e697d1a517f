/** `dom0 fetch PART`: brings an optional part that is not a package of this system into `.cache/`. */
import process from "node:process";
import type { Fetched } from "../debian-packages.ts";
import { fetchLinux } from "../linux/packages.ts";
import { fetchNewerQemu } from "../newer-qemu.ts";
import type { Command } from "./main.ts";

interface Part {
  readonly about: string;
  fetch(): Promise<Fetched>;
}

const PARTS: Readonly<Record<string, Part>> = {
  "newer-qemu": {
    about: "QEMU 10.0 of Debian 13 for x86-64 Linux, about 24 MB: the hypervisor extension's comparison",
    fetch: () => fetchNewerQemu(),
  },
  linux: {
    about: "kernel, busybox and OpenSBI of Debian 13, about 115 MB: what npm run linux boots",
    fetch: () => fetchLinux(),
  },
};

export const command: Command = {
  summary: "bring an optional part into .cache/, from the Debian mirror that apt uses",
  usage: `Usage: dom0 fetch PART

Parts
${Object.entries(PARTS)
  .map(([name, { about }]) => `  ${name.padEnd(12)} ${about}`)
  .join("\n")}

Packages are fetched by exact version and SHA-256 and unpacked into .cache/debian; the system stays as it is.`,
  async run([name]) {
    const part = name !== undefined && Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
    if (part === undefined) {
      process.stderr.write(`dom0 fetch: say which part: ${Object.keys(PARTS).join(", ")}.\n`);
      return 2;
    }
    const fetched = await part.fetch();
    if (fetched.kind === "refused") {
      process.stderr.write(`dom0 fetch: ${fetched.message}\n`);
      return 1;
    }
    process.stdout.write(`${fetched.path}\n`);
    return 0;
  },
};
