/** Which engine boards have when nobody says: the one place where that is kept. */

/** The engines: the one that you read, and the fast one. */
export const ENGINE_NAMES = ["reference", "translator"] as const;
/** One of {@link ENGINE_NAMES}. */
export type EngineName = (typeof ENGINE_NAMES)[number];

/** Host configuration, not machine state: no guest and no trace can tell. */
let chosen: EngineName = "reference";

/** The engine of a board whose configuration names none. */
export const defaultEngine = (): EngineName => chosen;

/** From now on, boards whose configuration names no engine have this one. */
export function chooseEngine(name: EngineName): void {
  chosen = name;
}

/** Whether a text is the name of an engine. */
export const isEngineName = (text: string): text is EngineName =>
  (ENGINE_NAMES as readonly string[]).includes(text);
