/**
 * Finds a module beside another one, as source (`.ts`, Node strips the types) or as built (`.js`).
 */

/** URL of the module `name` in the folder of `from`, with the ending that `from` has. */
export function siblingModule(from: string, name: string): URL {
  return new URL(`./${name}${/\.ts(\?|$)/.test(from) ? ".ts" : ".js"}`, from);
}
