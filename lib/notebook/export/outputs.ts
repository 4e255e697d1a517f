/** Which representation of an output each format shows, and as which file when it becomes one. */
import { joined } from "./document.ts";

export const PLOTLY_MIME = "application/vnd.plotly.v1+json";

/** A file that an export writes beside its text. */
export interface ExportFile {
  /** Path relative to the folder of files, `/` as separator. */
  readonly name: string;
  readonly content: string | Uint8Array;
}

type Bundle = { readonly [mime: string]: unknown };

const PICTURES: readonly (readonly [mime: string, extension: string])[] = [
  ["image/svg+xml", "svg"],
  ["image/png", "png"],
  ["image/jpeg", "jpg"],
  ["image/gif", "gif"],
  ["image/webp", "webp"],
];

/** A picture in a bundle, the best kind first: its MIME type, file extension and content. */
export function pictureOf(
  data: Bundle,
): { mime: string; extension: string; content: string | Uint8Array } | undefined {
  for (const [mime, extension] of PICTURES) {
    const text = joined(data[mime]);
    if (text !== "") return { mime, extension, content: extension === "svg" ? text : bytesFromBase64(text) };
  }
  return undefined;
}

/** The plain text of a bundle, or `undefined`. */
export function plainTextOf(data: Bundle): string | undefined {
  const text = joined(data["text/plain"]);
  return text === "" ? undefined : withoutTerminalCodes(text);
}

/** One line that says what a picture shows, for `alt`. */
export function alternativeText(data: Bundle): string {
  return plainTextOf(data)?.split("\n")[0]?.trim() ?? "Figure";
}

/** Removes terminal color codes. */
export function withoutTerminalCodes(text: string): string {
  return text.replaceAll(/\u001b\[[0-9;]*m/g, "");
}

/** Decodes base64, ignoring line breaks; what is not base64 decodes to nothing. */
export function bytesFromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text.replaceAll(/\s/g, "")), (letter) => letter.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
