import { migrateDown, migrateUp, migrationStatus, verifyMigrations } from '@bookiji/db/migrate';
import { prepareQueueSchema } from '@bookiji/queues';
import type { Command } from 'commander';
import { parseCount } from '../arguments.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext } from '../context.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { logAfterwards } from '../operator-log.ts';
import { type Output, renderTable } from '../output.ts';

/** `migrate up | down | status | verify`. */
export function addMigrateCommands(program: Command, context: CommandContext): void {
  const migrate = program
    .command('migrate')
    .description('change, roll back and check the database schema')
    .addHelpText(
      'after',
      examples(
        ['migrate status', 'which are applied, pending or unknown'],
        ['migrate up', 'apply every pending one, all or none'],
        ['migrate verify', 'exit 0 only without violations'],
        ['migrate down 1', 'roll back the newest; the rows of what it brought are lost'],
      ),
    );
  addUp(migrate, context);
  addDown(migrate, context);
  addStatus(migrate, context);
  addVerify(migrate, context);
}

function addUp(migrate: Command, context: CommandContext): void {
  const { databaseUrl, environment, output } = context;
  migrate
    .command('up')
    .description('apply every pending migration, all or none')
    .action(async () => {
      const url = await databaseUrl();
      const { pending } = await migrationStatus(url);
      if (pending.length > 0) output.note(`applying ${pending.length}: ${pending.join(', ')}`);
      const applied = await migrateUp(url, { onHeld: noteHeld(output) });
      if (applied.length > 0) await log(context, 'migrated_up', applied);
      // Processes that may make nothing find what the queues need, where PostgreSQL carries them.
      if (!environment.REDIS_URL) await prepareQueueSchema(url);
      output.result({ applied }, () => (applied.length === 0 ? 'nothing to apply' : `applied ${applied.join(', ')}`));
    });
}

function addDown(migrate: Command, context: CommandContext): void {
  const { databaseUrl, output } = context;
  migrate
    .command('down')
    .description('roll back the newest migrations, all or none; rows of dropped tables are lost')
    .argument('[count]', 'how many', '1')
    .option('--all', 'roll back all of them: everything is erased')
    .option('--yes', 'yes, really all of them; asked for at a terminal')
    .action(async (count: string, options: { all?: boolean; yes?: boolean }) => {
      // A script has been thought over; a hand on a keyboard may be at the wrong database.
      if (options.all === true && options.yes !== true && output.isWatched)
        throw new CommandError('--all erases everything, connections and their grants included; say --yes', EXIT.usage);
      const wanted = options.all === true ? Number.POSITIVE_INFINITY : parseCount('count', count);
      const url = await databaseUrl();
      const { applied } = await migrationStatus(url);
      const rolledBack = await migrateDown(url, Math.min(wanted, applied.length), { onHeld: noteHeld(output) });
      if (rolledBack.length > 0) await log(context, 'migrated_down', rolledBack);
      output.result({ rolled_back: rolledBack }, () =>
        rolledBack.length === 0 ? 'nothing to roll back' : `rolled back ${rolledBack.join(', ')}`,
      );
    });
}

/** Not of those that take the log itself down. */
function log(context: CommandContext, action: string, migrations: readonly string[]): Promise<void> {
  return logAfterwards(context, { action, subject: 'schema', details: { migrations } });
}

function noteHeld(output: Output) {
  return (tryNumber: number, tries: number) =>
    output.note(`try ${tryNumber} of ${tries}: somebody holds a table; made way, next try in a moment`);
}

function addStatus(migrate: Command, { databaseUrl, output }: CommandContext): void {
  migrate
    .command('status')
    .description('which migrations are applied, pending, or unknown to this version')
    .action(async () => {
      const status = await migrationStatus(await databaseUrl());
      const stateOf = (name: string) => (status.unknown.includes(name) ? 'unknown (newer schema)' : 'applied');
      output.result(status, () =>
        renderTable(
          ['migration', 'state'],
          [...status.applied.map((name) => [name, stateOf(name)]), ...status.pending.map((name) => [name, 'pending'])],
        ),
      );
    });
}

function addVerify(migrate: Command, context: CommandContext): void {
  migrate
    .command('verify')
    .description('run the verification queries; exit 1 on any violation')
    .action(async () => {
      const verifications = await verifyMigrations(await context.databaseUrl());
      if (verifications.length === 0) throw new CommandError('no migration is applied, so nothing was verified');
      const violations = verifications.reduce((sum, one) => sum + one.violations, 0);
      context.output.result({ violations, checks: verifications }, () =>
        renderTable(
          ['migration', 'check', 'violations'],
          verifications.map((one) => [one.migration, one.check, String(one.violations)]),
        ),
      );
      if (violations > 0) context.exit(EXIT.no);
    });
}
