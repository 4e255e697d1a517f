/** Addresses of what a live page fetches, as the build named them. */
export interface LiveManifest {
  readonly session: string;
  readonly compiler: string;
  readonly types: string;
  readonly charts: string;
  /** Notebook file name → address of its compiled cells. */
  readonly cells: Readonly<Record<string, string>>;
  /** Notebook file name → address of its exercises' hints and answers. */
  readonly help: Readonly<Record<string, string>>;
}

/** The addresses that the page of one notebook needs. */
export function liveAddresses(manifest: LiveManifest, notebook: string): Record<string, string> {
  const { session, compiler, types, charts, cells, help } = manifest;
  return { session, compiler, types, charts, cells: cells[notebook] ?? "", help: help[notebook] ?? "" };
}
