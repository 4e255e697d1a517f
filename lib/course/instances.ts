/** What exercises give to the reader: the same seed, the same exercise. */
import { LANDING_MAKERS, type LandingInstances } from "./exercises/landing.ts";
import { POPEK_GOLDBERG_MAKERS, type PopekGoldbergInstances } from "./popek-goldberg/exercises.ts";
import { SECOND_WALL_MAKERS, type SecondWallInstances } from "./second-wall/exercises.ts";
import { SHARING_MAKERS, type SharingInstances } from "./sharing/exercises.ts";
import { WALLS_MAKERS, type WallsInstances } from "./walls/exercises.ts";
import { XEN_CORE_MAKERS, type XenCoreInstances } from "./xen-core/exercises.ts";

/** What each exercise gives, by its number. */
export interface Instances
  extends LandingInstances,
    WallsInstances,
    PopekGoldbergInstances,
    SecondWallInstances,
    SharingInstances,
    XenCoreInstances {}

const MAKERS: { readonly [Id in keyof Instances]: (seed: number) => Instances[Id] } = {
  ...LANDING_MAKERS,
  ...WALLS_MAKERS,
  ...POPEK_GOLDBERG_MAKERS,
  ...SECOND_WALL_MAKERS,
  ...SHARING_MAKERS,
  ...XEN_CORE_MAKERS,
};

/** The instance of an exercise for a seed. */
export const instance = <Id extends keyof Instances>(id: Id, seed: number): Instances[Id] => MAKERS[id](seed);
