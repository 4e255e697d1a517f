/**
 * What `import { display } from "tslab"` gives outside tslab: the same calls on our display protocol.
 */
import { type MimeBundle, show } from "./display.ts";

type Binary = Uint8Array | string;

interface Display {
  javascript(text: string): void;
  html(text: string): void;
  markdown(text: string): void;
  latex(text: string): void;
  svg(text: string): void;
  text(text: string): void;
  png(data: Binary): void;
  jpeg(data: Binary): void;
  gif(data: Binary): void;
  pdf(data: Binary): void;
  raw(contentType: string, data: unknown): void;
}

function makeDisplay(send: (bundle: MimeBundle) => void): Display {
  const as = (mime: string) => (data: unknown) => send({ [mime]: data });
  return {
    javascript: as("text/javascript"),
    html: as("text/html"),
    markdown: as("text/markdown"),
    latex: as("text/latex"),
    svg: as("image/svg+xml"),
    text: as("text/plain"),
    png: as("image/png"),
    jpeg: as("image/jpeg"),
    gif: as("image/gif"),
    pdf: as("application/pdf"),
    raw: (contentType, data) => send({ [contentType]: data }),
  };
}

/** The module object that a session loads for the specifier "tslab". */
export function tslabModule(): object {
  let displays = 0;
  const newDisplay = (name?: string): Display => {
    const displayId = name ?? `display-${++displays}`;
    let isShown = false;
    return makeDisplay((bundle) => {
      show(bundle, { displayId, update: isShown });
      isShown = true;
    });
  };
  return { display: makeDisplay((bundle) => show(bundle)), newDisplay };
}
