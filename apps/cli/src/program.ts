import { Command } from 'commander';
import { addConnectionCommands } from './commands/connections.ts';
import { addDeadLetterCommands } from './commands/dead-letters.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addDrillCommand } from './commands/drill.ts';
import { addFlagCommands } from './commands/flags.ts';
import { addGoNoGoCommand } from './commands/go-no-go.ts';
import { addMigrateCommands } from './commands/migrate.ts';
import { addRepublishCommand } from './commands/republish.ts';
import { addResealCommand } from './commands/reseal.ts';
import { addSyncCommand } from './commands/sync.ts';
import type { CommandContext } from './context.ts';
import { EXIT_HELP } from './exit-codes.ts';

const FIRST_STEPS = `
First steps:
  npm run calsync -- doctor                    what is wrong here, and how to fix it
  npm run calsync -- migrate status            is the schema current
  npm run calsync -- connections list          who is connected, those with trouble first
  npm run calsync -- drill --all               run every scenario against a fleet of its own (minutes)
  npm run calsync -- go-no-go                  may it be let near real providers

Every command takes --json: then stdout holds exactly one JSON document, and news goes to stderr.
What operators change is written to the operator log under CALSYNC_ACTOR, else USER.

${EXIT_HELP}`;

/** All commands. Whatever ends the parsing early is thrown, never exited. */
export function createProgram(
  context: CommandContext,
  writeOut: (text: string) => void,
  writeErr: (text: string) => void,
): Command {
  const program = new Command('calsync')
    .description("The operator's command for Bookiji Calendar Sync")
    .option('--json', 'print exactly one JSON document on stdout; news goes to stderr')
    .configureOutput({ writeOut, writeErr })
    .exitOverride()
    .showHelpAfterError('(see --help)')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', FIRST_STEPS);
  addDoctorCommand(program, context);
  addConnectionCommands(program, context);
  addSyncCommand(program, context);
  addFlagCommands(program, context);
  addDeadLetterCommands(program, context);
  addMigrateCommands(program, context);
  addResealCommand(program, context);
  addRepublishCommand(program, context);
  addDrillCommand(program, context);
  addGoNoGoCommand(program, context);
  return program;
}
