/** What can be stopped one by one: a calendar provider, a queue, a connection; and shadow mode. */
import { type Database, listSwitches, type OperatorSwitch } from '@bookiji/db';
import { parseSwitchName, SHADOW_SWITCH, switchName } from '@bookiji/flags';
import { QUEUE_NAMES } from '@bookiji/queues';

export interface KillSwitch {
  readonly name: string;
  readonly isOn: boolean;
  /** Who turned it last, when and why; null when nobody ever did. */
  readonly turned: OperatorSwitch | null;
}

/** Of what the booking service works off itself a switch of ours would stop nothing. */
const QUEUES: readonly string[] = Object.values(QUEUE_NAMES).filter((queue) => queue !== QUEUE_NAMES.externalChanges);
const FIXED: readonly string[] = [
  switchName('provider', 'google'),
  switchName('provider', 'microsoft'),
  ...QUEUES.map((queue) => switchName('queue', queue)),
  SHADOW_SWITCH,
];

/** Whether this is the name of a switch to the letter, as it is stored. */
export function isSwitchName(name: string): boolean {
  return parseSwitchName(name, QUEUES) === name;
}

/** Every fixed one, then the connections that are off. Kill switches are on unless turned off, shadow mode is off. */
export async function listKillSwitches(db: Database): Promise<KillSwitch[]> {
  const turned = new Map((await listSwitches(db)).map((one) => [one.name, one]));
  const known = FIXED.map((name) => ({
    name,
    isOn: turned.get(name)?.isOn ?? name !== SHADOW_SWITCH,
    turned: turned.get(name) ?? null,
  }));
  const connections = [...turned.values()]
    .filter(({ name, isOn }) => !FIXED.includes(name) && isSwitchName(name) && !isOn)
    .map((one) => ({ name: one.name, isOn: false, turned: one }));
  return [...known, ...connections];
}
