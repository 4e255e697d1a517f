/** `--engine NAME`, the same for every command that runs a machine. */
import { ENGINE_NAMES, type EngineName, isEngineName } from "../../board/engine-choice.ts";
import { Refusal } from "./refusal.ts";

/** As `parseArgs` takes it. */
export const ENGINE_OPTION = { engine: { type: "string" } } as const;

/** Its words for help texts. */
export const ENGINE_WORDS: string = `${ENGINE_NAMES.join(" or ")}: who runs the harts (translator when left out); runs are the same to the last bit`;

/** The part of a board's configuration that it asks for: commands want the fast engine unless told otherwise. */
export function engineOf(text: string | undefined): { readonly engine?: EngineName } {
  if (text === undefined) return { engine: "translator" };
  if (!isEngineName(text)) throw new Refusal(`--engine is ${ENGINE_NAMES.join(" or ")}, not "${text}".`, 2);
  return { engine: text };
}
