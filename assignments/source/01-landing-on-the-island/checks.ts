/** Checks that only hidden tests use. This file stays with the instructor: a release does not contain it. */
import { longChecksumCheck, registerChecks } from "dom0-kit";

registerChecks([longChecksumCheck]);
