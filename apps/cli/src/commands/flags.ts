import { clearSwitch, listSwitches, type OperatorSwitch, readSwitches, turnSwitches } from '@bookiji/db';
import { FLAG_NAMES, isFlagName, isFlagOn, parseSwitchName, readFlagCeiling, SHADOW_SWITCH } from '@bookiji/flags';
import { flagFields } from '@bookiji/fleet';
import { QUEUE_NAMES } from '@bookiji/queues';
import { loadSettings } from '@bookiji/runtime';
import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import type { CommandContext } from '../context.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { renderTable } from '../output.ts';
import { type ReasonOptions, reasonOf, withReason } from '../reason.ts';

const QUEUES: readonly string[] = Object.values(QUEUE_NAMES);
const WHOSE_CEILING =
  'what each process may do, its own environment says; GET /api/ops/flags says what is in force in the fleet';
const NAMES = `${FLAG_NAMES.join(', ')}, provider:<google|microsoft>, queue:<name>, connection:<id>, ${SHADOW_SWITCH}`;

/**
 * `flags list | set | clear`. The environment is the ceiling: an operator narrows, never widens. Each process has a ceiling
 * of its own, which it tells nobody; known here is that of this command's environment.
 */
export function addFlagCommands(program: Command, context: CommandContext): void {
  const flags = program
    .command('flags')
    .description('flags and kill switches: what is off, who turned it, and why')
    .addHelpText(
      'after',
      examples(
        ['flags list', 'what the environment of this shell allows, what operators turned, what results'],
        ['flags set CALENDAR_SYNC_ENABLED off --reason "incident 12"', 'in force everywhere within two seconds'],
        ['flags set provider:google off --reason "outage"', 'one calendar provider alone; its work waits'],
        ['flags set shadow on --reason "rehearsal"', 'outbound writes are planned and logged, not made'],
        ['flags clear provider:google --reason "over"', 'as if nobody had ever turned it'],
      ),
    );
  addList(flags, context);
  addSet(flags, context);
  addClear(flags, context);
}

function ceilingOf({ environment }: CommandContext) {
  return readFlagCeiling(loadSettings(flagFields, environment));
}

function addList(flags: Command, context: CommandContext): void {
  flags
    .command('list', { isDefault: true })
    .alias('show')
    .description('what the environment of this command allows, what operators turned, and what results')
    .action(async () => {
      const ceiling = ceilingOf(context);
      const [switches, turned] = await context.withDatabase(({ db }) =>
        Promise.all([readSwitches(db), listSwitches(db)]),
      );
      const rows = FLAG_NAMES.map((name) => ({
        name,
        environment: ceiling.flags[name],
        switched_off: switches.get(name) === false,
        effective: isFlagOn(name, ceiling, switches),
      }));
      const lists = { provider_ids: ceiling.providerIds, connection_ids: ceiling.connectionIds };
      context.output.result({ flags: rows, switches: turned.map(describeSwitch), allowlists: lists }, () =>
        [
          renderTable(
            ['flag', 'this shell', 'operator', 'effective here'],
            rows.map((row) => [row.name, onOff(row.environment), row.switched_off ? 'off' : '-', onOff(row.effective)]),
          ),
          WHOSE_CEILING,
          '\nturned by operators',
          renderTable(
            ['name', 'is', 'when', 'who', 'why'],
            turned.map((one) => [
              one.name,
              onOff(one.isOn),
              one.changedAt.toISOString(),
              one.changedBy,
              one.reason ?? '',
            ]),
          ),
          `\nallowlists of this shell: providers ${sizeOf(ceiling.providerIds)}, connections ${sizeOf(ceiling.connectionIds)}`,
        ].join('\n'),
      );
    });
}

function addSet(flags: Command, context: CommandContext): void {
  const command = flags
    .command('set')
    .description('turn a flag or switch off, or on again up to what the environment allows')
    .argument('<name>', NAMES)
    .argument('<on|off>');
  withReason(command).action(async (given: string, value: string, options: ReasonOptions) => {
    const name = parseName(given);
    if (value !== 'on' && value !== 'off')
      throw new CommandError(`a flag is set on or off, not "${value}"`, EXIT.usage);
    const isOn = value === 'on';
    const isAllowed = !isFlagName(name) || ceilingOf(context).flags[name];
    const reason = reasonOf(options);
    await context.withDatabase(({ db }) => turnSwitches(db, [{ name, isOn, changedBy: context.actor, reason }]));
    context.output.result({ name, effective: isOn && isAllowed }, () =>
      isOn && !isAllowed
        ? `${name} is on wherever the environment of a process allows it; that of this shell does not`
        : `${name} is ${value}, in every process within two seconds`,
    );
  });
}

function addClear(flags: Command, context: CommandContext): void {
  const command = flags
    .command('clear')
    .description('forget that an operator turned it: the environment alone decides again')
    .argument('<name>', NAMES);
  withReason(command).action(async (given: string, options: ReasonOptions) => {
    const name = parseName(given);
    const reason = reasonOf(options);
    const isCleared = await context.withDatabase(({ db }) =>
      clearSwitch(db, { name, changedBy: context.actor, reason }),
    );
    context.output.result({ name, cleared: isCleared }, () =>
      isCleared ? `${name} is as the environment says` : `nobody had turned ${name}`,
    );
  });
}

function parseName(name: string): string {
  const known = isFlagName(name) ? name : parseSwitchName(name, QUEUES);
  if (known === null) throw new CommandError(`unknown flag "${name}"; there are ${NAMES}`, EXIT.usage);
  return known;
}

function describeSwitch(one: OperatorSwitch) {
  return { name: one.name, on: one.isOn, changed_at: one.changedAt, changed_by: one.changedBy, reason: one.reason };
}

function onOff(isOn: boolean): string {
  return isOn ? 'on' : 'off';
}

function sizeOf(list: readonly string[] | null): string {
  return list === null ? 'not restricted' : `${list.length}`;
}
