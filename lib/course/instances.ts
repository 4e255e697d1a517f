/** What exercises give to the reader: the same seed, the same exercise. */
import { LANDING_MAKERS, type LandingInstances } from "./exercises/landing.ts";
import { SECOND_WALL_MAKERS, type SecondWallInstances } from "./second-wall/exercises.ts";
import { WALLS_MAKERS, type WallsInstances } from "./walls/exercises.ts";

/** What each exercise gives, by its number. */
export interface Instances extends LandingInstances, WallsInstances, SecondWallInstances {}

const MAKERS: { readonly [Id in keyof Instances]: (seed: number) => Instances[Id] } = {
  ...LANDING_MAKERS,
  ...WALLS_MAKERS,
  ...SECOND_WALL_MAKERS,
};

/** The instance of an exercise for a seed. */
export const instance = <Id extends keyof Instances>(id: Id, seed: number): Instances[Id] => MAKERS[id](seed);
