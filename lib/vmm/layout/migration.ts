/** A domain on its way to another machine. */
import { array, struct, u8, u32, u64 } from "../../hs/struct.ts";

/** Bytes of a mailbox: more than the longest record. */
export const MAILBOX_BYTES = 4608;
/** One record on its way. Whoever takes it away makes `length` 0. */
export const Mailbox = struct("mailbox", { length: u64, bytes: array(u8, MAILBOX_BYTES) });

/** What a machine does in a migration. */
export const MigrationRole = {
  NONE: 0,
  /** Sends a domain. */
  SOURCE: 1,
  /** Waits for one. */
  DESTINATION: 2,
  /** Runs a domain that another machine is ready to go on with. */
  PRIMARY: 3,
  /** Is that machine. */
  BACKUP: 4,
} as const;

/** How far a migration is. */
export const MigrationPhase = {
  IDLE: 0,
  /** Source: what the domain is was not sent yet. Destination: nothing has come. */
  WAITING: 1,
  /** Pages go while the guest runs. */
  ROUNDS: 2,
  /** The guest has been stopped: the pages that are left, then virtual CPUs and devices. */
  STOPPED: 3,
  /** Source: all is sent, and no answer has come. Destination: all has come, and nobody has said that it may begin. */
  PREPARED: 4,
  /** The domain runs on the other machine (source) or on this one (destination), or it was saved. */
  DONE: 5,
  /** It was given up; `reason` says why. The source's domain goes on. */
  GIVEN_UP: 6,
  /** Primary and backup: nothing is heard of the other, and only one may go on. Asks which. */
  ASKING: 7,
} as const;

/** Why a migration was given up or not begun. */
export const MigrationReason = {
  NONE: 0,
  /** There is no such running domain. */
  NO_DOMAIN: 1,
  /** It has grants, mappings of others' pages or event channels, and these do not move. */
  SHARES: 2,
  /** It has more RAM than the log of dirty pages, or the other machine, has room for. */
  TOO_LARGE: 3,
  /** Nothing was heard from the other machine for too long. */
  SILENCE: 4,
  /** A record that is none, is out of turn or has the wrong checksum. */
  CORRUPTED: 5,
  /** What a record says cannot be. */
  INVALID: 6,
  /** No frame, domain or virtual CPU is free. */
  NO_ROOM: 7,
  /** The guest has ended by itself. */
  ENDED: 8,
  /** The other machine has given up. */
  REFUSED: 9,
  /** The operator said so. */
  ORDERED: 10,
  /** It is of a kind that cannot be moved (a paravirtualized one's memory are this machine's frames), or be protected (a disk). */
  KIND: 11,
  /** The operator's machine sleeps for good, or is off: nobody there would look for the order. */
  ASLEEP: 12,
} as const;

/** What the operator wants of a machine that is in doubt. */
export const MigrationOrder = { NONE: 0, BEGIN: 1, GIVE_UP: 2 } as const;

/** Rounds that are written down. */
export const ROUNDS = 32;

/** A migration, as one of the two machines sees it. */
export const Migration = struct("migration", {
  /** Set by the operator, from outside; the other numbers of this line too. */
  role: u32,
  domain: u32,
  /** Rounds of copying while the guest runs; 0: it is stopped at once. */
  maxRounds: u32,
  /** So few dirty pages are left for when the guest is stopped. */
  fewPages: u32,
  /** 1: what is sent is kept by somebody, and the guest goes on here. */
  saves: u32,
  order: u32,
  /** One of {@link MigrationPhase}, one of {@link MigrationReason}. */
  phase: u32,
  reason: u32,
  /** Records sent or taken so far, and a checksum of all their checksums. */
  sequence: u64,
  digest: u64,
  /** Where this round is: number of a page, or of a piece of the state. */
  cursor: u64,
  piece: u64,
  rounds: u64,
  dirty: u64,
  pages: u64,
  bytes: u64,
  /** When something was last heard, when the guest was stopped, and when it went on, in ticks of `time`. */
  heardAt: u64,
  stoppedAt: u64,
  wentOnAt: u64,
  /** Bytes typed to the domain up to the piece that its serial port was sent in: what comes behind goes with the last word. */
  typed: u64,
  /** The source's `time` when it stopped the guest, and whether what comes is a saved domain. */
  sourceTime: u64,
  isSaved: u64,
  /** By round: how many pages were dirty when it began, and when that was. The last is that of the stopped guest. */
  roundPages: array(u32, ROUNDS),
  roundBegan: array(u64, ROUNDS),
  outbox: Mailbox,
  inbox: Mailbox,
});

/** Where pages of a protected domain lie that have come and are not its own yet: addresses at which no guest has RAM. */
export const APART = 1n << 39n;

/** A domain that is not here any more and gives its memory back, some pages at each visit; 0: none. */
export const Leaving = struct("leaving", { domain: u32, page: u32 });

/** A domain that another machine is ready to go on with, beside what {@link Migration} says. */
export const Remus = struct("remus", {
  /** Set by the operator: length of an epoch in ticks of `time`; how many bytes of the console somebody has seen. */
  epochTicks: u64,
  shown: u64,
  /** Epochs that the primary has sent, that the backup has whole, and of which the primary knows that. */
  sent: u64,
  committed: u64,
  acknowledged: u64,
  /** When this epoch ends. */
  endsAt: u64,
  /** Bytes of the console: out; in the acknowledged epochs; in the one that was sent last. */
  released: u64,
  releasable: u64,
  written: u64,
  /** Backup, 1: all of an epoch has come and is being put in its place. */
  commits: u64,
  /** Backup: state and exit code of the domain in the epoch that has come. */
  domainState: u64,
  exitCode: u64,
});
