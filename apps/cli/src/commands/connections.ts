import { type Connection, findConnection, listConnections, requestSync, writeAudit } from '@bookiji/db';
import type { Command } from 'commander';
import { type CommandContext, CommandError, parseUuid } from '../context.ts';
import { renderTable } from '../output.ts';

/** `connections` and `sync`. */
export function addConnectionCommands(program: Command, context: () => CommandContext): void {
  program
    .command('connections')
    .description('list connections with their state')
    .option('--provider <id>', 'only those of this provider')
    .option('--status <status>', 'only active, reauth_required or disabled ones')
    .option('--limit <count>', 'at most so many', '100')
    .action(async (options: { provider?: string; status?: string; limit: string }) => {
      const filter = {
        ...(options.provider === undefined ? {} : { providerId: parseUuid('--provider', options.provider) }),
        ...(options.status === undefined ? {} : { status: parseStatus(options.status) }),
      };
      const found = await context().withDatabase(({ db }) => listConnections(db, filter, Number(options.limit) || 100));
      context().output.result({ connections: found.map(toJson) }, () =>
        renderTable(
          ['connection', 'provider', 'calendar', 'status', 'last synced', 'due', 'errors', 'last error'],
          found.map(toRow),
        ),
      );
    });

  program
    .command('sync')
    .description('ask for a sync now; a wait after errors is not waited out')
    .argument('<provider_or_connection_id>')
    .action(async (id: string) => {
      const { actor, output, withDatabase } = context();
      const subject = parseUuid('id', id);
      const queued = await withDatabase(async ({ db }) => {
        const one = await findConnection(db, subject);
        const found = one === null ? await listConnections(db, { providerId: subject }, 10) : [one];
        if (found.length === 0) throw new CommandError(`no connection or provider ${subject}`);
        const requested = await requestSync(
          db,
          found.map((connection) => connection.id),
          'manual',
        );
        await writeAudit(db, { actor, action: 'sync_requested', subject });
        return requested;
      });
      output.result({ queued }, () => `requested ${queued.length} sync(s); the sweep starts them within seconds`);
    });
}

function parseStatus(status: string): Connection['status'] {
  if (status === 'active' || status === 'reauth_required' || status === 'disabled') return status;
  throw new CommandError(`--status must be active, reauth_required or disabled, not "${status}"`);
}

function toJson(connection: Connection) {
  return {
    id: connection.id,
    provider_id: connection.providerId,
    calendar_provider: connection.calendarProvider,
    status: connection.status,
    status_reason: connection.statusReason,
    sync_enabled: connection.syncEnabled,
    sync_needed: connection.syncNeeded,
    last_synced_at: connection.lastSyncedAt,
    last_webhook_received_at: connection.lastWebhookReceivedAt,
    error_count: connection.errorCount,
    last_error: connection.lastError,
    backoff_until: connection.backoffUntil,
  };
}

function toRow(connection: Connection): string[] {
  return [
    connection.id,
    connection.providerId,
    connection.calendarProvider,
    connection.status,
    connection.lastSyncedAt?.toISOString() ?? 'never',
    connection.syncNeeded === true ? 'yes' : 'no',
    String(connection.errorCount),
    connection.lastError === null ? '' : `${connection.lastError.kind}/${connection.lastError.reason}`,
  ];
}
