/** Digests of what is loaded, by the processor's own instructions: a kernel of 30 MB takes a tenth of the time. */
import { createHash } from "node:crypto";
import { digestBy } from "../bus/digest-word.ts";

/** Boards of this process use them from now on. */
export function useNativeDigests(): void {
  digestBy((bytes) => createHash("sha256").update(bytes).digest());
}
