/** Figures take a list of steps, or the stop that a logged run returned. */

/** What `board.run({ log: true })` returns, as far as figures care. */
export interface LoggedRun<Step> {
  readonly steps?: readonly Step[] | undefined;
}

/** The steps of a run; a run that was not logged has none. */
export const stepsOf = <Step>(run: readonly Step[] | LoggedRun<Step>): readonly Step[] =>
  "steps" in run ? (run.steps ?? []) : isList(run) ? run : [];

const isList = <Step>(run: readonly Step[] | LoggedRun<Step>): run is readonly Step[] => Array.isArray(run);
