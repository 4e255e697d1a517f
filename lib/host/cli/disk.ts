/** `dom0 disk FOLDER IMAGE`: a disk image from a folder, without mounting anything and without anybody's rights. */
import { statSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { ext2Image } from "../../board/disk/ext2-image.ts";
import { minixImage } from "../../board/disk/minix-image.ts";
import { folderFiles } from "../linux/folder-files.ts";
import type { Command } from "./main.ts";
import { parsed, Refusal, refusing, wholeNumber } from "./refusal.ts";

const FORMATS = { ext2: ext2Image, minix: minixImage } as const;
const MIB = 1024 * 1024;

const OPTIONS = {
  format: { type: "string", default: "ext2" },
  size: { type: "string" },
} as const;

export const command: Command = {
  summary: "make a disk image from a folder",
  usage: `Usage: dom0 disk FOLDER IMAGE [OPTIONS]

Writes a file system with the folder's files, for a board's virtio disk or for any other machine. Times and owners are not
kept: the same files give the same image everywhere.

  --format NAME      ${Object.keys(FORMATS).join(" or ")} (default: ext2)
  --size MEBIBYTES   size of the image (default: what the files need and half as much again, at least 4)`,
  run: async (args) => refusing("disk", async () => disk(args)),
};

function disk(args: string[]): number {
  const { values, positionals } = parsed(() => parseArgs({ args, options: OPTIONS, allowPositionals: true }));
  const [folder, image] = positionals;
  if (folder === undefined || image === undefined || positionals.length > 2)
    throw new Refusal("name a folder and the image to write; --help tells more.", 2);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Refusal(`there is no folder ${folder}.`, 2);
  if (!Object.hasOwn(FORMATS, values.format))
    throw new Refusal(`--format is ${Object.keys(FORMATS).join(" or ")}, not "${values.format}".`, 2);
  const entries = folderFiles(folder, "");
  if ("kind" in entries) throw new Refusal(entries.message);
  const sizeBytes = values.size === undefined ? undefined : wholeNumber(values.size, "--size") * MIB;
  const make = FORMATS[values.format as keyof typeof FORMATS];
  const bytes = make(entries, sizeBytes === undefined ? {} : { sizeBytes });
  if (!(bytes instanceof Uint8Array)) throw new Refusal(bytes.message);
  try {
    writeFileSync(image, bytes);
  } catch (error) {
    throw new Refusal(`${image} cannot be written: ${(error as NodeJS.ErrnoException).code}.`);
  }
  process.stdout.write(
    `${image}: ${entries.length} files in ${bytes.length / MIB} MiB of ${values.format}\n`,
  );
  return 0;
}
