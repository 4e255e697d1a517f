/** What the launcher's messages say: content of replies and publications in Jupyter's words. */
import { createRequire } from "node:module";
import type { CellError, CellOutput, QuickInfo } from "../../notebook/kernel-protocol.ts";
import { kitFolder } from "./headless-files.ts";
import type { StreamBatch } from "./launcher-outgoing.ts";

const PROTOCOL_VERSION = "5.3";
const require = createRequire(import.meta.url);
const versionOf = (file: string): string => (require(file) as { readonly version: string }).version;

/** What `kernel_info_request` tells; `language_info` goes into every notebook that is executed. */
export const KERNEL_INFO = {
  status: "ok",
  protocol_version: PROTOCOL_VERSION,
  implementation: "dom0-kit",
  implementation_version: versionOf(`${kitFolder()}/package.json`),
  language_info: {
    name: "typescript",
    version: versionOf("typescript/package.json"),
    mimetype: "text/typescript",
    file_extension: ".ts",
    codemirror_mode: { mode: "typescript", name: "javascript", typescript: true },
  },
  banner: "TypeScript (dom0-kit)",
  help_links: [],
  supported_features: [],
};

/** UTF-16 offset of a cursor that Jupyter counts in code points. */
export function utf16Offset(text: string, codePoints: number): number {
  let offset = 0;
  for (let left = codePoints; left > 0 && offset < text.length; left--) {
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  }
  return offset;
}

/** Inverse of {@link utf16Offset}. */
export function codePointOffset(text: string, utf16: number): number {
  return [...text.slice(0, utf16)].length;
}

/** Content of the reply to a cell that failed. */
export function errorReply({ ename, evalue, traceback }: CellError) {
  return { status: "error", ename, evalue, traceback };
}

/** What is known of a name, for front ends with Markdown and without. */
export function inspectionData(info: QuickInfo | undefined): Readonly<Record<string, string>> {
  if (info === undefined) return {};
  const { signature, documentation } = info;
  const markdown = `\`\`\`typescript\n${signature}\n\`\`\``;
  if (documentation === "") return { "text/plain": signature, "text/markdown": markdown };
  return {
    "text/plain": `${signature}\n\n${documentation}`,
    "text/markdown": `${markdown}\n\n${documentation}`,
  };
}

/** Publishes one output of a cell; printed text waits in `text` for more of its kind. */
export function publishOutput(
  output: CellOutput,
  count: number,
  text: StreamBatch,
  publish: (kind: string, content: unknown) => void,
): void {
  if (output.type === "stream") {
    text.add(output.name, output.text);
    return;
  }
  text.flush();
  switch (output.type) {
    case "error":
      publish("error", { ename: output.ename, evalue: output.evalue, traceback: output.traceback });
      return;
    case "execute_result":
      publish("execute_result", { data: output.data, metadata: {}, execution_count: count });
      return;
    case "display_data": {
      const transient = output.displayId === undefined ? {} : { display_id: output.displayId };
      const kind = output.update === true ? "update_display_data" : "display_data";
      publish(kind, { data: output.data, metadata: {}, transient });
    }
  }
}
