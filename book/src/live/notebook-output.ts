/** Outputs of a cell, as nbformat has them, and the few MIME types that the page knows. */

export type MimeBundle = Readonly<Record<string, unknown>>;

export type CellOutput =
  | { readonly type: "stream"; readonly name: "stdout" | "stderr"; readonly text: string }
  | { readonly type: "display_data" | "execute_result"; readonly data: MimeBundle }
  | {
      readonly type: "error";
      readonly name: string;
      readonly message: string;
      readonly traceback: readonly string[];
    };

export const plotlyType = "application/vnd.plotly.v1+json";
/** Text of a MIME value: nbformat allows a list of lines. */
export function mimeText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.join("") : undefined;
}

/** Removes terminal color codes. */
export function plainText(text: string): string {
  return text.replace(/\u001b\[[0-9;]*m/g, "");
}
