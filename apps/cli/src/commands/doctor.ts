import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { checkDatabase } from '../doctor/check-database.ts';
import { checkProviders, checkQueue } from '../doctor/check-reach.ts';
import { checkSettings } from '../doctor/check-settings.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';

/** `doctor`: what is wrong here, and how to fix it. Changes nothing. */
export function addDoctorCommand(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .description('look at settings, database, schema, queue, calendar providers, clocks and keys; changes nothing')
    .addHelpText(
      'after',
      `${examples(['doctor', 'with the environment of the fleet'], ['doctor --json', 'for a probe'])}\n\nExit 1 when something does not work; warnings alone exit 0.`,
    )
    .action(async () => {
      const [database, queue, providers] = await Promise.all([
        checkDatabase(context),
        checkQueue(context),
        checkProviders(context),
      ]);
      const findings = [...checkSettings(context.environment), ...database, queue, ...providers];
      const count = (status: string) => findings.filter((finding) => finding.status === status).length;
      const healthy = count('fail') === 0;
      context.output.result({ healthy, findings }, () =>
        [
          ...findings.flatMap(({ status, check, found, fix }) => [
            `${status.padEnd(4)}  ${check}: ${found}`,
            ...(fix === null ? [] : [`      → ${fix}`]),
          ]),
          '',
          healthy
            ? `nothing is broken, ${count('warn')} warning(s)`
            : `${count('fail')} broken, ${count('warn')} warning(s)`,
        ].join('\n'),
      );
      if (!healthy) context.exit(EXIT.no);
    });
}
