/** Globals of the place where cells run in the page: a worker, without a document. */
declare var console: {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  debug(...values: unknown[]): void;
  table(rows: unknown): void;
};
declare function setTimeout(
  callback: (...values: unknown[]) => void,
  delayMs?: number,
  ...values: unknown[]
): number;
declare function clearTimeout(timer: number | undefined): void;
declare function setInterval(
  callback: (...values: unknown[]) => void,
  delayMs?: number,
  ...values: unknown[]
): number;
declare function clearInterval(timer: number | undefined): void;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(value: T): T;
