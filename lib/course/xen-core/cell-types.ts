/** What cells of notebook 06 get as plain data: copies, which they may change and return. */
import type { EventDomain as ModelEventDomain } from "./event-model.ts";
import type { GrantOffice as ModelGrantOffice } from "./grant-model.ts";
import type { Draft } from "./reader-parts.ts";

/** What the hypervisor keeps of a domain's event channels. */
export type EventDomain = Draft<ModelEventDomain>;
/** What it keeps of grants. */
export type GrantOffice = Draft<ModelGrantOffice>;
