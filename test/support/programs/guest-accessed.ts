/** The row that QEMU 10 and Spike share. */
import { isUpdated, type KnownDifference } from "./known-differences.ts";
import { mayHaveUpdated } from "./trap-facts.ts";

export const GUEST_ACCESSED: KnownDifference = {
  id: "guest-accessed",
  spec: 'priv §"Addressing and Memory Protection": "a trap may occur between the PTE update and the memory access"',
  about:
    "they set A and D in the guest's entry before the second stage, or the bus, refuses the access, and A for the load of an AMO whose store is not allowed",
  scope: "word",
  matches: ({ difference: { name, ours, theirs }, ourTraps }) => {
    const place = /^(?:guest|own) entry (\d)$/.exec(name)?.[1];
    return (
      place !== undefined &&
      isUpdated(ours, theirs) &&
      ourTraps.some(
        (trap) =>
          ((name.startsWith("guest") && REFUSED.includes(trap.cause)) ||
            (trap.cause === 15n && theirs === (ours | ACCESSED))) &&
          mayHaveUpdated(trap, Number(place)),
      )
    );
  },
};

const ACCESSED = 0x40n;
/** Access faults and guest-page faults. */
const REFUSED: readonly bigint[] = [1n, 5n, 7n, 20n, 21n, 23n];
