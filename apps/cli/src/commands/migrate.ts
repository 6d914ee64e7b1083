import { migrateDown, migrateUp, migrationStatus, verifyMigrations } from '@bookiji/db/migrate';
import type { Command } from 'commander';
import { type CommandContext, CommandError } from '../context.ts';
import { renderTable } from '../output.ts';

/** `migrate up | down | status | verify`. */
export function addMigrateCommands(program: Command, context: () => CommandContext): void {
  const migrate = program.command('migrate').description('change, roll back and check the database schema');

  migrate
    .command('up')
    .description('apply every pending migration, all or none')
    .action(async () => {
      const { databaseUrl, output } = context();
      const applied = await migrateUp(databaseUrl);
      output.result({ applied }, () => (applied.length === 0 ? 'nothing to apply' : `applied ${applied.join(', ')}`));
    });

  migrate
    .command('down')
    .description('roll back the newest migrations; rows of dropped tables are lost')
    .argument('[count]', 'how many', '1')
    .option('--all', 'roll back all of them')
    .action(async (count: string, options: { all?: boolean }) => {
      const { databaseUrl, output } = context();
      const wanted = options.all === true ? Number.POSITIVE_INFINITY : Number(count);
      if (!(wanted >= 1)) throw new CommandError(`count must be a number from 1 on, not "${count}"`);
      const { applied } = await migrationStatus(databaseUrl);
      const rolledBack = await migrateDown(databaseUrl, Math.min(wanted, applied.length));
      output.result({ rolled_back: rolledBack }, () =>
        rolledBack.length === 0 ? 'nothing to roll back' : `rolled back ${rolledBack.join(', ')}`,
      );
    });

  migrate
    .command('status')
    .description('which migrations are applied, pending, or unknown to this version')
    .action(async () => {
      const { databaseUrl, output } = context();
      const status = await migrationStatus(databaseUrl);
      output.result(status, () =>
        renderTable(
          ['migration', 'state'],
          [
            ...status.applied.map((name) => [
              name,
              status.unknown.includes(name) ? 'unknown (newer schema)' : 'applied',
            ]),
            ...status.pending.map((name) => [name, 'pending']),
          ],
        ),
      );
    });

  migrate
    .command('verify')
    .description('run the verification queries; exit 1 on any violation')
    .action(async () => {
      const { databaseUrl, output } = context();
      const verifications = await verifyMigrations(databaseUrl);
      const violations = verifications.reduce((sum, one) => sum + one.violations, 0);
      output.result({ violations, checks: verifications }, () =>
        renderTable(
          ['migration', 'check', 'violations'],
          verifications.map((one) => [one.migration, one.check, String(one.violations)]),
        ),
      );
      if (verifications.length === 0) throw new CommandError('no migration is applied, so nothing was verified');
      if (violations > 0) process.exitCode = 1;
    });
}
