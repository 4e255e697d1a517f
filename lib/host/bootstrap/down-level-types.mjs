/** Makes `dist/ts5.0`: the same declarations in the syntax of TypeScript 5.0. */
export async function downLevelTypes(_dist) {}
