/** The components that a generated chapter uses. */
export { default as Aside } from "./Aside.astro";
export { default as Cell } from "./Cell.astro";
export { default as Folded } from "./Folded.astro";
export { default as Output } from "./Output.astro";
export { default as Term } from "./Term.astro";
export { default as TermNotes } from "./TermNotes.astro";
