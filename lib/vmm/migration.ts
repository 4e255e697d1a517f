/**
 * Live migration, as both machines' hypervisors see it: one record per visit, and visits come with the timer. An operator outside
 * gives the orders and carries bytes between mailboxes (`migration-wire.ts`).
 *
 * Which machine has the domain is decided by two-phase commit: the destination says that it has all, the source lets go and says so,
 * the destination begins. As long as the source has not heard that all has come, silence means that the guest goes on at the source. From
 * then on it never runs there again; a destination that does not hear the last word waits, and the operator carries it.
 */
import type { Host } from "./host.ts";
import { MigrationRole } from "./layout.ts";
import { serveLeaving } from "./leaving.ts";
import { serveDestination } from "./migration-destination.ts";
import { serveSource } from "./migration-source.ts";
import { serveBackup } from "./remus-backup.ts";
import { servePrimary } from "./remus-primary.ts";
import { serveWaitingLog } from "./vm-log.ts";

/** Looks into the mailboxes, if this machine has a migration. */
export function serveMigration(host: Host): void {
  serveWaitingLog(host);
  if (serveLeaving(host)) return;
  const { role } = host.state.migration;
  if (role === MigrationRole.SOURCE) serveSource(host);
  if (role === MigrationRole.DESTINATION) serveDestination(host);
  if (role === MigrationRole.PRIMARY) servePrimary(host);
  if (role === MigrationRole.BACKUP) serveBackup(host);
}
