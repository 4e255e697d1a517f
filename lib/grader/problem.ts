/** Something that a person has to mend, in one line: a value, never an exception. */
export interface Problem {
  readonly kind: "problem";
  readonly message: string;
}

/** Makes a problem. */
export const problem = (message: string): Problem => ({ kind: "problem", message });

/** Is it a problem? */
export const isProblem = (value: unknown): value is Problem =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "problem";

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: free some space and run the command again; nothing was half-written",
  EDQUOT: "the disk quota is used up: free some space and run the command again; nothing was half-written",
  EROFS: "the disk is read-only",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EMFILE: "too many open files: use fewer --jobs",
};

/** One line for an error of the operating system; `undefined` for an error that is our own bug. */
export function systemProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  if (/^(ERR_)?SQLITE/.test(error.code)) return problem(`gradebook: ${error.message}`);
  const where = "path" in error && typeof error.path === "string" ? `${error.path}: ` : "";
  const reason = REASONS[error.code];
  return reason !== undefined
    ? problem(`${where}${reason}`)
    : /^E[A-Z0-9]+$/.test(error.code)
      ? problem(error.message)
      : undefined;
}
