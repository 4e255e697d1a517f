/** Rewrites `.ts` specifiers in the declarations of `dist` and writes `dist/ts5.0`. */
export function downLevelTypes(dist: string): Promise<{ readonly rewritten: number; readonly written: number }>;
