/** The office of exercise A6.2 on paper: what it keeps, and what each call does to it. */

/** A frame: whose it is (0: nobody's), who counts on it, and the word that it holds. */
export interface HandFrame {
  readonly owner: number;
  readonly refs: number;
  readonly word: number;
}
export interface HandGrant {
  readonly from: number;
  readonly to: number;
  readonly frame: number;
  readonly writable: boolean;
  readonly mapped: number;
}
/** All that the hypervisor keeps. A domain maps each of its frames once itself, and that is its reference. */
export interface HandOffice {
  readonly frames: readonly HandFrame[];
  readonly grants: readonly (HandGrant | null)[];
  readonly mappings: readonly ({ readonly domain: number; readonly grant: number } | null)[];
}
export type HandAsk =
  | { readonly call: "grant"; readonly to: number; readonly frame: number; readonly writable: boolean }
  | { readonly call: "map"; readonly grant: number }
  | { readonly call: "revoke"; readonly grant: number }
  | { readonly call: "unmap"; readonly mapping: number }
  | { readonly call: "copy"; readonly grant: number; readonly frame: number; readonly store: boolean }
  | { readonly call: "release"; readonly frame: number }
  | { readonly call: "claim" };

/** What a call answers, negative when it is refused, and the office behind it. */
export interface HandResult {
  readonly value: number;
  readonly office: HandOffice;
}

/** Domains. */
export const HANDS = 3;
export const HAND_FRAMES = 6;

/** Domains 1 to 3 with a frame each, which holds a word of theirs; three frames are free. */
export const HANDS_START: HandOffice = {
  frames: Array.from({ length: HAND_FRAMES }, (_, frame) =>
    frame < HANDS ? { owner: frame + 1, refs: 1, word: 100 * (frame + 1) } : { owner: 0, refs: 0, word: 0 },
  ),
  grants: [],
  mappings: [],
};

const put = <Value>(list: readonly Value[], at: number, change: Partial<Value>): Value[] =>
  list.map((each, index) => (index === at ? { ...each, ...change } : each));
/** Places that are left keep their numbers. */
const without = <Value>(list: readonly Value[], at: number): (Value | null)[] =>
  list.map((each, index) => (index === at ? null : each));

type Call<Name extends HandAsk["call"]> = (
  office: HandOffice,
  me: number,
  ask: Extract<HandAsk, { call: Name }>,
) => HandResult;

const CALLS: { readonly [Name in HandAsk["call"]]: Call<Name> } = {
  grant(office, me, { to, frame, writable }) {
    if (office.frames[frame]?.owner !== me) return { value: -1, office };
    const grants = [...office.grants, { from: me, to, frame, writable, mapped: 0 }];
    return { value: office.grants.length, office: { ...office, grants } };
  },
  map(office, me, ask) {
    const { frames, grants, mappings } = office;
    const grant = grants[ask.grant];
    if (grant === undefined || grant === null) return { value: -2, office };
    if (grant.to !== me) return { value: -1, office };
    return {
      value: mappings.length,
      office: {
        frames: put(frames, grant.frame, { refs: (frames[grant.frame]?.refs ?? 0) + 1 }),
        grants: put(grants, ask.grant, { mapped: grant.mapped + 1 }),
        mappings: [...mappings, { domain: me, grant: ask.grant }],
      },
    };
  },
  unmap(office, me, ask) {
    const { frames, grants, mappings } = office;
    const mapping = mappings[ask.mapping] ?? undefined;
    const grant = mapping === undefined ? undefined : (grants[mapping.grant] ?? undefined);
    if (mapping?.domain !== me || grant === undefined) return { value: -2, office };
    return {
      value: 0,
      office: {
        frames: put(frames, grant.frame, { refs: (frames[grant.frame]?.refs ?? 0) - 1 }),
        grants: put(grants, mapping.grant, { mapped: grant.mapped - 1 }),
        mappings: without(mappings, ask.mapping),
      },
    };
  },
  revoke(office, me, ask) {
    const grant = office.grants[ask.grant] ?? undefined;
    if (grant?.from !== me) return { value: -2, office };
    if (grant.mapped > 0) return { value: -16, office };
    return { value: 0, office: { ...office, grants: without(office.grants, ask.grant) } };
  },
  copy(office, me, ask) {
    const { frames, grants } = office;
    const grant = grants[ask.grant] ?? undefined;
    if (grant === undefined) return { value: -2, office };
    if (grant.to !== me || (ask.store && !grant.writable)) return { value: -1, office };
    if (frames[ask.frame]?.owner !== me) return { value: -14, office };
    const [from, to] = ask.store ? [ask.frame, grant.frame] : [grant.frame, ask.frame];
    return { value: 0, office: { ...office, frames: put(frames, to, { word: frames[from]?.word ?? 0 }) } };
  },
  release(office, me, ask) {
    const frame = office.frames[ask.frame];
    if (frame?.owner !== me) return { value: -1, office };
    if (frame.refs > 1 || office.grants.some((grant) => grant?.frame === ask.frame))
      return { value: -16, office };
    const frames = put(office.frames, ask.frame, { owner: 0, refs: 0, word: 0 });
    return { value: 0, office: { ...office, frames } };
  },
  claim(office, me) {
    const at = office.frames.findIndex(({ owner }) => owner === 0);
    if (at < 0) return { value: -12, office };
    const frames = put(office.frames, at, { owner: me, refs: 1, word: 0 });
    return { value: at, office: { ...office, frames } };
  },
};

/** The model: what the office answers to a domain's call, and what it keeps afterwards. */
export const handModel = <Name extends HandAsk["call"]>(
  office: HandOffice,
  me: number,
  ask: Extract<HandAsk, { call: Name }>,
): HandResult => (CALLS[ask.call] as Call<Name>)(office, me, ask);
