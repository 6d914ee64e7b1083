import { readFlagCeiling } from '@bookiji/flags';
import { Command } from 'commander';
import { addConnectionCommands } from './commands/connections.ts';
import { addDeadLetterCommands } from './commands/dead-letters.ts';
import { addFlagCommands } from './commands/flags.ts';
import { addMigrateCommands } from './commands/migrate.ts';
import { readConfig } from './config.ts';
import { CommandError, createContext } from './context.ts';
import { createOutput } from './output.ts';

const program = new Command('calsync')
  .description("The operator's command for Bookiji Calendar Sync")
  .option('--json', 'print exactly one JSON document on stdout; news goes to stderr')
  .showHelpAfterError('(calsync --help tells all commands)')
  .configureHelp({ showGlobalOptions: true });

const config = readConfig(process.env);
const context = () =>
  createContext(
    createOutput(program.opts<{ json?: boolean }>().json === true, process.stdout, process.stderr),
    config.databaseUrl,
    config.actor,
  );

addMigrateCommands(program, context);
addConnectionCommands(program, context);
addFlagCommands(program, context, readFlagCeiling(config.flagEnvironment));
addDeadLetterCommands(program, context);

try {
  // `--json` may stand anywhere: operators put it last.
  const args = process.argv.slice(2);
  const isJson = args.includes('--json');
  await program.parseAsync([...(isJson ? ['--json'] : []), ...args.filter((arg) => arg !== '--json')], {
    from: 'user',
  });
} catch (error) {
  process.stderr.write(`calsync: ${error instanceof CommandError ? error.message : describe(error)}\n`);
  process.exitCode = 1;
}

/** Unexpected failures in one line, without what the database was told. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'failed for an unknown reason';
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: unknown }).code;
  if (code === 'ECONNREFUSED' || code === 'CONNECT_TIMEOUT') return 'the database at DATABASE_URL does not answer';
  if (code === '42P01') return 'the schema is not there; run: npm run calsync -- migrate up';
  return typeof code === 'string' ? `${cause.name} ${code}: ${cause.message}` : cause.message;
}
