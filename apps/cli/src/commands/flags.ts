import { readSwitches, turnSwitches } from '@bookiji/db';
import { FLAG_NAMES, type FlagCeiling, isFlagName, isFlagOn } from '@bookiji/flags';
import type { Command } from 'commander';
import { type CommandContext, CommandError } from '../context.ts';
import { renderTable } from '../output.ts';

/** `flags list | set`. The environment is the ceiling: an operator narrows, never widens. */
export function addFlagCommands(program: Command, context: () => CommandContext, ceiling: FlagCeiling): void {
  const flags = program.command('flags').description('show and turn the flags');

  flags
    .command('list', { isDefault: true })
    .description('what the environment allows, what operators switched off, and what results')
    .action(async () => {
      const { output, withDatabase } = context();
      const switches = await withDatabase(({ db }) => readSwitches(db));
      const rows = FLAG_NAMES.map((name) => ({
        name,
        environment: ceiling.flags[name],
        switched_off: switches.get(name) === false,
        effective: isFlagOn(name, ceiling, switches),
      }));
      output.result({ flags: rows }, () =>
        renderTable(
          ['flag', 'environment', 'operator', 'effective'],
          rows.map((row) => [row.name, onOff(row.environment), row.switched_off ? 'off' : '-', onOff(row.effective)]),
        ),
      );
    });

  flags
    .command('set')
    .description('switch a flag off, or on again up to what the environment allows')
    .argument('<name>', FLAG_NAMES.join(', '))
    .argument('<on|off>')
    .option('--reason <text>', 'kept in the audit log')
    .action(async (name: string, value: string, options: { reason?: string }) => {
      const { actor, output, withDatabase } = context();
      if (!isFlagName(name)) throw new CommandError(`unknown flag "${name}"; the flags are ${FLAG_NAMES.join(', ')}`);
      if (value !== 'on' && value !== 'off') throw new CommandError(`a flag is set on or off, not "${value}"`);
      const isOn = value === 'on';
      await withDatabase(({ db }) =>
        turnSwitches(db, [{ name, isOn, changedBy: actor, reason: options.reason ?? null }]),
      );
      const effective = isOn && ceiling.flags[name];
      output.result({ name, effective }, () =>
        isOn && !effective
          ? `${name} stays off: the environment of this command says so`
          : `${name} is ${onOff(effective)}`,
      );
    });
}

function onOff(isOn: boolean): string {
  return isOn ? 'on' : 'off';
}
